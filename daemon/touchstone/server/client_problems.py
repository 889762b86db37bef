"""What may go wrong between a client and the daemon. Light to import, for those who only catch it."""

from __future__ import annotations


class DaemonError(Exception):
    """The daemon refused or failed; the text is its own explanation.

    Attributes:
        status: of the answer.
        type: of the problem, see docs/api.md; None if the answer was no problem details.
        retry_after_s: when to come back, where it said so.
    """

    def __init__(self, status: int, detail: str, kind: str | None, retry_after_s: float | None) -> None:
        super().__init__(detail)
        self.status = status
        self.type = kind
        self.retry_after_s = retry_after_s


class DaemonLost(Exception):
    """The daemon does not answer, or went away."""
