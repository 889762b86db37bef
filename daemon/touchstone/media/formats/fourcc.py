"""Codecs by FourCC, as AVI and Matroska write them (Microsoft's and FFmpeg's registries)."""

from __future__ import annotations

CODES = {
    "h264": "H264 X264 AVC1 DAVC VSSH",
    "hevc": "HEVC H265 HVC1 HEV1 X265",
    "mpeg4": "XVID DIVX DX50 FMP4 MP4V 3IV2 MP4S",
    "msmpeg4v1": "MPG4 MP41",
    "msmpeg4v2": "DIV2 MP42",
    "msmpeg4v3": "DIV3 MP43 DIV4 COL1",
    "mjpeg": "MJPG AVRN LJPG",
    "msvideo1": "CRAM MSVC WHAM",
    "cinepak": "CVID",
    "indeo3": "IV31 IV32",
    "indeo5": "IV50",
    "vp8": "VP80",
    "vp9": "VP90",
    "av1": "AV01",
    "wmv1": "WMV1",
    "wmv2": "WMV2",
    "wmv3": "WMV3",
    "mpeg1video": "MPG1",
    "mpeg2video": "MPG2",
    "h263": "H263 S263 U263",
    "flv1": "FLV1",
    "theora": "THEO",
    "dvvideo": "DVSD",
    "huffyuv": "HFYU",
    "ffv1": "FFV1",
    "png": "MPNG",
    "rawvideo": "I420 YUY2 UYVY YV12",
}
_CODEC = {code.encode(): codec for codec, codes in CODES.items() for code in codes.split()} | {
    b"\0\0\0\0": "rawvideo"  # BI_RGB
}


def codec_of(fourcc: bytes) -> str | None:
    """The codec that a FourCC stands for, in capitals or small letters; None for one that is not known."""
    return _CODEC.get(fourcc.upper())
