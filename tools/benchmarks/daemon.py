"""A daemon that starts, answers and idles, and the models that it brings."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from touchstone.media.spec import Deadlines
from touchstone.system import daemon_process
from touchstone.system.paths import HOME_VARIABLE, Paths
from touchstone.zoo.bundled import bundled
from touchstone.zoo.entry import Task
from touchstone.zoo.registry import shipped_models

from .cost import Cost, cpu_s_of, descendants, memory_mb, table
from .machine import held

START_S = 60.0
IDLE_S = 3.0
"""How long a daemon is left alone before it is looked at."""

TOUCHSTONE = str(Path(sys.executable).with_name("touchstone"))
BARE = "pass"
LIBRARIES = "import asyncio, aiohttp.web, pydantic"


@dataclass(frozen=True)
class Memory:
    """Megabytes of a daemon, of the processes that it started, and how many those are."""

    daemon_mb: float
    workers_mb: float
    workers: int

    @classmethod
    def of(cls, pid: int) -> Memory:
        workers = [memory_mb(child) or 0.0 for child in descendants(pid)]
        return cls(memory_mb(pid) or 0.0, sum(workers), len(workers))

    @property
    def all_mb(self) -> float:
        """Of all of them."""
        return self.daemon_mb + self.workers_mb


@dataclass(frozen=True)
class Started:
    """One start: what it cost until it answered; its memory when it idles, after a scan, long after that."""

    cost: Cost
    idle: Memory
    after_scan: Memory | None = None
    released: Memory | None = None


def own_environment(home: Path) -> dict[str, str]:
    """What a process is started with that keeps all of its files in `home`, and asks no keyring."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        HOME_VARIABLE: str(home),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
    }


def start_and_idle(home: Path, clip: Path | None = None) -> Started:
    """Start a daemon in an empty home, wait for its first answer, leave it alone, end it.

    Args:
        clip: to be scanned once; the daemon is then left alone for as long as unused workers stay.
    """
    paths = Paths.under(home)
    environ = own_environment(home)
    started = time.perf_counter()
    process = subprocess.Popen(
        [TOUCHSTONE, "serve"],
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while daemon_process.find(paths) is None:
            if process.poll() is not None or time.perf_counter() - started > START_S:
                raise SystemExit(f"the daemon did not start; it ended with {process.returncode}")
            time.sleep(0.005)
        spent = Cost(time.perf_counter() - started, cpu_s_of(process.pid))
        time.sleep(IDLE_S)
        idle = Memory.of(process.pid)
        if clip is None:
            return Started(spent, idle)
        scan = [TOUCHSTONE, "scan", str(clip)]
        subprocess.run(scan, env=environ, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        after = Memory.of(process.pid)
        time.sleep(Deadlines().idle_s + IDLE_S)
        return Started(spent, idle, after, Memory.of(process.pid))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def start(home: Path, repeat: int, clip: Path | None) -> str:
    """Cold start to the first answer and memory when idle, beside a bare interpreter and its libraries.

    Args:
        clip: to be scanned in the last of the runs; None leaves out what is held after a scan.
    """
    runs = []
    for number in range(repeat):
        folder = home / f"daemon-{number}"
        folder.mkdir(mode=0o700)
        runs.append(start_and_idle(folder, clip if number == repeat - 1 else None))
    spent = Cost.median([run.cost for run in runs])
    last = runs[-1]
    (bare, bare_mb), (with_libraries, libraries_mb) = (_interpreter(c, repeat) for c in (BARE, LIBRARIES))
    times = (bare.wall_s, with_libraries.wall_s)
    rows: list[list[object]] = [
        ["start to first answer, s", "1", spent.wall_s, *times, held(spent.wall_s <= 1)],
        ["same, CPU s", "", spent.cpu_s, bare.cpu_s, with_libraries.cpu_s, ""],
        _memory("memory, never asked for anything, MB", last.idle, "150", bare_mb, libraries_mb),
    ]
    if last.after_scan is not None and last.released is not None:
        rows.append(_memory("memory right after a scan, MB", last.after_scan, "", bare_mb, libraries_mb))
        minute = "memory a minute after it, MB"
        rows.append(_memory(minute, last.released, "150", bare_mb, libraries_mb))
    heads = ["what", "target", "measured", "bare Python", "Python with aiohttp and pydantic", "held"]
    return table(heads, rows)


def _memory(what: str, memory: Memory, target: str, *floors: float | None) -> list[object]:
    """A row about memory; one without a target is not judged."""
    told = f"{memory.all_mb:.0f}"
    if memory.workers:
        told += f", of it {memory.workers} workers {memory.workers_mb:.0f}"
    return [what, target, told, *floors, _within(memory.all_mb <= float(target)) if target else ""]


def _within(yes: bool) -> str:
    """About memory and size, which other work does not change."""
    return "yes" if yes else "**no**"


def _interpreter(code: str, repeat: int) -> tuple[Cost, float | None]:
    """What it costs until an interpreter has run `code`, and its memory then."""
    costs, memory = [], None
    for _ in range(repeat):
        started = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-c", f"{code}\nprint(flush=True)\ninput()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            costs.append(Cost(time.perf_counter() - started, cpu_s_of(process.pid)))
            memory = memory_mb(process.pid)
            process.communicate(b"\n")
    return Cost.median(costs), memory


def sizes() -> str:
    """Every model that comes with the program or can be fetched, and all together."""
    rows: list[list[object]] = []
    total = 0.0
    for task in Task:
        for file in bundled(task):
            size = file.path.stat().st_size / 1e6 if file.path.is_file() else 0.0
            total += size
            rows.append([f"{file.model.name} {file.model.version}", file.variant.name, "comes with it", size])
    for model in shipped_models():
        for variant in model.variants:
            total += variant.size / 1e6
            rows.append([f"{model.name} {model.version}", variant.name, "can be fetched", variant.size / 1e6])
    rows.append(["all, of 40 MB that they may have", "", _within(total <= 40), total])
    ocr = sum(f.stat().st_size for f in Path(str(files("rapidocr"))).rglob("*.onnx")) / 1e6
    rows.append(["OCR's, set apart", "", "in a package", ocr])
    return table(["model", "variant", "", "MB"], rows)
