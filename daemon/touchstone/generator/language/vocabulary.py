"""The words that the generator knows, their numbers, and how a person's words become them."""

from __future__ import annotations

import hashlib
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources

from ..world import Background, Colour, Light, Size

PADDING = 0
MOST_IDS = 64
"""Numbers that one prompt may become."""
MOST_WORDS = 500
"""Words of a prompt that are looked at at all."""

SEVERAL = "several"
"""Not a token of the model: that the word after it was said in the plural."""

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Vocabulary:
    """Attributes:
    ids: a token to its number, from 1.
    phrases: what people write, in words, to the token it means; None for words without meaning here.
    negations: words that take away what follows them.
    longest: words of the longest phrase.
    fingerprint: SHA-256 of the tokens in their order, kept beside a model that was trained on them.
    """

    ids: Mapping[str, int]
    phrases: Mapping[tuple[str, ...], str | None]
    negations: frozenset[str]
    longest: int
    fingerprint: str

    def token(self, number: int) -> str:
        """The token of a number.

        Raises:
            KeyError: no token has it.
        """
        return {i: t for t, i in self.ids.items()}[number]


@dataclass(frozen=True)
class Words:
    """What was made of a text.

    Attributes:
        tokens: what was understood, in the order in which it was said; `SEVERAL` stands before a plural.
        understood: the words that gave those tokens, or that need no token.
        unknown: the words that were not understood, each once, and in their order.
        read_as: phrases that were taken for another word of the vocabulary, and that word.
        left_out: how many words at the end were not looked at.
    """

    tokens: tuple[str, ...]
    understood: tuple[str, ...]
    unknown: tuple[str, ...]
    read_as: tuple[tuple[str, str], ...] = ()
    left_out: int = 0


@cache
def vocabulary() -> Vocabulary:
    """The one vocabulary, read from vocabulary.toml."""
    table = tomllib.loads(resources.files(__package__).joinpath("vocabulary.toml").read_text("utf-8"))
    tokens: list[str] = table["tokens"]
    phrases: dict[tuple[str, ...], str | None] = {tuple(words.split()): None for words in table["silent"]}
    for token in tokens:
        for phrase in (token, *table["synonyms"].get(token, [])):
            phrases[tuple(phrase.split())] = token
    return Vocabulary(
        ids={token: number for number, token in enumerate(tokens, 1)},
        phrases=phrases,
        negations=frozenset(table["negations"]),
        longest=max(map(len, phrases)),
        fingerprint=hashlib.sha256("\n".join(tokens).encode()).hexdigest(),
    )


def words_of(text: str) -> list[str]:
    """The words of a text, folded to lower case and without accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return _WORD.findall("".join(c for c in plain if not unicodedata.combining(c)))


def read(text: str) -> Words:
    """What the vocabulary makes of a text: the longest phrases first, plurals as their singular."""
    known = vocabulary()
    words = words_of(text)
    left_out, words = max(0, len(words) - MOST_WORDS), words[:MOST_WORDS]
    tokens: list[str] = []
    understood: list[str] = []
    unknown: dict[str, None] = {}
    read_as: dict[str, str] = {}
    at, taken_away = 0, False
    while at < len(words):
        length, token, plural = _longest(known, words, at)
        said = words[at : at + length]
        at += length
        if said == ["circle"] and tokens and tokens[-1] in _ATTRIBUTES:
            token = _ROUND  # "a red circle" is a thing, "circles over a meadow" a motion
        if token in _COLOURS and words[at : at + 1] == ["background"]:
            unknown[" ".join([*said, "background"])] = None  # backgrounds have colours of their own
            at += 1
        elif token in _LOOKS and _lies_behind(known, words, at):
            unknown.update(dict.fromkeys(said))  # "a large blue sky": looks of its own, too
        elif token is None and not plural:
            # A word without meaning here, or one that is not known. After "no", articles change nothing.
            if tuple(said) in known.phrases:
                understood.extend(said)
                taken_away &= said[0] in _ARTICLES
            else:
                unknown.update(dict.fromkeys(said))
                taken_away = said[0] in known.negations
        elif taken_away:
            unknown.update(dict.fromkeys(said))
            taken_away = token in _ATTRIBUTES
        else:
            understood.extend(said)
            tokens += ([SEVERAL] if plural else []) + ([token] if token else [])
            if token and token not in (" ".join(said), " ".join([*said[:-1], _singular(said[-1])])):
                read_as[" ".join(said)] = token
    return Words(tuple(tokens), tuple(understood), tuple(unknown), tuple(read_as.items()), left_out)


_ROUND = "ball"
_COLOURS = frozenset(colour.value for colour in Colour)
_LOOKS = frozenset(word.value for kind in (Colour, Size) for word in kind)
_BEHIND = frozenset(word.value for kind in (Background, Light) for word in kind)
_ARTICLES = frozenset({"a", "an", "the", "some"})
# What may stand between "no" and the thing that is not to be there.
_ATTRIBUTES = frozenset(
    token.value if isinstance(token, StrEnum) else token for token in ("one", "two", "three", *Size, *Colour)
)


def _lies_behind(known: Vocabulary, words: list[str], at: int) -> bool:
    """Whether what the words from `at` on describe is a background or a time of day."""
    token: str | None = None
    while at < len(words):
        length, token, _ = _longest(known, words, at)
        if token not in _LOOKS:
            break
        at += length
    return token in _BEHIND


def _longest(known: Vocabulary, words: list[str], at: int) -> tuple[int, str | None, bool]:
    """How many words from `at` on are one phrase, its token, and whether it is a plural."""
    for length in range(min(known.longest, len(words) - at), 0, -1):
        phrase = tuple(words[at : at + length])
        if phrase in known.phrases:
            return length, known.phrases[phrase], False
        one = (*phrase[:-1], _singular(phrase[-1]))
        if known.phrases.get(one):
            return length, known.phrases[one], True
    return 1, None, False


def _singular(word: str) -> str:
    return word.removesuffix("es") if word.endswith(("xes", "shes", "ches")) else word.removesuffix("s")


def knows(word: str) -> bool:
    """Whether a single word, folded to lower case, is one that the vocabulary has, alone or in a phrase."""
    return word in _single_words() or _singular(word) in _single_words()


@cache
def _single_words() -> frozenset[str]:
    known = vocabulary()
    return frozenset(word for phrase in known.phrases for word in phrase) | known.negations
