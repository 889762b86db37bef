"""The captioner: what clips show is read off their pixels, and held against what was asked for."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from touchstone.generator.language import Request, Wanted, from_scene, parse
from touchstone.generator.seeing import Description, Sight, adherence, describe, layout, shipped_sight
from touchstone.generator.seeing.camera import kind, steps
from touchstone.generator.seeing.paths import Seen, motion
from touchstone.generator.seeing.sight import small
from touchstone.generator.world import (
    Background,
    Camera,
    Colour,
    Light,
    Motion,
    Scene,
    Shape,
    Size,
    Thing,
    render,
    sample_scene,
)
from touchstone.generator.world.motion import place, view
from touchstone.inference import NoAnswer

HELD_OUT = 12_000_000
"""Scenes that the network was not trained on."""


@pytest.fixture(scope="module")
def sight() -> Sight:
    return shipped_sight()


def clip(scene: Scene, seconds: float = 2.0, size: tuple[int, int] = (128, 128)) -> list[NDArray[np.uint8]]:
    return list(render(scene, *size, round(8 * seconds), 8))


def test_scenes_are_read_right(sight: Sight):
    """The table in docs/generator-world.md has the shares; here a handful has to be nearly all right."""
    sizes = ((128, 128), (224, 128), (128, 192), (96, 96))
    held = []
    for seed in range(HELD_OUT, HELD_OUT + 12):
        size = sizes[seed % len(sizes)]
        scene = sample_scene(seed)
        seen = describe(clip(scene, size=size), 8, sight)
        held += adherence(from_scene(scene, aspect=size[0] / size[1]), seen).held
    assert sum(one.met for one in held) >= 0.95 * len(held)


def test_a_description_is_a_sentence(sight: Sight):
    ball = Thing(Shape.BALL, Colour.RED, Size.LARGE, Motion.LEFT, 0.4, 0.0)
    seen = describe(clip(Scene((ball,), Background.WALL, Light.DAY, Camera.STILL, 3)), 8, sight)
    assert seen.words == "a large red ball moves left before a wall by day, the camera stands still"
    assert parse(seen.words)[0] == seen.request


def test_an_empty_scene_has_nothing_in_it(sight: Sight):
    seen = describe(clip(Scene((), Background.MEADOW, Light.DUSK, Camera.STILL, 3)), 8, sight)
    assert seen.request == Request((), Background.MEADOW, Light.DUSK, Camera.STILL)


def test_one_frame_has_no_motion(sight: Sight):
    ball = Thing(Shape.BALL, Colour.RED, Size.LARGE, Motion.LEFT, 0.0, 0.0)
    (frame,) = render(Scene((ball,), Background.WALL, Light.DAY, Camera.STILL, 3), 64, 64, 1, 8)
    (thing,) = describe([frame], 8, sight).request.things
    assert (thing.shape, thing.colour, thing.motion) == (Shape.BALL, Colour.RED, None)


@pytest.mark.parametrize(("frames", "fps"), [([], 8.0), ([np.zeros((8, 8, 3), np.uint8)], 0.0)])
def test_what_is_no_clip_is_refused(sight: Sight, frames: list[NDArray[np.uint8]], fps: float):
    with pytest.raises(ValueError, match="a clip"):
        describe(frames, fps, sight)


def test_only_the_beginning_of_a_long_clip_is_taken(sight: Sight):
    frame = np.full((64, 64, 3), 90, np.uint8)
    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 1
            yield frame

    assert describe(endless(), 2, sight).seconds < 8
    assert taken < 20


def test_without_its_file_there_is_no_sight(tmp_path: Path):
    (tmp_path / "zoo.toml").write_text('schema = "touchstone.zoo/1"\n')
    with pytest.raises(NoAnswer, match="captioner"):
        shipped_sight(tmp_path)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((256, 256), (128, 128)), ((1080, 1920), (128, 224)), ((100, 64), (200, 128)), ((128, 128), (128, 128))],
)
def test_frames_are_scaled_to_whole_cells(shape: tuple[int, int], expected: tuple[int, int]):
    assert small(np.zeros((*shape, 3), np.uint8)).shape == (*expected, 3)


def test_two_peaks_in_one_thing_are_one_thing():
    planes = np.zeros((1, layout.PLANES, 32, 32), np.float32)
    planes[0, layout.MIDDLE] = -9
    planes[0, layout.RADIUS] = math.log(0.4)
    for row, column, logit in ((10, 10, 4.0), (10, 12, 3.0), (24, 24, 2.0)):
        planes[0, layout.MIDDLE, row, column] = logit
    (look,) = Sight(lambda _: planes)([np.zeros((128, 128, 3), np.uint8)])
    assert [(round(f.x, 2), round(f.y, 2)) for f in look.found] == [(-0.34, -0.34), (0.53, 0.53)]
    assert look.found[0].radius == pytest.approx(0.4)


@pytest.mark.parametrize("way", Motion)
@pytest.mark.parametrize("seconds", [1.0, 3.0])
def test_ways_are_told_from_noisy_places(way: Motion, seconds: float):
    thing = Thing(Shape.BALL, Colour.RED, Size.SMALL, way, 0.1, -0.1, speed=0.55, turn=1.0)
    seen = view(Scene((thing,), Background.WALL, Light.DAY, Camera.STILL, 1), 0)
    noise = np.random.default_rng(4).normal(0, 0.01, (17, 2))
    times = np.linspace(0, seconds, 17).tolist()
    places = [np.add(place(thing, t, seen, 1, 1), off) for t, off in zip(times, noise, strict=True)]
    track = [Seen(t, x, y) for t, (x, y) in zip(times, places, strict=True)]
    assert motion(track) is way


def test_a_thing_that_came_back_on_the_other_side_went_straight_on():
    times = [0.1 * n for n in range(20)]
    track = [Seen(t, (0.5 + 0.7 * t + 1.2) % 2.4 - 1.2, 0.0) for t in times]
    assert motion(track) is Motion.RIGHT


def test_two_places_are_no_way():
    assert motion([Seen(0, 0, 0), Seen(1, 1, 0)]) is None


@pytest.mark.parametrize("camera", Camera)
@pytest.mark.parametrize("background", [Background.TILES, Background.MEADOW, Background.HARBOUR])
def test_the_camera_is_told_from_what_lies_behind(camera: Camera, background: Background):
    frames = list(render(Scene((), background, Light.DAY, camera, 5), 128, 128, 25, 16))
    assert kind(steps(frames, [()] * len(frames), 1 / 16, water=background is Background.HARBOUR)) is camera


def shown(*things: Wanted) -> Description:
    return Description(Request(things, Background.SKY, Light.DAY, Camera.PAN_LEFT), 2.0)


RED = Wanted(Shape.BALL, Colour.RED, Size.SMALL, Motion.LEFT, 1)
BLUE = Wanted(Shape.STAR, Colour.BLUE, Size.LARGE, Motion.STILL, 2)


@pytest.mark.parametrize(
    ("prompt", "missed", "extra"),
    [
        ("a small red ball moves left before the sky", set(), 1),
        ("two blue stars and a red ball", set(), 0),
        ("a blue ball", {"colour"}, 1),
        ("a red ball moves right", {"direction"}, 1),
        ("a red ball bounces", {"motion"}, 1),
        ("three large blue stars hang still at night, zoom in", {"count", "light", "camera"}, 1),
        ("a red ball, a blue star and a green kite", {"count", "shape", "colour"}, 0),
        ("", set(), 2),
    ],
)
def test_what_was_asked_for_is_held_against_what_is_seen(prompt: str, missed: set[str], extra: int):
    found = adherence(prompt, shown(BLUE, RED))
    assert {one.attribute for one in found.held if not one.met} == missed
    assert found.extra == extra
    assert found.share == pytest.approx(1 - sum(not one.met for one in found.held) / max(1, len(found.held)))
