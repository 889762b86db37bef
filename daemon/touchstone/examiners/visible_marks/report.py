"""A mark as evidence: what was read, where, when, and what it is worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ...messages import say
from ...verdict import Evidence, Span, Supports
from .looks import Content, Look
from .measured import log10_lr
from .reading import Mark, Sighting

_EXAMINER = "visible_marks"
_TOLD = 4  # stretches; a sentence with more is not read to its end


def evidence(mark: Mark, looks: Sequence[Look], within: Content) -> Evidence:
    """What a mark says, for people and for programs.

    A brand is weighed by the measured likelihood ratio. A label is a claim of whoever put it into the picture
    and is reported as one, like a label in metadata; in a single picture it supports nothing, unless its rule
    says otherwise.
    """
    rule = mark.rule
    boxes = [_box(sighting, looks, within) for sighting in mark.sightings]
    texts = Counter(sighting.text for sighting in mark.sightings)
    text = texts.most_common(1)[0][0]
    supports = Supports.NEITHER if mark.single and not rule.single else rule.supports
    details: dict[str, Any] = {
        "rule": rule.id,
        "kind": rule.kind,
        "generator": rule.generator,
        "text": text,
        "texts": sorted(texts),
        "boxes": boxes,
        "mirrored": mark.mirrored,
        "frames_seen": len(mark.searched),
        "frames_with": len(mark.sightings),
    }
    if rule.kind == "label":
        details |= {
            "declared": True,
            "certainty": "stated",
            "claimed_by": say("visible_marks.claimed_by.label"),
        }
    return Evidence(
        examiner=_EXAMINER,
        finding=say(
            f"visible_marks.finding.{rule.kind}_{rule.supports.value}",
            name=rule.generator,
            text=text,
            where=_where(mark, boxes),
            seen=_seen(mark),
        ),
        supports=supports,
        log10_lr=_log10_lr(mark),
        details=details,
        spans=_spans(mark, looks),
    )


def _log10_lr(mark: Mark) -> float | None:
    if mark.rule.kind == "label":
        return None
    return log10_lr("picture" if mark.single else "clip")


def _box(sighting: Sighting, looks: Sequence[Look], within: Content) -> dict[str, float]:
    """The sighting as fractions of the whole frame, black bars included."""
    look = looks[sighting.look]
    height, width = look.picture.shape
    left, top, right, bottom = sighting.box
    across, down = within.right - within.left, within.bottom - within.top
    return {
        "time_s": round(look.time_s, 3),
        "x": round((within.left + left * across) / width, 4),
        "y": round((within.top + top * down) / height, 4),
        "w": round((right - left) * across / width, 4),
        "h": round((bottom - top) * down / height, 4),
    }


def _where(mark: Mark, boxes: Sequence[dict[str, float]]) -> str:
    """The places, each with the time it was seen there, in the order in which the mark went through them."""
    if mark.single:
        return _place(boxes[0])
    stretches: list[tuple[str, list[float]]] = []
    for box in boxes:
        place = _place(box)
        if not stretches or stretches[-1][0] != place:
            stretches.append((place, []))
        stretches[-1][1].append(box["time_s"])
    if len(stretches) > _TOLD:
        count = len({place for place, _ in stretches})
        times = [box["time_s"] for box in boxes]
        return _during(say("visible_marks.where.several", count=count), times)
    return say("visible_marks.word.then").join(_during(*stretch) for stretch in stretches)


def _during(place: str, times: Sequence[float]) -> str:
    first, last = f"{times[0]:.1f}", f"{times[-1]:.1f}"
    if first == last:
        return say("visible_marks.when.moment", place=place, at=first)
    return say("visible_marks.when.stretch", place=place, first=first, last=last)


def _place(box: dict[str, float]) -> str:
    x, y = box["x"] + box["w"] / 2, box["y"] + box["h"] / 2
    across = "left" if x < 1 / 3 else "right" if x > 2 / 3 else "centre"
    down = "top" if y < 1 / 3 else "bottom" if y > 2 / 3 else "middle"
    return say(f"visible_marks.where.{down}_{across}")


def _seen(mark: Mark) -> str:
    if mark.single:
        return say("visible_marks.when.single")
    return say("visible_marks.when.looks", found=len(mark.sightings), looks=len(mark.searched))


def _spans(mark: Mark, looks: Sequence[Look]) -> list[Span]:
    """Stretches over neighbouring looks, of those it was looked for in, that show the mark."""
    shown = {sighting.look for sighting in mark.sightings}
    stretches: list[list[int]] = []
    going_on = False
    for number in mark.searched:
        if number in shown and going_on:
            stretches[-1].append(number)
        elif number in shown:
            stretches.append([number])
        going_on = number in shown
    return [Span(start_s=looks[run[0]].time_s, end_s=looks[run[-1]].time_s) for run in stretches]
