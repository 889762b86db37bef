"""The table: how well scores of held-out clips part the classes, and what they must not read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from .conditions import DEGRADED, EVALUATED
from .crossval import Scored, by
from .leaks import FACTS, leaks, real_against_real
from .matching import matched
from .measures import Recall, auc, clopper_pearson, recall_at

SHOWN = 0.01
"""False alarms that the shown threshold may have on the real clips of the other folds."""


def write(folder: Path, cache: Path, scored: Sequence[Scored], shuffled: Sequence[Sequence[Scored]]) -> None:
    """Write `table.md` and `scores.json` into `folder` and print the table."""
    parts = [
        "## Held-out families and held-out sources",
        *_conditions(scored),
        "",
        "## Leak tests",
        *_leaks(scored, cache, shuffled),
        "",
        "## False alarms at a threshold of the other folds",
        *_false_alarms(scored),
        "",
        "## By generator and by source",
        *_groups(scored),
    ]
    text = "\n".join(parts) + "\n"
    (folder / "table.md").write_text(text, encoding="utf-8")
    print(text, flush=True)
    entries = [
        {
            "clip": entry.row.clip.file,
            "label": entry.row.clip.label,
            "group": entry.row.clip.group,
            "condition": entry.row.condition,
            "fold": entry.row.fold,
            "score": round(entry.score, 4),
        }
        for entry in scored
    ]
    (folder / "scores.json").write_text(json.dumps(entries, indent=0) + "\n", encoding="utf-8")


def put(page: Path, table: Path) -> None:
    """Write the table between the marks `<!-- table -->` and `<!-- /table -->` of a page.

    Raises:
        ValueError: the page does not have both.
    """
    text = page.read_text(encoding="utf-8")
    before, opened, rest = text.partition("<!-- table -->")
    _, closed, after = rest.partition("<!-- /table -->")
    if not opened or not closed:
        raise ValueError(f"{page}: has no <!-- table --> and <!-- /table --> to put the table between")
    content = f"{before}{opened}\n{table.read_text(encoding='utf-8')}{closed}{after}"
    page.write_text(content, encoding="utf-8")


def _of(scored: Sequence[Scored], condition: str) -> dict[str, list[float]]:
    found = by([entry for entry in scored if entry.row.condition == condition], lambda e: e.row.clip.label)
    return {label: list(found.get(label, [])) for label in ("generated", "real", "cgi")}


def _rate(recall: Recall) -> str:
    low, high = recall.interval
    return f"{recall.rate:.0%} ({low:.0%} to {high:.0%})"


def _conditions(scored: Sequence[Scored]) -> list[str]:
    lines = [
        "| condition | generated / real | AUC | AUC, matched (pairs) | recall at 5 % | recall at 1 % "
        "| CGI above the 1 % threshold |",
        "|---|---|---|---|---|---|---|",
    ]
    for condition in EVALUATED:
        part = _of(scored, condition)
        if not part["generated"] or not part["real"]:
            continue
        pairs = _matched(scored, condition)
        five, one = (recall_at(part["generated"], part["real"], rate) for rate in (0.05, 0.01))
        drawn = sum(score > one.threshold for score in part["cgi"])
        high = clopper_pearson(drawn, len(part["cgi"]))[1]
        lines.append(
            f"| {condition} | {len(part['generated'])} / {len(part['real'])} "
            f"| {auc(part['generated'], part['real']):.3f} | {_auc(pairs):.3f} ({len(pairs) // 2}) "
            f"| {_rate(five)} | {_rate(one)} | {drawn} of {len(part['cgi'])} (at most {high:.0%}) |"
        )
    return lines


def _matched(scored: Sequence[Scored], condition: str) -> list[Scored]:
    of = {id(entry.row): entry for entry in scored}
    return [of[id(row)] for row in matched([e.row for e in scored if e.row.condition == condition])]


def _auc(entries: Sequence[Scored]) -> float:
    return auc(
        [entry.score for entry in entries if entry.row.target],
        [entry.score for entry in entries if not entry.row.target],
    )


def _leaks(scored: Sequence[Scored], cache: Path, shuffled: Sequence[Sequence[Scored]]) -> list[str]:
    lines = ["| condition | " + " | ".join(FACTS) + " |", "|---" * (len(FACTS) + 1) + "|"]
    for condition in EVALUATED:
        pairs = [entry.row for entry in _matched(scored, condition)]
        if pairs:
            found = leaks(pairs, cache, paired=True).values()
            lines.append(f"| {condition}, matched | " + " | ".join(f"{v:.2f}" for v in found) + " |")
    real = [e for e in scored if e.row.clip.label == "real" and e.row.condition == "360p_crf28"]
    chance = [
        _auc([e for e in part if e.row.clip.label != "cgi" and e.row.condition == "360p_crf28"])
        for part in shuffled
    ]
    lines += [
        "",
        f"Real against real: {real_against_real(by(real, lambda e: e.row.clip.group)):.3f} "
        "(mean over 200 halvings of the sources); the two largest sources against each other: "
        f"{_largest(by(real, lambda e: e.row.clip.group))}.",
        f"Shuffled labels: {np.mean(chance):.3f} (mean of {len(chance)}; "
        f"{min(chance):.2f} to {max(chance):.2f}).",
    ]
    first, second = _of(scored, "360p_crf28"), _of(scored, "360p_vp9")
    if second["generated"]:
        same = auc(first["generated"], first["real"])
        swaps = (auc(second["generated"], first["real"]), auc(first["generated"], second["real"]))
        lines.append(
            f"Codecs swapped between the classes: AUC {swaps[0]:.3f} and {swaps[1]:.3f}, "
            f"{same:.3f} with one codec."
        )
    return lines


def _largest(sources: Mapping[str, Sequence[float]]) -> str:
    """The AUC between the two sources with most clips, the higher one first, and their names."""
    one, other = sorted(sources, key=lambda name: (-len(sources[name]), name))[:2]
    value = auc(sources[one], sources[other])
    return f"{max(value, 1 - value):.3f} ({one}, {len(sources[one])}; {other}, {len(sources[other])})"


def _false_alarms(scored: Sequence[Scored]) -> list[str]:
    """The threshold of each fold is that of the real clips of the other folds, in all conditions together."""
    lines = ["| condition | clips | above the threshold | upper bound, 95 % |", "|---|---|---|---|"]
    shown = (*EVALUATED, *DEGRADED)
    total, hits = 0, 0
    for condition in shown:
        for label in ("real", "cgi"):
            part = [e for e in scored if e.row.condition == condition and e.row.clip.label == label]
            false = sum(e.score > _threshold(scored, e.row.fold) for e in part)
            if part:
                lines.append(
                    f"| {condition}, {label} | {len(part)} | {false} "
                    f"| {clopper_pearson(false, len(part))[1]:.1%} |"
                )
            if label == "real":
                total, hits = total + len(part), hits + false
    bound = clopper_pearson(hits, total)[1]
    lines.append(f"| all real | {total} | {hits} ({hits / max(total, 1):.1%}) | {bound:.1%} |")
    return lines


def _threshold(scored: Sequence[Scored], fold: int) -> float:
    real = sorted(e.score for e in scored if e.row.clip.label == "real" and e.row.fold != fold)
    return real[len(real) - 1 - int(SHOWN * len(real))]


def _groups(scored: Sequence[Scored], condition: str = "360p_crf28") -> list[str]:
    """AUC of each generator against all real clips, and of all generated ones against each source."""
    part = [e for e in scored if e.row.condition == condition]
    real = [e.score for e in part if e.row.clip.label == "real"]
    made = [e.score for e in part if e.row.clip.label == "generated"]
    lines = [f"In {condition}.", "", "| generator | clips | AUC against all real clips |", "|---|---|---|"]
    groups = by([e for e in part if e.row.clip.label == "generated"], lambda e: e.row.clip.group)
    for name in sorted(groups, key=lambda n: -auc(groups[n], real)):
        lines.append(f"| {name} | {len(groups[name])} | {auc(groups[name], real):.2f} |")
    lines += ["", "| real source | clips | AUC of all generated clips against it |", "|---|---|---|"]
    sources = by([e for e in part if e.row.clip.label == "real"], lambda e: e.row.clip.group)
    for name in sorted((n for n in sources if len(sources[n]) > 2), key=lambda n: auc(made, sources[n])):
        lines.append(f"| {name} | {len(sources[name])} | {auc(made, sources[name]):.2f} |")
    return lines
