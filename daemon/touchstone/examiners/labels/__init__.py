"""Declared labels: what a file's own metadata says about AI.

Sources: IPTC NewsCodes and Photo Metadata 2025.1, GB 45438-2025, and the keys that services and open
pipelines write (docs/labels.md). A label is a claim by whoever wrote the file: never verified, without a
likelihood ratio; and where there is none, nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from os import SEEK_END
from typing import BinaryIO

from ...media.container import Container, NotMedia, Tag
from ...media.probe import read_container
from ...verdict import Evidence
from .. import Clip, Needs
from .rules import RULES

MAX_FOR_RULE = 64  # tags that one rule reads: no honest file repeats a label that often
SEARCHED_FRAGMENTS = 2  # sound and picture may come in segments of their own


class Labels:
    """Declared labels in container metadata and in the SEI of the first access unit.

    Reads what `media.probe` collected, never frames. Contradicting labels are all reported.
    """

    name = "labels"
    needs = Needs.CONTAINER

    def examine(self, clip: Clip) -> Iterator[Evidence]:
        """Every claim once, in the order of the rules."""
        container = clip.container
        for fragment in clip.fragments[:SEARCHED_FRAGMENTS]:
            container = replace(container, tags=[*container.tags, *_tags_of(fragment, container.codec)])
        yield from claims_in(container)


def _tags_of(fragment: BinaryIO, codec: str | None) -> list[Tag]:
    """The tags in a media segment: of interest is the first access unit, which the file itself lacks."""
    try:
        return read_container(fragment, fragment.seek(0, SEEK_END), codec).tags
    except NotMedia:
        return []


def claims_in(container: Container) -> Iterator[Evidence]:
    """The claims in a container's tags; the same claim at several places of one rule is given once."""
    seen: set[tuple[str, ...]] = set()
    for rule in RULES:
        for tag in islice(filter(rule.applies, container.tags), MAX_FOR_RULE):
            claim = rule.read(tag, container)
            if claim is None:
                continue
            same = (
                rule.name,
                claim.finding,
                claim.certainty,
                claim.generator or "",
                *sorted(claim.names.values()),
            )
            if same not in seen:
                seen.add(same)
                yield claim.evidence(tag, rule.name)
