"""Trust in those who sign: anchors that come with the program, the user's lists, official updates."""

from .anchors import Anchor, BadPins, May, Role, pinned_anchors
from .lists import BadList, TrustList
from .trust import Standing, Trust, trusted_timestamp

__all__ = [
    "Anchor",
    "BadList",
    "BadPins",
    "May",
    "Role",
    "Standing",
    "Trust",
    "TrustList",
    "pinned_anchors",
    "trusted_timestamp",
]
