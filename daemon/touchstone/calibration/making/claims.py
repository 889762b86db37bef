"""What the program claims of the marks that it reads, as it comes: own footage is held against it."""

from __future__ import annotations

from collections.abc import Mapping

from ...examiners.visible_marks.measured import rates
from ...examiners.watermarks import MAX_P
from ...examiners.watermarks.measured import measured, read_rate
from ...examiners.watermarks.touchstone_mark import NAME as TOUCHSTONE
from ...examiners.watermarks.touchstone_mark import read_rate as own_read_rate
from ..marks import Claim


def claims() -> Mapping[tuple[str, str], Claim]:
    """Claims by examiner and name of the mark (`in_force.mark_name`)."""
    found = {
        ("watermarks", TOUCHSTONE): Claim(read_at_least=own_read_rate(), false_at_most=MAX_P, exact=True)
    }
    for scheme in measured():
        claim = Claim(read_at_least=read_rate(scheme), false_at_most=MAX_P, exact=True)
        found["watermarks", scheme] = claim
    for kind, (read, false) in rates().items():
        found["visible_marks", kind] = Claim(read_at_least=read, false_at_most=false)
    return found
