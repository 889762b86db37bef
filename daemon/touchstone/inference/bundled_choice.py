"""Which file of a model that comes with the program is used on this machine, after what was measured here.

They run on the processor, where the video is read. Of two files in eight bits the one with weights of seven
is for processors whose products of 8-bit numbers overflow (x86-64 without VNNI). There the other one is
slower, because overflow is avoided (sessions.py); if it were not, its answers would be others than the
reference's, and it would not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..zoo.bundled import BundledFile
from . import PROCESSOR
from .choice import Choice, Measurements, cache_key, decide
from .machine import Machine
from .measurable import measurable_bundled
from .placement import THREADS


@dataclass(frozen=True)
class Chosen:
    """What is used of a bundled model.

    Attributes:
        file: the file.
        choice: what it rests on; None where there is but one, so that nothing is measured.
        measured: whether everything was measured that can be.
    """

    file: BundledFile
    choice: Choice | None
    measured: bool


def choose(files: Sequence[BundledFile], kept: Measurements, machine: Machine) -> dict[str, Chosen]:
    """Decide for every model that has a file, by its name.

    Args:
        files: of bundled models, in the order of zoo.toml. Until a model was measured its first is used.
    """
    there: dict[str, dict[str, BundledFile]] = {}
    for file in files:
        if file.path.is_file():
            there.setdefault(file.model.name, {})[file.variant.name] = file
    models = {model.name: model for model in measurable_bundled(files)}
    chosen = {}
    for name, variants in there.items():
        if name not in models:
            chosen[name] = Chosen(next(iter(variants.values())), None, measured=True)
            continue
        key = cache_key(models[name].checksums, machine, THREADS)
        choice = decide(kept.results(key), list(variants), wanted=PROCESSOR)
        chosen[name] = Chosen(variants[choice.variant], choice, kept.complete(key))
    return chosen
