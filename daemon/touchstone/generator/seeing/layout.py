"""Which plane of the captioner's answer says what. A model is trained in this order; keep it."""

from __future__ import annotations

from ..world import Background, Colour, Light, Shape

SIDE = 128
"""Pixels of the shorter side of the frames that the network is given."""
CELL = 4
"""Pixels that a cell of the answer stands for."""
MULTIPLE = 8
"""The sides of frames are whole numbers of these pixels."""

COLOURS = tuple(Colour)
SHAPES = tuple(Shape)
BACKGROUNDS = tuple(Background)
LIGHTS = tuple(Light)

MIDDLE = 0
"""Logit that the middle of a thing is in the cell."""
COLOUR = slice(1, 1 + len(COLOURS))
SHAPE = slice(COLOUR.stop, COLOUR.stop + len(SHAPES))
RADIUS = SHAPE.stop
"""Natural logarithm of the thing's radius in half shorter sides."""
ACROSS, DOWN = RADIUS + 1, RADIUS + 2
"""From the cell's middle to the thing's, in cells."""
BACKGROUND = slice(DOWN + 1, DOWN + 1 + len(BACKGROUNDS))
LIGHT = slice(BACKGROUND.stop, BACKGROUND.stop + len(LIGHTS))
PLANES = LIGHT.stop
