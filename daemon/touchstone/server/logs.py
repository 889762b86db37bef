"""The daemon's log: what happened, but not what anyone watches.

The token is never written. Addresses are written at the level `debug` only: they come into log lines by way
of exceptions, so they are taken out of the finished text.
"""

from __future__ import annotations

import logging
import os
import re
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO

from aiohttp.http_exceptions import HttpProcessingError

from ..system.paths import PRIVATE_FILE, make_private_dir

FILE_NAME = "serve.log"
MAX_BYTES = 1 << 20
BACKUPS = 3
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

_ADDRESS = re.compile(r"\b(?:https?|wss?|ftp|blob|data)(?::|%3[aA])[^\s'\"<>]+", re.IGNORECASE)


class DiscreetFormatter(logging.Formatter):
    """Formats a record with its traceback, then takes out what must not be written.

    Args:
        secrets: never written.
        addresses: whether URLs may be written.
    """

    def __init__(self, secrets: tuple[str, ...], *, addresses: bool) -> None:
        super().__init__(FORMAT)
        self._secrets = secrets
        self._addresses = addresses

    def format(self, record: logging.LogRecord) -> str:
        """The text of a record."""
        text = super().format(record)
        for secret in self._secrets:
            text = text.replace(secret, "[token]")
        return text if self._addresses else _ADDRESS.sub("[address]", text)


class PrivateFileHandler(RotatingFileHandler):
    """A rotating file that only the user can read, from its first byte."""

    def _open(self) -> TextIO:  # type: ignore[override]
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE_FILE)
        return os.fdopen(descriptor, "a", encoding="utf-8")


def is_worth_a_line(record: logging.LogRecord) -> bool:
    """Whether a record is more than someone talking to our port in what is no HTTP, which any page can."""
    error = record.exc_info[1] if record.exc_info else None
    return record.levelno < logging.INFO or not isinstance(error, HttpProcessingError)


def start_logging(folder: Path, stderr: TextIO, level: str, token: str) -> list[logging.Handler]:
    """Log to `serve.log` in `folder` and to `stderr`; returns the handlers, for `stop_logging`.

    A stderr that nobody looks at gets warnings only: whoever redirected it does not rotate it.
    """
    make_private_dir(folder)
    threshold = logging.getLevelNamesMapping()[level.upper()]
    formatter = DiscreetFormatter((token,), addresses=threshold <= logging.DEBUG)
    file = PrivateFileHandler(folder / FILE_NAME, maxBytes=MAX_BYTES, backupCount=BACKUPS, encoding="utf-8")
    screen = logging.StreamHandler(stderr)
    screen.setLevel(threshold if stderr.isatty() else max(threshold, logging.WARNING))
    root = logging.getLogger()
    root.setLevel(threshold)
    for handler in (file, screen):
        handler.setFormatter(formatter)
        handler.addFilter(is_worth_a_line)
        root.addHandler(handler)
    return [file, screen]


def stop_logging(handlers: list[logging.Handler]) -> None:
    """Undo `start_logging`."""
    for handler in handlers:
        logging.getLogger().removeHandler(handler)
        handler.close()
