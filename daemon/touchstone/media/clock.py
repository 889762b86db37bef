"""By when a worker has to say something next."""

from __future__ import annotations

from .answers import Answer
from .spec import Deadlines
from .workers import Checked, Skipped, Started


class Clock:
    """Watches one attempt at a job: each examiner has its time, also where several run at once.

    Args:
        times: how long things may take.
        examiners: how many are to run.
    """

    def __init__(self, times: Deadlines, examiners: int) -> None:
        self.total_s = times.container_s + times.examiner_s * examiners + times.start_s
        """What all of it may take, whatever the worker says."""
        self.allowed_s = times.container_s
        """What `due` stands for, to say so."""
        self._examiner_s = times.examiner_s
        self._ends: dict[str, float] = {}  # of those that run
        self._next = self._last = 0.0

    def start(self, now: float) -> None:
        """The worker has the job, `now` by `time.monotonic()`."""
        self._next = now + self.allowed_s
        self._last = now + self.total_s

    @property
    def due(self) -> float:
        """When the next answer has to be here, by `time.monotonic()`."""
        return min(min(self._ends.values(), default=self._next), self._last)

    def note(self, answer: Answer, now: float) -> None:
        """Take in what the worker said."""
        match answer:
            case Started(name):
                self.allowed_s = self._examiner_s
                self._next = self._ends[name] = now + self.allowed_s
            case Checked(name) | Skipped(name, _):
                self._ends.pop(name, None)
