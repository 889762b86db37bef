"""Whole scans, from bytes that are there to the verdict, as the daemon runs them."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import c2pa

from bench_media import CLIPS, decode_whole, filmed, repeated, sample
from touchstone.engine import load_settings, open_pipeline
from touchstone.pipeline import Pipeline
from touchstone.sample import draw_clip
from touchstone.system.environment import Environment
from touchstone.system.paths import Paths
from touchstone.verdict import Scan
from touchstone.wire import EvidenceFound, FileSource, ScanEvent

from .cost import Cost, cost, family_cpu_s, table
from .machine import Peaks, held

OCR = "visible_marks"
SIZES = (("360p", 360), ("720p", 720), ("1080p", 1080), ("4K", 2160))
SAMPLES = "decoding the same samples"
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Timed:
    """One warm scan: when the first evidence was there, when the verdict, and all processor time."""

    first_s: float | None
    verdict: Cost
    scan: Scan


@asynccontextmanager
async def pipeline(home: Path, without: Sequence[str] = (), jobs: int = 1) -> AsyncIterator[Pipeline]:
    """A pipeline as a daemon has it, with a home of its own, less some examiners."""
    env = Environment(paths=Paths.under(home), home=home, platform=sys.platform)
    settings = load_settings(env).model_copy(update={"concurrency": jobs})
    async with open_pipeline(env, settings) as whole:
        names = [name for name in whole._examiners if name not in without]
        # The same parts with fewer examiners: which of them run is not a setting.
        yield Pipeline(whole._intake, whole._workers, examiners=names)


async def timed(pipe: Pipeline, clip: Path) -> Timed:
    """Scan `clip` once."""
    first: list[float] = []

    async def on_event(event: ScanEvent) -> None:
        if isinstance(event, EvidenceFound):
            first.append(time.perf_counter())

    cpu, started = family_cpu_s(), time.perf_counter()
    scan = await pipe.scan(FileSource(path=str(clip)), on_event)
    ended = time.perf_counter()
    spent = Cost(ended - started, family_cpu_s() - cpu)
    return Timed(min(first) - started if first else None, spent, scan)


async def warm_scans(pipe: Pipeline, clip: Path, repeat: int) -> list[Timed]:
    """Scan `clip` again and again; a first scan, in which workers start, is not counted."""
    await timed(pipe, clip)
    return [await timed(pipe, clip) for _ in range(repeat)]


def warm(home: Path, clip: Path, repeat: int, without: Sequence[str] = ()) -> Cost:
    """Median cost of a warm scan."""

    async def run() -> Cost:
        async with pipeline(home, without) as pipe:
            return Cost.median([scan.verdict for scan in await warm_scans(pipe, clip, repeat)])

    return asyncio.run(run())


def signed(plain: Path) -> Path:
    """`plain` with Content Credentials by a throw-away certificate, made once."""
    from datetime import UTC, datetime

    from cryptography.hazmat.primitives.asymmetric import ec

    from touchstone.sample import distinguished_name, issue, sign_file

    path = plain.with_name(f"{plain.stem}-signed.mp4")
    if not path.exists():
        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
        root_key = ec.generate_private_key(ec.SECP256R1())
        root = distinguished_name("Touchstone bench", "Throw-away root")
        name = distinguished_name("Touchstone bench", "Throw-away signer")
        chain = [
            issue(name, key.public_key(), root, root_key, now),
            issue(root, root_key.public_key(), root, root_key, now, authority=True),
        ]
        part = path.with_suffix(".part.mp4")
        sign_file(plain, part, {"claim_generator_info": [{"name": "Touchstone bench"}]}, chain, key)
        part.rename(path)
    return path


def read_with_c2pa(clip: Path) -> None:
    """What every reader of provenance does at least: parse the manifest and hash the whole file."""
    settings = c2pa.Settings.from_dict({"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}})
    try:
        with clip.open("rb") as file, c2pa.Context(settings) as context:
            c2pa.Reader("video/mp4", file, context=context).get_validation_state()
    except c2pa.C2paError:
        return  # no manifest: the file was looked through all the same


def main_clip(quick: bool) -> Path:
    """Ten seconds of 1080p, a keyframe a second; in a quick run two seconds of 180p."""
    if quick:
        CLIPS.mkdir(parents=True, exist_ok=True)
        path = CLIPS / "quick.mp4"
        if not path.exists():
            part = path.with_suffix(".part.mp4")
            draw_clip(part, width=320, height=180, seconds=2)
            part.rename(path)
        return path
    return filmed("1080p-30.mp4", 1920, 1080, 10, 30)


def targets(home: Path, repeat: int, quick: bool, peaks: Peaks) -> str:
    """First evidence and verdict of one clip, warm, each beside its floor."""
    clip = main_clip(quick)
    marked = signed(clip)
    size = marked.stat().st_size / 1e9

    async def run() -> tuple[list[Timed], list[Timed], list[Timed]]:
        async with pipeline(home) as pipe:
            evidence = await warm_scans(pipe, marked, repeat)
            whole = await warm_scans(pipe, clip, repeat)
        async with pipeline(home, [OCR]) as pipe:
            return evidence, whole, await warm_scans(pipe, clip, repeat)

    evidence, whole, without = asyncio.run(run())
    reader = cost(partial(read_with_c2pa, marked), repeat)
    frames = cost(partial(sample, clip), repeat)
    everything = cost(partial(decode_whole, clip), repeat)
    first = Cost.median([Cost(scan.first_s or float("nan"), scan.verdict.cpu_s) for scan in evidence]).wall_s
    of_whole, of_rest = (Cost.median([scan.verdict for scan in scans]) for scans in (whole, without))
    hashing = size / peaks.sha256_gb
    within = of_rest.wall_s <= 1.5 * frames.wall_s
    unsplit = Cost(first, float("nan"))  # what the other examiners do meanwhile is not its processor time
    rows = [
        _against("first evidence, signed", "0.1 s", unsplit, "c2pa's reader alone", reader, first <= 0.1),
        _against("same", "", unsplit, "SHA-256 of its bytes", Cost(hashing, hashing), None),
        _against("verdict, all examiners", "1 s", of_whole, SAMPLES, frames, of_whole.wall_s <= 1),
        _against(
            "verdict, OCR set apart",
            "1.5 floors",
            of_rest,
            SAMPLES,
            frames,
            within,
        ),
        _against("same", "", of_rest, "decoding the whole clip", everything, None),
    ]
    floor = ["floor", "clock s of it"]
    return table(["what", "target", "clock s", "CPU s", *floor, "clock ratio", "CPU ratio", "held"], rows)


def _against(what: str, target: str, ours: Cost, floor: str, least: Cost, kept: bool | None) -> list[object]:
    """A row: what was measured beside its floor."""
    known = ours.cpu_s == ours.cpu_s  # not NaN
    cpu, ratio = (ours.cpu_s, ours.cpu_s / least.cpu_s) if known else (None, None)
    word = None if kept is None else held(kept)
    return [what, target, ours.wall_s, cpu, floor, least.wall_s, ours.wall_s / least.wall_s, ratio, word]


def examiners(home: Path, repeat: int, quick: bool) -> str:
    """What each examiner costs: a scan with it alone, less a scan with none that looks at pictures."""
    clip = main_clip(quick)

    async def run() -> list[list[object]]:
        async with pipeline(home) as whole:
            names = whole._examiners
            headers = ("content_credentials", "labels")
            rows: list[list[object]] = []
            sets = [
                ("headers only", headers),
                *((name, (*headers, name)) for name in names if name not in headers),
            ]
            for name, some in [*sets, ("all", names)]:
                pipe = Pipeline(whole._intake, whole._workers, examiners=some)
                spent = Cost.median([scan.verdict for scan in await warm_scans(pipe, clip, repeat)])
                rows.append([name, spent.wall_s, spent.cpu_s])
            return rows

    rows = asyncio.run(run())
    frames = cost(partial(sample, clip), repeat)
    rows.insert(1, ["the frames, which those that follow share", frames.wall_s, frames.cpu_s])
    return table(["examiner, with the headers' and the frames it needs", "clock s", "CPU s"], rows)


def lengths(home: Path, repeat: int, quick: bool) -> str:
    """Whole scans as clips grow."""
    base = filmed("180p.mp4", 320, 180, 10, 60)
    rows: list[list[object]] = []
    first = 0.0
    for name, times in (("10 s", 1), ("1 min", 6), *(() if quick else (("10 min", 60), ("2 h", 720)))):
        clip = repeated(base, f"180p-{times}.mp4", times)
        spent, frames = warm(home, clip, repeat), cost(partial(sample, clip), repeat)
        first = first or spent.cpu_s
        size = clip.stat().st_size / 1e6
        rows.append([name, size, spent.wall_s, spent.cpu_s, frames.cpu_s, spent.cpu_s / first])
    return table(
        ["clip, 320 by 180", "MB", "clock s", "CPU s", "sampling alone, CPU s", "CPU, against 10 s"], rows
    )


def resolutions(home: Path, repeat: int, quick: bool) -> str:
    """Whole scans as frames grow."""
    rows: list[list[object]] = []
    for name, height in (("180p", 180),) if quick else SIZES:
        # The clips that the memory of workers is measured with.
        clip = filmed(f"{name}-memory.mp4", height * 16 // 9, height, 4, 15)
        whole, rest = warm(home, clip, repeat), warm(home, clip, repeat, [OCR])
        frames = cost(partial(sample, clip), repeat)
        rows.append([name, whole.wall_s, whole.cpu_s, rest.cpu_s, frames.cpu_s, rest.cpu_s / frames.cpu_s])
    heads = [
        "clip of 4 s",
        "clock s",
        "CPU s",
        "CPU s without OCR",
        "sampling alone, CPU s",
        "CPU ratio without OCR",
    ]
    return table(heads, rows)


def at_once(home: Path, repeat: int, quick: bool) -> str:
    """Many scans at once, by as many workers as the daemon would use."""
    clip = main_clip(quick)

    async def run(count: int) -> tuple[float, float]:
        async with pipeline(home, jobs=count) as pipe:
            await asyncio.gather(*(timed(pipe, clip) for _ in range(count)))
            cpu, started = family_cpu_s(), time.perf_counter()
            for _ in range(repeat):
                await asyncio.gather(*(pipe.scan(FileSource(path=str(clip))) for _ in range(count)))
            return (time.perf_counter() - started) / repeat, (family_cpu_s() - cpu) / repeat

    rows: list[list[object]] = []
    alone = 0.0
    for count in (1, 2) if quick else (1, 2, 4, 8):
        wall, cpu = asyncio.run(run(count))
        alone = alone or wall
        rows.append([count, wall, count / wall, cpu / count, count * alone / wall])
    heads = [
        "scans at once",
        "clock s until all have ended",
        "scans a second",
        "CPU s for each",
        "against one by one",
    ]
    return table(heads, rows)
