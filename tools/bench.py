"""Times a scan of one clip, step by step, beside what c2pa-python alone takes to read the same clip.

The clip is the sample that Touchstone signs itself, or a file of yours. Ratios are of one run on one machine.

usage: bench.py [FILE] [--repeat N]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import c2pa

TOUCHSTONE = str(Path(sys.executable).with_name("touchstone"))


def timed(work: Callable[[], object], repeat: int) -> float:
    """Median duration in milliseconds."""
    durations = []
    for _ in range(repeat):
        started = time.perf_counter()
        work()
        durations.append((time.perf_counter() - started) * 1000)
    return statistics.median(durations)


def read_with_c2pa(clip: Path) -> None:
    """What every reader has to do at least: parse the manifest and hash the whole file."""
    settings = c2pa.Settings.from_dict({"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}})
    try:
        with clip.open("rb") as file, c2pa.Context(settings) as context:
            c2pa.Reader("video/mp4", file, context=context).get_validation_state()
    except c2pa.C2paError:
        return  # no manifest: the file was looked through all the same


def scans(clip: Path, times: int) -> list[dict[str, Any]]:
    """The same clip scanned again and again, one scan at a time, by one process that is no daemon."""
    command = [TOUCHSTONE, "scan", "--no-daemon", "--jobs", "1", "--jsonl", *[str(clip)] * times]
    run = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("file", type=Path, nargs="?", help="an MP4 (default: the sample clip)")
    ask.add_argument("--repeat", type=int, default=9, help="runs of each step; the median of 9 is shown")
    args = ask.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clip = args.file or Path(folder) / "sample.mp4"
        if not args.file:
            subprocess.run([TOUCHSTONE, "sample", str(clip)], check=True, stdout=subprocess.DEVNULL)
        cold, *warm = scans(clip, args.repeat + 1)
        reader = timed(lambda: read_with_c2pa(clip), args.repeat)
        print(f"{clip.name}: {clip.stat().st_size} bytes. {warm[0]['verdict']['headline']}")
        print(f"{'step':<44}{'ms':>8}{'ratio':>8}")
        rows = [
            ("c2pa-python alone, in this process", reader),
            ("whole scan, in a worker that is up", statistics.median(scan["took_ms"] for scan in warm)),
            ("whole scan, the worker's start included", cold["took_ms"]),
        ]
        for name, milliseconds in rows:
            print(f"{name:<44}{milliseconds:>8.1f}{milliseconds / reader:>8.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
