"""From a file of the corpus to the patches that a model sees, kept on disk so that it is done once.

Each clip gives the same number of consecutive frames, is treated (conditions.py), decoded again, and cut by
the daemon's own code. Every file is written under another name first, so that a run that was killed goes on
where it ended.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from touchstone.examiners.detector.patches import SIDE, cut
from touchstone.media.frames import Run
from touchstone.media.pictures import picture

from .conditions import CANVASES, Encoding, Treatment
from .degrade import Planes, degraded

FRAMES = 8
"""Frames of every clip: nine of ten generated clips of the corpus have as many."""
RUNS = (0, 3, 5)
"""Where the runs of three frames start: at the keyframe and after it."""
PATCHES = 4
"""Patches of each run."""
RATE = 24
_SEARCHED = 32  # frames of the file among which the middle ones are taken


class TooShort(ValueError):
    """A clip has fewer frames than every other gets, or is smaller than a patch."""


def source_frames(path: Path) -> list[VideoFrame]:
    """The middle `FRAMES` of a file's first frames, as decoded, 4:2:0 of 8 bits.

    Raises:
        TooShort: there are fewer.
        av.error.FFmpegError: it cannot be decoded.
    """
    found: list[VideoFrame] = []
    with av.open(str(path), metadata_errors="replace") as source:
        stream = source.streams.video[0]
        stream.thread_type = "NONE"
        for frame in source.decode(stream):
            found.append(frame)
            if len(found) == _SEARCHED:
                break
    if len(found) < FRAMES:
        raise TooShort(f"{path.name}: {len(found)} frames, {FRAMES} are needed")
    start = (len(found) - FRAMES) // 2
    return found[start : start + FRAMES]


def treated(frames: Sequence[VideoFrame], treatment: Treatment, seed: str) -> tuple[list[VideoFrame], int]:
    """The frames after a treatment, and how many bytes the last encoding of them took."""
    width, height = scaled_size(frames[0].width, frames[0].height, treatment)
    kernel = Interpolation[treatment.kernel]
    pictures = [frame.reformat(width, height, "yuv420p", interpolation=kernel) for frame in frames]
    if treatment.canvas:
        width = height = min(width, height)
        pictures = [_middle(p) for p in pictures]
    if treatment.degrade == "rescale":
        small = (_even(width * 0.6), _even(height * 0.6))
        pictures = [p.reformat(*small, interpolation=kernel) for p in pictures]
        pictures = [p.reformat(width, height, interpolation=kernel) for p in pictures]
    elif treatment.degrade == "compress":
        pictures = decoded(encoded(pictures, replace(treatment.last, codec="libx264", crf=36)))
    elif treatment.degrade is not None:
        pictures = _degraded(pictures, treatment.degrade, seed)
    if treatment.first is not None:
        pictures = decoded(encoded(pictures, treatment.first))
    content = encoded(pictures, treatment.last)
    return decoded(content), len(content)


def scaled_size(width: int, height: int, treatment: Treatment) -> tuple[int, int]:
    """Even pixels across and down; never smaller than a patch unless the clip is.

    Raises:
        TooShort: a side of the clip is smaller than a patch.
    """
    short = min(width, height)
    if short < SIDE:
        raise TooShort(f"{width} by {height} pixels, {SIDE} are needed")
    scale = max(min(treatment.shrink, treatment.short_side / short), SIDE / short)
    if treatment.canvas:
        scale = max(side for side in CANVASES if side <= max(scale * short, SIDE)) / short
    return _even(width * scale), _even(height * scale)


def _even(length: float) -> int:
    return max(2, round(length / 2) * 2)


def _middle(frame: VideoFrame) -> VideoFrame:
    """The middle square of a 4:2:0 picture."""
    picture = frame.to_ndarray()  # luma above chroma, as I420 lies in memory
    width, height = frame.width, frame.height
    side = min(width, height)
    quarter = width * height // 4
    flat = picture.reshape(-1)
    planes = (
        flat[: 4 * quarter].reshape(height, width),
        flat[4 * quarter : 5 * quarter].reshape(height // 2, width // 2),
        flat[5 * quarter :].reshape(height // 2, width // 2),
    )
    top, left = (height - side) // 4 * 2, (width - side) // 4 * 2
    parts = [
        plane[top // step : (top + side) // step, left // step : (left + side) // step]
        for plane, step in zip(planes, (1, 2, 2), strict=True)
    ]
    square = np.concatenate([part.reshape(-1) for part in parts]).reshape(side * 3 // 2, side)
    return VideoFrame.from_ndarray(square, format="yuv420p")


def _degraded(frames: Sequence[VideoFrame], kind: str, seed: str) -> list[VideoFrame]:
    pictures: Planes = np.stack([frame.to_ndarray() for frame in frames]).astype(np.uint8)  # as in _middle
    rows = pictures.shape[1] * 2 // 3
    pictures[:, :rows] = degraded(pictures[:, :rows], kind, seed)
    return [VideoFrame.from_ndarray(p, format="yuv420p") for p in pictures]


def encoded(frames: Sequence[VideoFrame], how: Encoding) -> bytes:
    """A file of the frames, 24 a second, without sound."""
    file = io.BytesIO()
    options = {"crf": str(how.crf), "g": str(how.gop), "threads": "1"}
    if how.codec == "libvpx-vp9":
        options |= {"b": "0", "cpu-used": "4", "deadline": "good", "lag-in-frames": "0"}
    elif how.codec == "libsvtav1":
        options = {
            "crf": str(how.crf),
            "g": str(how.gop),
            "preset": "9",
            "svtav1-params": "lp=1:enable-overlays=0",
        }
    else:
        options |= {"preset": how.preset, "bf": str(how.b_frames)}
        if how.codec == "libx265":
            options["x265-params"] = "log-level=error:pools=none:frame-threads=1"
        else:
            options["sc_threshold"] = "0"
    with av.open(file, "w", format="mp4") as output:
        stream = cast(Any, output.add_stream(how.codec, rate=RATE))
        stream.width, stream.height, stream.pix_fmt = frames[0].width, frames[0].height, "yuv420p"
        stream.options = options
        for number, frame in enumerate(frames):
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            frame.pict_type = 0  # what the source coded it as must not steer this encoder
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return file.getvalue()


def decoded(content: bytes) -> list[VideoFrame]:
    """All frames of a file that `encoded` wrote."""
    with av.open(io.BytesIO(content), "r") as source:
        source.streams.video[0].thread_type = "NONE"
        return list(source.decode(video=0))


def patches(frames: Sequence[VideoFrame]) -> NDArray[np.uint8]:
    """`(N, 3, 192, 128)`: the patches of every run, as CONTRACT.md lays them out; N may be 0."""
    pictures = [picture(frame, Fraction(1, RATE), 0) for frame in frames]
    cuts = [cut(Run(tuple(pictures[start : start + 3])), PATCHES)[0] for start in RUNS]
    return np.rint(np.concatenate(cuts)).astype(np.uint8)


def make(clip: Path, target: Path, wanted: dict[str, tuple[Treatment, str]]) -> None:
    """Write what is missing of a clip's conditions into the folder `target`.

    Args:
        clip: the file.
        target: gets `CONDITION.npy` and `CONDITION.json` for each; a clip that gives none a `none.json`.
        wanted: the treatment of each condition, and the seed of its noise.
    """
    missing = {name: how for name, how in wanted.items() if not (target / f"{name}.json").exists()}
    if not missing or (target / "none.json").exists():
        return
    target.mkdir(parents=True, exist_ok=True)
    try:
        frames = source_frames(clip)
        for name, (how, seed) in missing.items():
            pictures, size = treated(frames, how, seed)
            found = patches(pictures)
            facts = {
                "width": pictures[0].width,
                "height": pictures[0].height,
                "frames": len(pictures),
                "fps": RATE,
                "bytes": size,
                "codec": how.last.codec,
                "container": "mp4",
                "patches": len(found),
            }
            np.save(target / f"{name}.part.npy", found)
            (target / f"{name}.part.npy").rename(target / f"{name}.npy")
            (target / f"{name}.json").write_text(json.dumps(facts), encoding="utf-8")
    except (TooShort, av.error.FFmpegError) as reason:
        (target / "none.json").write_text(json.dumps({"reason": str(reason)}), encoding="utf-8")
