"""Pictures as a browser hands them over: batches of runs, made from arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from examiners.watermarks.carriers import carrier, embed_dwt_dct
from touchstone.examiners.watermarks.known import known_messages
from touchstone.frame_batches import encode_head
from touchstone.wire import FrameBatch, PictureFormat

WIDTH, HEIGHT = 1024, 576
SDXL = next(message for message in known_messages() if message.name == "sdxl")

Picture = NDArray[np.uint8]


def picture(*, marked: bool) -> Picture:
    """A picture of 1024 by 576 pixels, RGB, with the SDXL message in it if `marked`."""
    plain = carrier("natural 576x1024")
    return embed_dwt_dct(plain, SDXL.bits) if marked else plain


def rgba(rgb: Picture) -> bytes:
    alpha = np.full((*rgb.shape[:2], 1), 255, np.uint8)
    return np.concatenate([rgb, alpha], axis=-1).tobytes()


def bgrx(rgb: Picture) -> bytes:
    return rgba(rgb[..., ::-1])


def _ycbcr(rgb: Picture) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """BT.601, limited range."""
    values = rgb.astype(np.float64)
    luma = values @ [0.299, 0.587, 0.114]
    blue, red = (values[..., 2] - luma) / 1.772, (values[..., 0] - luma) / 1.402
    return luma * 219 / 255 + 16, blue * 224 / 255 + 128, red * 224 / 255 + 128


def _halved(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    return (plane[0::2, 0::2] + plane[0::2, 1::2] + plane[1::2, 0::2] + plane[1::2, 1::2]) / 4


def i420(rgb: Picture) -> bytes:
    luma, blue, red = _ycbcr(rgb)
    return b"".join(np.rint(p).astype(np.uint8).tobytes() for p in (luma, _halved(blue), _halved(red)))


def i420p10(rgb: Picture) -> bytes:
    luma, blue, red = _ycbcr(rgb)
    return b"".join(np.rint(p * 4).astype("<u2").tobytes() for p in (luma, _halved(blue), _halved(red)))


def nv12(rgb: Picture) -> bytes:
    luma, blue, red = _ycbcr(rgb)
    chroma = np.stack([_halved(blue), _halved(red)], axis=-1)
    return np.rint(luma).astype(np.uint8).tobytes() + np.rint(chroma).astype(np.uint8).tobytes()


ENCODERS: dict[PictureFormat, Callable[[Picture], bytes]] = {
    "RGBA": rgba,
    "BGRX": bgrx,
    "I420": i420,
    "I420P10": i420p10,
    "NV12": nv12,
}


def batch(run: int, pictures: Sequence[Picture], form: PictureFormat = "I420", start_s: float = 0.0) -> bytes:
    """One run, 25 pictures a second."""
    height, width = pictures[0].shape[:2]
    head = FrameBatch(
        run=run,
        width=width,
        height=height,
        format=form,
        times_s=[start_s + number / 25 for number in range(len(pictures))],
    )
    return encode_head(head) + b"".join(ENCODERS[form](rgb) for rgb in pictures)


def clip(*, marked: bool, runs: int = 2, form: PictureFormat = "I420") -> list[bytes]:
    """Runs of three pictures, one a second."""
    rgb = picture(marked=marked)
    return [batch(run, [rgb] * 3, form, start_s=float(run)) for run in range(runs)]
