"""What a clip shows, read off its pixels, and whether that is what was asked for."""

from .adherence import ATTRIBUTES, Adherence, Held, adherence
from .describing import Description, describe
from .shipped import shipped_sight
from .sight import Sight

__all__ = [
    "ATTRIBUTES",
    "Adherence",
    "Description",
    "Held",
    "Sight",
    "adherence",
    "describe",
    "shipped_sight",
]
