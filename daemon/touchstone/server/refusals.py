"""Why the engine takes no scan."""

from __future__ import annotations


class Busy(Exception):
    """Too many scans wait already; try again in `retry_after_s` seconds."""

    def __init__(self, waiting: int, retry_after_s: int) -> None:
        super().__init__(f"{waiting} scans are waiting")
        self.waiting = waiting
        self.retry_after_s = retry_after_s


class PutOff(Exception):
    """A scan that nobody asked for is not done now; the text says why, for people."""


class Stopping(Exception):
    """The daemon is about to end and takes no more scans."""
