"""Clips from words: which pictures are made in which order, what is kept, and what a finished clip has."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from touchstone.cli import main
from touchstone.generator.language import fill, parse, stage
from touchstone.generator.making.clip import Order, Scene, Surroundings, pictures
from touchstone.generator.making.footage import CannotRead, Sizes, frames_of
from touchstone.generator.making.memory import Parts
from touchstone.generator.making.plan import FAR, FPS, KEY_AT, TOGETHER, Ends, batches, keys_of
from touchstone.generator.making.request import Around, BadWish, Wish, described, make, staged
from touchstone.generator.making.sampling import Recipe, levels, padded, sample
from touchstone.generator.making.staging import GROUP_S, PLANES, planes, spots_of
from touchstone.generator.making.words import carried_on, later
from touchstone.generator.networks import GROUP, LATENT, SCALE, Frames, Latents, Networks
from touchstone.generator.world import (
    Background,
    Camera,
    Colour,
    Light,
    Motion,
    Shape,
    Size,
    Thing,
    render,
    sample_scene,
)
from touchstone.generator.world import Scene as World
from touchstone.system.environment import Environment
from touchstone.system.paths import Paths

RED_BALL = fill(parse("a red ball moves right before a wall by day")[0], 1)


class Grey:
    """A coder whose latents are the mean grey of a picture; its denoiser makes every clip of one grey."""

    version = "grey"

    def __init__(self, grey: float = 0.5) -> None:
        self.grey = grey
        self.asked: list[tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]] = []

    def encode(self, frames: Frames) -> Latents:
        groups = 1 + (len(frames) - 1) // GROUP
        shape = frames.shape[1] // SCALE, frames.shape[2] // SCALE
        means = [frames[max(0, GROUP * n - GROUP + 1) : GROUP * n + 1].mean() / 255 for n in range(groups)]
        return np.array(means, np.float32).reshape(-1, 1, 1, 1) * np.ones((1, LATENT, *shape), np.float32)

    def decode(self, latents: Latents) -> Iterator[Frames]:
        for number, latent in enumerate(latents):
            height, width = latent.shape[1] * SCALE, latent.shape[2] * SCALE
            grey = round(float(np.clip(latent.mean(), 0, 1)) * 255)
            yield np.full((1 if number == 0 else GROUP, height, width, 3), grey, np.uint8)

    def enlarge(self, picture: Frames) -> Frames:
        return picture.repeat(2, 0).repeat(2, 1)

    def velocity(
        self,
        noisy: Latents,
        levels: NDArray[np.float32],
        times: NDArray[np.float32],
        words: NDArray[np.int64],
        plans: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        self.asked.append((levels, times, words))
        level = np.maximum(levels, 1e-6)[:, None, None, None]
        return np.stack([(noisy - self.grey) / level] * len(words)).astype(np.float32)


# --- the plan ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", range(1, 61))
@pytest.mark.parametrize("before", [False, True])
def test_every_key_is_made_once_and_fits_to_what_is_there(seconds: int, before: bool) -> None:
    known = {-1} if before else set()
    for batch in batches(seconds, before=before):
        first, last = batch.given
        there = [key in known for key in batch.keys]
        assert there == [True] * first + [False] * (len(there) - first - last) + [True] * last
        assert len(batch.keys) <= TOGETHER
        assert len(set(np.diff(batch.keys))) <= 1
        known.update(batch.keys)
    assert set(range(seconds + 1)) <= known
    assert max(known) <= seconds + FAR


def test_keys_between_two_ends_are_made_from_both() -> None:
    (batch,) = batches(4, before=True, after=True)
    assert batch.keys == (-1, 0, 1, 2, 3, 4)
    assert batch.given == (1, 1)
    with pytest.raises(ValueError, match="4 seconds"):
        batches(6, before=True, after=True)


def test_keys_that_are_given_stay() -> None:
    shape = (LATENT, 2, 2)
    before, after = np.full(shape, 7, np.float32), np.full(shape, 9, np.float32)
    asked = []

    def made(given: Any, times: Any, middle: float) -> Latents:
        asked.append((times, middle))
        return np.stack([np.zeros(shape, np.float32) if g is None else g for g in given])

    keys = keys_of(3, Ends(before=before, after=after), made)
    assert [float(key.mean()) for key in keys] == [0, 0, 0, 9]
    assert asked == [((KEY_AT - 1, KEY_AT, KEY_AT + 1, KEY_AT + 2, KEY_AT + 3), KEY_AT + 1)]


# --- what is where ----------------------------------------------------------------------------


def test_a_plan_tells_each_patch_what_covers_it_and_where_in_it() -> None:
    ball = Thing(Shape.BALL, Colour.RED, Size.LARGE, Motion.RIGHT, x=-0.5, y=0.0, speed=1.0)
    scene = World((ball,), Background.WALL, Light.DAY, Camera.STILL, 0)
    at = planes(scene, [0.0, 1.0], [0.0, GROUP_S], 8, 8).reshape(2, 8, 8, PLANES)
    covered = at[..., 0] > 0
    for moment, middle in ((0, 1.5), (1, 5.5)):  # a unit a second: four of the eight patches across
        spots = np.flatnonzero(covered[moment, 3])
        assert np.interp(0, at[moment, 3, spots, 1], spots) == pytest.approx(middle)
    assert not at[0, ..., 12:14].any() and (at[1, ..., 12][covered[1]] > 0).all()  # how far it went within


def test_things_in_front_are_told_first() -> None:
    far = Thing(Shape.CUBE, Colour.BLUE, Size.LARGE, Motion.STILL, 0.0, 0.0)
    near = replace(far, shape=Shape.STAR, colour=Colour.RED)
    scene = World((far, near), Background.SKY, Light.DAY, Camera.STILL, 0)
    alone = World((near,), Background.SKY, Light.DAY, Camera.STILL, 0)
    both, one = (planes(s, [0.0], [0.0], 8, 8)[0, 27] for s in (scene, alone))
    slot = int(np.flatnonzero(both[:PLANES] != one)[0])
    assert one[0] == both[0] == 1 and (both[:slot] == one[:slot]).all() and both[slot] == 1


def test_a_story_goes_on_with_its_things_where_they_are() -> None:
    wish = Wish(("a red ball moves right", "the ball moves up, the camera zooms out"), seconds=4, seed=3)
    first, second = staged(described(wish), wish.seed, (16 / 9, 1.0))
    assert (second.from_s, second.stage.things[0].motion) == (2.0, Motion.UP)
    spots = [spots_of(s.stage, t, (16 / 9, 1.0))[0] for s, t in ((first, 2.0), (second, 0.0))]
    assert spots[1][1:] == pytest.approx(spots[0][1:])


def test_a_clip_goes_on_with_its_things_where_they_are_seen() -> None:
    wish = Wish(("a red ball moves left",), seconds=2)
    around = Around(0.0, [(Shape.CUBE, 0.9, 0.9), (Shape.BALL, -0.4, 0.2)])
    (scene,) = staged(described(wish), 0, (1.0, 1.0), around)
    ((shape, *middle),) = spots_of(scene.stage, 0.0, (1.0, 1.0))
    assert shape is Shape.BALL and middle == pytest.approx([-0.4, 0.2])


# --- sampling ---------------------------------------------------------------------------------


def test_levels_fall_from_noise_to_nothing_and_later_for_larger_clips() -> None:
    small, large = levels(10, 1280), levels(10, 4 * 1280)
    assert (small[0], small[-1]) == (1, 0)
    assert (np.diff(small) < 0).all()
    assert (large[1:-1] > small[1:-1]).all()


def test_what_is_given_is_not_touched_and_the_rest_arrives() -> None:
    given = [np.full((LATENT, 2, 2), 3, np.float32), None, None]
    coder, chance = Grey(0.25), np.random.default_rng(0)
    made = sample(
        coder.velocity,
        given,
        [0, 1, 2],
        [5, 6],
        np.zeros((3, 1, PLANES), np.float32),
        Recipe(8, 2.0),
        (2, 2),
        chance,
    )
    assert (made[0] == 3).all()
    assert made[1:] == pytest.approx(0.25, abs=1e-4)
    for level, _, words in coder.asked:
        assert level[0] == 0
        assert (words[0] == padded([5, 6])).all()
        assert len(words) == 1 or (words[1] == 0).all()
    assert any(len(words) == 2 for _, _, words in coder.asked)


def test_a_recipe_that_cannot_be_is_refused() -> None:
    for wrong in ((0, 3.0), (201, 3.0), (16, 0.5)):
        with pytest.raises(ValueError, match="steps"):
            Recipe(*wrong)


# --- pictures ---------------------------------------------------------------------------------


def order(seconds: int, surroundings: Surroundings | None = None, seed: int = 1) -> Order:
    around = surroundings or Surroundings()
    return Order([Scene(RED_BALL, stage(RED_BALL, 1))], seconds, 64, 64, seed, Recipe(2, 1.0), around)


@pytest.mark.parametrize("seconds", [1, 2, 7])
def test_a_clip_has_sixteen_pictures_a_second_and_one(seconds: int) -> None:
    parts = list(pictures(order(seconds), Grey()))
    assert sum(len(part) for part in parts) == FPS * seconds + 1
    assert {part.shape[1:] for part in parts} == {(64, 64, 3)}


def test_a_clip_that_goes_on_does_not_tell_its_first_picture_again() -> None:
    first = np.full((64, 64, 3), 200, np.uint8)
    coder = Grey(0.5)
    parts = list(pictures(order(2, Surroundings(first=first, before=first, after=first)), coder))
    assert sum(len(part) for part in parts) == FPS * 2
    # Every second is made from the picture before it to the key after it.
    seconds = [levels for levels, times, _ in coder.asked if times[1] - times[0] == GROUP / FPS]
    assert seconds
    assert all(level[0] == 0 and level[-1] == 0 and (level[1:-1] > 0).all() for level in seconds)


def test_places_are_asked_for_at_the_start_only() -> None:
    coder = Grey()
    list(pictures(order(3), coder))
    at_start, after = padded(RED_BALL.ids), padded(later(RED_BALL).ids)
    assert (at_start != after).any()
    starts = [times[0] for _, times, words in coder.asked if (words[0] == at_start).all()]
    others = [times[0] for _, times, words in coder.asked if (words[0] == after).all()]
    assert set(starts) == {np.float32(KEY_AT), np.float32(0)}
    assert set(others) == {np.float32(1), np.float32(2)}
    assert len(starts) + len(others) == len(coder.asked)


def test_an_interrupted_clip_goes_on_where_it_was(tmp_path: Path) -> None:
    parts = Parts(tmp_path / "clip.mp4", {"seed": 1})
    whole = np.concatenate(list(pictures(order(3), Grey(), parts)))
    again = Grey(0.9)
    assert (np.concatenate(list(pictures(order(3), again, parts))) == whole).all()
    assert not again.asked
    assert Parts(tmp_path / "clip.mp4", {"seed": 2}).get("second-0") is None
    parts.forget()
    assert list(tmp_path.iterdir()) == []


def test_the_same_seed_makes_the_same_clip_and_another_one_another() -> None:
    class Noisy(Grey):
        def velocity(self, noisy: Latents, *rest: Any) -> NDArray[np.float32]:
            return np.stack([noisy * 0.5] * len(rest[2])).astype(np.float32)

    one, same, other = (np.concatenate(list(pictures(order(2, seed=seed), Noisy()))) for seed in (1, 1, 2))
    assert (one == same).all()
    assert (one != other).any()


# --- what is asked for ------------------------------------------------------------------------


def test_a_story_keeps_its_things() -> None:
    prompts = ["a large red ball before a wall by day", "the ball moves left", "a blue kite at night"]
    first, second, third = carried_on([parse(p)[0] for p in prompts])
    assert (second.things[0].colour, second.things[0].size) == (first.things[0].colour, first.things[0].size)
    assert second.background is first.background
    assert third.things[0].colour is parse("a blue kite")[0].things[0].colour
    assert third.background is first.background
    told = described(Wish(prompts=tuple(prompts), seconds=9.0, seed=4))
    assert [from_s for _, from_s in told.scenes] == [0, 3, 6]
    assert "large red ball moves left" in told.descriptions[1][1]


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ({"seconds": 0.5}, "0.5 seconds cannot be made"),
        ({"seconds": 61.0}, "choose 1 to 60"),
        ({"seconds": float("nan")}, "cannot be made"),
        ({"size": "big"}, "is no size"),
        ({"size": "511x512"}, "must be even"),
        ({"size": "4000x3000"}, "cannot be made"),
        ({"size": "1920x100"}, "three times"),
        ({"steps": 0}, "steps are 1"),
        ({"guidance": 0.0}, "guidance 1"),
        ({"backwards": True}, "only makes sense with --extend"),
        ({"extend": Path("a"), "join": (Path("a"), Path("b"))}, "cannot be used together"),
        ({"join": (Path("a"), Path("b")), "seconds": 5.0}, "choose 1 to 4"),
        ({"prompts": ("a ball",) * 9, "seconds": 5.0}, "has 9 prompts"),
    ],
)
def test_what_cannot_be_made_is_said(wish: dict[str, Any], says: str) -> None:
    with pytest.raises(BadWish, match=says):
        Wish(**wish)


@pytest.mark.parametrize(
    ("size", "made"),
    [
        ((512, 512), (128, 128)),
        ((1920, 1080), (176, 96)),
        ((1080, 1920), (96, 176)),
        ((640, 480), (144, 112)),
        ((64, 64), (128, 128)),
    ],
)
def test_every_size_is_made_in_its_own_shape(size: tuple[int, int], made: tuple[int, int]) -> None:
    sizes = Sizes.of(*size)
    assert (sizes.made_width, sizes.made_height) == made
    picture = np.zeros((made[1], made[0], 3), np.uint8)
    assert sizes.shown(picture).shape == (size[1], size[0], 3)
    assert sizes.small(np.zeros((size[1], size[0], 3), np.uint8)).shape == (made[1], made[0], 3)


# --- the networks that come with the program --------------------------------------------------


@pytest.fixture(scope="module")
def networks() -> Networks:
    return Networks(threads=1)


def test_frames_pass_through_group_by_group_as_all_at_once(networks: Networks) -> None:
    frames = np.stack(list(render(sample_scene(9), 144, 112, 9, 16)))
    latents = networks.encode(frames)
    assert latents.shape == (3, LATENT, 14, 18)
    shorter = networks.encode(frames[:5])
    assert shorter == pytest.approx(latents[:2], abs=1e-4)  # what comes later changes nothing before
    back = np.concatenate(list(networks.decode(latents)))
    assert back.shape == frames.shape
    assert np.abs(back.astype(int) - frames).mean() < np.abs(frames.mean() - frames.astype(int)).mean() / 2


def test_latents_are_about_unit_spread(networks: Networks) -> None:
    frames = np.stack(list(render(sample_scene(4), 128, 128, 17, 16)))
    latents = networks.encode(frames)
    assert 0.5 < latents.std() < 2


# --- a finished clip --------------------------------------------------------------------------


def environment(home: Path) -> Environment:
    return Environment(
        paths=Paths.under(home / "data"),
        home=home,
        platform="linux",
        environ={**os.environ, "COLUMNS": "200"},
        stdout=io.StringIO(),
        stderr=io.StringIO(),
    )


def run(home: Path, *words: str) -> tuple[int, str, str]:
    env = environment(home)
    code = main(list(words), env)
    assert isinstance(env.stdout, io.StringIO)
    assert isinstance(env.stderr, io.StringIO)
    return code, env.stdout.getvalue(), env.stderr.getvalue()


def generate(home: Path, *words: str) -> tuple[int, str, str]:
    return run(home, "generate", *words, "--seed", "3", "--steps", "1", "--guidance", "1")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("made")
    words = ("a red kite over a harbour at dusk", "--seconds", "1", "--size", "320x240", "--json")
    code, out, err = generate(home, *words, "-o", str(home / "kite.mp4"))
    assert code == 0, err
    told = json.loads(out)
    assert (told["frames"], told["width"], told["height"], told["seed"]) == (16, 320, 240, 3)
    assert "red kite" in told["descriptions"][0]["text"]
    return home


def test_a_scan_says_that_ai_made_it(made: Path) -> None:
    code, out, _ = run(made, "scan", "--no-daemon", "--json", str(made / "kite.mp4"))
    assert code == 0
    scan = json.loads(out)
    assert scan["verdict"]["label"] == "ai_generated"
    said = {(e["examiner"], e["details"].get("generator")) for e in scan["evidence"] if e["supports"] == "ai"}
    assert {examiner for examiner, _ in said} >= {"content_credentials", "labels", "watermarks"}
    assert ("content_credentials", "Touchstone generator") in said


def test_nothing_is_left_beside_it(made: Path) -> None:
    assert sorted(p.name for p in made.iterdir()) == ["data", "kite.mp4"]


def test_two_clips_are_signed_by_the_same_key(made: Path) -> None:
    from touchstone.system.signing_key import SigningKey

    env = environment(made)
    first, second = (SigningKey(env.paths, lambda: None).load() for _ in range(2))
    assert first.chain == second.chain
    if os.name == "posix":
        assert SigningKey(env.paths, lambda: None).file.stat().st_mode & 0o077 == 0


def test_it_goes_on_and_back_and_over_to_another(made: Path, tmp_path: Path) -> None:
    clip = made / "kite.mp4"
    for name, words, frames in (
        ("on", ("--extend", str(clip)), 16 + 16),
        ("back", ("--extend", str(clip), "--backwards"), 16 + 16),
        ("join", ("--join", str(clip), str(clip)), 16 + 16 + 16),
    ):
        target = tmp_path / f"{name}.mp4"
        prompt = ("a red kite moves left",) if name == "on" else ()
        code, out, err = generate(made, *prompt, *words, "--seconds", "1", "--json", "-o", str(target))
        assert code == 0, err
        assert json.loads(out)["frames"] == frames
        with av.open(str(target)) as container:
            assert (container.streams.video[0].width, container.streams.video[0].height) == (320, 240)
        # What was there before is there still, but for encoding.
        own, same = list(frames_of(clip)), list(frames_of(target))
        kept = same[-16:] if name == "back" else same[:16]
        assert np.abs(np.stack(kept).astype(int) - np.stack(own)).mean() < 6


def test_a_picture_is_set_in_motion(made: Path, tmp_path: Path) -> None:
    still = tmp_path / "still.png"
    frame = av.VideoFrame.from_ndarray(next(frames_of(made / "kite.mp4")), format="rgb24")
    frame.to_image().save(still)
    target = tmp_path / "moving.mp4"
    code, _, err = generate(
        made,
        "a red kite",
        "--from-image",
        str(still),
        "--seconds",
        "1",
        "--size",
        "320x240",
        "-o",
        str(target),
    )
    assert code == 0, err
    (first, *others) = frames_of(target)
    assert len(others) == 15
    assert np.abs(first.astype(int) - next(frames_of(made / "kite.mp4"))).mean() < 6


def test_without_marks_only_for_calibration(made: Path) -> None:
    words = ("a red ball", "--seconds", "1", "--size", "128x128", "--unmarked")
    code, _, err = generate(made, *words, "-o", str(made / "x.mp4"))
    assert (code, "leave -o out" in err) == (2, True)
    code, out, _ = generate(made, *words, "--json")
    assert code == 0
    path = Path(json.loads(out)["path"])
    assert path.is_relative_to(environment(made).paths.data_dir / "calibration")
    assert path.suffix == ".unmarked"
    assert json.loads(out)["payload"] is None


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("",), 2, "the prompt is empty"),
        (("красный шар",), 2, "another script"),
        (("xyzzy " * 10_000,), 2, "nothing of the prompt was understood"),
        (("a nude woman",), 4, "refused"),
        ((), 2, "say what to show"),
        (("a ball", "--seconds", "1000"), 2, "choose 1 to 60"),
        (("a ball", "-o", "/nowhere/at/all.mp4"), 2, "folder does not exist"),
        (("a ball", "-o", "clip.webm"), 2, "written as .mp4"),
        (("a ball",), 2, "-o FILE.mp4"),
        (("--extend", "/nowhere.mp4", "-o", "x.mp4"), 2, "/nowhere.mp4 cannot be read"),
        (("--story", "/nowhere.txt", "-o", "x.mp4"), 2, "/nowhere.txt cannot be read"),
    ],
)
def test_mistakes_are_named_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], code: int, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    found, _, err = generate(tmp_path, *words)
    assert (found, says in err) == (code, True), err
    assert [p for p in tmp_path.iterdir() if p.name != "data"] == []


def test_what_was_understood_is_explained(tmp_path: Path) -> None:
    code, out, err = generate(tmp_path, "a crimson kite over the sea and a walrus", "--explain")
    assert code == 0
    assert "red kite" in out
    assert "walrus" in err


def test_a_file_that_is_no_video_is_named(tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    with pytest.raises(CannotRead, match=r"text\.mp4"):
        next(frames_of(text))


def test_a_full_disk_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from touchstone.generator.making.writing import CannotWrite

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    wish = Wish(prompts=("a red ball",), seconds=1.0, size="128x128", steps=1, guidance=1.0)
    with pytest.raises(CannotWrite, match="No space left"):
        make(wish, tmp_path / "clip.mp4", Grey(), None)
    assert not (tmp_path / "clip.mp4").exists()
    assert not list(tmp_path.glob("*.mp4"))
