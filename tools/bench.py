"""Measures Touchstone on this machine and writes docs/benchmarks.md. `make bench` is this.

Every figure stands beside its floor (what this machine needs at least for the same work) and beside what a
user would pick instead, taken in the same run: ratios say more than times. Clips are made by code, once, into
.cache/bench. Under other work, times by the clock are upper bounds; processor time is what to look at.

usage: bench.py [--write] [--quick] [--repeat N] [--peers PYTHON] [TABLE ...]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests")]

import bench_media  # noqa: E402
import bench_visible_marks  # noqa: E402
from benchmarks import daemon, generator, machine, networks, peers, scans  # noqa: E402
from pages import put_section  # noqa: E402

PAGE = ROOT / "docs" / "benchmarks.md"
PEERS = bench_media.CLIPS / "peers" / "bin" / "python"


@dataclass(frozen=True)
class Run:
    """What a table is made with."""

    home: Path
    repeat: int
    quick: bool
    peaks: machine.Peaks
    peers: Path | None


def _media(name: str) -> Callable[[Run], str]:
    """A table of bench_media, as text."""

    def make(run: Run) -> str:
        text = io.StringIO()
        with contextlib.redirect_stdout(text):
            bench_media.TABLES[name](run.repeat)
        return text.getvalue()

    return make


TABLES: dict[str, Callable[[Run], str]] = {
    "targets": lambda run: scans.targets(run.home, run.repeat, run.quick, run.peaks),
    "examiners": lambda run: scans.examiners(run.home, run.repeat, run.quick),
    "start": lambda run: daemon.start(
        run.home, min(run.repeat, 3), None if run.quick else scans.main_clip(quick=False)
    ),
    "sizes": lambda _: daemon.sizes(),
    "peers": lambda run: peers.table_of_peers(run.repeat, run.quick, run.peers),
    "arithmetic": lambda run: networks.arithmetic(min(run.repeat, 3), run.quick, run.peaks),
    "networks memory": lambda run: networks.memory(run.quick),
    "batches": lambda run: networks.batches(min(run.repeat, 3), run.quick, run.peaks),
    "lengths": lambda run: scans.lengths(run.home, run.repeat, run.quick),
    "resolutions": lambda run: scans.resolutions(run.home, min(run.repeat, 3), run.quick),
    "at once": lambda run: scans.at_once(run.home, min(run.repeat, 3), run.quick),
    "generator": lambda run: generator.generator(run.home, run.quick),
    "visible marks": lambda run: bench_visible_marks.section(run.repeat),
    **{name: _media(name) for name in bench_media.TABLES},
}
"""Every table, by the name of its section on the page."""

SLOW = ("visible marks", *bench_media.TABLES)
"""Left out of a quick run: they make clips of 1080p and 4K first."""

ONCE = ("generator",)
"""Run once, whatever `--repeat` says: they take minutes."""

PRINTED = ("sampler",)
"""Only printed: its table on the page has clips of cameras as well, which are given by hand."""


def conditions(peaks: machine.Peaks) -> str:
    """On what."""
    return (
        f"{machine.processor()}, {machine.cores()} cores; {machine.versions()}.\n\n"
        f"Measured peaks of one thread, for a second of processor time: {peaks.gflops:.0f} billion operations"
        f" in float32, {peaks.int8_gops:.0f} in int8 (products of matrices of {machine.SIDE} rows by the same"
        f" runtime); {peaks.copy_gb:.1f} GB/s read and written by a copy; {peaks.sha256_gb:.2f} GB/s hashed"
        " by SHA-256."
    )


def measured(before: float, after: float, repeat: int) -> str:
    """When, and how busy the machine was meanwhile."""
    busy = (
        ""
        if max(before, after) < machine.QUIET
        else "; other work shared the machine, so look at processor time"
    )
    runs = "once each" if repeat == 1 else f"medians of {repeat}"
    return (
        f"{datetime.now(UTC):%-d %B %Y}, {runs}. Load {before:.1f} at the start and {after:.1f}"
        f" at the end{busy}."
    )


def main(arguments: list[str] | None = None) -> int:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("table", nargs="*", help=f"of {', '.join(TABLES)} (default: all)")
    ask.add_argument("--repeat", type=int, default=5, help="runs of each; medians are shown (default: 5)")
    ask.add_argument("--write", action="store_true", help="write the tables into docs/benchmarks.md")
    ask.add_argument("--quick", action="store_true", help="small clips, once: whether everything runs")
    ask.add_argument("--peers", type=Path, default=PEERS, help="Python of an environment with the reference")
    args = ask.parse_args(arguments)
    if unknown := set(args.table) - set(TABLES):
        ask.error(f"no table {', '.join(sorted(unknown))}; there are {', '.join(TABLES)}")
    if args.quick and args.write:
        ask.error("a quick run measures nothing worth writing down")
    names = args.table or [name for name in TABLES if not (args.quick and name in SLOW)]
    repeat = 1 if args.quick else args.repeat
    peaks = machine.peaks(repeat)
    text = conditions(peaks)
    print(f"{text}\n")
    if args.write:
        put_section(PAGE, "conditions", text)
    with tempfile.TemporaryDirectory() as home:
        run = Run(Path(home), repeat, args.quick, peaks, args.peers if args.peers.is_file() else None)
        for name in names:
            started, before = time.perf_counter(), machine.load()
            text = f"{TABLES[name](run)}\n\n{measured(before, machine.load(), 1 if name in ONCE else repeat)}"
            print(f"## {name}\n\n{text}\n", flush=True)
            print(f"{name}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
            if args.write and name not in PRINTED:
                put_section(PAGE, name, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
