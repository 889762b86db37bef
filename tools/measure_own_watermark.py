#!/usr/bin/env python3
"""Measures Touchstone's own watermark: what it survives, beside others, and what is found where it is not.

usage: python tools/measure_own_watermark.py [--corpus DIR] [--clips N] [--few N] [--beside N] [--state FILE]
                                             [--only PART ...] [--write]

attacks: one clip of each held-out real source (no network was trained on them), two seconds of at most 720
    lines, marked, attacked (watermark_attacks.py), and read as `touchstone watermark read` does. Rows that
    nothing was aimed at are measured on the first `--few` of the clips.
beside: fewer, smaller and shorter clips, also marked by RivaGAN, brought to the same PSNR, and by DWT-DCT at
    its own strength. Fetches RivaGAN's wheel through pip.
false: every real and rendered clip of the corpus, read as a scan does, with the well-known key and another.

speed: processor time of marking and reading.

What was done is kept in the state file, so that a run that was ended goes on; results of another model or
another embedder are passed over. With --write the tables go into docs/watermark.md and the read rate into
daemon/touchstone/examiners/watermarks/touchstone_mark.toml.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from rich.progress import track

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "model_zoo" / "training" / "watermark"), str(ROOT / "tests")]

from data import held_out  # noqa: E402

from clopper_pearson import clopper_pearson  # noqa: E402
from measure_rivagan import State  # noqa: E402
from own_watermark_beside import beside, beside_table  # noqa: E402
from pages import put_section  # noqa: E402
from ssim import ssim  # noqa: E402
from touchstone.examiners.watermarks.touchstone_mark import _estimate, luma_of  # noqa: E402
from touchstone.media.container import CannotDecode, NotMedia  # noqa: E402
from touchstone.media.plan import Sampling  # noqa: E402
from touchstone.media.probe import read_container  # noqa: E402
from touchstone.media.sampler import SampledFrames  # noqa: E402
from touchstone.watermark import carrier, detection, embedding, geometry, reading, sight  # noqa: E402
from touchstone.watermark.detection import Detector  # noqa: E402
from touchstone.watermark.embedding import LUMA_TO_RGB, FrameMarker  # noqa: E402
from touchstone.watermark.files import embed  # noqa: E402
from touchstone.watermark.key import WELL_KNOWN, Key  # noqa: E402
from touchstone.watermark.payload import encode  # noqa: E402
from touchstone.watermark.reading import ClipReader  # noqa: E402
from touchstone.watermark.sight import FRAMES, Estimate, canonical, fold  # noqa: E402
from touchstone.zoo.bundled import bundled  # noqa: E402
from touchstone.zoo.entry import Task  # noqa: E402
from watermark.pictures import textured, write  # noqa: E402
from watermark_attacks import ATTACKS, Clip, even, planes_of  # noqa: E402

PAGE = ROOT / "docs" / "watermark.md"
MEASURED = ROOT / "daemon" / "touchstone" / "examiners" / "watermarks" / "touchstone_mark.toml"
SECONDS, LINES = 2.0, 720
PARTS = ("attacks", "beside", "false", "speed")
PAYLOAD = 0x00C0FFEE
OTHER_KEYS = [Key(f"k{n}", hashlib.sha256(f"measuring {n}".encode()).digest()) for n in range(1)]
READ_RATE_ROWS = ("H.264 CRF 23", "H.264 CRF 28", "H.264 CRF 33")


def edition(model: str) -> str:
    """Changes with the network, the embedder and the reader."""
    modules = (carrier, detection, embedding, geometry, reading, sight)
    parts = [Path(str(module.__file__)).read_bytes() for module in modules]
    return hashlib.sha256(b"".join(parts) + model.encode()).hexdigest()[:12]


def rows(corpus: Path, labels: set[str]) -> Iterator[dict[str, str]]:
    with (corpus / "manifest.csv").open(encoding="utf-8", newline="") as file:
        yield from (row for row in csv.DictReader(file) if row["label"] in labels)


def chosen(corpus: Path, count: int) -> list[str]:
    """The largest clip of each held-out real source, from 240 lines on, sources in an order by hash."""
    best: dict[str, tuple[int, str]] = {}
    for row in rows(corpus, {"real"}):
        lines = min(int(row["height"] or 0), int(row["width"] or 0))
        if held_out(row["group"]) and lines >= 240:
            best[row["group"]] = max(best.get(row["group"], (0, "")), (lines, row["file"]))
    groups = sorted(best, key=lambda group: hashlib.sha256(group.encode()).digest())
    return [best[group][1] for group in groups[:count]]


def load(path: Path, seconds: float, lines: int) -> Clip:
    """The first seconds, made smaller where there are more lines."""
    clip: Clip = []
    with av.open(str(path)) as source:
        stream = source.streams.video[0]
        for frame in source.decode(stream):
            scale = min(1.0, lines / min(frame.width, frame.height))
            size = (even(frame.width * scale), even(frame.height * scale))
            clip.append(planes_of(frame.reformat(*size, format="yuv420p", interpolation="AREA")))
            if len(clip) >= seconds * float(stream.average_rate or 25):
                break
    return clip


def marked(clip: Clip) -> Clip:
    height, width = clip[0][0].shape
    marker = FrameMarker(PAYLOAD, WELL_KNOWN, width, height)
    return [[marker.mark(luma), *chroma] for luma, *chroma in clip]


def psnr(one: Clip, other: Clip) -> float:
    """Of RGB pixels, in dB, from luma, since chroma is the same."""
    error = np.mean([np.mean((a[0].astype(float) - b[0]) ** 2) for a, b in zip(one, other, strict=True)])
    return float(10 * math.log10(255**2 / (error * LUMA_TO_RGB**2)))


def similarity(one: Clip, other: Clip) -> float:
    """Mean structural similarity of luma, of every fifth frame."""
    return float(np.mean([ssim(a[0], b[0]) for a, b in zip(one[::5], other[::5], strict=True)]))


def read(clip: Clip, estimate: Estimate) -> dict[str, Any]:
    """What is read of a clip: share of raw bits that are right, whether all of it is, the bound."""
    detector = Detector(WELL_KNOWN)
    reader = ClipReader([detector], estimate)
    folded = np.zeros((sight.PERIOD, sight.PERIOD), np.float32)
    for start in range(0, len(clip), FRAMES):
        lumas = [planes[0] for planes in clip[start : start + FRAMES]]
        reader.add(lumas, start / 25, (start + len(lumas)) / 25)
    found = reader.readings()
    if found:
        soft, p_value, message = found[0].soft, found[0].p_value, found[0].message
    else:
        for start in range(0, len(clip), FRAMES):
            run = np.stack([canonical(planes[0]) for planes in clip[start : start + FRAMES]])
            folded += fold(estimate(run))
        looked = detector.look(folded)
        soft, p_value, message = looked.soft, 1.0, None
    right = float(np.mean((soft > 0) == (encode(PAYLOAD, WELL_KNOWN) > 0)))
    whole = message is not None and int(message.payload, 16) == PAYLOAD
    return {"bits": right, "whole": whole, "log10_p": round(math.log10(max(p_value, 1e-300)), 1)}


def attack_table(corpus: Path, count: int, few: int, state: State, estimate: Estimate) -> tuple[str, float]:
    """The table, and the lower bound of the share of clips that are read after usual encoders."""
    files = chosen(corpus, count)
    found: dict[str, list[dict[str, Any]]] = {}
    quality: list[float] = []
    alike: list[float] = []
    for number, file in enumerate(track(files, "attacks")):
        cache: list[Clip] = []

        def clip(file: str = file, cache: list[Clip] = cache) -> Clip:
            if not cache:
                cache.append(load(corpus / file, SECONDS, LINES))
            return cache[0]

        def cell(attack: Any, clip: Callable[[], Clip] = clip) -> dict[str, Any] | None:
            if clip()[0][0].shape[0] < attack.least_height:
                return None
            return read(attack(marked(clip())), estimate)

        quality.append(state.get(f"psnr {file}", lambda clip=clip: psnr(clip(), marked(clip()))))
        alike.append(state.get(f"ssim {file}", lambda clip=clip: similarity(clip(), marked(clip()))))
        for attack in ATTACKS:
            if attack.target is None and number >= few:
                continue
            result = state.get(f"{attack.name} {file}", lambda a=attack, cell=cell: cell(a))
            if result is not None:
                found.setdefault(attack.name, []).append(result)
    lines = [
        f"{len(files)} clips of as many held-out real sources, at most {LINES} lines and {SECONDS:.0f} s;"
        f" PSNR {np.mean(quality):.1f} dB on average, {min(quality):.1f} at least;"
        f" SSIM of luma {np.mean(alike):.3f} on average, {min(alike):.3f} at least.",
        "",
        "| attack | clips | raw bits right | aimed at | message read | 95 % bounds | p < 1e-9 |"
        " median log10 p |",
        "|---|---|---|---|---|---|---|---|",
    ]
    read_whole = read_all = 0
    for attack in ATTACKS:
        cells = found.get(attack.name, [])
        if not cells:
            continue
        whole = sum(c["whole"] for c in cells)
        low, high = clopper_pearson(whole, len(cells))
        present = sum(c["log10_p"] < -9 for c in cells)
        middle = float(np.median([c["log10_p"] for c in cells]))
        bits = float(np.mean([c["bits"] for c in cells]))
        aim = (
            ""
            if attack.target is None
            else f"{attack.target:.2f}{'' if bits >= attack.target else ' (missed)'}"
        )
        lines.append(
            f"| {attack.name} | {len(cells)} | {bits:.3f} | {aim} | {whole} | {low:.2f} to {high:.2f} |"
            f" {present} | {middle:.0f} |"
        )
        if attack.name in READ_RATE_ROWS:
            read_whole += whole
            read_all += len(cells)
    return "\n".join(lines), clopper_pearson(read_whole, read_all)[0]


def false_table(corpus: Path, state: State, estimate: Estimate) -> str:
    """How small the bound gets on clips without a mark, for the well-known key and another."""
    keys = [WELL_KNOWN, *OTHER_KEYS]
    detectors = [Detector(key) for key in keys]

    def find(file: str) -> list[float] | None:
        reader = ClipReader(detectors, estimate)
        try:
            with (corpus / file).open("rb") as clip:
                size = (corpus / file).stat().st_size
                for run in SampledFrames(read_container(clip, size), [(clip, size)], Sampling()):
                    reader.add([luma_of(frame) for frame in run.frames], run.start_s, run.end_s)
        except (CannotDecode, NotMedia):
            return None
        # Each key by itself, as if no other had been tried.
        return [round(reader.least_log10_p(detector), 3) for detector in detectors]

    files = [row["file"] for row in rows(corpus, {"real", "cgi"})]
    found = {file: state.get(f"false {file}", lambda f=file: find(f)) for file in track(files, "false")}
    looks = [value for values in found.values() if values is not None for value in values[: len(keys)]]
    clips = sum(values is not None for values in found.values())
    own = [values[0] for values in found.values() if values is not None]
    lines = [
        f"{clips} clips, {len(keys)} keys each: {len(looks)} readings, every one over all places,"
        f" orientations, black bars and other geometries. Smallest bound {10 ** min(looks):.2g}, of the"
        f" well-known key {10 ** min(own):.2g}; the threshold is 1e-9.",
        "",
        "| bound at most | readings expected, at most | readings found | clips with the well-known key |",
        "|---|---|---|---|",
    ]
    for power in (-1, -2, -3, -4, -9):
        lines.append(
            f"| 1e{power} | {len(looks) * 10.0**power:.3g} | {sum(v <= power for v in looks)} |"
            f" {sum(v <= power for v in own)} |"
        )
    return "\n".join(lines)


def speed_table(estimate: Estimate) -> str:
    """Processor time for 60 frames of 1280 by 720, all threads together: embedding in a file, and reading."""
    lumas = textured(1280, 720, 60)
    with tempfile.TemporaryDirectory() as folder:
        source = write(Path(folder) / "clip.mp4", lumas, crf=20)

        def embed_file() -> None:
            embed(source, Path(folder) / "marked.mp4", PAYLOAD, WELL_KNOWN, replace=True)

        def see() -> None:
            reader = ClipReader([Detector(WELL_KNOWN)], estimate)
            for start in range(0, len(lumas), FRAMES):
                reader.add(lumas[start : start + FRAMES], start / 30, (start + FRAMES) / 30)

        lines = [
            "| 1280 by 720 | processor time a frame | two processors, if they share it evenly |",
            "|---|---|---|",
        ]
        for name, work in (("decode, mark, encode (H.264)", embed_file), ("look for a mark", see)):
            times = []
            for _ in range(3):
                started = time.process_time()
                work()
                times.append((time.process_time() - started) / len(lumas))
            ms = min(times) * 1000
            lines.append(f"| {name} | {ms:.1f} ms | {ms / 2:.1f} ms, {2000 / ms:.0f} frames a second |")
    return "\n".join(lines)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--corpus", type=Path, default=ROOT.parent / "shared" / "corpus")
    ask.add_argument("--clips", type=int, default=24)
    ask.add_argument("--few", type=int, default=12)
    ask.add_argument("--beside", type=int, default=6)
    ask.add_argument("--state", type=Path, default=Path(tempfile.gettempdir()) / "own-watermark.jsonl")
    ask.add_argument("--model", type=Path, help="another network than the one that comes with the program")
    ask.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    ask.add_argument("--write", action="store_true")
    given = ask.parse_args()
    path = given.model or next((f.path for f in bundled(Task.WATERMARK_DECODER) if f.path.is_file()), None)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest() if path else "plain"
    estimate = _estimate({"path": str(path), "sha256": sha256} if path else None)
    state = State(given.state, edition(sha256))
    made: dict[str, str] = {}
    if "attacks" in given.only:
        made["attacks"], rate = attack_table(given.corpus, given.clips, given.few, state, estimate)
        made["attacks"] += f"\n\nNetwork: SHA-256 {sha256[:16]}."
    if "beside" in given.only:
        made["beside"] = beside_table(
            beside(given.corpus, chosen(given.corpus, given.beside), state, lambda clip: read(clip, estimate))
        )
    if "false" in given.only:
        made["false positives"] = false_table(given.corpus, state, estimate)
    if "speed" in given.only:
        made["speed"] = speed_table(estimate)
    for name, text in made.items():
        print(f"\n{text}")
        if given.write:
            put_section(PAGE, name, text)
    if given.write and "attacks" in made:
        write_rate(rate)


def write_rate(rate: float) -> None:
    """Put down how often a mark is read after usual encoders, which decides how much one counts."""
    MEASURED.write_text(
        "# Written by tools/measure_own_watermark.py; docs/watermark.md has the table.\n\n"
        f"read_rate_lower = {rate:.3f} # of clips marked and encoded at CRF 23 to 33 (95 %)\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
