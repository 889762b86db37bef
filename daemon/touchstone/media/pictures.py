"""From FFmpeg's frames to ours: the decoder's planes without a copy, and what the numbers in them mean."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane

from ..messages import say
from .container import CannotDecode
from .frames import Colour, Frame, Model, Plane

# Code points of ITU-T H.273 (07/2024), tables 2, 3 and 4, as FFmpeg passes them on; 2 is "unspecified".
_MATRICES: Mapping[int, str] = {
    0: "rgb", 1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "ycgco",
    9: "bt2020nc", 10: "bt2020c", 14: "ictcp",
}  # fmt: skip
_PRIMARIES: Mapping[int, str] = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "film", 9: "bt2020",
    10: "smpte428", 11: "smpte431", 12: "smpte432", 22: "ebu3213",
}  # fmt: skip
_TRANSFERS: Mapping[int, str] = {
    1: "bt709", 4: "gamma22", 5: "gamma28", 6: "smpte170m", 7: "smpte240m", 8: "linear", 11: "iec61966-2-4",
    13: "srgb", 14: "bt2020-10", 15: "bt2020-12", 16: "pq", 17: "smpte428", 18: "hlg",
}  # fmt: skip
_FULL_RANGE = 2  # AVCOL_RANGE_JPEG
_KINDS: Mapping[int, str] = {1: "I", 2: "P", 3: "B", 4: "P", 5: "I", 6: "P", 7: "B"}  # S, SI, SP, BI as kin

# Layouts that are not one plane a component, and those with the same samples that are.
_UNPACKED: Mapping[str, str] = {
    "nv12": "yuv420p", "nv21": "yuv420p", "nv16": "yuv422p", "nv24": "yuv444p", "nv42": "yuv444p",
    "yuyv422": "yuv422p", "uyvy422": "yuv422p", "yvyu422": "yuv422p", "uyyvyy411": "yuv411p",
    "p010le": "yuv420p10le", "p012le": "yuv420p12le", "p016le": "yuv420p16le", "y210le": "yuv422p10le",
    "monow": "gray", "monob": "gray", "ya8": "gbrap", "ya16le": "gbrap16le", "ya16be": "gbrap16le",
}  # fmt: skip


def picture(frame: VideoFrame, base: Fraction, origin: int) -> Frame:
    """A decoded frame as ours.

    Args:
        frame: as the decoder gave it; its memory is shared and stays while our frame does.
        base: seconds of one tick of the stream's clock.
        origin: the tick at which the clip starts.

    Raises:
        CannotDecode: its samples are of a kind that we do not read (floating point).
    """
    shape = _planar(frame)
    planes = [_plane(shape, index) for index in range(len(shape.planes))]
    components = shape.format.components
    depth = max(component.bits for component in components)
    alpha = planes.pop() if any(component.is_alpha for component in components) else None
    model: Model
    if shape.format.is_rgb:
        model = "rgb"
        planes = [planes[2], planes[0], planes[1]]  # FFmpeg's planar RGB is in the order G, B, R
    elif len(planes) == 1:
        model = "grey"
    else:
        model = "ycbcr"
    return Frame(
        planes=tuple(planes),
        model=model,
        depth=depth,
        time_s=max(float(((frame.pts or 0) - origin) * base), 0.0),
        subsampling=_subsampling(planes) if model == "ycbcr" else (1, 1),
        alpha=alpha,
        duration_s=float(frame.duration * base) if frame.duration else None,
        kind=_KINDS.get(int(frame.pict_type)),
        key=bool(frame.key_frame),
        rotation=round(-frame.rotation / 90) * 90 % 360,
        interlaced=frame.interlaced_frame,
        colour=_colour(frame),
    )


def _planar(frame: VideoFrame) -> VideoFrame:
    """The frame with a plane for each component, little endian; itself if it is that already."""
    form = frame.format
    if form.name in _UNPACKED:
        return frame.reformat(format=_UNPACKED[form.name])
    bits = max((component.bits for component in form.components), default=0)
    if "f16" in form.name or "f32" in form.name or bits > 16:
        raise CannotDecode(say("sampler.no_layout", layout=form.name))
    if form.has_palette or (form.is_rgb and not form.is_planar):
        alpha = form.has_palette or any(component.is_alpha for component in form.components)
        name = ("gbrap" if alpha else "gbrp") + ("16le" if bits > 8 else "")
        return frame.reformat(format=name)
    if form.is_big_endian and bits > 8:
        return frame.reformat(format=form.name.removesuffix("be") + "le")
    if len(form.components) != len({component.plane for component in form.components}):
        raise CannotDecode(say("sampler.no_layout", layout=form.name))
    return frame


def _plane(frame: VideoFrame, index: int) -> Plane:
    plane: VideoPlane = frame.planes[index]
    wide = max(component.bits for component in frame.format.components) > 8
    if plane.line_size <= 0:
        raise CannotDecode(say("sampler.no_layout", layout=frame.format.name))
    rows = np.asarray(memoryview(plane)).reshape(plane.height, plane.line_size)
    samples: Plane = rows.view("<u2")[:, : plane.width] if wide else rows[:, : plane.width]
    samples.flags.writeable = False  # the decoder may still predict other frames from it
    return samples


def _subsampling(planes: list[Plane]) -> tuple[int, int]:
    (height, width), (chroma_height, chroma_width) = planes[0].shape, planes[1].shape
    return -(-width // chroma_width), -(-height // chroma_height)


def _colour(frame: VideoFrame) -> Colour:
    return Colour(
        matrix=_MATRICES.get(int(frame.colorspace)),
        full_range=int(frame.color_range) == _FULL_RANGE or frame.format.name.startswith("yuvj"),
        primaries=_PRIMARIES.get(int(frame.color_primaries)),
        transfer=_TRANSFERS.get(int(frame.color_trc)),
    )
