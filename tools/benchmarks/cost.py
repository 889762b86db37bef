"""Time by the clock and of processors, of this process and of those that it started."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 0.01


@dataclass(frozen=True)
class Cost:
    """Seconds by the clock, and of processor time."""

    wall_s: float
    cpu_s: float

    @classmethod
    def median(cls, costs: Sequence[Cost]) -> Cost:
        """The median of each."""
        return cls(statistics.median(c.wall_s for c in costs), statistics.median(c.cpu_s for c in costs))


def cost(work: Callable[[], object], repeat: int) -> Cost:
    """Median cost of some work in this process."""
    return in_turn([work], repeat)[0]


def in_turn(works: Sequence[Callable[[], object]], repeat: int) -> list[Cost]:
    """Median costs, each taken in turn, so that other work on the machine meets all of them alike."""
    taken: list[list[Cost]] = [[] for _ in works]
    for _ in range(repeat):
        for work, costs in zip(works, taken, strict=True):
            wall, cpu = time.perf_counter(), time.process_time()
            work()
            costs.append(Cost(time.perf_counter() - wall, time.process_time() - cpu))
    return [Cost.median(costs) for costs in taken]


def family_cpu_s() -> float:
    """Processor seconds of this process and of all that descend from it and live; of Linux's /proc.

    Elsewhere those of this process and of children that have ended.
    """
    times = os.times()
    total = time.process_time() + times.children_user + times.children_system
    return total + sum(cpu_s_of(pid) for pid in descendants(os.getpid()))


def descendants(pid: int) -> Iterator[int]:
    """Processes that a process started, and that those did. Nothing where there is no /proc."""
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = listed.read_text(encoding="ascii").split()
        except OSError:
            continue  # the thread has ended
        for child in map(int, children):
            yield child
            yield from descendants(child)


def cpu_s_of(pid: int) -> float:
    """Processor seconds that a process has used; 0 where there is no /proc."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    except OSError:
        return 0.0  # it has ended
    return (int(fields[11]) + int(fields[12])) * _TICK_S  # utime and stime: proc(5)


def memory_mb(pid: int) -> float | None:
    """Memory of a process, what it shares divided among those that share it (PSS); None without /proc."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("Pss:"))


def peak_mb(pid: int) -> float | None:
    """The most real memory that a process has held."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM:")), None)


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table. Floats get three digits that count, None becomes empty."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, float):
        return str(value)
    if value == 0 or not 0.001 <= abs(value) < 1e6:
        return f"{value:.3g}"
    digits = max(0, 3 - len(str(int(abs(value))))) if abs(value) >= 1 else 3
    return f"{value:,.{digits}f}"
