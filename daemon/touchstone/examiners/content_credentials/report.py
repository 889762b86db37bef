"""The SDK's validation report, in the shape that decisions need.

For the active manifest the report lists every code. For an ingredient it lists only how today's result
differs from what the manifest that took it in had recorded, so both have to be read together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_INGREDIENTS = 500
"""Ingredients looked at in one manifest."""

_OLD_INGREDIENT = re.compile(r"c2pa\.ingredient(\.v2)?(__\d+)?")


@dataclass
class Codes:
    """Validation codes of one manifest (C2PA 2.2, 15.2.1)."""

    success: set[str] = field(default_factory=set)
    informational: set[str] = field(default_factory=set)
    failure: set[str] = field(default_factory=set)


@dataclass
class Ingredient:
    """One thing that a manifest says its video was made from.

    Attributes:
        relationship: `parentOf`, `componentOf` or `inputTo`.
        manifest: label of its own manifest, if it came with one.
        today: codes of this validation that the recorded ones do not have.
        recorded: codes that the manifest that took it in wrote down. Its signer vouches for them.
        records_success: whether its kind of assertion records what succeeded too (from version 3 on,
            C2PA 2.2, 18.16.14), so that a success that is not recorded was not there.
        validated: whether this validation looked at it at all.
        data: as it stands in the report.
    """

    relationship: str
    manifest: str | None
    today: Codes
    recorded: Codes
    records_success: bool
    validated: bool
    data: Mapping[str, Any]


class Report:
    """One report of the SDK."""

    def __init__(self, tree: Mapping[str, Any]) -> None:
        self.active = str(tree.get("active_manifest") or "")
        manifests = _mapping(tree.get("manifests"))
        self.manifests = {str(label): _mapping(manifest) for label, manifest in manifests.items()}
        results = _mapping(tree.get("validation_results"))
        self.codes = _codes(results.get("activeManifest"))
        if not results:
            self.codes.failure |= {_code(item) for item in _list(tree.get("validation_status"))}
        self._deltas = {
            str(delta.get("ingredientAssertionURI")): _codes(delta.get("validationDeltas"))
            for delta in map(_mapping, _list(results.get("ingredientDeltas")))
        }

    def ingredients(self, label: str) -> list[Ingredient]:
        """The ingredients that the manifest `label` names."""
        found = []
        for data in map(_mapping, _list(self.manifests.get(label, {}).get("ingredients"))[:MAX_INGREDIENTS]):
            uri = f"self#jumbf=/c2pa/{label}/c2pa.assertions/{data.get('label')}"
            recorded = _codes(_mapping(data.get("validation_results")).get("activeManifest"))
            recorded.failure |= {_code(item) for item in _list(data.get("validation_status"))}
            manifest = data.get("active_manifest")
            found.append(
                Ingredient(
                    relationship=str(data.get("relationship") or ""),
                    manifest=str(manifest) if manifest in self.manifests else None,
                    today=self._deltas.get(uri, Codes()),
                    recorded=recorded,
                    records_success=not _OLD_INGREDIENT.fullmatch(str(data.get("label"))),
                    validated=uri in self._deltas,
                    data=data,
                )
            )
        return found

    def assertions(self, label: str) -> Iterable[tuple[str, Any]]:
        """Label and data of the assertions of one manifest."""
        for assertion in map(_mapping, _list(self.manifests.get(label, {}).get("assertions"))):
            yield str(assertion.get("label") or ""), assertion.get("data")


def _codes(group: Any) -> Codes:
    lists = _mapping(group)
    return Codes(
        *(
            {_code(item) for item in _list(lists.get(name))}
            for name in ("success", "informational", "failure")
        )
    )


def _code(item: Any) -> str:
    return str(_mapping(item).get("code") or "")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
