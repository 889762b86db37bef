"""What the generator refuses to make: rules in policy.toml, held against a prompt and what it may disguise.

A list of words knows words, not meanings: it misses what is said in other words, and refuses some harmless
things. What makes the generator safe is first of all that it can draw ten shapes and no people; see
docs/generator-world.md.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Any

from ...messages import say
from .vocabulary import knows

_PEOPLE = ("offices", "heads_of_state", "politicians", "celebrities", "business_and_science", "athletes")

# Letters of other scripts that look like Latin ones.
_LOOK_ALIKE = str.maketrans("авеѕіјкмнорстухԁɡһӏαβεικνορτυχıł", "abesijkmhopctyxdghlabeiknoptuxil")
_DIGITS = str.maketrans(
    {"0": "o", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "@": "a", "$": "s", "!": "i"}
)
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
_LETTERS = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_SPACED = re.compile(r"(?<![^\W_])[^\W_]([\s.\-_*·|/,]{1,3})(?:[^\W_]\1)+[^\W_](?![^\W_])")


@dataclass(frozen=True)
class Refusal:
    """Attributes:
    category: minors, sexual, hate, violence, fraud or real_person.
    found: the words that a rule was found in, as they were read.
    reason: a sentence for the person.
    """

    category: str
    found: str
    reason: str


@dataclass(frozen=True)
class _Rules:
    harmless: re.Pattern[str]
    categories: tuple[tuple[str, re.Pattern[str]], ...]
    squeezed: tuple[tuple[str, re.Pattern[str]], ...]
    together: tuple[tuple[str, re.Pattern[str], re.Pattern[str]], ...]
    titles: frozenset[str]
    first_names: frozenset[str]
    not_names: frozenset[str]


def check(text: str) -> Refusal | None:
    """Why a prompt is refused, or None."""
    rules = _rules()
    readings = [rules.harmless.sub(" ", reading) for reading in _readings(text)]
    for category, one, other in rules.together:
        for reading in readings:
            if (a := one.search(reading)) and (b := other.search(reading)):
                return _refusal(category, f"{a.group().strip()}, {b.group().strip()}")
    for category, rule in rules.categories:
        for reading in readings:
            if hit := rule.search(reading):
                return _refusal(category, hit.group().strip())
    for run in _spelled_out(text):
        for category, rule in rules.squeezed:
            if hit := rule.search(run):
                return _refusal(category, hit.group())
    if name := _name(text, rules):
        return Refusal("real_person", name, say("generator_policy.perhaps_person", found=name))
    return None


def _refusal(category: str, found: str) -> Refusal:
    return Refusal(category, found, say(f"generator_policy.{category}", found=found))


@cache
def _rules() -> _Rules:
    table: dict[str, Any] = tomllib.loads(
        resources.files(__package__).joinpath("policy.toml").read_text("utf-8")
    )
    categories = dict(table["categories"])
    people = table["people"]
    categories["real_person"] = [rule for kind in _PEOPLE for rule in people[kind]]
    return _Rules(
        harmless=_pattern(table["harmless"]),
        categories=tuple((name, _pattern(categories[name])) for name in table["order"]),
        squeezed=tuple((name, _squeezed(categories[name])) for name in table["order"]),
        together=tuple(
            (name, _pattern(pair["one"]), _pattern(pair["other"])) for name, pair in table["together"].items()
        ),
        titles=frozenset(people["titles"]),
        first_names=frozenset(people["first_names"]),
        not_names=frozenset(people["not_names"]),
    )


def _pattern(rules: Iterable[str]) -> re.Pattern[str]:
    """One pattern for rules, to be searched in words with single spaces around each."""
    return re.compile("(?<= )(?:" + "|".join(map(_one, sorted(set(rules), key=len, reverse=True))) + ")(?= )")


def _squeezed(rules: Iterable[str]) -> re.Pattern[str]:
    """One pattern for rules without their spaces, for what was spelled out letter by letter."""
    plain = {_folded(re.sub(r"[\s*']", "", rule)) for rule in rules}
    return re.compile("|".join(re.escape(word) for word in sorted(plain) if len(word) >= 4))


def _spelled_out(text: str) -> list[str]:
    """What a text spells out letter by letter, "n u d e", each as one word."""
    return [re.sub(r"[\W_]", "", run.group()).translate(_DIGITS) for run in _SPACED.finditer(_folded(text))]


def _one(rule: str) -> str:
    words = [re.escape(_folded(w.replace("'", ""))).replace(r"\*", r"\w*") for w in rule.split()]
    return " ".join(words) + ("" if rule.endswith("*") else "(?:s|es)?")


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", _INVISIBLE.sub("", text).casefold())
    return "".join(c for c in plain if not unicodedata.combining(c)).translate(_LOOK_ALIKE)


def _readings(text: str) -> Iterator[str]:
    """A text as words between single spaces, as it is and in each way that a disguise is undone."""
    folded = _folded(text)
    seen: set[str] = set()
    for spelled in (folded, _undigited(folded)):
        for words in (
            _words(spelled),
            [_unrepeated(w, 1) for w in _words(spelled)],
            _joined(_words(spelled)),
        ):
            for ones in (words, [w.replace("1", "i") for w in words], [w.replace("1", "l") for w in words]):
                if (reading := f" {' '.join(ones)} ") not in seen:
                    seen.add(reading)
                    yield reading


def _words(text: str) -> list[str]:
    return [word.replace("'", "").replace("’", "") for word in _TOKEN.findall(text)]


def _undigited(text: str) -> str:
    """Digits and signs that stand for letters as those letters, in words that have letters too."""

    def undone(word: str) -> str:
        core = word.rstrip("!?.,;:")
        mixed = any(c.isalpha() for c in core) and not core.isalpha()
        return core.translate(_DIGITS) + word[len(core) :] if mixed else word

    return " ".join(undone(word) for word in text.split())


def _unrepeated(word: str, most: int) -> str:
    """A word without letters that are drawn out: three of one kind or more become `most`."""
    return re.sub(r"(.)\1{2,}", r"\1" * most, word)


def _joined(words: Sequence[str]) -> list[str]:
    """Neighbouring pieces that are no words of the generator's as one word: "nu de"."""
    out: list[str] = []
    open_piece = False
    for word in words:
        piece = not knows(word) and len(word) <= 4
        if piece and open_piece:
            out[-1] += word
            open_piece = False
        else:
            out.append(word)
            open_piece = piece
    return out


def _name(text: str, rules: _Rules) -> str | None:
    """Two words in capitals that read like a person's name: unknown ones, or after a title or first name."""
    words = list(_LETTERS.finditer(text))
    capital = [w.group()[0].isupper() and not w.group()[1:].isupper() for w in words]
    titled = len(words) > 3 and sum(capital) > 0.7 * len(words)  # Every Word Has One: they tell nothing then
    for number, (first, second) in enumerate(pairwise(words)):
        if not (capital[number] and capital[number + 1]):
            continue
        a, b = first.group().casefold(), second.group().casefold()
        between = text[first.end() : second.start()]
        if between.strip() and not (between.strip() == "." and a in rules.titles):
            continue  # what ends a sentence begins no name
        if knows(b) or b in rules.not_names:
            continue
        named = a in rules.titles or a in rules.first_names
        if named or not (titled or knows(a) or a in rules.not_names):
            return f"{first.group()} {second.group()}"
    return None
