"""The procedural world: scenes with an exact state, and the pictures of them."""

from .rendering import render
from .sampling import sample_scene
from .scene import RADIUS, Background, Camera, Colour, Light, Motion, Pace, Scene, Shape, Size, Thing, pace

__all__ = [
    "RADIUS",
    "Background",
    "Camera",
    "Colour",
    "Light",
    "Motion",
    "Pace",
    "Scene",
    "Shape",
    "Size",
    "Thing",
    "pace",
    "render",
    "sample_scene",
]
