"""Where calibrations of this machine are kept, and which one is in use.

    calibration/
      active.json                     which one is in use, and which were before it
      2026-11-23-1a2b3c4d/
        calibration.json              what scans read
        report.json, report.html      how it came about
      work/                           what a run that was ended goes on from

Folders appear whole: they are written under another name and renamed. Nothing that is kept is ever changed.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from ..messages import say
from ..system.paths import make_private_dir, write_private_file
from . import BadCalibration
from .local import LocalCalibration, as_json, read

FOLDER = "calibration"
FILE = "calibration.json"
REPORT = "report.json"
PAGE = "report.html"
WORK = "work"
SHIPPED = "shipped"
"""What the calibration that comes with the program is called where an id is asked for."""

_ACTIVE = "active.json"
_REMEMBERED = 50


class NoCalibration(ValueError):
    """There is no calibration of that name. The text lists those there are."""


class Calibrations:
    """The calibrations of one installation.

    Args:
        folder: where they are; it need not be there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def work(self) -> Path:
        """What a run works in."""
        return self.folder / WORK

    def ids(self) -> list[str]:
        """Those that are kept, oldest first."""
        try:
            found = [path.name for path in self.folder.iterdir() if (path / FILE).is_file()]
        except OSError:
            return []
        return sorted(name for name in found if not name.startswith(".") and name != WORK)

    def path(self, name: str) -> Path:
        """The folder of a calibration.

        Raises:
            NoCalibration: there is none of that name.
        """
        known = self.ids()
        if name not in known:
            raise NoCalibration(say("calibrate.unknown", name=name, known=", ".join([SHIPPED, *known])))
        return self.folder / name

    def read(self, name: str) -> LocalCalibration:
        """A calibration by name.

        Raises:
            NoCalibration: there is none of that name.
            BadCalibration: its file cannot be used.
        """
        path = self.path(name) / FILE
        found = read(path)
        if found.id != name:
            raise BadCalibration(say("calibrate.bad.renamed", file=path, id=found.id))
        return found

    def keep(self, calibration: LocalCalibration, files: Mapping[str, str]) -> Path:
        """Keep a sealed calibration with further files, by name. One that is there already stays.

        Raises:
            OSError: the disk is full, or the folder cannot be written.
        """
        target = self.folder / calibration.id
        if (target / FILE).is_file():
            return target
        make_private_dir(self.folder)
        draft = self.folder / f".{calibration.id}.{os.getpid()}"
        shutil.rmtree(draft, ignore_errors=True)
        try:
            make_private_dir(draft)
            for name, text in {FILE: as_json(calibration), **files}.items():
                write_private_file(draft / name, text.encode())
            draft.rename(target)
        except OSError:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        return target

    @property
    def active(self) -> str:
        """The name of the one in use: SHIPPED where none was chosen."""
        return self._history()[-1]

    def use(self, name: str) -> None:
        """Use a calibration from now on.

        Raises:
            NoCalibration, BadCalibration: it is not there, or cannot be used.
            OSError: the choice cannot be written.
        """
        if name != SHIPPED:
            self.read(name)
        history = self._history()
        if history[-1] != name:
            self._write([*history, name])

    def rollback(self) -> str:
        """Use again what was in use before; its name.

        Raises:
            NoCalibration: nothing was.
        """
        history = self._history()
        earlier = history[:-1]
        known = {SHIPPED, *self.ids()}
        while earlier and earlier[-1] not in known:  # deleted since
            earlier.pop()
        if not earlier:
            raise NoCalibration(say("calibrate.nothing_before"))
        self._write(earlier)
        return earlier[-1]

    def stamp(self, name: str) -> tuple[int, ...]:
        """Changes whenever another one than `name` may be in use, or its file may be another one: sizes and
        times of change of the two files that say so."""
        found: list[int] = []
        for path in (self.folder / _ACTIVE, self.folder / name / FILE):
            try:
                state = path.stat()
            except OSError:
                found += (0, 0)
            else:
                found += (state.st_size, state.st_mtime_ns)
        return tuple(found)

    def _history(self) -> list[str]:
        """Names, the one in use last; never empty."""
        try:
            tree = json.loads((self.folder / _ACTIVE).read_text(encoding="utf-8"))
            names = [name for name in tree["used"] if isinstance(name, str)]
        except (OSError, ValueError, KeyError, TypeError):
            # Without a choice that can be read, nothing but what was shipped is used.
            names = []
        return names or [SHIPPED]

    def _write(self, names: list[str]) -> None:
        make_private_dir(self.folder)
        text = json.dumps({"used": names[-_REMEMBERED:]}, indent=1) + "\n"
        write_private_file(self.folder / _ACTIVE, text.encode())
