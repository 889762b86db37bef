"""What the examiner `labels` says about bytes, checked for what must hold of all its evidence."""

from __future__ import annotations

import io
import json

from touchstone.examiners import Clip
from touchstone.examiners.labels import Labels
from touchstone.media.probe import read_container
from touchstone.verdict import Evidence, Supports


def labels(data: bytes, *fragments: bytes) -> list[Evidence]:
    file = io.BytesIO(data)
    clip = Clip(file, len(data), read_container(file, len(data)), tuple(map(io.BytesIO, fragments)))
    found = list(Labels().examine(clip))
    for evidence in found:
        assert evidence.examiner == "labels"
        assert not evidence.verified
        assert evidence.log10_lr is None
        assert evidence.finding
        assert evidence.details["claimed_by"]
        assert evidence.details["place"]
        assert len(evidence.details["value"]) <= 500
        assert Evidence.model_validate_json(evidence.model_dump_json()) == evidence
    return found


def summary(data: bytes, *fragments: bytes) -> list[tuple[str, str | None, str | None]]:
    """What each piece of evidence supports, its certainty and its generator."""
    return [
        (e.supports.value, e.details.get("certainty"), e.details.get("generator"))
        for e in labels(data, *fragments)
    ]


def loud(data: bytes) -> list[str]:
    return [e.finding for e in labels(data) if e.supports is not Supports.NEITHER]


def aigc(label: object = "1", producer: object = "001191110108335469089C10100", **more: object) -> str:
    """A label as the practice guide spells it."""
    fields = {
        "Label": label,
        "ContentProducer": producer,
        "ProduceID": "p1",
        "ReservedCode1": "",
        "ContentPropagator": "",
        "PropagateID": "",
        "ReservedCode2": "",
    }
    return json.dumps(fields | more, separators=(",", ":"))
