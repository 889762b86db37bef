"""Moving pictures with texture, made from a seed, to be marked."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

PAYLOAD = 0x00C0FFEE


def textured(width: int, height: int, frames: int, seed: int = 0) -> list[NDArray[np.uint8]]:
    """Luma planes of a wide texture of all scales that moves by two pixels a frame."""
    draw = np.random.default_rng(seed)
    wide = width + 2 * frames
    picture = np.full((height, wide), 110.0)
    for size in (4, 8, 16, 32, 64):
        coarse = draw.normal(0, 0.45 * size, (height // size + 2, wide // size + 2))
        picture += np.kron(coarse, np.ones((size, size)))[:height, :wide]
    picture += draw.normal(0, 2, picture.shape)
    planes = np.clip(picture, 20, 230).astype(np.uint8)
    return [np.ascontiguousarray(planes[:, 2 * n : 2 * n + width]) for n in range(frames)]


def write(
    path: Path,
    lumas: list[NDArray[np.uint8]],
    *,
    crf: int = 18,
    tone: bool = False,
    pix_fmt: str = "yuv420p",
    title: str | None = None,
) -> Path:
    """A video of luma planes, grey, with a second of sound if asked for."""
    height, width = lumas[0].shape
    with av.open(str(path), "w") as out:
        if title:
            out.metadata["title"] = title
        video = out.add_stream("libx264", rate=25, options={"crf": str(crf), "preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = width, height, pix_fmt
        sound = out.add_stream("aac", rate=48000) if tone else None
        for number, luma in enumerate(lumas):
            frame = av.VideoFrame.from_ndarray(np.repeat(luma[..., None], 3, axis=2), format="rgb24")
            frame.pts = number
            out.mux(video.encode(frame))
        out.mux(video.encode())
        if sound is not None:
            wave = np.sin(np.arange(48000) * 0.06).astype(np.float32)[None]
            samples = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            samples.sample_rate, samples.pts = 48000, 0
            out.mux(sound.encode(samples))
            out.mux(sound.encode())
    return path
