#!/usr/bin/env python3
"""Measures what reading DWT-DCT marks of cropped clips could give, and what it would cost.

usage: python tools/measure_dwt_dct_crop.py [--corpus ../shared/corpus] [--clips 20] [--frames 12] [--write]

A crop moves the grid of blocks, and with it which block carries which bit. The message of Stable Diffusion XL
is embedded in one clip of each real source, a tenth is cropped away, the rest encoded as H.264, and read with
the alignment known, as if a search had found it. A search has to pay for every alignment that it tries, by
Bonferroni's inequality: 16 phases of the grid in a 4:2:0 chroma plane times 48 first bits, where the width of
the original is known, and times 48 lengths of a row of blocks, modulo the message's, where it is not.

Prints how many clips would be read under each bill, and what the phases alone take in time; with --write also
into docs/watermarks-measured.md.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from measure_watermarks import MESSAGE, PAGE, ROOT, Pictures, carriers, crop, decode, embed_dwt_dct, encode
from pages import put_section
from touchstone.examiners.watermarks import MAX_P
from touchstone.examiners.watermarks.dwt_dct_scheme import low_plane, votes_of
from touchstone.examiners.watermarks.known import agreement
from touchstone.media.frames import Frame

CRFS = (18, 23, 28)
BLOCK = 8  # pixels of a block
LENGTH = MESSAGE.length
PHASES = (BLOCK // 2) ** 2  # chroma is stored for every other pixel
BILLS = {
    "alignment known": 1,
    "width known": PHASES * LENGTH,
    "nothing known": PHASES * LENGTH * LENGTH,
}


def low_of(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    planes = tuple(np.ascontiguousarray(picture[..., colour]) for colour in range(3))
    return low_plane(Frame(planes=planes, model="rgb", depth=8, time_s=0.0, duration_s=0.04))


def aligned_bound(pictures: Pictures, left: int, top: int, columns: int) -> float:
    """The bound of the false-positive rate with the alignment known.

    Args:
        pictures: cropped ones.
        left: pixels that were cropped away on the left.
        top: and above.
        columns: blocks in a row of the original.
    """
    ones, blocks = np.zeros(LENGTH, np.int64), np.zeros(LENGTH, np.int64)
    down, across = -top % BLOCK, -left % BLOCK
    first_row, first_column = (top + down) // BLOCK, (left + across) // BLOCK
    for picture in pictures:
        low = low_of(picture[down:, across:])
        votes = votes_of(low).votes.reshape(low.shape[0] // 4, -1)
        rows, places = np.indices(votes.shape)
        bits = ((rows + first_row) * columns + places + first_column).ravel() % LENGTH
        ones += np.bincount(bits, weights=votes.ravel(), minlength=LENGTH).astype(np.int64)
        blocks += np.bincount(bits, minlength=LENGTH)
    return agreement(MESSAGE, ones, blocks).p_bound


def phases_ms() -> float:
    """Processor time of the votes at all phases of one 1080p frame, in milliseconds."""
    low = np.random.default_rng(0).random((540, 960), np.float32) * 20 + 118
    started = time.process_time()
    for down in range(BLOCK // 2):
        for across in range(BLOCK // 2):
            votes_of(low[down:, across:])
    return (time.process_time() - started) * 1000


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--corpus", type=Path, default=ROOT.parent / "shared" / "corpus")
    ask.add_argument("--clips", type=int, default=20)
    ask.add_argument("--frames", type=int, default=12)
    ask.add_argument("--write", action="store_true", help="write the table into docs/watermarks-measured.md")
    args = ask.parse_args()
    bounds: dict[int, list[float]] = {crf: [] for crf in CRFS}
    for _, pictures in track(list(carriers(args.corpus, args.clips, args.frames)), "crops"):
        height, width = pictures[0].shape[:2]
        columns = width // 4 * 4 // BLOCK
        cropped = crop([embed_dwt_dct(picture, MESSAGE.bits) for picture in pictures])
        for crf in CRFS:
            copy = decode(encode(cropped, crf))
            bounds[crf].append(aligned_bound(copy, width // 20, height // 20, columns))
    lines = [
        "| 10 % crop | clips | " + " | ".join(f"{name} ({tried})" for name, tried in BILLS.items()) + " |"
    ]
    lines.append("|---" * (len(BILLS) + 2) + "|")
    for crf, of in bounds.items():
        read = " | ".join(str(sum(p * tried <= MAX_P for p in of)) for tried in BILLS.values())
        lines.append(f"| H.264 CRF {crf} | {len(of)} | {read} |")
    time_taken = f"{phases_ms():.0f} ms of processor time"
    lines += ["", f"The votes at all {PHASES} phases of one 1080p frame: {time_taken}."]
    section = "\n".join(lines)
    print(section)
    if args.write:
        put_section(PAGE, "crop", section)


if __name__ == "__main__":
    main()
