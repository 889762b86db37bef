"""The settings about pictures reach what takes them, and make old answers stale."""

from __future__ import annotations

from pathlib import Path

import pytest

from touchstone.engine import edition, viewer_spec
from touchstone.media.plan import Sampling
from touchstone.settings import Settings
from touchstone.system.environment import Environment
from touchstone.system.paths import Paths

CHOSEN = {"sample_runs": 4, "sample_frames": 2, "sample_seed": 7}


@pytest.fixture
def env(environment: dict[str, str], home: Path) -> Environment:
    return Environment(Paths.under(home / "touchstone"), home, "linux", environment)


def test_the_number_and_places_of_pictures_can_be_chosen(env: Environment) -> None:
    sampling = viewer_spec(env, Settings(**CHOSEN)).sampling  # type: ignore[arg-type]
    assert sampling == Sampling(runs=4, frames=2, seed=7)
    assert viewer_spec(env, Settings()).sampling == Sampling()


@pytest.mark.parametrize(("name", "value"), CHOSEN.items())
def test_other_pictures_may_give_another_answer(env: Environment, name: str, value: int) -> None:
    assert edition(env, Settings(**{name: value})) != edition(env, Settings())  # type: ignore[arg-type]
