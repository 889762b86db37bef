"""`touchstone sample`: the clip that it makes is found to be what it says it is."""

from __future__ import annotations

import io
import json
from pathlib import Path

from touchstone.cli import main
from touchstone.system.environment import Environment
from touchstone.system.paths import Paths


def world(home: Path) -> Environment:
    return Environment(
        paths=Paths.under(home), home=home, platform="linux", stdout=io.StringIO(), stderr=io.StringIO()
    )


def printed(env: Environment) -> str:
    assert isinstance(env.stdout, io.StringIO)
    return env.stdout.getvalue()


def test_the_sample_is_a_claim_that_is_not_verified(home: Path, tmp_path: Path) -> None:
    env, clip = world(home), tmp_path / "clip.mp4"
    assert main(["sample", str(clip), "--json"], env) == 0
    scan = json.loads(printed(env))
    assert clip.stat().st_size > 1000
    assert scan["verdict"]["label"] == "ai_generated"
    assert scan["verdict"]["basis"] == "declared"
    signed = [e for e in scan["evidence"] if e["examiner"] == "content_credentials"]
    assert [e["verified"] for e in signed] == [False]


def test_without_a_path_it_goes_to_the_cache_and_is_shown_in_words(home: Path) -> None:
    env = world(home)
    assert main(["sample"], env) == 0
    assert (env.paths.cache_dir / "touchstone-sample.mp4").is_file()
    assert "throw-away certificate" in printed(env)


def test_a_place_that_cannot_be_written_is_named(home: Path, tmp_path: Path) -> None:
    env, clip = world(home), tmp_path / "missing" / "clip.mp4"
    assert main(["sample", str(clip)], env) == 1
    assert isinstance(env.stderr, io.StringIO)
    assert str(clip) in env.stderr.getvalue()
