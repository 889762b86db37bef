"""Training and validation examples for the watermark decoder: marked clips after real encoders.

For each example a clip is marked with a key of its own, encoded by x264, x265, VP9 or AV1 at a drawn quality
(often at another size), decoded, sometimes cut or enlarged, and kept as runs of three frames at the reader's
canonical size, together with what was embedded at every pixel. Clips are split by source, never by clip:
`held_out` says which sources no training may see.

An example depends on its number and the corpus alone, so an interrupted run goes on where it stopped.
"""

from __future__ import annotations

import csv
import hashlib
import io
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from touchstone.watermark.carrier import carrier, weights
from touchstone.watermark.embedding import FrameMarker
from touchstone.watermark.key import Key
from touchstone.watermark.payload import encode
from touchstone.watermark.sight import canonical

FRAMES = 3
"""Of a run, as the sampler takes them."""
CLIP_FRAMES = 16
MIN_SIDE = 200

CODECS = (
    # encoder, range of CRF, options, weight
    ("libx264", (18, 36), {"preset": "medium"}, 6),
    ("libx264", (18, 36), {"preset": "veryfast"}, 2),
    ("libx265", (20, 36), {"preset": "fast", "x265-params": "log-level=none:pools=none"}, 2),
    ("libvpx-vp9", (28, 48), {"deadline": "realtime", "cpu-used": "6", "b": "0"}, 1),
    ("libsvtav1", (28, 50), {"preset": "10"}, 1),
)

Planes = list[NDArray[np.uint8]]


@dataclass(frozen=True)
class Example:
    """Runs of one marked clip.

    Attributes:
        frames: `(R, FRAMES, H, W) uint8`, at the canonical size.
        pattern: `(H, W) float16`, what was embedded there, about -1 to 1.
        condition: how it was encoded, in words.
    """

    frames: NDArray[np.uint8]
    pattern: NDArray[np.float16]
    condition: str


def held_out(group: str) -> bool:
    """Whether a source of clips is kept for measuring: about half are, decided by its name's hash."""
    return hashlib.sha256(group.encode()).digest()[0] % 2 == 1


def sources(corpus: Path, *, training: bool) -> list[Path]:
    """Clips of the training or of the held-out sources, in the manifest's order."""
    with (corpus / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["label"] in ("real", "cgi", "generated")]
    return [
        corpus / r["file"]
        for r in rows
        if held_out(r["group"]) != training and min(int(r["width"] or 0), int(r["height"] or 0)) >= MIN_SIDE
    ]


def make(number: int, clips: Sequence[Path]) -> Example:
    """The example of a number.

    Raises:
        av.error.FFmpegError, ValueError: its clip cannot be used.
    """
    draw = random.Random(number)  # noqa: S311 - an example, no secret
    clip = draw.choice(clips)
    side = draw.choice((240, 360, 480, 480, 720))
    frames = load(clip, side, CLIP_FRAMES)
    height, width = frames[0][0].shape
    key = Key("training", hashlib.sha256(f"training {number}".encode()).digest())
    payload = draw.getrandbits(32)
    marker = FrameMarker(payload, key, width, height)
    marked = [[marker.mark(luma), *chroma] for luma, *chroma in frames]

    name, (low, high), options, _ = draw.choices(CODECS, [c[3] for c in CODECS])[0]
    crf = draw.randint(low, high)
    scale = draw.choice((1.0, 1.0, 1.0, 0.75, 0.667, 1.25))
    size = (even(width * scale), even(height * scale))
    out = recode(marked, name, {**options, "crf": str(crf)}, size)

    # A part of the picture, so that chips come at other sizes and places than the grid's.
    part = draw.uniform(0.7, 1.0) if draw.random() < 0.35 else 1.0
    wide, high_ = even(size[0] * part), even(size[1] * part)
    left, top = draw.randint(0, size[0] - wide), draw.randint(0, size[1] - high_)
    first = 0 if draw.random() < 0.5 else draw.randint(0, max(0, len(out) - FRAMES))
    starts = sorted({first, max(0, len(out) - FRAMES)})
    runs = []
    for start in starts:
        run = [
            canonical(np.ascontiguousarray(f[0][top : top + high_, left : left + wide]))
            for f in out[start : start + FRAMES]
        ]
        runs.append(np.stack([*run, *[run[-1]] * (FRAMES - len(run))]))
    seen = np.stack(runs)
    pitch = min(size) / 128
    chips = carrier(key).chips(encode(payload, key)).astype(np.float32)
    rows = weights(_at(seen.shape[2], top, high_, size[1], pitch))
    columns = weights(_at(seen.shape[3], left, wide, size[0], pitch))
    pattern = rows @ chips @ columns.T / 64**2
    condition = f"{name} crf {crf} {width}x{height} to {size[0]}x{size[1]} part {part:.2f}"
    return Example(seen, pattern.astype(np.float16), condition)


def _at(length: int, start: int, part: int, whole: int, pitch: float) -> NDArray[np.float64]:
    """Chip coordinates of `length` canonical pixels that show `part` of `whole` pixels from `start` on."""
    inside = (np.arange(length) + 0.5) * part / length
    return np.asarray((start + inside - whole / 2) / pitch)


def even(value: float) -> int:
    return max(2, int(value) // 2 * 2)


def load(path: Path, side: int, count: int) -> list[Planes]:
    """The first frames as 4:2:0 planes, made smaller where the shorter side is larger than `side`."""
    frames: list[Planes] = []
    with av.open(str(path)) as source:
        stream = source.streams.video[0]
        stream.codec_context.thread_count = 1
        for frame in source.decode(stream):
            scale = min(1.0, side / min(frame.width, frame.height))
            size = (even(frame.width * scale), even(frame.height * scale))
            frames.append(
                planes(frame.reformat(width=size[0], height=size[1], format="yuv420p", interpolation="AREA"))
            )
            if len(frames) == count:
                break
    if not frames:
        raise ValueError(f"{path}: has no frame")
    return frames


def planes(frame: av.VideoFrame) -> Planes:
    """The planes of a 4:2:0 frame."""
    w, h = frame.width, frame.height
    shapes = ((h, w), (h // 2, w // 2), (h // 2, w // 2))
    return [
        np.frombuffer(p, np.uint8).reshape(-1, p.line_size)[:rows, :columns].copy()
        for p, (rows, columns) in zip(frame.planes, shapes, strict=True)
    ]


def picture(parts: Planes) -> av.VideoFrame:
    """A 4:2:0 frame of planes."""
    height, width = parts[0].shape
    frame = av.VideoFrame(width, height, "yuv420p")
    for plane, values in zip(frame.planes, parts, strict=True):
        lines = np.zeros((values.shape[0], plane.line_size), np.uint8)
        lines[:, : values.shape[1]] = values
        plane.update(lines)
    return frame


def recode(
    frames: Sequence[Planes], encoder: str, options: dict[str, str], size: tuple[int, int], rate: int = 25
) -> list[Planes]:
    """Frames after an encoder and its decoder, at another size where it differs."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as target:
        stream = target.add_stream(encoder, rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = size[0], size[1], "yuv420p"
        stream.codec_context.thread_count = 1
        for number, parts in enumerate(frames):
            frame = picture(parts).reformat(width=size[0], height=size[1], interpolation="BICUBIC")
            frame.pts = number
            target.mux(stream.encode(frame))
        target.mux(stream.encode())
    buffer.seek(0)
    with av.open(buffer) as source:
        return [planes(frame.reformat(format="yuv420p")) for frame in source.decode(video=0)]


def examples(folder: Path, count: int, clips: Sequence[Path], *, first: int) -> Iterator[Path]:
    """Files of examples `first` to `first + count`, made where they are not there; bad clips are left out."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        path, refused = folder / f"{number}.npz", folder / f"{number}.bad"
        if refused.exists():
            continue
        if not path.exists():
            try:
                example = make(number, clips)
            except (av.error.FFmpegError, ValueError) as problem:
                refused.write_text(str(problem), encoding="utf-8")
                continue
            draft = path.with_suffix(".part.npz")
            np.savez(draft, frames=example.frames, pattern=example.pattern, condition=example.condition)
            draft.replace(path)
        yield path
