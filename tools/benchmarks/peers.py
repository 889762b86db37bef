"""Side by side with what a user would pick instead: the same clips, the same cores, in turn.

The reference decoder of the DWT-DCT watermark needs packages that Touchstone does without (OpenCV as a
library, PyWavelets): it runs in an environment of its own, made by `make bench-peers`.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from touchstone.examiners import Clip
from touchstone.examiners.content_credentials import from_settings
from touchstone.examiners.visible_marks import VisibleMarks
from touchstone.examiners.visible_marks.looks import looks
from touchstone.examiners.watermarks.dwt_dct import decode
from touchstone.examiners.watermarks.dwt_dct_scheme import DwtDct
from touchstone.media.frames import Frames
from touchstone.media.plan import Sampling
from touchstone.media.probe import read_container
from touchstone.media.sampler import SampledFrames

from .cost import Cost, in_turn, table
from .networks import ours_for, published
from .scans import main_clip, read_with_c2pa, signed

REFERENCE = """
import importlib.util, json, sys, time
import numpy as np
found = importlib.util.find_spec("imwatermark")
# The package itself imports PyTorch, which this scheme does not use.
spec = importlib.util.spec_from_file_location("max_dct", found.submodule_search_locations[0] + "/maxDct.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
frames = np.load(sys.argv[1])
taken = []
for _ in range(int(sys.argv[2])):
    wall, cpu = time.perf_counter(), time.process_time()
    for frame in frames:
        decoder = module.EmbedMaxDct([0] * int(sys.argv[3]), wmLen=int(sys.argv[3]))
        decoder.decode(frame)
    taken.append((time.perf_counter() - wall, time.process_time() - cpu))
print(json.dumps(taken))
"""
SHOWN = 3
"""Frames that RapidOCR is shown; what it costs is told for all, since each costs much the same."""

MARK_BITS = 48
"""Length of the message that Stable Diffusion's scripts embed ("StableDiffusionV1" has 136; FLUX's and SDXL's
have 48): the shorter, which is the less work."""


def table_of_peers(repeat: int, quick: bool, python: Path | None) -> str:
    """What each of our ways costs against the other way to the same question."""
    clip, count = main_clip(quick), 1 if quick else SHOWN
    rows = [
        _provenance(signed(clip), repeat),
        *_watermark(clip, repeat, python),
        _text(clip, count),
    ]
    heads = ["question", "ours, CPU s", "clock s", "instead", "CPU s", "clock s", "ours / instead, CPU"]
    return table(heads, [*rows, *_detectors(repeat, quick)])


def frames_of(clip: Path) -> Frames:
    """The frames that a scan samples, decoded."""
    with clip.open("rb") as file:
        size = clip.stat().st_size
        sampled = SampledFrames(read_container(file, size), [(file, size)], Sampling())
        return _Kept(list(sampled), sampled)


class _Kept:
    """Frames that were decoded before, to look at again."""

    def __init__(self, runs: list[Any], sampled: SampledFrames) -> None:
        self._runs = runs
        self.seen = sampled.seen

    def held(self) -> bool:
        return True

    def __iter__(self) -> Any:
        return iter(self._runs)


def _row(question: str, ours: Cost, instead: str, theirs: Cost) -> list[object]:
    ratio = ours.cpu_s / theirs.cpu_s
    return [question, ours.cpu_s, ours.wall_s, instead, theirs.cpu_s, theirs.wall_s, ratio]


def _provenance(clip: Path, repeat: int) -> list[object]:
    examiner = from_settings({"trust": {"pins": True, "official": "", "lists": []}})

    def ours() -> None:
        with clip.open("rb") as file:
            size = clip.stat().st_size
            list(examiner.examine(Clip(file, size, read_container(file, size))))

    mine, theirs = in_turn([ours, partial(read_with_c2pa, clip)], repeat)
    return _row("who signed it?", mine, "c2pa's reader, which is inside ours", theirs)


def _watermark(clip: Path, repeat: int, python: Path | None) -> list[list[object]]:
    """Two rows: everything that a scan asks of the frames, and the one thing that the reference answers."""
    frames = frames_of(clip)
    rgb = [frame.rgb() for run in frames for frame in run.frames]

    def ours() -> None:
        reader = DwtDct().reader()
        for run in frames:
            reader.add(run)
        list(reader.readings())

    def same_bits() -> None:
        for picture in rgb:
            decode(picture, MARK_BITS)

    mine, bits = in_turn([ours, same_bits], repeat)
    questions = ("a DWT-DCT watermark?", "the bits of a DWT-DCT watermark, frame by frame")
    instead = "the reference decoder on each sampled frame, one length"
    if python is None or not python.is_file():
        absent = f"{instead}: not here (`make bench-peers`)"
        return [
            [question, cost.cpu_s, cost.wall_s, absent, None, None, None]
            for question, cost in zip(questions, (mine, bits), strict=True)
        ]
    with tempfile.NamedTemporaryFile(suffix=".npy") as file:
        np.save(file, np.stack(rgb)[..., ::-1])
        file.flush()
        command = [str(python), "-c", REFERENCE, file.name, str(repeat), str(MARK_BITS)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    theirs = Cost.median([Cost(wall, cpu) for wall, cpu in json.loads(done.stdout)])
    instead = f"{instead} ({len(rgb)})"
    return [
        _row(question, cost, instead, theirs) for question, cost in zip(questions, (mine, bits), strict=True)
    ]


def _text(clip: Path, count: int) -> list[object]:
    """Ours looks at what the frames of a scan hold in common; the other way reads each of them."""
    frames = frames_of(clip)
    pictures = [frame.rgb()[..., ::-1] for run in frames for frame in run.frames]
    examiner = VisibleMarks()
    seen = looks(frames)
    question = "a visible mark?"
    ours = lambda: list(examiner.find(seen))  # noqa: E731
    try:
        from rapidocr import RapidOCR

        reader = RapidOCR(params=_one_thread())
    except ImportError as missing:
        (mine,) = in_turn([ours], 1)
        return [question, mine.cpu_s, mine.wall_s, f"RapidOCR: not here ({missing.name})", None, None, None]
    reader(pictures[0])

    def naive() -> None:
        for picture in pictures[:count]:
            reader(picture)

    mine, theirs = in_turn([ours, naive], 1)
    times = len(pictures) / count
    every = Cost(theirs.wall_s * times, theirs.cpu_s * times)
    instead = f"RapidOCR on each of {len(pictures)} sampled frames ({count} of them timed)"
    return _row(question, mine, instead, every)


def _one_thread() -> dict[str, Any]:
    return {"EngineConfig.onnxruntime.intra_op_num_threads": 1, "Global.log_level": "critical"}


def _detectors(repeat: int, quick: bool) -> list[list[object]]:
    """Our detector where one is bundled, against the arithmetic of published ones on what each takes."""
    if quick:
        return []
    detector = ours_for("detector")
    mine = detector.run(repeat) if detector else None
    question = "do the pixels look made?"
    rows: list[list[object]] = []
    for other in published():
        theirs = other.run(min(repeat, 3))
        if mine is None:
            rows.append([question, None, None, other.name, theirs.cpu_s, theirs.wall_s, None])
        else:
            rows.append(_row(question, mine, other.name, theirs))
    return rows
