"""What happens to videos on their way, done to frames in memory: codecs, sizes, cuts, turns, colours.

A clip is a list of frames, a frame its three 4:2:0 planes `(H, W) uint8`. Every attack ends with an encoder:
where its name has none, that is x264 at CRF 23.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Planes = list[NDArray[np.uint8]]
Clip = list[Planes]
Change = Callable[[Clip], Clip]

X264, X265, VP9, AV1 = "libx264", "libx265", "libvpx-vp9", "libsvtav1"
_OPTIONS = {
    X264: {"preset": "medium"},
    X265: {"preset": "fast", "x265-params": "log-level=none:pools=none"},
    VP9: {"deadline": "realtime", "cpu-used": "6", "b": "0"},
    AV1: {"preset": "10"},
}


def encoded(clip: Clip, codec: str = X264, crf: int = 23, scale: float = 1.0) -> Clip:
    """A clip after an encoder at another size, and its decoder."""
    height, width = clip[0][0].shape
    size = (even(width * scale), even(height * scale))
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as target:
        stream = target.add_stream(codec, rate=25, options={**_OPTIONS[codec], "crf": str(crf)})
        stream.width, stream.height, stream.pix_fmt = size[0], size[1], "yuv420p"
        stream.codec_context.thread_count = 1
        for number, planes in enumerate(clip):
            frame = picture(planes).reformat(width=size[0], height=size[1], interpolation="BICUBIC")
            frame.pts = number
            target.mux(stream.encode(frame))
        target.mux(stream.encode())
    buffer.seek(0)
    with av.open(buffer) as source:
        return [planes_of(frame.reformat(format="yuv420p")) for frame in source.decode(video=0)]


def each(change: Callable[[Image.Image, int], Image.Image], clip: Clip) -> Clip:
    """A clip with each plane changed; the change is told how many pixels a sample stands for."""
    return [
        [np.asarray(change(Image.fromarray(plane), 1 if n == 0 else 2)) for n, plane in enumerate(planes)]
        for planes in clip
    ]


def cut(clip: Clip, side: float) -> Clip:
    """A part of the picture, off its middle; `side`: its share of each side."""
    height, width = clip[0][0].shape
    w, h = even(width * side), even(height * side)
    left, top = even((width - w) * 0.3), even((height - h) * 0.6)
    return each(lambda p, s: p.crop((left // s, top // s, (left + w) // s, (top + h) // s)), clip)


def turned(clip: Clip, degrees: float) -> Clip:
    """Turned about the middle, corners black."""
    return [
        [
            np.asarray(Image.fromarray(p).rotate(degrees, Image.Resampling.BICUBIC, fillcolor=fill))
            for p, fill in zip(planes, (16, 128, 128), strict=True)
        ]
        for planes in clip
    ]


def mirrored(clip: Clip) -> Clip:
    return [[np.ascontiguousarray(p[:, ::-1]) for p in planes] for planes in clip]


def blurred(clip: Clip, radius: float) -> Clip:
    return each(lambda p, s: p.filter(ImageFilter.GaussianBlur(radius / s)), clip)


def toned(clip: Clip, tone: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Clip:
    """Luma through a curve, 0 to 1."""
    steps = np.clip((np.arange(256) - 16) / 219, 0, 1)
    curve = np.clip(np.rint(tone(steps) * 219 + 16), 0, 255).astype(np.uint8)
    return [[curve[luma], *chroma] for luma, *chroma in clip]


def noisy(clip: Clip, sigma: float) -> Clip:
    draw = np.random.default_rng(0)
    return [
        [np.clip(luma + draw.normal(0, sigma, luma.shape), 0, 255).astype(np.uint8), *chroma]
        for luma, *chroma in clip
    ]


def barred(clip: Clip, share: float, *, sides: bool) -> Clip:
    """Black bars, each of that share of the picture, above and below it or at its sides."""

    def frame(planes: Planes) -> Planes:
        out = []
        for plane, fill, s in zip(planes, (16, 128, 128), (1, 2, 2), strict=True):
            bar = even(share * planes[0].shape[1 if sides else 0]) // s
            pad = ((0, 0), (bar, bar)) if sides else ((bar, bar), (0, 0))
            out.append(np.pad(plane, pad, constant_values=fill))
        return out

    return [frame(planes) for planes in clip]


def with_logo(clip: Clip) -> Clip:
    """A box with stripes over 15 % of the picture, in a corner."""
    height, width = clip[0][0].shape
    h, w = even(height * 0.3), even(width * 0.5)
    stripes = np.where(np.indices((h, w)).sum(axis=0) // 8 % 2, 220, 40).astype(np.uint8)
    out = []
    for luma, *chroma in clip:
        luma = luma.copy()
        luma[:h, :w] = stripes
        out.append([luma, *chroma])
    return out


def recorded(clip: Clip) -> Clip:
    """As a screen recorder sees it: another raster, an edge of the window with it, another tone curve."""
    height, width = clip[0][0].shape
    wide, high = even(width * 0.83), even(height * 0.83)

    def one(plane: Image.Image, s: int) -> Image.Image:
        small = plane.resize((wide // s, high // s), Image.Resampling.BILINEAR)
        page = Image.new("L", ((wide + 8) // s, (high + 44) // s), 200 if s == 1 else 128)
        page.paste(small, (4 // s, 40 // s))
        return page

    return toned(each(one, clip), lambda x: x**0.9)


def even(value: float) -> int:
    return max(2, int(value) // 2 * 2)


def planes_of(frame: av.VideoFrame) -> Planes:
    """The planes of a 4:2:0 frame."""
    w, h = frame.width, frame.height
    shapes = ((h, w), (-(-h // 2), -(-w // 2)), (-(-h // 2), -(-w // 2)))
    return [
        np.frombuffer(memoryview(p), np.uint8).reshape(-1, p.line_size)[:rows, :columns].copy()
        for p, (rows, columns) in zip(frame.planes, shapes, strict=True)
    ]


def picture(planes: Planes) -> av.VideoFrame:
    """A 4:2:0 frame of planes."""
    height, width = planes[0].shape
    frame = av.VideoFrame(width, height, "yuv420p")
    for plane, values in zip(frame.planes, planes, strict=True):
        lines = np.zeros((plane.height, plane.line_size), np.uint8)
        lines[:, : plane.width] = values[: plane.height, : plane.width]
        plane.update(lines.tobytes())
    return frame


@dataclass(frozen=True)
class Attack:
    """One row of the table.

    Attributes:
        name: of the row.
        steps: what is done, one after the other.
        least_height: clips with smaller pictures are left out.
        target: bit accuracy that was aimed at, where one was.
    """

    name: str
    steps: Sequence[Change] = field(default_factory=tuple)
    least_height: int = 0
    target: float | None = None

    def __call__(self, clip: Clip) -> Clip:
        for step in self.steps:
            clip = step(clip)
        return clip


def _x264(crf: int = 23, scale: float = 1.0) -> Change:
    return partial(encoded, codec=X264, crf=crf, scale=scale)


END = _x264()
_CODECS = [
    Attack(f"{name} CRF {crf}", [partial(encoded, codec=codec, crf=crf)])
    for name, codec, crfs in (("H.265", X265, (26, 32)), ("VP9", VP9, (34, 44)), ("AV1", AV1, (34, 48)))
    for crf in crfs
]
ATTACKS: tuple[Attack, ...] = (
    Attack("no attack"),
    Attack("H.264 CRF 23", [_x264(23)], target=0.99),
    Attack("H.264 CRF 28", [_x264(28)], target=0.97),
    Attack("H.264 CRF 33", [_x264(33)], target=0.92),
    Attack("0.75x, H.264 CRF 26", [_x264(26, 0.75)], target=0.95),
    Attack("720p to 480p, H.264 CRF 28", [_x264(28, 2 / 3)], least_height=700, target=0.95),
    *_CODECS,
    Attack("0.33x", [_x264(23, 1 / 3)]),
    Attack("0.5x", [_x264(23, 0.5)]),
    Attack("1.5x", [_x264(23, 1.5)]),
    Attack(
        "platform: 0.75x VP9 CRF 38, then H.264 CRF 26",
        [partial(encoded, codec=VP9, crf=38, scale=0.75), _x264(26)],
    ),
    Attack("platform: H.264 CRF 28, then 0.67x H.264 CRF 28", [_x264(28), _x264(28, 2 / 3)]),
    Attack("cut to 71 % of each side (half the area)", [partial(cut, side=0.71), END]),
    Attack("cut to 50 % of each side", [partial(cut, side=0.5), END]),
    Attack("turned by 2 degrees", [partial(turned, degrees=2), END]),
    Attack("turned by 10 degrees", [partial(turned, degrees=10), END]),
    Attack("mirror", [mirrored, END]),
    Attack("gamma 0.6", [partial(toned, tone=lambda x: x**0.6), END]),
    Attack("gamma 1.6", [partial(toned, tone=lambda x: x**1.6), END]),
    Attack("contrast 0.6", [partial(toned, tone=lambda x: 0.2 + 0.6 * x), END]),
    Attack("blur, sigma 1.5", [partial(blurred, radius=1.5), END]),
    Attack("blur, sigma 3", [partial(blurred, radius=3), END]),
    Attack("noise, sigma 8", [partial(noisy, sigma=8), END]),
    Attack("every third frame dropped", [lambda clip: [f for n, f in enumerate(clip) if n % 3 != 2], END]),
    Attack("rate halved", [lambda clip: clip[::2], END]),
    Attack("twice as slow", [lambda clip: [f for f in clip[: -(-len(clip) // 2)] for _ in range(2)], END]),
    Attack("black bars above and below", [partial(barred, share=0.17, sides=False), END]),
    Attack("black bars at the sides", [partial(barred, share=0.4, sides=True), END]),
    Attack("screen recording, H.264 CRF 26", [recorded, _x264(26)]),
    Attack("logo over 15 %", [with_logo, END]),
    Attack("cut to 1 s", [lambda clip: clip[:25], END]),
    Attack("cut to 71 %, 0.75x, H.264 CRF 28", [partial(cut, side=0.71), _x264(28, 0.75)]),
    Attack("mirror, gamma 0.8, H.264 CRF 28", [mirrored, partial(toned, tone=lambda x: x**0.8), _x264(28)]),
    Attack("turned by 3 degrees, H.264 CRF 28", [partial(turned, degrees=3), _x264(28)]),
)
