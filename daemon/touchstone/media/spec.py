"""What a worker pool is told: which examiners to build, from which settings, and what they may use.

Everything here crosses to the worker process as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .plan import Sampling
from .sandbox import ProcessLimits


@dataclass(frozen=True)
class WorkerSpec:
    """What a worker builds before it is confined.

    Attributes:
        examiners: names of the examiners to build.
        settings: for each examiner that takes any, its settings; JSON values only.
        registry: `module:function` that builds them from the two above, as `examiners.registry.build` does.
        python_path: extra folders to import from.
        limits: what the process may use.
        sampling: how many frames to decode for examiners that need any.
        models: those that examiners may ask for by name (`inference.ServedModel`, as JSON values).
    """

    examiners: Sequence[str]
    settings: Mapping[str, Any] = field(default_factory=dict)
    registry: str = "touchstone.examiners.registry:build"
    python_path: Sequence[str] = ()
    limits: ProcessLimits = field(default_factory=ProcessLimits)
    sampling: Sampling = field(default_factory=Sampling)
    models: Sequence[Mapping[str, Any]] = ()

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "examiners": list(self.examiners), "python_path": list(self.python_path)}

    @classmethod
    def from_json(cls, spec: Mapping[str, Any]) -> WorkerSpec:
        limits, sampling = ProcessLimits(**spec["limits"]), Sampling(**spec["sampling"])
        return cls(**{**spec, "limits": limits, "sampling": sampling})


@dataclass(frozen=True)
class Deadlines:
    """How long a worker may take, in seconds of wall clock, before it is ended.

    Attributes:
        start_s: from its start until it is ready.
        container_s: for reading the container.
        examiner_s: for one examiner, from its start to its end, also where several run at once; and for
            decoding the frames that they share.
        idle_s: how long an unused worker stays.
    """

    start_s: float = 30.0
    container_s: float = 10.0
    examiner_s: float = 60.0
    idle_s: float = 60.0


@dataclass(frozen=True)
class Recycling:
    """When a worker is replaced although nothing went wrong.

    Attributes:
        jobs: after so many scans. 1 gives every scan a process of its own.
        memory_mib: when it has ever held more real memory than this, since it rarely gives it back.
    """

    jobs: int = 50
    memory_mib: int = 350
