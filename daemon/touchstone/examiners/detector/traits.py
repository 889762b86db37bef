"""What of a clip decides under which condition its score is judged."""

from __future__ import annotations

from ...calibration import Traits
from .. import Clip


def traits_of(clip: Clip) -> Traits:
    """The traits of a clip, from its container; what that does not say of the whole clip is None."""
    container = clip.container
    short_side = min(container.width or 0, container.height or 0)
    bits = None
    frames = (container.fps or 0) * (container.duration_s or 0)
    whole = clip.complete and not clip.fragments and not clip.present
    if whole and frames >= 1 and short_side:
        bits = 8 * clip.size / (frames * (container.width or 1) * (container.height or 1))
    return Traits(short_side=short_side, bits_per_pixel=bits, codec=container.codec)
