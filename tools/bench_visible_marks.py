"""Times reading visible marks in a 10 s 1080p clip: without a mark, and with one that stays or jumps.

Clips are made by code, once, into .cache/bench. Processor time is of one thread; workers search what stays
and what jumps side by side, in two.
`search` is all that OCR costs; `decode` is what the frames cost, which other examiners share.

usage: bench_visible_marks.py [--repeat N] [--write] [FILE ...]
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import av
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests")]

from bench_media import CLIPS, filmed  # noqa: E402
from examiners.visible_marks.cases import CASES  # type: ignore[import-not-found]  # noqa: E402
from examiners.visible_marks.drawing import (  # type: ignore[import-not-found]  # noqa: E402
    Word,
    with_word,
)
from pages import put_section  # noqa: E402
from touchstone.examiners.visible_marks import VisibleMarks  # noqa: E402
from touchstone.examiners.visible_marks.looks import Look, looks  # noqa: E402
from touchstone.media.plan import Sampling  # noqa: E402
from touchstone.media.probe import read_container  # noqa: E402
from touchstone.media.sampler import SampledFrames  # noqa: E402

PAGE = ROOT / "docs" / "benchmarks.md"
SECONDS = 10


def marked(source: Path, rule: str) -> Path:
    """`source` with the words of a rule's case drawn into it, each for the eighths of the clip it is in."""
    path = CLIPS / f"{source.stem}-{rule}.mp4"
    if path.exists():
        return path
    print(f"making {path}", file=sys.stderr)
    unfinished = path.with_suffix(".part.mp4")
    with av.open(str(source)) as original, av.open(str(unfinished), "w") as copy:
        video = original.streams.video[0]
        stream = copy.add_stream("libx264", rate=video.average_rate)
        stream.width, stream.height, stream.pix_fmt = video.width, video.height, "yuv420p"
        stream.gop_size = 30
        stream.options = {"preset": "veryfast", "crf": "23"}
        for frame in original.decode(video):
            eighth = min(int((frame.time or 0) / SECONDS * 8), 7)
            planes = frame.to_ndarray(format="yuv420p")
            words: list[Word] = [word for word in CASES[rule] if eighth in word.looks]
            for word in words:
                planes[: video.height] = with_word(planes[: video.height], word)
            copy.mux(stream.encode(av.VideoFrame.from_ndarray(planes, "yuv420p")))
        copy.mux(stream.encode(None))
    return unfinished.rename(path)


def decoded(clip: Path) -> list[Look]:
    with clip.open("rb") as file:
        size = clip.stat().st_size
        return looks(SampledFrames(read_container(file, size), [(file, size)], Sampling()))


def cost(work: Callable[[], object], repeat: int) -> tuple[float, float]:
    """Median processor and clock time in seconds."""
    processor, clock = [], []
    for _ in range(repeat):
        before = time.process_time(), time.perf_counter()
        work()
        processor.append(time.process_time() - before[0])
        clock.append(time.perf_counter() - before[1])
    return statistics.median(processor), statistics.median(clock)


def clips_of_our_own() -> list[Path]:
    """Without a mark, with one that stays, and with one that jumps."""
    plain = filmed("1080p-30.mp4", 1920, 1080, SECONDS, 30)
    return [plain, marked(plain, "kling"), marked(plain, "sora")]


def section(repeat: int, files: Sequence[Path] = ()) -> str:
    """The table, for `files` or for clips of our own."""
    clips = files or clips_of_our_own()
    before = time.perf_counter()
    examiner = VisibleMarks()
    loading = time.perf_counter() - before
    lines = [
        "| clip | mark | decode, CPU s | search, CPU s | search, s by the clock | CPU s in all |",
        "|---|---|---|---|---|---|",
    ]
    for clip in clips:
        seen = decoded(clip)
        found = ", ".join(e.details["rule"] for e in examiner.find(seen)) or "none"
        decode, _ = cost(lambda clip=clip: decoded(clip), repeat)  # type: ignore[misc]
        search, clock = cost(lambda seen=seen: list(examiner.find(seen)), repeat)  # type: ignore[misc]
        lines.append(
            f"| {clip.stem} | {found} | {decode:.2f} | {search:.2f} | {clock:.2f} | {decode + search:.2f} |"
        )
    lines += [
        "",
        f"Models loaded and run once in {loading:.2f} s by the clock; "
        f"NumPy {np.__version__}, {platform.machine()}, Python {platform.python_version()}.",
    ]
    return "\n".join(lines)


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("files", type=Path, nargs="*", metavar="FILE", help="clips (default: three of our own)")
    ask.add_argument("--repeat", type=int, default=5, help="runs of each step; medians are shown")
    ask.add_argument("--write", action="store_true", help="write the table into docs/benchmarks.md")
    args = ask.parse_args()
    text = section(args.repeat, args.files)
    print(text)
    if args.write:
        put_section(PAGE, "visible marks", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
