"""What a chain of manifests says of where a video came from.

A manifest says how its video came into being (`c2pa.created` with a source type), or that it was opened from
an ingredient whose manifest says it; and what was changed after that. Only manifests that are intact speak:
a broken ingredient supplies nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from . import integrity
from .integrity import Integrity
from .report import Ingredient, Report
from .vocabulary import (
    MAX_TEXT,
    Kind,
    generator,
    inception_actions,
    non_editorial_actions,
    says_ai_in_words,
    source_type,
)

MAX_DEPTH = 64
"""Manifests on one path. Google's transcoding chains were seen with 30."""
MAX_ACTIONS = 5000
MAX_NESTING = 6
"""Levels of metadata that are looked into."""

_AI_SIDE = (Kind.AI, Kind.EDITED)
_METADATA = ("stds.iptc", "c2pa.metadata", "cawg.metadata", "stds.exif", "adobe.")
_SOUND = (Integrity.INTACT, Integrity.MALFORMED)


@dataclass(frozen=True)
class Statement:
    """One answer to where the video came from.

    Attributes:
        kind: what it says.
        path: labels from the manifest that was asked to the one whose words these are.
        action: the action that says it, if one does.
        source_type: the source type, as it stands there.
        agent: the software agent that the action names.
    """

    kind: Kind
    path: tuple[str, ...]
    action: str | None = None
    source_type: str | None = None
    agent: str | None = None


@dataclass(frozen=True)
class Action:
    """An action of a manifest, as far as it is looked at."""

    name: str
    kind: Kind | None
    keeps_camera: bool
    source_type: str | None
    agent: str | None
    description: str | None


class Reader:
    """Reads the statements of one report.

    Attributes:
        broken: labels of ingredients' manifests that were not listened to, and why.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._known: dict[str, Statement | None] = {}
        self.broken: dict[str, Integrity] = {}

    def read(self, label: str) -> Statement | None:
        """What the manifest `label` says, its ingredients included; None if it says nothing about it."""
        return self._read(label, 0)

    def _read(self, label: str, depth: int) -> Statement | None:
        if label in self._known:
            return self._known[label]
        if depth > MAX_DEPTH:
            return None
        self._known[label] = None  # a manifest that names itself as its ingredient says nothing more
        statement = self._decide(label, depth)
        self._known[label] = statement
        return statement

    def _decide(self, label: str, depth: int) -> Statement | None:
        ingredients = self._report.ingredients(label)
        parents = [i for i in ingredients if i.relationship == "parentOf"]
        components = [i for i in ingredients if i.relationship == "componentOf"]
        actions = list(read_actions(self._report, label))
        own = self._own_origin(label, actions, ingredients)
        origin = _strongest([*([own] if own else []), *self._speak(parents, label, depth)])
        parts = [self._speak([component], label, depth) for component in components]
        return _apply(label, origin, parents, parts, actions)

    def _own_origin(
        self, label: str, actions: Sequence[Action], ingredients: Sequence[Ingredient]
    ) -> Statement | None:
        """How the manifest itself says that its video came into being."""
        # Opening may have a source type too: Adobe writes so what a model of someone else's generated.
        created = [a for a in actions if a.name in inception_actions() and a.kind]
        in_words = [a for a in actions if says_ai_in_words(a.description) and not a.kind]
        said = [Statement(a.kind, (label,), a.name, a.source_type, a.agent) for a in created if a.kind]
        said += [Statement(Kind.AI, (label,), a.name, None, a.agent) for a in in_words]
        said += _assertions_say(self._report, label)
        if strongest := _strongest(said):
            return strongest
        if any(i.relationship == "parentOf" for i in ingredients):
            return None
        return _product_says(self._report, label, actions) or _exif_says(self._report, label, actions)

    def _speak(self, ingredients: Sequence[Ingredient], label: str, depth: int) -> list[Statement]:
        """What the ingredients' own manifests say, as far as they are intact."""
        said = []
        for ingredient in ingredients:
            if ingredient.manifest is None:
                said += _declared(ingredient, label)
                continue
            state = integrity.of_ingredient(ingredient)
            if state not in _SOUND:
                self.broken[ingredient.manifest] = state
                continue
            if statement := self._read(ingredient.manifest, depth + 1):
                said.append(replace(statement, path=(label, *statement.path)))
        return said


def _apply(
    label: str,
    origin: Statement | None,
    parents: Sequence[Ingredient],
    parts: Sequence[Sequence[Statement]],
    actions: Sequence[Action],
) -> Statement | None:
    """The origin, with what was done and put in after it."""
    if origin is not None and origin.kind in _AI_SIDE:
        return origin
    changes = [a for a in actions if a.name not in inception_actions()]
    ai_changes = [a for a in changes if a.kind in _AI_SIDE]
    visible = [a for a in ai_changes if a.name not in non_editorial_actions()]
    blank = origin is None or origin.kind is Kind.EMPTY
    if blank and not parents and not parts and ai_changes:
        # Nothing was there before: the change is all there is.
        return max((_by(a, label) for a in ai_changes), key=_rank)
    if visible:
        return replace(_by(visible[0], label), kind=Kind.EDITED)
    if blank and ai_changes:
        return _by(ai_changes[0], label)
    ai_parts = [s for said in parts for s in said if s.kind in _AI_SIDE]
    if ai_parts:
        only_ai = blank and not parents and all(any(s.kind is Kind.AI for s in said) for said in parts)
        return _strongest(ai_parts) if only_ai else replace(ai_parts[0], kind=Kind.EDITED)
    if origin is not None and origin.kind is Kind.CAMERA:
        only_camera = all(any(s.kind is Kind.CAMERA for s in said) for said in parts)
        kept = all(a.keeps_camera for a in changes if a.kind and a.name not in non_editorial_actions())
        return origin if only_camera and kept else replace(origin, kind=Kind.OTHER)
    return origin


def _by(action: Action, label: str) -> Statement:
    return Statement(action.kind or Kind.OTHER, (label,), action.name, action.source_type, action.agent)


# Of several answers the one that says most about AI leads: what AI touched stays touched.
_ORDER = (Kind.AI, Kind.EDITED, Kind.SCREEN, Kind.OTHER, Kind.CAMERA, Kind.EMPTY)


def _rank(statement: Statement) -> int:
    return -_ORDER.index(statement.kind)


def _strongest(said: Sequence[Statement]) -> Statement | None:
    return max(said, key=_rank, default=None)


# --- the words of one manifest ----------------------------------------------------------------


def read_actions(report: Report, label: str) -> Iterator[Action]:
    """The actions of one manifest, in order (C2PA 2.2, 18.15, and 1.x)."""
    count = 0
    for name, data in report.assertions(label):
        if not name.startswith("c2pa.actions") or not isinstance(data, Mapping):
            continue
        templates = _templates(data)
        for raw in data.get("actions") or ():
            count += 1
            if count > MAX_ACTIONS:
                return
            if isinstance(raw, Mapping) and isinstance(raw.get("action"), str):
                yield _action(raw, templates)


def _templates(data: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """What holds for every action of a name (C2PA 2.2, 18.15.10)."""
    listed = data.get("templates")
    if not isinstance(listed, list):
        return {}
    return {str(t.get("action")): t for t in listed if isinstance(t, Mapping)}


def _action(raw: Mapping[str, Any], templates: Mapping[str, Mapping[str, Any]]) -> Action:
    name = raw["action"][:MAX_TEXT]
    template = templates.get(name) or templates.get("*") or {}
    stated = _stated_type(raw) or _stated_type(template)
    kind = source_type(stated)
    agent = _agent(raw.get("softwareAgent")) or _agent(template.get("softwareAgent"))
    description = raw.get("description")
    return Action(
        name=name,
        kind=kind.kind if kind else None,
        keeps_camera=kind.keeps_camera if kind else True,
        source_type=stated[:MAX_TEXT] if stated else None,
        agent=agent or _agent(_parameters(raw).get("com.adobe.details")),
        description=description[:MAX_TEXT] if isinstance(description, str) else None,
    )


def _stated_type(raw: Mapping[str, Any]) -> str | None:
    """The source type of an action: its own field, or a parameter of that name (Adobe writes one)."""
    own = raw.get("digitalSourceType")
    if isinstance(own, str):
        return own
    for key, value in _parameters(raw).items():
        if isinstance(key, str) and _local_name(key) == "digitalsourcetype" and isinstance(value, str):
            return value
    return None


def _parameters(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    parameters = raw.get("parameters")
    return parameters if isinstance(parameters, Mapping) else {}


def _local_name(key: str) -> str:
    return key.replace(":", ".").rsplit(".", 1)[-1].casefold()


def _agent(value: Any) -> str | None:
    if isinstance(value, Mapping):
        value = value.get("name")
    return value[:MAX_TEXT] if isinstance(value, str) and value.strip() else None


def _assertions_say(report: Report, label: str) -> list[Statement]:
    """Assertions about the whole file: metadata with a source type, and Black Forest Labs' own assertion."""
    said = []
    for name, data in report.assertions(label):
        if not isinstance(data, Mapping):
            continue
        if name.startswith("c2pa.ai_generated_content") and data.get("ai_generated") is True:
            said.append(Statement(Kind.AI, (label,), agent=_agent(data.get("model"))))
        elif name.startswith(_METADATA):
            types = [source_type(value) for value in _values(data, "digitalsourcetype")]
            said += [Statement(t.kind, (label,), source_type=t.name) for t in types if t]
    return said


def _values(node: Any, wanted: str, depth: int = 0) -> Iterator[Any]:
    """The values of every key with this local name, also inside a JSON-LD graph."""
    if depth > MAX_NESTING:
        return
    if isinstance(node, list):
        for item in node:
            yield from _values(item, wanted, depth + 1)
    elif isinstance(node, Mapping):
        for key, value in node.items():
            if _local_name(str(key)) == wanted:
                yield from value if isinstance(value, list) else [value]
            else:
                yield from _values(value, wanted, depth + 1)


def _declared(ingredient: Ingredient, label: str) -> list[Statement]:
    """A source type that the manifest itself gives for an ingredient that has no manifest of its own."""
    metadata = ingredient.data.get("metadata")
    own = {k: v for k, v in ingredient.data.items() if _local_name(str(k)) == "digitalsourcetype"}
    types = [source_type(value) for value in _values([own, metadata], "digitalsourcetype")]
    return [Statement(t.kind, (label,), source_type=t.name) for t in types[:1] if t]


def claim_generators(report: Report, label: str) -> list[str]:
    """What the manifest calls the program that made it: structured names first, then the old free text."""
    manifest = report.manifests.get(label, {})
    listed = manifest.get("claim_generator_info")
    names = [_agent(item) for item in listed] if isinstance(listed, list) else []
    return [name for name in (*names, _agent(manifest.get("claim_generator"))) if name]


def _product_says(report: Report, label: str, actions: Sequence[Action]) -> Statement | None:
    """A new file by a program that does nothing but generate, without any source type in its manifest."""
    if any(a.kind for a in actions) or any(a.name == "c2pa.opened" for a in actions):
        return None
    if actions and not any(a.name == "c2pa.created" for a in actions):
        return None
    for text in (*(a.agent for a in actions), *claim_generators(report, label)):
        product = generator(text)
        if product and product.generates:
            return Statement(Kind.AI, (label,), "c2pa.created" if actions else None, agent=text)
    return None


def _exif_says(report: Report, label: str, actions: Sequence[Action]) -> Statement | None:
    """Cameras before source types: `stds.exif` with a maker and an exposure, and nothing made otherwise."""
    if any(a.name not in ("c2pa.created", "c2pa.published") for a in actions):
        return None
    for name, data in report.assertions(label):
        if name.startswith(("stds.exif", "c2pa.metadata")) and isinstance(data, Mapping):
            keys = {_local_name(str(key)) for key in data}
            if "make" in keys and keys & {"exposuretime", "fnumber", "photographicsensitivity"}:
                return Statement(Kind.CAMERA, (label,))
    return None
