"""How scans are printed: for people, as JSON, as JSON lines, and into a file that a run can resume from."""

from __future__ import annotations

import argparse
import json
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO, cast

from ..messages import say
from ..system.environment import Environment
from ..system.terminal import has_unicode, plain
from . import inputs
from .strip import strip

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from ..verdict import Evidence, Scan
    from ..wire import AnySource

LABELS = ("ai_generated", "ai_edited", "camera_original", "no_signs", "inconclusive", "unreadable")

# A sign and a colour for each label: never colour alone.
LOOK = {
    "ai_generated": ("◆", "bold magenta"),
    "ai_edited": ("◈", "bold yellow"),
    "camera_original": ("●", "bold green"),
    "no_signs": ("○", "cyan"),
    "inconclusive": ("?", "bold blue"),
    "unreadable": ("×", "bold red"),
}


class CannotWrite(Exception):
    """The output file cannot be written or read back. The text names it and the remedy."""


def key_of(source: AnySource) -> str:
    """What tells one input from another in an output file: its address or absolute path."""
    return getattr(source, "url", None) or getattr(source, "path", None) or ""


def read_finished(output: Path) -> dict[str, Scan]:
    """Scans that an earlier run wrote to `output`, by `key_of`; empty when there is no such file.

    A last line that was cut off by a kill is ignored. Unreadable inputs are left out: they are tried again.

    Raises:
        CannotWrite: a line is no scan, so this is not a file that a run can resume from.
    """
    from ..verdict import Label, Scan

    try:
        text = output.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except OSError as problem:
        raise CannotWrite(say("cli.scan.cannot_write", path=output, reason=problem.strerror)) from problem
    except UnicodeDecodeError as problem:
        at = problem.object[: problem.start].count(b"\n") + 1
        raise CannotWrite(say("cli.scan.output_not_scans", path=output, line=at)) from problem
    finished: dict[str, Scan] = {}
    whole, _, cut = text.rpartition("\n")
    # Not splitlines: JSON may have separators in it that are line breaks to Unicode.
    for number, line in enumerate(whole.split("\n") if whole else (), 1):
        try:
            scan = Scan.model_validate_json(line)
        except ValueError as problem:
            raise CannotWrite(say("cli.scan.output_not_scans", path=output, line=number)) from problem
        if scan.verdict.label is not Label.UNREADABLE:
            finished[scan.source.url or scan.source.name or ""] = scan
    if cut:
        output.write_text(whole + "\n" if whole else "", encoding="utf-8")
    return finished


def unscannable(given: inputs.Unscannable) -> Scan:
    """The scan of an input that no source could be made of."""
    from ..pipeline import new_scan_id
    from ..verdict import Scan, Source, unreadable

    source = Source(kind=given.kind, name=given.name)
    return Scan(id=new_scan_id(), source=source, verdict=unreadable(given.reason))


class Printer:
    """Prints scans as they come, and the closing summary. A context manager.

    Args:
        args: what `touchstone scan` was given.
        env: streams and consoles.
        total: how many scans will come, for the progress bar.
    """

    def __init__(self, args: argparse.Namespace, env: Environment, total: int) -> None:
        self._args = args
        self._env = env
        self._total = total
        self._scans: list[Scan] = []
        self._closing = ExitStack()
        self._file: TextIO | None = None
        self._progress: Progress | None = None

    def __enter__(self) -> Self:
        if self._args.output:
            mode = "a" if self._args.resume else "w"
            try:
                self._file = self._closing.enter_context(self._args.output.open(mode, encoding="utf-8"))
            except OSError as problem:
                raise CannotWrite(
                    say("cli.scan.cannot_write", path=self._args.output, reason=problem.strerror)
                ) from problem
        if self._total > 1 and self._env.errors.is_terminal:
            from rich.progress import MofNCompleteColumn, Progress

            columns = (*Progress.get_default_columns(), MofNCompleteColumn())
            self._progress = Progress(*columns, console=self._env.errors, transient=True)
            self._closing.enter_context(self._progress)
            self._progress.add_task(say("cli.scan.progress"), total=self._total)
        return self

    def add(self, scan: Scan, is_new: bool = True) -> None:
        """Print one scan; `is_new` is false for one that an earlier run had already written."""
        written = scan.model_dump_json(by_alias=True)
        if self._file and is_new:
            self._keep(self._file, written)
        if self._args.jsonl:
            self._env.stdout.write(self._json(scan) + "\n")
            self._env.stdout.flush()
        elif self._args.json:
            self._scans.append(scan)
        else:
            show(scan, self._env.console)
        if self._progress:
            self._progress.advance(self._progress.task_ids[0])

    def _keep(self, file: TextIO, written: str) -> None:
        try:
            file.write(written + "\n")
            file.flush()
        except OSError as problem:
            # What could not be written is still in the file object, and closing it would only fail again.
            with suppress(OSError):
                file.close()
            self._file = None
            raise CannotWrite(
                say("cli.scan.cannot_write", path=self._args.output, reason=problem.strerror)
            ) from problem

    def _json(self, scans: Scan | list[Scan], indent: int | None = None) -> str:
        written = (
            [scan.model_dump(mode="json", by_alias=True) for scan in scans]
            if isinstance(scans, list)
            else scans.model_dump(mode="json", by_alias=True)
        )
        separators = None if indent else (",", ":")
        as_ascii = not has_unicode(self._env.stdout)
        return plain(
            json.dumps(written, indent=indent, separators=separators, ensure_ascii=as_ascii), lines=True
        )

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()
        if self._args.json:
            single = inputs.is_single(self._args.inputs) and len(self._scans) == 1
            self._env.stdout.write(self._json(self._scans[0] if single else self._scans, indent=2) + "\n")


def show(scan: Scan, console: Console) -> None:
    """Print one scan for a person."""
    from rich.text import Text

    sign, style = LOOK[scan.verdict.label.value]
    name = plain(scan.source.url or scan.source.name or scan.id)
    console.print(Text(name, style="bold"), soft_wrap=True)
    line = Text(f"  {sign} ", style=style)
    line.append(plain(scan.verdict.headline), style=style)
    strength = scan.verdict.strength.value
    if strength != "none":
        line.append("  " + say(f"cli.strength.{strength}"), style="dim")
    console.print(line)
    # Lines are left to the terminal to wrap, so that a pipe gets each finding whole on a line of its own.
    for evidence in scan.evidence:
        console.print(Text("    - " + plain(finding_line(evidence))), soft_wrap=True)
        if drawn := strip(evidence, unicode=has_unicode(cast(TextIO, console.file))):
            console.print(Text("      " + drawn, style="dim"), soft_wrap=True)
    for examiner, reason in scan.skipped.items():
        skipped = say("cli.scan.skipped", examiner=examiner_name(examiner), reason=reason)
        console.print(Text("    - " + plain(skipped), style="dim"), soft_wrap=True)
    if scan.checked:
        names = ", ".join(examiner_name(name) for name in scan.checked)
        checked = say("cli.scan.checked", names=names, ms=round(scan.took_ms))
        console.print(Text("    " + checked, style="dim"), soft_wrap=True)
    if scan.seen and scan.seen.frames:
        seen = say(
            "cli.scan.seen",
            frames=scan.seen.frames,
            runs=scan.seen.runs,
            first=f"{scan.seen.first_s or 0:.1f}",
            last=f"{scan.seen.last_s or 0:.1f}",
        )
        console.print(Text("    " + seen, style="dim"), soft_wrap=True)
    console.print()


def finding_line(evidence: Evidence) -> str:
    """One piece of evidence in one line."""
    return say("cli.scan.finding", examiner=examiner_name(evidence.examiner), finding=evidence.finding)


def examiner_name(examiner: str) -> str:
    """An examiner's name for people."""
    return say(f"cli.examiner.{examiner}")
