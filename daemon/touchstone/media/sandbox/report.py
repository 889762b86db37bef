"""What holds a worker: measured by the worker itself right after it was confined, and said in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

ATTEMPTS: Mapping[str, str] = {"open_file": "files", "socket": "network", "child_process": "processes"}
"""What a worker tries, and what is out of its reach where that is refused."""

# What each resource limit bounds, by its name on POSIX or in a job object.
_BOUNDS: Mapping[str, str] = {"AS": "memory", "CPU": "processor_time", "FSIZE": "writing"}


@dataclass(frozen=True)
class SandboxReport:
    """What holds a worker, as `touchstone doctor` and /v1/health show it.

    Attributes:
        mechanisms: each protection by name: "on", with its version where it has one, or why it is off.
        limits: resource limits by name, as they were set, or why they are not.
        refused: what the confined process tried right after, and whether it was refused; keys as `ATTEMPTS`.
        threads: whether the process may still start threads of its own.
    """

    mechanisms: dict[str, str] = field(default_factory=dict)
    limits: dict[str, str] = field(default_factory=dict)
    refused: dict[str, bool] = field(default_factory=dict)
    threads: bool = True

    @property
    def complete(self) -> bool:
        """True if files, network and child processes were all found to be out of reach."""
        return bool(self.refused) and all(self.refused.values())

    @property
    def kind(self) -> str:
        """The protections that are on, joined by "+" (`landlock+seccomp`); "limits" without any."""
        on = [name for name, state in self.mechanisms.items() if is_on(state) and name not in _ASIDE]
        return "+".join(sorted(on)) or "limits"

    @property
    def confined(self) -> list[str]:
        """What is out of reach or bounded: of `files`, `network`, `processes`, `memory`, ..."""
        found = [what for attempt, what in ATTEMPTS.items() if self.refused.get(attempt)]
        return found + [what for name, what in _BOUNDS.items() if self.limits.get(name, "").isdecimal()]

    @property
    def missing(self) -> dict[str, str]:
        """What is not, and why, as far as it is known; and each protection that is off."""
        off = {name: state for name, state in self.mechanisms.items() if not is_on(state)}
        why = "; ".join(f"{name} {state}" for name, state in off.items() if name not in _ASIDE)
        found = {
            what: why or "the system let it through"
            for attempt, what in ATTEMPTS.items()
            if not self.refused.get(attempt)
        }
        for name, what in _BOUNDS.items():
            if not (said := self.limits.get(name, "no limit was set")).isdecimal():
                found[what] = said
        return {**found, **off}

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "complete": self.complete}

    @classmethod
    def from_json(cls, report: object) -> SandboxReport:
        """What `as_json` gave; a report of nothing from anything else."""
        if not isinstance(report, dict):
            return cls()
        parts = {name: report.get(name) for name in ("mechanisms", "limits", "refused")}
        kept = {name: part for name, part in parts.items() if isinstance(part, dict)}
        return cls(**kept, threads=report.get("threads") is not False)


# Steps on the way to a protection rather than one of their own, and hardening beside them.
_ASIDE = frozenset({"no_new_privs", "write_xor_execute"})


def is_on(state: str) -> bool:
    """Whether a mechanism's state says that it holds."""
    return state.partition(",")[0] == "on"
