"""Makes WebM clips to be streamed in pieces: with an invisible watermark in its pictures, without, black,
large, and with our own watermark as `touchstone watermark embed` puts it in.

VP9 without loss, but for the last two, so that the mark's fate is decided by the way from the browser to the
daemon alone.

usage: streams.py FOLDER
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import av
import numpy as np

from browser_frames import HEIGHT, SDXL, WIDTH, Picture, i420
from examiners.watermarks.carriers import carrier, embed_dwt_dct
from touchstone.watermark import mark_file

RATE = 12
SECONDS = 12


def make(path: Path, plain: Picture, *, marked: bool) -> None:
    """A picture a second, moved on by some columns, then marked or not."""
    with av.open(str(path), "w", format="webm") as out:
        stream = out.add_stream(
            "libvpx-vp9",
            rate=RATE,
            options={"lossless": "1", "deadline": "realtime", "cpu-used": "8", "g": str(RATE)},
        )
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for second in range(SECONDS):
            rgb = np.roll(plain, 16 * second, axis=1)
            samples = i420(embed_dwt_dct(rgb, SDXL.bits) if marked else rgb)
            planes = np.frombuffer(samples, np.uint8).reshape(HEIGHT * 3 // 2, WIDTH)
            for _ in range(RATE):
                out.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        out.mux(stream.encode(None))


def large(path: Path) -> None:
    """A second of 1080p at 30 pictures a second, with loss: to time what handing over costs."""
    across, down = np.meshgrid(np.arange(1920), np.arange(1080))
    with av.open(str(path), "w", format="webm") as out:
        stream = out.add_stream("libvpx-vp9", rate=30, options={"deadline": "realtime", "cpu-used": "8"})
        stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv420p"
        stream.bit_rate = 4_000_000
        for number in range(30):
            planes = np.full((1620, 1920), 128, np.uint8)
            planes[:1080] = 40 + ((across + 8 * number) // 16 + down // 16) % 160
            out.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        out.mux(stream.encode(None))


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("folder", type=Path)
    folder: Path = ask.parse_args().folder
    plain = carrier("natural 576x1024")
    make(folder / "marked.webm", plain, marked=True)
    make(folder / "plain.webm", plain, marked=False)
    mark_file(folder / "plain.webm", folder / "own.webm", payload="00c0ffee", ai=True)
    large(folder / "large.webm")
    make(folder / "black.webm", np.zeros_like(plain), marked=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
