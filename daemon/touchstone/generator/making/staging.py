"""What is where at a moment, as numbers for each patch of the picture: the plan that the denoiser paints.

A prompt becomes a scene of the world (language.stage): things with places and ways, a backdrop, a camera.
That is arithmetic, as exact as the words are. What a patch is told of it is which things cover it, from where
in them, and which part of the world lies behind; how it looks, and how it looks a moment later, the denoiser
has learned. Outlines and flat colours are told in cells of four pixels, at the first and the last of a
latent's frames: a sketch of the layout, since outlines, and which colour is whose, are what small networks
get wrong. (Layouts that a planner makes and a video model fills in: Lin et al. 2023, VideoDirectorGPT; Lian
et al. 2023, LLM-grounded Video Diffusion.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..world import RADIUS, Background, Colour, Light, Scene, Shape
from ..world.backdrops import phase
from ..world.motion import View, place, view
from ..world.rendering import BEFORE, PAINT
from ..world.silhouettes import SILHOUETTES
from .words import Begun, shown_at

Planes = NDArray[np.float32]
"""`(T, rows * columns, PLANES)`."""

Place = NDArray[np.float64]
"""`(rows * columns,)`, one coordinate of each patch."""

SLOTS = 2
"""Things that a patch is told of: those that stand in front."""
WAVES = (1.5, 3.0)
"""Radians a radius, of the waves that tell a patch where in a thing it is."""
WORLD_WAVES = (0.7, 1.4, 2.8)
"""Radians a unit, of those that tell it where in the world it is."""
FINE_WAVES = (5.6, 11.2, 22.4)
"""The same for patterns such as tiles and windows; they come last in a plan."""
PHASES = (1, 2, 3, 7)
"""Numbers of the phases that backdrops draw from a scene's seed."""
CELLS = 4
"""Cells of a patch, each way, in which outlines are told."""
GROUP_S = 3 / 16
"""Seconds from the first to the last of the four frames of a latent."""
_SHAPES, _COLOURS, _BACKGROUNDS, _LIGHTS = (list(kind) for kind in (Shape, Colour, Background, Light))
_SLOT = 3 + 4 * len(WAVES) + 1 + 2 + len(_SHAPES) + len(_COLOURS)
_WORLD = len(_BACKGROUNDS) + len(_LIGHTS) + 4 * len(WORLD_WAVES) + 5
_COVER = 2 * CELLS * CELLS
_FLAT = 2 * CELLS * CELLS * 4
_FINE = 4 * len(FINE_WAVES) + 2 * len(PHASES)
PLANES = SLOTS * _SLOT + _WORLD + SLOTS * _COVER + _FLAT + _FINE
_JUMP = 0.5
"""Units; what goes further within a latent changed sides of the picture."""


class Staged(Begun, Protocol):
    """A scene of a story and from when on it is shown."""

    @property
    def stage(self) -> Scene: ...


def planned(
    scenes: Sequence[Staged], seconds: Sequence[float], spans: Sequence[float], rows: int, columns: int
) -> Planes:
    """As `planes`, of moments of a clip, each of the scene that is shown then."""
    found = []
    for second, span in zip(seconds, spans, strict=True):
        scene = shown_at(scenes, second)
        found.append(planes(scene.stage, [second - scene.from_s], [span], rows, columns))
    return np.concatenate(found)


Half = tuple[float, float]
"""Half a picture's width and height, in half its shorter side."""
Spots = Sequence[tuple[Shape, float, float]]
"""Things, and where their middles are in the picture, in half its shorter side."""


def standing(scene: Scene, second: float, spots: Spots, half: Half) -> Scene:
    """The scene with things moved to where ones of their shape are at a second of it.

    Each spot is for one thing; things that have none stay where they were.
    """
    seen = view(scene, second)
    left = list(spots)
    things = []
    for thing in scene.things:
        spot = next((s for s in left if s[0] is thing.shape), None)
        if spot is not None:
            left.remove(spot)
            x, y = place(thing, second, seen, *half)
            across, down = spot[1] / seen.zoom - x, spot[2] / seen.zoom - y
            thing = replace(thing, x=thing.x + across / half[0], y=thing.y + down / half[1])
        things.append(thing)
    return replace(scene, things=tuple(things))


def spots_of(scene: Scene, second: float, half: Half) -> Spots:
    """Where the things of a scene are."""
    seen = view(scene, second)
    middles = [(thing.shape, *place(thing, second, seen, *half)) for thing in scene.things]
    return [(shape, x * seen.zoom, y * seen.zoom) for shape, x, y in middles]


def planes(scene: Scene, seconds: Sequence[float], spans: Sequence[float], rows: int, columns: int) -> Planes:
    """What the patches of some moments show.

    Args:
        seconds: of the scene, one for each moment.
        spans: how long before it the first of a moment's frames is; 0 for a single picture.
        rows, columns: of patches, which are squares.
    """
    unit = 2 / min(rows, columns)  # a patch's side
    across = (np.arange(columns) - (columns - 1) / 2) * unit
    down = (np.arange(rows) - (rows - 1) / 2) * unit
    x, y = (part.ravel() for part in np.meshgrid(across, down))
    whole = columns * unit / 2, rows * unit / 2
    out = np.zeros((len(seconds), rows * columns, PLANES), np.float32)
    for moment, (second, span) in enumerate(zip(seconds, spans, strict=True)):
        filled = np.zeros(rows * columns, int)
        flat = _Flat(rows, columns)
        seen, earlier = view(scene, second), view(scene, second - span)
        for thing in reversed(scene.things):
            middle = np.array(place(thing, second, seen, *whole)) * seen.zoom
            before = np.array(place(thing, second - span, earlier, *whole)) * earlier.zoom
            way = middle - before if np.abs(middle - before).max() < _JUMP else np.zeros(2)
            radius = RADIUS[thing.size] * seen.zoom
            u, v = (x - middle[0]) / radius, (y - middle[1]) / radius
            reach = 1.45 + (0.75 * unit + float(np.abs(way).max())) / radius
            told = np.concatenate(
                [
                    [np.ones_like(u), u, v],
                    *_waves(WAVES, u, v),
                    [np.full_like(u, radius / unit / 2)],
                    [np.full_like(u, part / radius) for part in way],
                    _one(_SHAPES.index(thing.shape), len(_SHAPES), len(u)),
                    _one(_COLOURS.index(thing.colour), len(_COLOURS), len(u)),
                ]
            )
            covers = np.concatenate(
                [
                    _cover(thing.shape, at, RADIUS[thing.size] * zoom, rows, columns)
                    for at, zoom in ((middle, seen.zoom), (middle - way, earlier.zoom))
                ],
                axis=1,
            )
            flat.under(covers, thing.colour, scene.light)
            for spot in np.flatnonzero((np.hypot(u, v) < reach) & (filled < SLOTS)):
                first = filled[spot] * _SLOT
                out[moment, spot, first : first + _SLOT] = told[:, spot]
                first = SLOTS * _SLOT + _WORLD + filled[spot] * _COVER
                out[moment, spot, first : first + _COVER] = covers[spot]
                filled[spot] += 1
        out[moment, :, -_FLAT - _FINE : -_FINE] = flat.told()
        wx, wy = x / seen.zoom + seen.x, y / seen.zoom + seen.y
        out[moment, :, SLOTS * _SLOT : SLOTS * _SLOT + _WORLD] = np.concatenate(
            [
                _one(_BACKGROUNDS.index(scene.background), len(_BACKGROUNDS), len(x)),
                _one(_LIGHTS.index(scene.light), len(_LIGHTS), len(x)),
                *_waves(WORLD_WAVES, wx, wy),
                [wy, np.full_like(x, seen.zoom), *_moved(seen, earlier, len(x))],
            ]
        ).T
        phases = [phase(scene.seed, number) for number in PHASES]
        out[moment, :, -_FINE:] = np.concatenate(
            [
                *_waves(FINE_WAVES, wx, wy),
                *([np.full_like(x, np.sin(p)), np.full_like(x, np.cos(p))] for p in phases),
            ]
        ).T
    return out


class _Flat:
    """Things in their colours without light and shade, cell by cell; those in front first.

    Args:
        rows, columns: of patches.
    """

    def __init__(self, rows: int, columns: int) -> None:
        self._colours = np.zeros((rows * columns, _COVER, 3))
        self._open = np.ones((rows * columns, _COVER))

    def under(self, covers: NDArray[np.float64], colour: Colour, light: Light) -> None:
        """A thing behind those that are there; `covers (rows * columns, _COVER)`."""
        seen = covers * self._open
        self._colours += seen[..., None] * (np.array(PAINT[colour]) * BEFORE[light])
        self._open -= seen

    def told(self) -> NDArray[np.float64]:
        """`(rows * columns, _FLAT)`: colours, and how much of a cell is covered."""
        every = np.concatenate([self._colours, 1 - self._open[..., None]], -1)
        return every.reshape(len(every), _FLAT)


def _cover(
    shape: Shape, middle: NDArray[np.float64], radius: float, rows: int, columns: int
) -> NDArray[np.float64]:
    """How much of each cell of each patch a thing covers, `(rows * columns, CELLS * CELLS)`."""
    cell = 2 / min(rows, columns) / CELLS
    down = ((np.arange(rows * CELLS) - (rows * CELLS - 1) / 2) * cell - middle[1]) / radius
    across = ((np.arange(columns * CELLS) - (columns * CELLS - 1) / 2) * cell - middle[0]) / radius
    away, _ = SILHOUETTES[shape](*np.meshgrid(across, down))
    cover: NDArray[np.float64] = np.clip(0.5 - away * radius / cell, 0, 1)
    cells = cover.reshape(rows, CELLS, columns, CELLS).transpose(0, 2, 1, 3)
    return cells.reshape(rows * columns, CELLS * CELLS)


def _waves(rates: Sequence[float], x: Place, y: Place) -> list[list[Place]]:
    """Where points are, at each of some rates."""
    return [[np.sin(w * x), np.cos(w * x), np.sin(w * y), np.cos(w * y)] for w in rates]


def _one(number: int, count: int, patches: int) -> NDArray[np.float64]:
    """One of `count` planes is one."""
    return np.repeat(np.eye(count)[number][:, None], patches, 1)


def _moved(seen: View, earlier: View, patches: int) -> list[NDArray[np.float64]]:
    """How the camera moved within a latent: across, down, nearer; four times, to be about one."""
    ways = (seen.x - earlier.x, seen.y - earlier.y, seen.zoom - earlier.zoom)
    return [np.full(patches, 4 * way) for way in ways]
