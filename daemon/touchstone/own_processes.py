"""Processes that Touchstone starts of itself, by name: how each is started, and how the program becomes one.

Under Python each is a module of its own. A frozen program (PyInstaller and its like) has no `python -m`: it
is started again with the process's name as first argument, and `run_as_named` hands it to that module.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, cast

MODULES: Mapping[str, str] = {
    "media-worker": "touchstone.media.worker",
    "inference": "touchstone.inference.child",
    "measure-models": "touchstone.inference.bench",
    "model-check": "touchstone.model_import.worker",
}
"""Name of each process to its module, which has `main(arguments)`, that returns an exit status. The names are
taken before any command of the command line, and only where the program is frozen."""


def is_frozen() -> bool:
    """Whether this program is one executable with Python inside."""
    return bool(getattr(sys, "frozen", False))


def command_of(name: str) -> list[str]:
    """How to start a process of ours: this executable where it is frozen, else this interpreter."""
    if is_frozen():
        return [sys.executable, name]
    # -P: a module lying in the current folder must not be imported instead of ours.
    return [sys.executable, "-P", "-m", MODULES[name]]


def run_as_named(arguments: Sequence[str]) -> int | None:
    """Be the process that the first argument names, in a frozen program. Returns its exit status.

    None where the program was not asked to be one, so that the command line goes on.
    """
    if not is_frozen() or not arguments or arguments[0] not in MODULES:
        return None
    main = cast(Callable[[Sequence[str]], int], cast(Any, import_module(MODULES[arguments[0]])).main)
    return main(arguments[1:])
