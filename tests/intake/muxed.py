"""Small real videos in every form that the web serves them in, made with PyAV."""

from __future__ import annotations

import io
import os
from pathlib import Path

import av
import numpy as np

FRAMES_PER_S = 25
HLS = {"hls_time": "1", "hls_playlist_type": "vod"}
FORMS = {
    "ts": ("hls", "index.m3u8", HLS),
    "fmp4": ("hls", "index.m3u8", HLS | {"hls_segment_type": "fmp4"}),
    "single": ("hls", "index.m3u8", HLS | {"hls_segment_type": "fmp4", "hls_flags": "single_file"}),
    "timeline": ("dash", "index.mpd", {"seg_duration": "1", "use_timeline": "1"}),
    "numbers": ("dash", "index.mpd", {"seg_duration": "1", "use_timeline": "0"}),
    "list": ("dash", "index.mpd", {"seg_duration": "1", "single_file": "1"}),
    "file": ("mp4", "video.mp4", {}),
    "fast": ("mp4", "video.mp4", {"movflags": "faststart"}),
    "fragmented": ("mp4", "video.mp4", {"movflags": "frag_keyframe+empty_moov"}),
}


def mux(folder: Path, form: str, seconds: int = 4) -> Path:
    """Write a clip of grey frames, a keyframe a second, in one of `FORMS`; the path to open."""
    container, name, options = FORMS[form]
    folder.mkdir(parents=True, exist_ok=True)
    here = Path.cwd()
    os.chdir(folder)  # the muxers name further files relative to the first
    try:
        with av.open(name, "w", format=container, options=options) as output:
            stream = output.add_stream("libx264", rate=FRAMES_PER_S)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            stream.options = {"g": "25", "keyint_min": "25", "sc_threshold": "0", "threads": "1"}
            for number in range(seconds * FRAMES_PER_S):
                grey = np.full((48, 64, 3), 40 + number % 160, np.uint8)
                output.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
            output.mux(stream.encode())
    finally:
        os.chdir(here)
    return folder / name


def count_frames(*paths: Path) -> int:
    """How many frames the files joined hold; they are joined in memory, so nothing is opened by name."""
    with av.open(io.BytesIO(b"".join(path.read_bytes() for path in paths))) as video:
        return sum(1 for _ in video.decode(video=0))
