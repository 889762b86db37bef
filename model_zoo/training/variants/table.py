"""Writes a report down: the table of a card, and the lines of zoo.toml."""

from __future__ import annotations

from .build import Attempt, Report


def card_table(report: Report) -> str:
    """A Markdown table of every attempt, with why one does not ship."""
    lines = [
        "| variant | kept in fp32 | small layers | bytes | ms, one thread | verdicts that flip"
        " | largest difference (median) | ships |",
        "|---|---|---|---|---|---|---|---|",
        *(_row(attempt) for attempt in report.attempts),
        "",
        f"{report.golden} golden verdicts, none of whose inputs were calibrated on; activations measured on"
        f" {report.recorded} recorded inputs. A variant may flip less than {report.recipe.max_flips:.1%} of"
        f" the verdicts and differ by at most {report.recipe.max_difference:g}, each under the calibration"
        " fitted to it. Times are of a processor, which computes fp16 in fp32.",
    ]
    return "\n".join(lines)


def _row(attempt: Attempt) -> str:
    apart = attempt.differences
    kept = ", ".join(f"`{pattern}`" for pattern in attempt.kept) or "nothing"
    cells = [
        attempt.variant,
        kept if apart else "all",
        f"{attempt.layers[0]} of {attempt.layers[1]}",
        f"{attempt.size:,}",
        f"{attempt.ms:.1f}",
        f"{apart.flips} of {apart.verdicts} ({apart.share:.2%})" if apart else "",
        f"{apart.largest:.3g} ({apart.typical:.2g})" if apart else "",
        (attempt.problem and f"no: {attempt.problem}") or "yes",
    ]
    return f"| {' | '.join(cells)} |"


def zoo_lines(report: Report) -> str:
    """`[[model.variant]]` for each file that ships, for zoo.toml; `source` is left to fill in."""
    parts = []
    for attempt in report.shipped:
        parts += [
            "[[model.variant]]",
            f'name = "{attempt.variant}"',
            f'file = "{report.recipe.name}-{attempt.variant}.onnx"',
            f'sha256 = "{attempt.sha256}"',
            f"size = {attempt.size}",
            "",
        ]
    return "\n".join(parts)
