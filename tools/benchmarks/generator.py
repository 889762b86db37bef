"""What it costs to make clips: time and memory of `touchstone generate`, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from .cost import Cost, peak_mb, table
from .daemon import TOUCHSTONE, own_environment
from .machine import held

PROMPT = "a red kite over a harbour at dusk"
ORDERS = ((5, "256x256", 15.0, None), (5, "1920x1080", 60.0, 1500.0), (60, "256x256", 180.0, None))
"""Seconds, size, and what is aimed for: seconds by the clock, megabytes."""
QUICK = ((1, "64x64", 15.0, None),)


def made(home: Path, seconds: int, size: str) -> tuple[Cost, float | None]:
    """What one clip costs, and the most memory that the process held, in MB; None without /proc."""
    target = home / f"made-{seconds}-{size}.mp4"
    order = [TOUCHSTONE, "generate", PROMPT, "--seconds", str(seconds), "--size", size, "--seed", "1"]
    used, started = os.times(), time.perf_counter()
    process = subprocess.Popen(
        [*order, "-o", str(target)], env=own_environment(home), stdout=subprocess.DEVNULL
    )
    most = 0.0
    # Asked while it lives: what is told of a process that has ended counts the memory of this one, too.
    while process.poll() is None:
        most = max(most, peak_mb(process.pid) or 0.0)
        time.sleep(0.02)
    wall, now = time.perf_counter() - started, os.times()
    if process.returncode != 0:
        raise SystemExit(f"touchstone generate ended with {process.returncode}")
    target.unlink()
    ours = now.children_user - used.children_user + now.children_system - used.children_system
    return Cost(wall, ours), most or None


def generator(home: Path, quick: bool) -> str:
    """Clips of some lengths and sizes, each made once, against what was aimed for."""
    rows: list[list[object]] = []
    for seconds, size, most_s, most_mb in QUICK if quick else ORDERS:
        spent, memory = made(home, seconds, size)
        fits = spent.wall_s <= most_s and (most_mb is None or memory is None or memory <= most_mb)
        aim = f"{most_s:g} s" + ("" if most_mb is None else f", {most_mb:g} MB")
        rows.append([f"{seconds} s, {size}", aim, spent.wall_s, spent.cpu_s, memory, held(fits)])
    return table(["clip", "target", "clock s", "CPU s", "peak MB", "held"], rows)
