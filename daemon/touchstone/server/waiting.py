"""The scans that wait: those that somebody asked for before those that nobody did."""

from __future__ import annotations

from .jobs import Job


class Waiting:
    """A queue of scans, each kind in the order in which it came."""

    def __init__(self) -> None:
        self._jobs: list[Job] = []

    def __len__(self) -> int:
        return len(self._jobs)

    def __contains__(self, job: Job) -> bool:
        return job in self._jobs

    def add(self, job: Job) -> None:
        """Put a scan behind those of its kind."""
        place = len(self._jobs)
        while not job.automatic and place and self._jobs[place - 1].automatic:
            place -= 1
        self._jobs.insert(place, job)

    def promote(self, job: Job) -> None:
        """Somebody asks for what nobody had asked for."""
        if job.automatic:
            job.automatic = False
            if job in self._jobs:
                self._jobs.remove(job)
                self.add(job)

    def remove(self, job: Job) -> None:
        """It does not wait any more."""
        self._jobs.remove(job)

    def take(self) -> Job:
        """The scan whose turn it is."""
        return self._jobs.pop(0)
