"""What of a person's prompt was understood, and what to tell them about the rest."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from ...messages import say
from ..world import Background, Light, Shape
from .request import COUNTS, MOST_THINGS, Request, parse
from .vocabulary import MOST_WORDS, Words, words_of

_MOST_NAMED = 12

# Words whose pictures a person may not expect: a triangle becomes a pyramid; that "tiny" is small is clear.
_PICTURED = frozenset(word.value for kind in (Shape, Background, Light) for word in kind)


@dataclass(frozen=True)
class Understood:
    """Attributes:
    ids: the numbers that a model is given, in the model's own order; empty where nothing was understood.
    request: what they ask for.
    words: which words gave it, and which were not understood.
    """

    ids: list[int]
    request: Request
    words: Words

    @property
    def nothing(self) -> bool:
        """Whether nothing was understood that could be drawn."""
        return not self.ids


def tokens(text: str) -> Understood:
    """A prompt as the numbers that a model is given, with what was understood of it."""
    request, words = parse(text)
    return Understood(request.ids if words.tokens else [], request, words)


def notes(text: str, understood: Understood) -> list[str]:
    """What a person should be told about how their prompt was understood, a sentence each; often nothing."""
    words = understood.words
    if not text.strip():
        return [say("generator_language.empty")]
    told = []
    if understood.nothing:
        told.append(say("generator_language.nothing_understood"))
    if scripts := _other_scripts(text):
        told.append(say("generator_language.other_script", scripts=", ".join(scripts)))
    if words.unknown:
        named = ", ".join(w if len(w) <= 30 else w[:30] + "…" for w in words.unknown[:_MOST_NAMED])
        more = len(words.unknown) - _MOST_NAMED
        key = "generator_language.unknown_and_more" if more > 0 else "generator_language.unknown"
        told.append(say(key, words=named, more=more))
    if changed := [f"{said} → {token}" for said, token in words.read_as if token in _PICTURED]:
        told.append(say("generator_language.read_as", pairs=", ".join(changed[:_MOST_NAMED])))
    if words.left_out:
        told.append(say("generator_language.too_long", most=MOST_WORDS, left_out=words.left_out))
    if _asked(words) > sum(t.count or 2 for t in understood.request.things):
        told.append(say("generator_language.too_many", most=MOST_THINGS))
    return told


def _asked(words: Words) -> int:
    """How many things were named, at the least."""
    shapes = {s.value for s in Shape}
    total, count = 0, 1
    for token in words.tokens:
        count = COUNTS.get(token, count)
        if token in shapes:
            total, count = total + count, 1
    return total


def _other_scripts(text: str) -> list[str]:
    """Names of the scripts other than Latin that a text has letters of, as Unicode calls them."""
    found: dict[str, None] = {}
    for word in words_of(text)[:MOST_WORDS]:
        for letter in word:
            if letter.isalpha() and not letter.isascii():
                script = unicodedata.name(letter, "?").split()[0].title()
                if script not in ("Latin", "?", "Modifier"):
                    found[script] = None
    return list(found)[:4]
