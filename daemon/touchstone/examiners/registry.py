"""Which examiners there are and how each is built from its settings.

Modules are imported only when their examiner is asked for: some bring large libraries, and a worker process
that is about to be confined has to have loaded exactly what it will use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from . import Examiner

# name: (module beside this one, what makes the examiner). It is called with the examiner's settings where
# the registry is given any for it, else with nothing.
_MAKERS: Mapping[str, tuple[str, str]] = {
    "content_credentials": ("content_credentials", "from_settings"),
    "labels": ("labels", "Labels"),
    "watermarks": ("watermarks", "from_settings"),
    "visible_marks": ("visible_marks", "VisibleMarks"),
    "detector": ("detector.examiner", "from_settings"),
    "imported_detectors": ("imported_detectors", "from_settings"),
}

# Modules that an examiner's libraries import at first use only, which in a confined process is too late.
_IMPORTED_LATE: Mapping[str, tuple[str, ...]] = {
    "content_credentials": ("cryptography.hazmat.backends.openssl.backend",),
}


class UnknownExaminer(ValueError):
    """An examiner that does not exist was asked for."""


def build(names: Sequence[str], settings: Mapping[str, Any]) -> list[Examiner]:
    """Build examiners by name, in the order given.

    Args:
        names: as in pipeline.EXAMINERS.
        settings: for each examiner that takes any, its settings as JSON values.

    Raises:
        UnknownExaminer: a name that is none of them.
    """
    return [_make(name, settings) for name in names]


def _make(name: str, settings: Mapping[str, Any]) -> Examiner:
    if name not in _MAKERS:
        raise UnknownExaminer(f"there is no examiner {name!r}; there are {', '.join(_MAKERS)}")
    for late in _IMPORTED_LATE.get(name, ()):
        import_module(late)
    module, maker = _MAKERS[name]
    make = getattr(import_module(f".{module}", __package__), maker)
    examiner: Examiner = make(settings[name]) if name in settings else make()
    return examiner
