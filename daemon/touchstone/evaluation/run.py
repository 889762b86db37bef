"""Shows every clip of a corpus to examiners under every condition, and keeps what they said.

What was said is kept in one file, a line for each clip and condition, so that a run that was ended goes on
where it was, and one with more clips or conditions does only what is new.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from ..intake import Material
from ..media.pool import WorkerPool
from ..media.spec import Deadlines, Recycling, WorkerSpec
from ..media.workers import Found, Skipped, Unreadable
from ..messages import say
from .conditions import FRAMES, Condition
from .corpus import Clip

RESULTS = "results.jsonl"
_CHUNK = 1 << 20
_DEADLINES = Deadlines(start_s=120.0, container_s=30.0, examiner_s=180.0)
_RECYCLING = Recycling(jobs=200, memory_mib=1200)


class CannotKeep(Exception):
    """The file of results cannot be written or read back. The text names it and the remedy."""


@dataclass(frozen=True)
class Looked:
    """What was said of one clip under one condition.

    Attributes:
        clip, condition: which.
        said: what the worker found (worker.py, `_found`); empty where it found nothing.
        problem: why it found nothing, in words; empty where it did.
    """

    clip: Clip
    condition: str
    said: Mapping[str, Any]
    problem: str = ""


@dataclass(frozen=True)
class Examined:
    """Which examiners look, and with what.

    Attributes:
        names: in the order to run them.
        settings: for each that takes any (examiners.registry).
        frames: how many frames of a clip are encoded again.
        treatments: what else may be done to clips, for a registry that knows how (see `look_at_all`).
    """

    names: Sequence[str]
    settings: Mapping[str, Any]
    frames: int = FRAMES
    treatments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Changes whenever the same clip could get another answer."""
        settings = {
            name: {key: value for key, value in values.items() if key not in ("path", "calibration")}
            for name, values in self.settings.items()
        }
        asked: list[Any] = [list(self.names), settings, self.frames]
        text = json.dumps(asked + ([self.treatments] if self.treatments else []), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class Kept:
    """The file of results; a context manager.

    Args:
        path: of the file; its folder has to be there.
        key: of what was asked; lines with another one are left alone.
        resume: whether to keep what is there. Else the file begins anew.

    Raises:
        CannotKeep: on entering, where it cannot be written or holds something else.
    """

    def __init__(self, path: Path, key: str, *, resume: bool) -> None:
        self._path = path
        self._key = key
        self._resume = resume
        self._file: TextIO | None = None
        self._found: dict[tuple[str, str], dict[str, Any]] = {}

    def __enter__(self) -> Kept:
        try:
            if self._resume and self._path.exists():
                self._read()
            self._file = self._path.open("a" if self._resume else "w", encoding="utf-8")
        except OSError as problem:
            raise CannotKeep(
                say("evaluate.cannot_keep", file=self._path, reason=problem.strerror or problem)
            ) from problem
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()

    def get(self, sha256: str, condition: str) -> dict[str, Any] | None:
        """What is kept of a clip under a condition."""
        return self._found.get((sha256, condition))

    def put(self, sha256: str, condition: str, found: Mapping[str, Any]) -> None:
        """Keep what was found, at once."""
        line = {"key": self._key, "sha256": sha256, "condition": condition, **found}
        assert self._file is not None, "only inside the context"  # noqa: S101
        try:
            self._file.write(json.dumps(line, separators=(",", ":")) + "\n")
            self._file.flush()
        except OSError as problem:
            raise CannotKeep(
                say("evaluate.cannot_keep", file=self._path, reason=problem.strerror or problem)
            ) from problem

    def _read(self) -> None:
        whole, _, cut = self._path.read_text(encoding="utf-8").rpartition("\n")
        for number, text in enumerate(whole.split("\n") if whole else (), 1):
            try:
                line = json.loads(text)
                if line["key"] == self._key:
                    self._found[line["sha256"], line["condition"]] = line
            except (ValueError, TypeError, KeyError) as problem:
                raise CannotKeep(say("evaluate.not_results", file=self._path, line=number)) from problem
        if cut:  # a line that a kill cut off
            self._path.write_text(whole + "\n" if whole else "", encoding="utf-8")


async def look_at_all(
    clips: Sequence[Clip],
    conditions: Sequence[Condition],
    examined: Examined,
    kept: Kept,
    *,
    jobs: int = 2,
    environment: Mapping[str, str],
    on_progress: Callable[[int], None] = lambda _: None,
    registry: str = "touchstone.evaluation.worker:build",
    enough: Callable[[], bool] = lambda: False,
) -> list[Looked]:
    """Show every clip under every condition, as far as that was not done before.

    Args:
        jobs: how many clips are looked at at once.
        environment: variables of which the few that matter are passed on to workers.
        on_progress: told how many more clip-condition pairs are done.
        registry: what builds the conditions in a worker; see WorkerSpec.
        enough: once it says so, no further clip is begun; those are missing from what is returned.

    Returns:
        In the order of clips, then of conditions.
    """
    spec = WorkerSpec(
        [condition.name for condition in conditions],
        settings={
            "examiners": list(examined.names),
            "settings": dict(examined.settings),
            "frames": examined.frames,
            "treatments": dict(examined.treatments),
        },
        registry=registry,
    )
    pool = WorkerPool(spec, size=jobs, deadlines=_DEADLINES, recycling=_RECYCLING, environment=environment)
    places = asyncio.Semaphore(2 * jobs)

    async def one(clip: Clip) -> list[Looked]:
        async with places:
            if enough():
                return []
            looked = await _look_at(clip, conditions, pool, kept)
        on_progress(len(looked))
        return looked

    tasks = [asyncio.create_task(one(clip)) for clip in clips]
    try:
        return [looked for task in tasks for looked in await task]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await pool.close()


async def _look_at(clip: Clip, conditions: Sequence[Condition], pool: WorkerPool, kept: Kept) -> list[Looked]:
    try:
        sha256, size = await asyncio.to_thread(_checksum, clip.path)
    except OSError as problem:
        reason = problem.strerror or str(problem)
        return [Looked(clip, condition.name, {}, reason) for condition in conditions]
    known = {c.name: line for c in conditions if (line := kept.get(sha256, c.name)) is not None}
    missing = [condition.name for condition in conditions if condition.name not in known]
    if missing:
        async for message in pool.examine(Material(clip.path, size), missing):
            found: dict[str, Any] = {}
            match message:
                case Found(evidence):
                    found = {"condition": evidence.examiner, "said": evidence.details}
                case Skipped(name, reason):
                    found = {"condition": name, "problem": reason}
                case Unreadable(reason):
                    for name in missing:
                        known[name] = {"problem": reason}
                        kept.put(sha256, name, known[name])
            if found:
                name = str(found.pop("condition"))
                known[name] = found
                kept.put(sha256, name, found)
    return [
        Looked(clip, condition.name, line.get("said") or {}, line.get("problem") or "")
        for condition in conditions
        if (line := known.get(condition.name, {"problem": say("evaluate.nothing_came")}))
    ]


def _checksum(path: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size
