"""Measures where a model runs best, and that its memory comes back. `--write` puts it into docs/inference.md.

The models are transformers with random weights: as slow as real ones. "Here" is the way of a confined worker
(inference/in_process.py), "apart" that of the inference process, batches in shared memory (service.py). Times
are the best of `--repeat` runs, which other work on the machine disturbs least.

usage: bench_inference.py [--write] [--repeat N]
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent))
from pages import put_section
from touchstone.inference import ServedModel
from touchstone.inference.batching import Batch
from touchstone.inference.in_process import InProcess
from touchstone.inference.service import InferenceService, Times
from touchstone.inference.shared import Block
from vit import Shape, vit

PAGE = Path(__file__).resolve().parents[1] / "docs" / "inference.md"
ROWS = 8
BLOCK = 64 << 20
MODELS = {
    "small: 64 pixels, 0.3 M weights": Shape(side=64, patch=8, width=64, depth=6, heads=4, outputs=1),
    "ViT-Ti/16: 224 pixels, 5.5 M weights": Shape(
        side=224, patch=16, width=192, depth=12, heads=3, outputs=1
    ),
}


class Client:
    """A worker's side of the inference process, without a worker."""

    def __init__(self, service: InferenceService, rows: NDArray[np.float32]) -> None:
        self._service = service
        self._number, descriptor = service.open_block(BLOCK)
        self._rows = rows
        self._tensor = Block(descriptor, BLOCK).tensor(0, rows.shape, "float32")

    async def ask(self) -> None:
        """Copy the rows into the block, have them run, and copy the answers out."""
        self._tensor[...] = self._rows
        answered = await self._service.infer(
            Batch("model", self._number, 0, self._rows.nbytes, self._rows.shape, "float32")
        )
        self._tensor.reshape(-1)[: int(np.prod(answered.shape))].copy()


def resident_mib(pid: int | str) -> int:
    """Real memory of a process; 0 where it has gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) >> 10 for line in lines if line.startswith("VmRSS:")), 0)


def card_mib(pid: int) -> int | None:
    """Memory of the graphics card that a process holds; None without NVIDIA's tool."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    query = [tool, "--query-compute-apps=pid,used_memory", "--format=csv,noheader,nounits"]
    lines = subprocess.run(query, capture_output=True, text=True, check=False).stdout.splitlines()
    return sum(int(line.split(",")[1]) for line in lines if line.split(",")[0].strip() == str(pid))


async def best_ms(work: Callable[[], Awaitable[object]], repeat: int) -> float:
    """Shortest time by the clock, after two runs that do not count."""
    times = []
    for number in range(repeat + 2):
        started = time.perf_counter()
        await work()
        if number > 1:
            times.append((time.perf_counter() - started) * 1000)
    return min(times)


def model_of(folder: Path, shape: Shape) -> tuple[ServedModel, NDArray[np.float32]]:
    """A model file, and rows for it."""
    content = vit(shape).SerializeToString()
    path = folder / "model.onnx"
    path.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    rows = np.random.default_rng(0).random((ROWS, 3, shape.side, shape.side), np.float32)
    return ServedModel("model", "1", "fp32", sha256, str(path)), rows


async def where(folder: Path, repeat: int) -> str:
    """Eight rows here and apart."""
    table = [
        "| model | here, ms | apart, ms | apart, 2 threads, ms | apart − here, ms |",
        "|---|---|---|---|---|",
    ]
    for name, shape in MODELS.items():
        model, rows = model_of(folder, shape)
        here = InProcess([model])

        async def run_here(here: InProcess = here, rows: NDArray[np.float32] = rows) -> None:
            here.run("model", rows)

        local = await best_ms(run_here, repeat)
        apart = []
        for threads in (1, 2):
            service = InferenceService(threads=threads)
            service.serve([model])
            apart.append(await best_ms(Client(service, rows).ask, repeat))
            await service.close()
        table.append(f"| {name} | {local:.2f} | {apart[0]:.2f} | {apart[1]:.2f} | {apart[0] - local:+.2f} |")
    return "\n".join(table)


async def together(folder: Path, repeat: int) -> str:
    """Rows a second, for scans that ask for one row each at once."""
    table = [
        "| scans at once | rows a second, each by itself | rows a second, run together |",
        "|---|---|---|",
    ]
    model, rows = model_of(folder, MODELS["small: 64 pixels, 0.3 M weights"])
    for scans in (1, 2, 4, 8):
        found = []
        for batch in (1, ROWS):
            service = InferenceService()
            service.serve([replace(model, batch=batch)])
            clients = [Client(service, rows[:1]) for _ in range(scans)]

            async def all_of_them(clients: list[Client] = clients) -> None:
                await asyncio.gather(*(client.ask() for client in clients))

            found.append(scans / await best_ms(all_of_them, repeat) * 1000)
            await service.close()
        table.append(f"| {scans} | {found[0]:.0f} | {found[1]:.0f} |")
    return "\n".join(table)


async def memory(folder: Path) -> str:
    """What the process holds while it is there, and after it has left."""
    model, rows = model_of(folder, MODELS["ViT-Ti/16: 224 pixels, 5.5 M weights"])
    service = InferenceService(times=Times(idle_s=0.5))
    service.serve([model])
    before = resident_mib("self")
    await Client(service, rows).ask()
    pid = service.pid or 0
    working, card = resident_mib(pid), card_mib(pid)
    await asyncio.sleep(2)
    after, card_after = resident_mib(pid), card_mib(pid)
    ours = resident_mib("self")
    await service.close()
    table = [
        "| | inference process, MiB | this process, MiB | graphics card, MiB |",
        "|---|---|---|---|",
        f"| before the first batch | 0 | {before} | {_shown(card, 0)} |",
        f"| after it | {working} | {ours} | {_shown(card, card)} |",
        f"| idle for longer than `inference_idle_s` | {after} | {ours} | {_shown(card, card_after)} |",
    ]
    return "\n".join(table)


def _shown(card: int | None, value: int | None) -> str:
    return "no card" if card is None else str(value)


async def measured(repeat: int) -> str:
    """All tables."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts = [await where(folder, repeat), await together(folder, repeat), await memory(folder)]
    machine = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; best of {repeat}, {ROWS} rows."
    return "\n\n".join([*parts, machine])


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--repeat", type=int, default=15, help="runs of which the best is shown")
    ask.add_argument("--write", action="store_true", help="put the tables into docs/inference.md")
    args = ask.parse_args()
    tables = asyncio.run(measured(args.repeat))
    print(tables)
    if args.write:
        put_section(PAGE, "inference", tables)
    return 0


if __name__ == "__main__":
    sys.exit(main())
