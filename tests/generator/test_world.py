"""The procedural world: the same pictures for the same scene, at every size and second."""

import dataclasses

import numpy as np
import pytest

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
from touchstone.generator.world.rendering import BEFORE, PAINT
from touchstone.generator.world.sampling import lost


def scene(*things: Thing, camera: Camera = Camera.STILL, light: Light = Light.DAY) -> Scene:
    return Scene(things, Background.WALL, light, camera, seed=1)


def thing(shape: Shape = Shape.BALL, motion: Motion = Motion.STILL, **more: float) -> Thing:
    return Thing(shape, Colour.RED, Size.MEDIUM, motion, more.pop("x", 0.0), more.pop("y", 0.0), **more)


def red_middle(frame: np.ndarray) -> tuple[float, float]:
    """The middle of what is red, as shares of the picture's width and height."""
    wide = frame.astype(int)
    red = (wide[..., 0] > 120) & (wide[..., 1] < 80) & (wide[..., 2] < 80)
    rows, columns = np.nonzero(red)
    assert rows.size, "nothing red was drawn"
    return float(columns.mean()) / frame.shape[1], float(rows.mean()) / frame.shape[0]


def test_a_seed_stands_for_one_scene():
    assert sample_scene(7) == sample_scene(7)
    assert len({sample_scene(seed) for seed in range(50)}) == 50


def test_pictures_repeat_exactly():
    one, again = (list(render(sample_scene(3), 48, 32, 3, 16)) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))


def test_a_later_start_is_the_later_part():
    whole = list(render(sample_scene(4), 32, 32, 6, 8))
    rest = list(render(sample_scene(4), 32, 32, 2, 8, start_s=0.5))
    assert all(np.array_equal(a, b) for a, b in zip(whole[4:], rest, strict=True))


@pytest.mark.parametrize("background", Background)
@pytest.mark.parametrize("light", Light)
def test_every_background_is_drawn(background: Background, light: Light):
    empty = Scene((), background, light, Camera.STILL, seed=5)
    (frame,) = render(empty, 40, 24, 1, 16)
    assert frame.shape == (24, 40, 3)
    assert frame.dtype == np.uint8
    assert frame.std() > 1


@pytest.mark.parametrize("shape", Shape)
def test_every_shape_covers_part_of_its_box(shape: Shape):
    with_it = next(iter(render(scene(thing(shape)), 64, 64, 1, 16))).astype(int)
    without = next(iter(render(scene(), 64, 64, 1, 16))).astype(int)
    changed = np.abs(with_it - without).max(axis=2) > 20
    assert changed[22:42, 22:42].mean() > 0.05
    assert not changed[:18].any()
    assert not changed[:, :18].any()


def test_shapes_look_different():
    pictures = [next(iter(render(scene(thing(shape)), 48, 48, 1, 16))).astype(int) for shape in Shape]
    for i, one in enumerate(pictures):
        assert all(np.abs(one - other).mean() > 0.5 for other in pictures[:i])


@pytest.mark.parametrize(
    ("motion", "dx", "dy"),
    [
        (Motion.STILL, 0, 0),
        (Motion.LEFT, -1, 0),
        (Motion.RIGHT, 1, 0),
        (Motion.UP, 0, -1),
        (Motion.DOWN, 0, 1),
        (Motion.UP_LEFT, -1, -1),
        (Motion.UP_RIGHT, 1, -1),
        (Motion.DOWN_LEFT, -1, 1),
        (Motion.DOWN_RIGHT, 1, 1),
    ],
)
def test_things_go_where_they_are_said_to_go(motion: Motion, dx: int, dy: int):
    first, *_, last = render(scene(thing(motion=motion)), 64, 64, 9, 16)
    (x0, y0), (x1, y1) = red_middle(first), red_middle(last)
    assert np.sign(round(x1 - x0, 2)) == dx
    assert np.sign(round(y1 - y0, 2)) == dy


@pytest.mark.parametrize("motion", [Motion.CIRCLE, Motion.BOUNCE])
def test_motions_that_return_stay_in_the_picture(motion: Motion):
    places = [red_middle(frame) for frame in render(scene(thing(motion=motion)), 64, 64, 60, 4)]
    assert max(abs(x - 0.5) for x, _ in places) < 0.4
    assert max(y for _, y in places) - min(y for _, y in places) > 0.1


@pytest.mark.parametrize(("camera", "dx"), [(Camera.PAN_LEFT, 1), (Camera.PAN_RIGHT, -1), (Camera.STILL, 0)])
def test_a_panning_camera_moves_everything_the_other_way(camera: Camera, dx: int):
    first, *_, last = render(scene(thing(), camera=camera), 64, 64, 9, 16)
    assert np.sign(round(red_middle(last)[0] - red_middle(first)[0], 2)) == dx


@pytest.mark.parametrize(("camera", "dy"), [(Camera.TILT_UP, 1), (Camera.TILT_DOWN, -1)])
def test_a_tilting_camera_moves_everything_the_other_way(camera: Camera, dy: int):
    first, *_, last = render(scene(thing(), camera=camera), 64, 64, 9, 16)
    assert np.sign(round(red_middle(last)[1] - red_middle(first)[1], 2)) == dy


def test_a_shaking_camera_stays_near_its_place():
    places = [red_middle(frame) for frame in render(scene(thing(), camera=Camera.SHAKE), 96, 96, 160, 8)]
    for axis in zip(*places, strict=True):
        assert 0.01 < max(axis) - min(axis) < 0.1


def test_stars_are_only_seen_by_night():
    drawn = [sample_scene(seed) for seed in range(300)]
    assert {s.light for s in drawn if s.background is Background.STARS} == {Light.NIGHT}


@pytest.mark.parametrize(("camera", "grows"), [(Camera.ZOOM_IN, True), (Camera.ZOOM_OUT, False)])
def test_a_zoom_changes_how_large_things_are(camera: Camera, grows: bool):
    first, *_, last = render(scene(thing(), camera=camera), 64, 64, 17, 16)

    def area(frame: np.ndarray) -> int:
        return int(((frame[..., 0] > 120) & (frame[..., 1] < 80)).sum())

    assert (area(last) > area(first)) is grows


def test_what_leaves_comes_back():
    going = scene(thing(motion=Motion.RIGHT, speed=0.8))
    seen = [np.any((f[..., 0] > 120) & (f[..., 1] < 60)) for f in render(going, 32, 32, 120, 2)]
    assert seen[0]
    assert sum(seen) > 60


def test_a_wider_picture_shows_more_of_the_same_world():
    state = dataclasses.replace(scene(), background=Background.TILES)
    (square,) = render(state, 64, 64, 1, 16)
    (wide,) = render(state, 128, 64, 1, 16)
    assert np.array_equal(wide[:, 32:96], square)


def test_colours_stay_what_a_person_would_call_them():
    for light in Light:
        tint = np.array(BEFORE[light])
        for colour, paint in PAINT.items():
            tinted = np.array(paint) * tint
            nearest = min(PAINT, key=lambda c: float(np.abs(np.array(PAINT[c]) * tint - tinted).sum()))
            assert nearest is colour


def test_no_sampled_thing_is_lost_before_its_background():
    for seed in range(300):
        drawn = sample_scene(seed)
        assert 1 <= len(drawn.things) <= 3
        assert not any(lost(t.colour, drawn.background, drawn.light) for t in drawn.things)


@pytest.mark.parametrize(("width", "height", "frames", "fps"), [(0, 8, 1, 16), (8, 8, 0, 16), (8, 8, 1, 0)])
def test_impossible_pictures_are_refused(width: int, height: int, frames: int, fps: float):
    with pytest.raises(ValueError, match="cannot draw"):
        list(render(scene(), width, height, frames, fps))
