"""Times what reads hostile video: the sampler, against decoding whole clips, the sandbox, the pool, memory.

Clips are made by code, once, into .cache/bench. Ratios are of figures of one run on one machine; times alone
say little. Processor time stands beside the time by the clock, which other work on the machine spoils.

usage: bench_media.py [--repeat N] [--clips FILE ...] [TABLE ...]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from touchstone.examiners import Clip, Examiner, Needs
from touchstone.intake import Material
from touchstone.media.plan import Sampling
from touchstone.media.pool import WorkerPool
from touchstone.media.probe import read_container
from touchstone.media.sampler import SampledFrames
from touchstone.media.spec import Recycling, WorkerSpec
from touchstone.verdict import Evidence

TOOLS = Path(__file__).resolve().parent
CLIPS = TOOLS.parent / ".cache" / "bench"


# --- clips ------------------------------------------------------------------------------------


def filmed(name: str, width: int, height: int, seconds: int, gop: int, rate: int = 30) -> Path:
    """A clip that is about as hard to compress as filmed ones: texture that sways, under changing noise."""
    path = CLIPS / name
    if path.exists():
        return path
    rng = np.random.default_rng(1)
    coarse = rng.normal(128, 30, (height // 8 + 64, width // 8 + 64)).clip(0, 255).astype(np.uint8)
    texture = np.kron(coarse, np.ones((8, 8), np.uint8)).astype(np.int16)
    noises = rng.normal(0, 5, (8, height, width)).astype(np.int16)

    def pictures() -> Iterator[NDArray[np.uint8]]:
        for number in range(seconds * rate):
            # Lines sway against each other and noise is turned over and cut anew each time: what makes filmed
            # frames dear is that they cannot be told from the ones before.
            sway = (20 * np.sin(np.arange(height) / 40 + number / 4)).astype(int)[:, None]
            columns = np.arange(width)[None, :] + 40 + number * 3 % 300 + sway
            rows = np.arange(height)[:, None] + number * 2 % 400
            noise = np.roll(noises[number % 8, :: -1 if number % 3 else 1], number * 53 % width, axis=1)
            luma = texture[rows, columns] + noise
            picture = np.full((height * 3 // 2, width), 128, np.uint8)
            picture[:height] = luma.clip(0, 255)
            yield picture

    return encoded(path, pictures(), gop, rate)


def panned(name: str, seconds: int = 10, gop: int = 30, rate: int = 30) -> Path:
    """1080p in which nothing but the camera moves: frames between keyframes cost next to nothing."""
    path = CLIPS / name
    if path.exists():
        return path
    rng = np.random.default_rng(2)
    coarse = rng.normal(128, 30, (1080 // 8, 1920 // 8 + 160)).clip(0, 255).astype(np.uint8)
    texture = np.kron(coarse, np.ones((8, 8), np.uint8)).astype(np.int16)
    scene = (texture + rng.normal(0, 5, texture.shape)).clip(0, 255).astype(np.uint8)

    def pictures() -> Iterator[NDArray[np.uint8]]:
        for number in range(seconds * rate):
            picture = np.full((1080 * 3 // 2, 1920), 128, np.uint8)
            picture[:1080] = scene[:, 4 * number : 4 * number + 1920]
            yield picture

    return encoded(path, pictures(), gop, rate)


def like_the_others(source: Path, count: int = 300, gop: int = 30, rate: int = 30) -> Path:
    """Anyone's clip, encoded as the made ones are: its frames there and back again until there are enough."""
    path = CLIPS / f"again-{source.parent.name}-{source.stem}.mp4"
    if path.exists():
        return path
    with av.open(str(source)) as container:
        decoded = islice(container.decode(video=0), count)
        frames = [frame.reformat(format="yuv420p").to_ndarray() for frame in decoded]
    there_and_back = [*range(len(frames)), *range(len(frames) - 2, 0, -1)]
    order = islice(cycle(there_and_back or [0]), count)
    return encoded(path, (frames[number] for number in order), gop, rate)


def encoded(path: Path, pictures: Iterable[NDArray[np.uint8]], gop: int, rate: int) -> Path:
    """Write pictures, `(H * 3 / 2, W)` as I420, as H.264 with a keyframe every `gop` frames and no other."""
    CLIPS.mkdir(parents=True, exist_ok=True)
    print(f"making {path}", file=sys.stderr)
    unfinished = path.with_suffix(".part.mp4")
    with av.open(str(unfinished), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.pix_fmt, stream.gop_size = "yuv420p", gop
        stream.options = {"preset": "veryfast", "crf": "23", "sc_threshold": "0", "keyint_min": str(gop)}
        for number, picture in enumerate(pictures):
            if not number:
                stream.width, stream.height = picture.shape[1], picture.shape[0] * 2 // 3
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return unfinished.rename(path)


def repeated(source: Path, name: str, times: int) -> Path:
    """A clip again and again, copied without encoding."""
    path = CLIPS / name
    if path.exists():
        return path
    print(f"making {path}", file=sys.stderr)
    unfinished = path.with_suffix(".part.mp4")
    with av.open(str(source)) as original, av.open(str(unfinished), "w") as container:
        stream = original.streams.video[0]
        out = container.add_stream_from_template(stream)
        read = [packet for packet in original.demux(stream) if packet.size]
        packets = [(bytes(p), p.pts or 0, p.dts or 0, p.is_keyframe) for p in read]
        length, base = stream.duration or 0, stream.time_base or Fraction(1)
        for number in range(times):
            for data, pts, dts, key in packets:
                packet = av.Packet(data)
                packet.stream, packet.time_base, packet.is_keyframe = out, base, key
                packet.pts, packet.dts = pts + number * length, dts + number * length
                container.mux(packet)
    return unfinished.rename(path)


# --- measuring --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cost:
    """Medians over repetitions: seconds by the clock and of processor time."""

    wall_s: float
    cpu_s: float


def cost(work: Callable[[], object], repeat: int) -> Cost:
    walls, processors = [], []
    for _ in range(repeat):
        wall, processor = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
    return Cost(statistics.median(walls), statistics.median(processors))


def decode_whole(path: Path, threads: int = 0) -> int:
    """Decode every frame with PyAV: frame threads, which are the fastest way to; 0 is one for each core."""
    count = 0
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_type = "FRAME"
        stream.codec_context.thread_count = threads
        for _ in container.decode(stream):
            count += 1
    return count


def sample(path: Path) -> SampledFrames:
    """The sampler as it is by default: 8 runs of 3 frames."""
    size = path.stat().st_size
    with path.open("rb") as file:
        frames = SampledFrames(read_container(file, size), [(file, size)], Sampling())
        for _ in frames:
            pass
    return frames


def row(*cells: object) -> None:
    print("| " + " | ".join(f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in cells) + " |")


def head(*cells: str) -> None:
    row(*cells)
    print("|" + "---|" * len(cells))


# --- tables -----------------------------------------------------------------------------------


def in_turn(works: Sequence[Callable[[], object]], repeat: int) -> list[Cost]:
    """The cost of each, done in turn again and again, so that other work on the machine meets all of them."""
    rounds = [[cost(work, 1) for work in works] for _ in range(repeat)]
    return [
        Cost(statistics.median(c.wall_s for c in costs), statistics.median(c.cpu_s for c in costs))
        for costs in zip(*rounds, strict=True)
    ]


def key_ratio(clip: Path) -> float:
    """How many times as long as the other frames keyframes are."""
    with av.open(str(clip)) as container:
        sizes = [(p.is_keyframe, p.size) for p in container.demux(video=0) if p.size]
    keys, others = ([size for key, size in sizes if key is wanted] for wanted in (True, False))
    return statistics.mean(keys) / statistics.mean(others)


def sampler(repeat: int, clips: Sequence[Path] = ()) -> None:
    """What 8 runs of 3 frames cost, against decoding the whole clip."""
    head(
        "clip, 1080p H.264, 10 s",
        "keyframes, times as long",
        "frames decoded",
        "clock s",
        "CPU s",
        "whole: clock s",
        "CPU s",
        "clock ratio",
        "CPU ratio",
    )
    measured = {
        "a keyframe a second": filmed("1080p-30.mp4", 1920, 1080, 10, 30),
        "one keyframe": filmed("1080p-300.mp4", 1920, 1080, 10, 300),
        "only the camera moves": panned("1080p-pan.mp4"),
        **{f"{clip.parent.name}/{clip.name}": like_the_others(clip) for clip in clips},
    }
    for name, clip in measured.items():
        frames = sample(clip)
        ours, whole = in_turn((partial(sample, clip), partial(decode_whole, clip)), repeat)
        ratios = (ours.wall_s / whole.wall_s, ours.cpu_s / whole.cpu_s)
        times = round(key_ratio(clip), 1)
        row(name, times, frames.seen.decoded, ours.wall_s, ours.cpu_s, whole.wall_s, whole.cpu_s, *ratios)


def length(repeat: int) -> None:
    """What it costs as clips grow: opening and seeking only."""
    head(
        "clip, 320 by 180, a keyframe every 2 s",
        "MB",
        "frames decoded",
        "runs",
        "clock s",
        "CPU s",
        "against 10 s",
    )
    base = filmed("180p.mp4", 320, 180, 10, 60)
    first = 0.0
    for name, times in (("10 s", 1), ("1 min", 6), ("10 min", 60), ("2 h", 720)):
        clip = repeated(base, f"180p-{times}.mp4", times)
        frames, ours = sample(clip), cost(partial(sample, clip), repeat)
        first = first or ours.cpu_s
        size = round(clip.stat().st_size / 1e6, 1)
        row(name, size, frames.seen.decoded, frames.seen.runs, ours.wall_s, ours.cpu_s, ours.cpu_s / first)


def sandbox(repeat: int) -> None:
    """What confinement costs: the same decoding in a process that is confined and in one that is not."""
    clip = filmed("1080p-30.mp4", 1920, 1080, 10, 30)
    times: dict[str, list[float]] = {"free": [], "confined": []}
    for _ in range(repeat):
        for how in times:  # in turn, so that other work on the machine meets both
            run = subprocess.run(
                [sys.executable, __file__, "--decode", how, str(clip)],
                check=True,
                capture_output=True,
                text=True,
            )
            times[how].append(float(run.stdout))
    free, confined = (statistics.median(times[how]) for how in ("free", "confined"))
    head("decoding 300 frames of 1080p", "CPU s", "ratio")
    row("not confined", free, 1.0)
    row("confined", confined, confined / free)


def decode_once(how: str, clip: Path) -> None:
    """In a process of its own: decode `clip` whole, print the processor seconds that it took."""
    from touchstone.media.sandbox import ProcessLimits, confine

    with clip.open("rb") as file, av.open(file, "r", format="mov") as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_type, stream.codec_context.thread_count = "FRAME", 2
        if how == "confined":
            report = confine(sys.stdout.fileno(), ProcessLimits())
            if not report.complete:
                raise SystemExit(f"not confined: {report.mechanisms}")
        started = time.process_time()
        count = sum(len(stream.codec_context.decode(packet)) for packet in container.demux(stream))
        took = time.process_time() - started
    if count != 300:
        raise SystemExit(f"{count} frames")
    os.write(sys.stdout.fileno(), f"{took}\n".encode())


class Watching:
    """An examiner that reads all frames and finds nothing."""

    name = "watching"
    needs = Needs.FRAMES

    def examine(self, clip: Clip) -> Iterator[Evidence]:
        for run in clip.frames:
            for frame in run.frames:
                frame.planes[0].sum()
        return iter(())


def build(names: Sequence[str], settings: Mapping[str, Any]) -> list[Examiner]:
    """The registry of the workers that are measured here."""
    return [Watching() for _ in names]


SPEC = WorkerSpec(["watching"], registry="bench_media:build", python_path=(str(TOOLS),))


def memory(repeat: int) -> None:
    """The most real memory that a worker holds, by the system's own count, a fresh worker for each clip."""
    head("clip", "worker's peak, MB", "runs", "frames")
    for name, width, height in (("1080p", 1920, 1080), ("4K", 3840, 2160)):
        clip = filmed(f"{name}-memory.mp4", width, height, 4, 15)
        peak, frames = asyncio.run(peak_of_worker(material(clip))), sample(clip)
        row(name, round(peak / 1e6), frames.seen.runs, frames.seen.frames)


def material(clip: Path) -> Material:
    return Material(clip, clip.stat().st_size)


def peak_of(pid: int) -> int:
    """Bytes, from /proc/PID/status."""
    return int(Path(f"/proc/{pid}/status").read_text().split("VmHWM:")[1].split()[0]) * 1024


async def peak_of_worker(clip: Material) -> int:
    """The peak of a worker that has looked at one clip."""
    pool = WorkerPool(SPEC, size=1, recycling=Recycling(memory_mib=1 << 20))
    try:
        async for _ in pool.examine(clip, ["watching"]):
            pass
        return peak_of(pool.pids[0])
    finally:
        await pool.close()


def pool(repeat: int) -> None:
    """What a scan waits for: a worker that has to start, and one that is ready."""
    clip = filmed("180p.mp4", 320, 180, 10, 60)
    cold, warm = asyncio.run(scans_of_pool(material(clip), repeat))
    head("scan of a small clip", "clock s")
    row("the worker starts first", cold)
    row("a worker is ready", warm)


async def scans_of_pool(clip: Material, repeat: int) -> tuple[float, float]:
    colds: list[float] = []
    warms: list[float] = []
    for _ in range(repeat):
        workers = WorkerPool(SPEC, size=1)
        try:
            for times in (colds, warms):
                started = time.perf_counter()
                async for _ in workers.examine(clip, ["watching"]):
                    pass
                times.append(time.perf_counter() - started)
        finally:
            await workers.close()
    return statistics.median(colds), statistics.median(warms)


TABLES: Mapping[str, Callable[..., None]] = {
    table.__name__: table for table in (sampler, length, sandbox, memory, pool)
}


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("table", nargs="*", help=f"of {', '.join(TABLES)} (default: all)")
    ask.add_argument("--repeat", type=int, default=5, help="runs of each; medians are shown (default: 5)")
    ask.add_argument(
        "--clips", nargs="+", type=Path, default=[], help="files of 1080p for `sampler`, encoded like its own"
    )
    ask.add_argument("--decode", choices=("free", "confined"), help=argparse.SUPPRESS)
    args = ask.parse_args()
    if args.decode:
        decode_once(args.decode, Path(args.table[0]))
        return 0
    if unknown := set(args.table) - set(TABLES):
        ask.error(f"no table {', '.join(sorted(unknown))}; there are {', '.join(TABLES)}")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f}, PyAV {av.__version__}\n")
    for name in args.table or TABLES:
        print(f"{TABLES[name].__doc__}\n")
        more = {"clips": args.clips} if name == "sampler" else {}
        TABLES[name](args.repeat, **more)
        print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
