"""What a calibration's workers run: clips are treated, encoded again and examined, all in memory.

Nothing that a person filmed is copied to the disk. To the pool each pair of treatment and condition is an
examiner of its own, `TREATMENT/CONDITION`; a bare name is a condition of evaluation, without treatment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

from ...evaluation.conditions import Condition, Encode, Stage, conditions_of
from ...evaluation.worker import UnderCondition
from ...examiners import registry as examiners
from .treatments import Load, treatment_of

AS_IS = Stage(Encode(18))
"""How treated clips are encoded where the condition says nothing: at this quality x264 leaves nearly all."""


def build(names: Sequence[str], settings: Mapping[str, Any]) -> list[UnderCondition]:
    """Build what a worker runs; see media.spec.WorkerSpec.registry.

    Args:
        names: see the module.
        settings: `{"examiners": names, "settings": of each, "frames": how many are encoded, "treatments": see
            treatments.treatment_of}`.
    """
    inner = examiners.build(settings["examiners"], settings["settings"])
    built = []
    for name in names:
        treatment, _, known = name.rpartition("/")
        (condition,) = conditions_of([known])
        if not treatment:
            built.append(UnderCondition(condition, inner, settings["frames"]))
            continue
        treat = treatment_of(treatment, settings["treatments"], _loader)
        treated = Condition(name, condition.stages or (AS_IS,))
        built.append(UnderCondition(treated, inner, settings["frames"], treat))
    return built


def named(condition: Condition, treatment: str) -> Condition:
    """The condition under the name that a treatment gives it."""
    return replace(condition, name=f"{treatment}/{condition.name}") if treatment else condition


def _loader(name: str) -> Load:
    module, _, function = name.partition(":")
    found: Load = getattr(import_module(module), function)
    return found
