"""What was measured of models, kept in a file, and what follows from it.

The file is a cache: it is written by the process that measures (`bench.py`) and read by the daemon, which
never loads onnxruntime. An entry holds as long as the model's files, the machine (`machine.Machine`) and the
way of measuring are the same; any change gives it another key, and the model is measured again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import PROCESSOR
from .machine import Machine

OPT_IN = frozenset({"TensorrtExecutionProvider"})
"""Builds an engine for minutes at first use, so it is only measured, and used, when asked for."""

ALIKE = 1.1
"""Of variants whose times differ by less than this factor the one that is named first is taken, so that
chance in timing does not decide which numbers are computed."""

METHOD = 4
"""Raised whenever measuring changes in a way that makes older numbers incomparable."""


@dataclass(frozen=True)
class Choice:
    """What runs a model.

    Attributes:
        variant: name of the file's variant.
        provider: onnxruntime's name of it.
        row_ms: milliseconds for a row, as measured; None where nothing was.
        reason: why it is not the one that was asked for, or that nothing was measured; None where it was.
    """

    variant: str
    provider: str
    row_ms: float | None = None
    reason: str | None = None


def cache_key(checksums: Mapping[str, str], machine: Machine, threads: int) -> str:
    """Changes whenever a measurement has to be made again.

    Args:
        checksums: SHA-256 of the model's files by variant.
    """
    parts = [sorted(checksums.items()), machine.fingerprint, threads, METHOD]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


class Measurements:
    """The cache.

    Args:
        file: where it is; need not exist. One that is damaged counts as empty.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def results(self, key: str) -> list[dict[str, Any]]:
        """Everything that was measured under `key`, as `providers.from_json` takes it; empty for nothing."""
        rows = self._read().get(key, {}).get("results", [])
        return rows if isinstance(rows, list) else []

    def complete(self, key: str) -> bool:
        """Whether measuring came to its end."""
        return bool(self._read().get(key, {}).get("complete"))

    def keep(self, key: str, results: Sequence[Mapping[str, Any]], *, complete: bool) -> None:
        """Write what was measured; in one step, so that a reader never sees half of it.

        Raises:
            OSError: the folder cannot be written to.
        """
        entries = {**self._read(), key: {"results": list(results), "complete": complete}}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        arriving = self._file.with_suffix(f".{os.getpid()}")
        try:
            arriving.write_text(json.dumps(entries), encoding="utf-8")
            arriving.replace(self._file)
        finally:
            with suppress(FileNotFoundError):
                arriving.unlink()

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            entries = json.loads(self._file.read_bytes())
        except (OSError, ValueError):
            return {}
        if not isinstance(entries, dict):
            return {}
        return {key: entry for key, entry in entries.items() if isinstance(entry, dict)}


def decide(
    results: Sequence[Mapping[str, Any]],
    variants: Sequence[str],
    *,
    wanted: str | None = None,
    excluded: frozenset[str] = OPT_IN,
) -> Choice:
    """What runs a model, after what was measured of it.

    Args:
        results: of `Measurements.results`.
        variants: the model's, the reference first.
        wanted: the provider that the user asks for; None for the fastest. One that does not count here is
            answered with the fastest on the processor and the reason, never silently.
        excluded: providers that only count where they are asked for.
    """
    known = [r for r in results if r.get("variant") in variants]
    fit = [r for r in known if r.get("problem") is None and _row_ms(r) is not None]
    usable = [r for r in fit if (r["provider"] == wanted if wanted else r["provider"] not in excluded)]
    reason = None
    if wanted and not usable:
        problems = [str(r["problem"]) for r in results if r["provider"] == wanted and r.get("problem")]
        never_tried = not results or wanted in OPT_IN
        reason = problems[0] if problems else "not measured yet" if never_tried else "not offered here"
        usable = [r for r in fit if r["provider"] == PROCESSOR]
    if not usable:
        return Choice(variants[0], PROCESSOR, reason=reason or "not measured yet")
    least = min(_row_ms(r) or 0.0 for r in usable)
    near = [r for r in usable if (_row_ms(r) or 0.0) <= least * ALIKE]
    best = min(near, key=lambda r: (variants.index(r["variant"]), _row_ms(r)))
    return Choice(str(best["variant"]), str(best["provider"]), _row_ms(best), reason)


def _row_ms(result: Mapping[str, Any]) -> float | None:
    """Milliseconds for one row as scans ask for it: in a batch where the model takes one."""
    if result.get("batch") and result.get("batch_ms") is not None:
        return float(result["batch_ms"]) / int(result["batch"])
    return None if result.get("ms") is None else float(result["ms"])
