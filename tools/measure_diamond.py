#!/usr/bin/env python3
"""Measures whether the four-point star of Gemini and Veo could be told by its shape alone.

usage: python tools/measure_diamond.py [--corpus ../shared/corpus] [--state FILE] [--write]

The lower right corner of each clip, averaged over its looks, is held against the star at several sizes by
normalised correlation: what moves is averaged away, a mark stays. Measured on every real and rendered clip of
the corpus as it is, on the same clips with a half transparent star drawn into each look at the sizes and
margins that are published, and on the stills of the corpus that carry a real one. No clip of it does.

What a run has done is kept in the state file, so that one that was ended goes on. With --write the table goes
into docs/visible-marks.md.

Source of sizes and margins: GargantuaX/gemini-watermark-remover (48 pixels, 32 from the edges; 96 and 64 on
large pictures) and wiltodelta/remove-ai-watermarks, video_visible.py (for clips whose shorter side is 720).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.progress import track

from clopper_pearson import clopper_pearson
from measure_visible_marks import PAGE, ROOT, corpus_clips
from pages import put_section
from touchstone.examiners.visible_marks.looks import content, looks
from touchstone.media.container import CannotDecode, NotMedia
from touchstone.media.plan import Sampling
from touchstone.media.probe import read_container
from touchstone.media.sampler import SampledFrames

SHORTER = 720  # pixels of the shorter side, to which every clip is brought
CORNER = 220  # pixels
SIZES = (32, 40, 44, 48, 56, 64, 96)
SLOTS = {"Gemini, 48 px": (48, 32), "Veo, 56 px": (56, 92), "Veo, 48 px": (48, 72), "Veo, 44 px": (44, 29)}
OPACITY = 0.5  # of the star on the black still of the corpus
BULGE = 0.7  # |x|^p + |y|^p = 1: fitted to that still by eye
THRESHOLDS = (0.7, 0.75, 0.8, 0.85)
COUNTS_ABOVE = 0.8
STILLS = ("visible_image/gemini_1.webp", "visible_image/gemini_large2.png")
Array = NDArray[np.float64]


def star(size: int) -> Array:
    """How much of each pixel of a square is covered."""
    fine = 4
    steps = np.abs((np.arange(size * fine) + 0.5) / (size * fine) * 2 - 1) ** BULGE
    covered = (steps[:, None] + steps[None] <= 1).astype(np.float64)
    return np.asarray(covered.reshape(size, fine, size, fine).mean(axis=(1, 3)))


@cache
def template(size: int) -> Array:
    """The star with some ground around it, of mean 0 and length 1."""
    ground = np.pad(star(size), size // 4)
    ground -= ground.mean()
    return np.asarray(ground / np.linalg.norm(ground))


def best_match(corner: Array) -> float:
    """The highest normalised correlation over all sizes and places."""
    return max(float(correlations(corner, template(size)).max()) for size in SIZES)


def correlations(corner: Array, wanted: Array) -> Array:
    side = wanted.shape[0]
    spectrum = np.fft.rfft2(corner) * np.fft.rfft2(wanted[::-1, ::-1], corner.shape)
    products = np.fft.irfft2(spectrum, corner.shape)[side - 1 :, side - 1 :]
    spread = _sums(corner**2, side) - _sums(corner, side) ** 2 / side**2
    # Below a grey level of contrast there is nothing to compare.
    return np.asarray(products / np.sqrt(np.maximum(spread, side**2)))


def _sums(values: Array, side: int) -> Array:
    total = np.pad(values, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    below, above = total[side:], total[:-side]
    return np.asarray(below[:, side:] - above[:, side:] - below[:, :-side] + above[:, :-side])


def corners(path: Path) -> NDArray[np.uint8]:
    """The lower right corner of each look, `(looks, CORNER, CORNER)`."""
    with path.open("rb") as file:
        size = path.stat().st_size
        seen = looks(SampledFrames(read_container(file, size), [(file, size)], Sampling()))
    within = content([look.picture for look in seen])
    cut = []
    for look in seen:
        picture = within.cut(look.picture)
        side = round(CORNER * min(picture.shape) / SHORTER)
        piece = np.ascontiguousarray(picture[-side:, -side:])
        cut.append(np.asarray(Image.fromarray(piece).resize((CORNER, CORNER), Image.Resampling.BILINEAR)))
    return np.stack(cut)


def with_star(cut: NDArray[np.uint8], size: int, margin: int) -> Array:
    cover, at = star(size) * OPACITY, CORNER - margin - size
    drawn = cut.astype(np.float64)
    where = (slice(None), slice(at, at + size), slice(at, at + size))
    drawn[where] += (255 - drawn[where]) * cover
    return drawn


def matches(path: Path) -> dict[str, float] | None:
    """The best match of a clip as it is, and with a star in each slot; None where it has no pictures."""
    try:
        cut = corners(path)
    except (CannotDecode, NotMedia):
        return None
    found = {"plain": best_match(cut.mean(axis=0))}
    return found | {name: best_match(with_star(cut, *slot).mean(axis=0)) for name, slot in SLOTS.items()}


def kept(state: Path, files: Sequence[Path], find: Callable[[Path], Any]) -> dict[Path, Any]:
    """What `find` gives for each file: from the state file, or found now and written there."""
    state.parent.mkdir(parents=True, exist_ok=True)
    lines = state.read_text(encoding="utf-8").splitlines() if state.exists() else []
    known = {row["file"]: row["found"] for row in map(json.loads, lines)}
    with state.open("a", encoding="utf-8") as out:
        for file in track(files, "clips"):
            if str(file) not in known:
                known[str(file)] = find(file)
                out.write(json.dumps({"file": str(file), "found": known[str(file)]}) + "\n")
                out.flush()
    return {file: known[str(file)] for file in files}


def table(found: dict[Path, dict[str, float]], stills: dict[str, float]) -> str:
    """The page's section."""
    above = " | ".join(f"above {threshold}" for threshold in THRESHOLDS)
    lines = [f"| {len(found)} real and CGI clips | median | highest | {above} |"]
    lines.append("|---" * (3 + len(THRESHOLDS)) + "|")
    for name in ("plain", *SLOTS):
        values = np.array([of[name] for of in found.values()])
        counts = " | ".join(str(int((values > threshold).sum())) for threshold in THRESHOLDS)
        what = "as they are" if name == "plain" else f"with a star drawn: {name}"
        lines.append(f"| {what} | {np.median(values):.2f} | {values.max():.2f} | {counts} |")
    each = ", ".join(f"`{name}` {value:.2f}" for name, value in stills.items())
    false = sum(of["plain"] > COUNTS_ABOVE for of in found.values())
    read = sum(value > COUNTS_ABOVE for value in stills.values())
    at_most, at_least = clopper_pearson(false, len(found))[1], clopper_pearson(read, len(stills))[0]
    weight = f"finding one would be worth a likelihood ratio of {at_least / at_most:.1f}"
    lines += [
        "",
        f"Stills with a real star: {each}.",
        f"Above {COUNTS_ABOVE}, {read} of {len(stills)} is read, so at least {at_least:.3f} (95 %), "
        f"and {false} of {len(found)} clips without one, so at most {at_most:.3f}: {weight}.",
    ]
    return "\n".join(lines)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--corpus", type=Path, default=ROOT.parent / "shared" / "corpus")
    ask.add_argument("--state", type=Path, default=ROOT / "build" / "measure_diamond.jsonl")
    ask.add_argument("--write", action="store_true", help="write the table into docs/visible-marks.md")
    args = ask.parse_args()
    clips = [args.corpus / clip.file for clip in corpus_clips(args.corpus) if clip.label in ("real", "cgi")]
    found = {file: of for file, of in kept(args.state, clips, matches).items() if of is not None}
    stills = {name: best_match(corners(args.corpus / "marks" / name).mean(axis=0)) for name in STILLS}
    section = table(found, stills)
    print(section)
    if args.write:
        put_section(PAGE, "diamond", section)


if __name__ == "__main__":
    main()
