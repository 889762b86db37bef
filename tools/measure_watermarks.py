#!/usr/bin/env python3
"""Measures how often each invisible watermark is read where it is, and where it is not.

usage: python tools/measure_watermarks.py [--corpus DIR] [--clips 60] [--frames 24] [--state FILE] [--write]

1. False readings: every clip of the corpus that carries no such mark is read; smallest bound of the
   false-positive rate for each message, and how many clips it would be reported for. The same clips are held
   against random messages, which cannot be there.
2. Read rate: the Stable Diffusion XL message is embedded in one clip of each real source, at the clip's own
   size, encoded as H.264 and read back, under each condition of the table; share of clips read, with exact
   95 % bounds (Clopper-Pearson), and how often the scheme's own decoder has enough bits right.

What a run has done is kept in the state file, so that one that was ended goes on; it begins anew when the
decoder or this tool changed. With --write: the read rate goes into examiners/watermarks/measured.toml, the
tables into docs/watermarks-measured.md.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import math
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests")]

from rich.progress import track  # noqa: E402

from clopper_pearson import clopper_pearson  # noqa: E402
from examiners.watermarks import carriers as carriers_module  # noqa: E402
from examiners.watermarks.carriers import embed_dwt_dct  # noqa: E402
from measure_rivagan import State  # noqa: E402
from pages import put_section  # noqa: E402
from touchstone.examiners.watermarks import MAX_P, dwt_dct, dwt_dct_scheme, known  # noqa: E402
from touchstone.examiners.watermarks.dwt_dct import MIN_AREA  # noqa: E402
from touchstone.examiners.watermarks.dwt_dct_scheme import DwtDct, low_plane, votes_of  # noqa: E402
from touchstone.examiners.watermarks.known import KnownMessage, agreement, known_messages  # noqa: E402
from touchstone.media.container import CannotDecode, NotMedia  # noqa: E402
from touchstone.media.plan import Sampling  # noqa: E402
from touchstone.media.probe import read_container  # noqa: E402
from touchstone.media.sampler import SampledFrames  # noqa: E402

MEASURED = ROOT / "daemon" / "touchstone" / "examiners" / "watermarks" / "measured.toml"
PAGE = ROOT / "docs" / "watermarks-measured.md"
Pictures = list[NDArray[np.uint8]]
MESSAGE = next(m for m in known_messages() if m.name == "sdxl")
PLACEBOS = 500


@dataclass(frozen=True)
class Condition:
    """What happens to a marked clip: a change of its pictures, then an encoding."""

    name: str
    change: Callable[[Pictures], Pictures]
    crf: int = 23
    twice: bool = False


def scaled_to(short: int) -> Callable[[Pictures], Pictures]:
    def change(pictures: Pictures) -> Pictures:
        height, width = pictures[0].shape[:2]
        factor = short / min(height, width)
        if factor >= 1:
            return pictures
        size = (round(width * factor / 2) * 2, round(height * factor / 2) * 2)
        return [resize(picture, *size) for picture in pictures]

    return change


def resize(picture: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24")
    return frame.reformat(width, height, interpolation="BICUBIC").to_ndarray(format="rgb24")


def crop(pictures: Pictures) -> Pictures:
    height, width = pictures[0].shape[:2]
    top, left = height // 20, width // 20
    return [p[top : height - top, left : width - left] for p in pictures]


def letterbox(pictures: Pictures) -> Pictures:
    bar = pictures[0].shape[0] // 16 * 2
    return [np.pad(p, ((bar, bar), (0, 0), (0, 0))) for p in pictures]


CONDITIONS = (
    *(Condition(f"H.264 CRF {crf}", lambda p: p, crf) for crf in (18, 23, 28, 33)),
    *(Condition(f"to {short}p, CRF 23", scaled_to(short)) for short in (720, 480, 360)),
    Condition("10 % crop", crop),
    Condition("letterbox", letterbox),
    Condition("mirror", lambda pictures: [p[:, ::-1] for p in pictures]),
    Condition("speed 1.25x", lambda pictures: [p for i, p in enumerate(pictures) if i % 5 != 4]),
    Condition("platform: to 720p CRF 26, again CRF 28", scaled_to(720), 26, twice=True),
)


def encode(pictures: Pictures, crf: int) -> bytes:
    """H.264 in MP4, at even sizes."""
    height, width = (side // 2 * 2 for side in pictures[0].shape[:2])
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=24, options={"crf": str(crf), "preset": "medium"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[:height, :width]), "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def decode(clip: bytes) -> Pictures:
    with av.open(io.BytesIO(clip)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def read(clip: bytes) -> tuple[float, int]:
    """Bound of the false-positive rate and matched bits for `MESSAGE`; (1, 0) where nothing can be read."""
    file = io.BytesIO(clip)
    reader = DwtDct().reader()
    for run in SampledFrames(read_container(file, len(clip)), [(file, len(clip))], Sampling()):
        reader.add(run)
    found = [r for r in reader.readings() if r.name == MESSAGE.name]
    return (found[0].p_value, int(found[0].details["matched_bits"])) if found else (1.0, 0)


def edition() -> str:
    """Changes with the scheme, what it looks for, and what is done to clips here."""
    files = (dwt_dct, dwt_dct_scheme, known, carriers_module)
    paths = [Path(str(module.__file__)) for module in files]
    paths += [Path(__file__), Path(str(known.__file__)).with_name("known_messages.toml")]
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:12]


def clips(corpus: Path, labels: set[str]) -> Iterator[dict[str, str]]:
    with (corpus / "manifest.csv").open(encoding="utf-8") as table:
        yield from (row for row in csv.DictReader(table) if row["label"] in labels)


def without_mark(path: Path, seed: int) -> dict[str, Any] | None:
    """The bound for each message of a clip that carries none, and how many random messages are reported.

    None where no frames can be had, or they are too small for the scheme.
    """
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            runs = list(SampledFrames(read_container(file, size), [(file, size)], Sampling()))
    except (CannotDecode, NotMedia) as reason:
        print(f"{path}: {reason}", file=sys.stderr)
        return None
    if runs[0].frames[0].width * runs[0].frames[0].height < MIN_AREA:
        return None
    reader = DwtDct().reader()
    for run in runs:
        reader.add(run)
    bounds = {str(reading.name): reading.p_value for reading in reader.readings()}
    counts = [votes_of(low_plane(frame)).ones(48) for run in runs for frame in run.frames]
    ones, blocks = (np.sum([c[i] for c in counts], axis=0) for i in range(2))
    random = np.random.default_rng(seed).integers(0, 2, (PLACEBOS, 48)).astype(bool)
    placebos = [KnownMessage("placebo", "", bits, 1, ()) for bits in random]
    hits = sum(agreement(placebo, ones, blocks).p_bound <= MAX_P for placebo in placebos)
    return {"bounds": bounds, "placebo_hits": hits}


def false_readings(corpus: Path, state: State) -> list[str]:
    """Table lines: for each message, what the clips without it give."""
    best: dict[str, list[tuple[float, str, str]]] = {m.name: [] for m in known_messages()}
    placebo_hits = placebo_trials = 0
    rows = list(clips(corpus, {"real", "cgi", "generated"}))
    for seed, row in enumerate(track(rows, "false readings")):
        find = partial(without_mark, corpus / row["file"], seed)
        found = state.get(f"plain {row['file']}", find)
        if found is None:
            continue
        for name, bound in found["bounds"].items():
            best[name].append((bound, row["label"], row["group"]))
        placebo_hits += found["placebo_hits"]
        placebo_trials += PLACEBOS
    lines = [
        "| message | clips | real, CGI | sources, generators | smallest p bound | reported (p <= 0.001) |",
        "|---|---|---|---|---|---|",
    ]
    for name, of in best.items():
        negatives = sum(label != "generated" for _, label, _ in of)
        groups = len({group for *_, group in of})
        reported = sum(p <= MAX_P for p, *_ in of)
        lines.append(f"| {name} | {len(of)} | {negatives} | {groups} | {min(of)[0]:.2g} | {reported} |")
    _, upper = clopper_pearson(placebo_hits, placebo_trials)
    lines += [
        "",
        f"Random 48-bit messages on the same clips: {placebo_hits} of {placebo_trials} reported, "
        f"upper 95 % bound {upper:.1e}.",
    ]
    return lines


def carriers(corpus: Path, count: int, frames: int) -> Iterator[tuple[str, Pictures]]:
    """The first clip of each real source whose frames are large enough."""
    seen: set[str] = set()
    for row in clips(corpus, {"real"}):
        if row["group"] in seen or len(seen) >= count:
            continue
        try:
            with av.open(str(corpus / row["file"]), metadata_errors="ignore") as container:
                pictures = []
                for frame in container.decode(video=0):
                    pictures.append(frame.to_ndarray(format="rgb24"))
                    if len(pictures) == frames:
                        break
        except av.error.FFmpegError as reason:
            print(f"{row['file']}: {reason}", file=sys.stderr)
            continue
        if len(pictures) == frames and pictures[0].shape[0] * pictures[0].shape[1] >= MIN_AREA:
            seen.add(row["group"])
            yield row["file"], pictures


def under_conditions(pictures: Pictures) -> dict[str, tuple[float, int]]:
    """What is read of a clip under each condition, after `MESSAGE` was embedded."""
    marked = [embed_dwt_dct(picture, MESSAGE.bits) for picture in pictures]
    found = {}
    for condition in CONDITIONS:
        clip = encode(condition.change(marked), condition.crf)
        if condition.twice:
            clip = encode(decode(clip), condition.crf + 2)
        found[condition.name] = read(clip)
    return found


def read_rates(corpus: Path, count: int, frames: int, state: State) -> tuple[list[str], float]:
    """Table lines, and the lower bound of the read rate over CRF 18, 23 and 28 together."""
    found: dict[str, list[tuple[float, int]]] = {c.name: [] for c in CONDITIONS}
    for file, pictures in track(carriers(corpus, count, frames), "read rates", total=count):
        results = state.get(f"{frames} frames marked {file}", partial(under_conditions, pictures))
        for name, (p_value, bits) in results.items():
            found[name].append((p_value, bits))
    lines = [
        "| condition | clips | read | share, 95 % bounds | the scheme's own decoder: 44 of 48 bits |",
        "|---|---|---|---|---|",
    ]
    for name, results in found.items():
        hits = sum(p <= MAX_P for p, _ in results)
        low, high = clopper_pearson(hits, len(results))
        own = sum(bits >= 44 for _, bits in results)
        share = f"{hits / len(results):.2f} ({low:.2f} to {high:.2f})"
        lines.append(f"| {name} | {len(results)} | {hits} | {share} | {own} |")
    usual = [r for name in ("H.264 CRF 18", "H.264 CRF 23", "H.264 CRF 28") for r in found[name]]
    # The three encodings of one clip are not independent: bound by the number of clips.
    share = sum(p <= MAX_P for p, _ in usual) / len(usual)
    low, _ = clopper_pearson(math.floor(share * len(usual) / 3), len(usual) // 3)
    return lines, low


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--corpus", type=Path, default=ROOT.parent / "shared" / "corpus")
    ask.add_argument("--clips", type=int, default=60)
    ask.add_argument("--frames", type=int, default=24)
    ask.add_argument("--write", action="store_true")
    ask.add_argument("--state", type=Path, default=ROOT / "build" / "measure_watermarks.jsonl")
    args = ask.parse_args()
    state = State(args.state, edition())
    rates, low = read_rates(args.corpus, args.clips, args.frames, state)
    negatives = false_readings(args.corpus, state)
    text = "\n".join(["### Read rate", "", *rates, "", "### False readings", "", *negatives, ""])
    print(text)
    if args.write:
        put_read_rate(low)
        put_section(PAGE, "measured", text)


def put_read_rate(low: float, file: Path = MEASURED) -> None:
    """Write the scheme's read rate into measured.toml, which holds those of other schemes too.

    Raises:
        ValueError: the file has no such line.
    """
    old = file.read_text(encoding="utf-8")
    line = re.compile(r"(?<=\[scheme\.dwt_dct\]\nread_rate_lower = )[\d.]+")
    new, lines = line.subn(f"{low:.3f}", old)
    if lines != 1:
        raise ValueError(f"{file} has no read rate of dwt_dct to replace")
    file.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
