"""Whether what OCR read is the text of a mark, allowing for the slips that OCR makes."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

# Letters that OCR takes for each other, each group written as its last one. Capitals that look like their
# small letters are among them; others are not, so that SORA on a sign is not the Sora of the mark.
_ALIKE = ("O0o", "I1|!il", "Cc", "Kk", "Pp", "S5$s", "Uu", "Vv", "Ww", "Xx", "Z2z", "Yy")
_FOLD = {ord(letter): group[-1] for group in _ALIKE for letter in group}

# Letters that may be wrong, by the length of a text in its compared form: (up to this length, so many).
_BUDGET = ((4, 0), (7, 1), (11, 2))
_BUDGET_BEYOND = 3


@cache
def comparable(text: str) -> str:
    """`text` without accents, spaces and punctuation except @, look-alike letters made equal."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(c for c in plain.translate(_FOLD) if c == "@" or c.isalnum())


def budget(text: str) -> int:
    """How many letters of a mark's `text` OCR may get wrong."""
    length = len(comparable(text))
    return next((edits for longest, edits in _BUDGET if length <= longest), _BUDGET_BEYOND)


def matches(read: str, text: str, *, before: int = 0, after: str = "") -> bool:
    """Whether the line `read` is `text`, within its budget.

    Args:
        read: what OCR read.
        text: what the mark says.
        before: how many letters may stand before it.
        after: regular expression for what may follow it, in comparable form.
    """
    line, wanted = comparable(read), comparable(text)
    allowed = budget(text)
    for skipped in range(min(before, len(line)) + 1):
        rest = line[skipped:]
        for length in range(max(len(wanted) - allowed, 1), len(wanted) + allowed + 1):
            if length > len(rest):
                break
            if re.fullmatch(after, rest[length:]) and distance(rest[:length], wanted) <= allowed:
                return True
    return False


def distance(one: str, other: str) -> int:
    """Letters to put in, take out or change to turn `one` into `other` (Levenshtein)."""
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        previous, row[0] = row[0], i
        for j, wanted in enumerate(other, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (letter != wanted))
    return row[-1]
