"""`touchstone calibrate`: make a calibration of this machine; list, compare, use and take back those kept."""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..messages import say
from ..system.environment import Environment
from .exits import Exit
from .scan import jobs

if TYPE_CHECKING:
    from ..calibration.kept import Calibrations
    from ..calibration.making.made import Make
    from ..calibration.making.whole import Asked, Facts, Finished, Tools

_LOCK = "lock"
_WIDE = 200
_IN_FORCE = ""
"""What `--show` without a name gives."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "calibrate", help=say("calibrate.help"), description=say("calibrate.description")
    )
    add = parser.add_argument
    add("--real", type=Path, metavar="DIR", help=say("calibrate.real_option"))
    add("--corpus", type=Path, metavar="DIR", help=say("calibrate.corpus_option"))
    add("--independent", nargs="+", default=[], metavar="GROUP", help=say("calibrate.independent_option"))
    add("--quick", action="store_true", help=say("calibrate.quick_option"))
    add("--minutes", type=minutes, metavar="N", help=say("calibrate.minutes_option"))
    add("--jobs", type=jobs, default=2, metavar="N", help=say("calibrate.jobs_option"))
    add("--no-generate", action="store_true", help=say("calibrate.no_generate_option"))
    add("--no-use", action="store_true", help=say("calibrate.no_use_option"))
    add("--fresh", action="store_true", help=say("calibrate.fresh_option"))
    add("--json", action="store_true", help=say("calibrate.json_option"))
    kept = parser.add_mutually_exclusive_group()
    kept.add_argument("--list", action="store_true", help=say("calibrate.list_option"))
    kept.add_argument("--show", nargs="?", const=_IN_FORCE, metavar="ID", help=say("calibrate.show_option"))
    kept.add_argument("--compare", nargs=2, metavar="ID", help=say("calibrate.compare_option"))
    kept.add_argument("--use", metavar="ID", help=say("calibrate.use_option"))
    kept.add_argument("--rollback", action="store_true", help=say("calibrate.rollback_option"))
    parser.set_defaults(run=run)


def minutes(text: str) -> float:
    """A length of time in minutes, more than none."""
    value = float(text)
    if not 0 < value < 100_000:
        raise ValueError(text)
    return value


def run(args: argparse.Namespace, env: Environment) -> int:
    """Make one, or look after those there are."""
    from ..calibration import BadCalibration
    from ..calibration.kept import NoCalibration
    from ..calibration_in_force import calibrations_of

    kept = calibrations_of(env.paths)
    name = next((n for n in ("list", "show", "compare", "use", "rollback") if _given(args, n)), None)
    if name is None:
        return _calibrate(args, env, kept)
    if other := next((n for n in ("real", "corpus", "quick", "minutes") if _given(args, n)), None):
        env.error(say("calibrate.only_one", option=f"--{name}", other=f"--{other}"))
        return Exit.USAGE
    try:
        return _LOOK_AFTER[name](args, env, kept)
    except NoCalibration as problem:
        env.error(str(problem))
        return Exit.USAGE
    except BadCalibration as problem:
        env.error(str(problem))
        return Exit.FAILED


def _given(args: argparse.Namespace, name: str) -> bool:
    value = getattr(args, name)
    return value is not None and value is not False


# --- looking after those there are ---------------------------------------------------------------------


def _list(args: argparse.Namespace, env: Environment, kept: Calibrations) -> int:
    from ..calibration import BadCalibration
    from ..calibration_in_force import calibration_in_force

    now = calibration_in_force(env.paths)
    rows: list[dict[str, Any]] = []
    for name in kept.ids():
        row: dict[str, Any] = {"id": name, "chosen": name == now.chosen, "in_force": name == now.id}
        try:
            found = kept.read(name)
            row |= {"made_at": found.made_at, "data": found.data.model_dump(mode="json")}
            row |= {"changes": found.changes, "problem": now.refused if name == now.chosen else ""}
        except BadCalibration as problem:
            row |= {"made_at": None, "data": None, "changes": [], "problem": str(problem)}
        rows.append(row)
    if args.json:
        told = {"in_force": now.id or "shipped", "refused": now.refused or None, "calibrations": rows}
        env.print(json.dumps(told, indent=1))
        return Exit.DONE
    if not rows:
        env.print(say("calibrate.listed_none"))
        return Exit.DONE
    columns = say("calibrate.list_columns").split("|")
    _print_table(env, columns, [_listed(row) for row in rows])
    if now.id is None:
        env.print(say("calibrate.listed_shipped"))
    return Exit.DONE


def _refusal(reason: str) -> str:
    return say("calibrate.shipped_counts", reason=reason)


def _listed(row: dict[str, Any]) -> list[str]:
    if row["in_force"]:
        state = say("calibrate.in_force")
    elif row["problem"]:
        state = (
            _refusal(row["problem"]) if row["chosen"] else say("calibrate.state_bad", reason=row["problem"])
        )
    else:
        state = say("calibrate.state_kept")
    data = row["data"]
    counts = [str(data[of]["sources"]) if data else "-" for of in ("real", "cgi", "generated", "marked")]
    changes = "; ".join(row["changes"]) or say("calibrate.nothing_changes")
    return [row["id"], *counts, changes if data else "-", state]


def _show(args: argparse.Namespace, env: Environment, kept: Calibrations) -> int:
    from ..calibration.kept import PAGE, REPORT, SHIPPED

    name = args.show or kept.active
    if name == SHIPPED:
        env.print(say("calibrate.nothing_to_show"))
        return Exit.DONE
    folder = kept.path(name)
    try:
        report = json.loads((folder / REPORT).read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        env.error(say("calibrate.no_report", folder=folder, reason=problem))
        return Exit.FAILED
    _tell(report, folder / PAGE, args, env)
    return Exit.DONE


def _compare(args: argparse.Namespace, env: Environment, kept: Calibrations) -> int:
    from ..calibration.kept import SHIPPED
    from ..calibration.making.claims import claims
    from ..calibration.report.comparing import Side, compared, shipped_side, side_of

    def side(name: str) -> Side:
        if name != SHIPPED:
            return side_of(kept.read(name))
        detector = _detector(env)
        return shipped_side(detector.calibration if detector else None, claims())

    one, other = (side(name) for name in args.compare)
    rows = compared(one, other)
    if args.json:
        env.print(json.dumps({"one": one.id, "other": other.id, "rows": rows}, indent=1))
        return Exit.DONE
    columns = say("calibrate.compare.columns", one=one.id, other=other.id).split("|")
    _print_table(
        env,
        ["", *columns],
        [["*" if row["differs"] else "", row["what"], row["one"], row["other"]] for row in rows],
    )
    return Exit.DONE


def _use(args: argparse.Namespace, env: Environment, kept: Calibrations) -> int:
    kept.use(args.use)
    return _now(args, env, "used")


def _rollback(args: argparse.Namespace, env: Environment, kept: Calibrations) -> int:
    kept.rollback()
    return _now(args, env, "rolled_back")


def _now(args: argparse.Namespace, env: Environment, key: str) -> int:
    """Say what is in force now, which is the shipped one where the chosen one is refused."""
    from ..calibration_in_force import calibration_in_force

    now = calibration_in_force(env.paths)
    if args.json:
        told = {"chosen": now.chosen, "in_force": now.id or "shipped", "refused": now.refused or None}
        env.print(json.dumps(told, indent=1))
    elif now.refused:
        env.error(f"{now.chosen}: {_refusal(now.refused)}")
    else:
        env.print(say(f"calibrate.{key}", id=now.chosen))
    return Exit.FAILED if now.refused else Exit.DONE


_LOOK_AFTER: dict[str, Callable[[argparse.Namespace, Environment, Calibrations], int]] = {
    "list": _list,
    "show": _show,
    "compare": _compare,
    "use": _use,
    "rollback": _rollback,
}


# --- making one ----------------------------------------------------------------------------------------


def _calibrate(args: argparse.Namespace, env: Environment, kept: Calibrations) -> int:
    from ..calibration.making.made import NoRoom
    from ..calibration.making.whole import known_clips
    from ..evaluation.corpus import BadCorpus
    from ..evaluation.run import CannotKeep
    from ..evaluation.subjects import NoSubject
    from ..generator.making.writing import CannotWrite
    from ..system.locks import LockTimeout, file_lock
    from ..system.paths import make_private_dir

    env.paths.create()
    make_private_dir(kept.folder)
    make_private_dir(kept.work)
    try:
        with file_lock(kept.work / _LOCK, wait_s=0):
            asked = _asked(args)
            known_clips(asked)  # says what is wrong with a folder before models are loaded
            return make(asked, _tools(args, env), args, env, kept)
    except LockTimeout:
        env.error(say("calibrate.busy"))
        return Exit.FAILED
    except (BadCorpus, NoSubject) as problem:
        env.error(str(problem))
        return Exit.USAGE
    except (NoRoom, CannotWrite) as problem:
        env.error(str(problem))
        return Exit.FAILED
    except CannotKeep as problem:
        cause = problem.__cause__
        key = "cannot_keep" if isinstance(cause, OSError) else "damaged_work"
        reason = getattr(cause, "strerror", None) or problem
        env.error(say(f"calibrate.{key}", folder=kept.work, reason=reason))
        return Exit.FAILED
    except OSError as problem:
        reason = problem.strerror or str(problem)
        env.error(say("calibrate.cannot_keep", folder=kept.folder, reason=reason))
        return Exit.FAILED
    except KeyboardInterrupt:
        env.error(say("calibrate.interrupted"))
        raise


def make(asked: Asked, tools: Tools, args: argparse.Namespace, env: Environment, kept: Calibrations) -> int:
    """Make a calibration, keep it, use it unless told otherwise, and print its report.

    Args:
        asked: from what.
        tools: by what.
        args: of the command line, for all else.
        kept: where it goes; its `work` is there.

    Raises:
        BadCorpus, CannotKeep, CannotWrite, OSError: see making.whole.calibrated.
    """
    from ..calibration.kept import PAGE, REPORT
    from ..calibration.making.whole import calibrated
    from ..calibration.report.numbers import report_of
    from ..calibration.report.page import page
    from ..evaluation.run import RESULTS

    if args.fresh:
        (kept.work / RESULTS).unlink(missing_ok=True)
        for made in ("world", "generator"):
            shutil.rmtree(kept.work / made, ignore_errors=True)
    if not (asked.real or asked.corpus):
        env.error(say("calibrate.no_real"))
    finished: Finished = asyncio.run(
        calibrated(
            asked,
            tools,
            kept.work,
            _facts(args, env),
            environment=env.environ,
            told=_Bars(env),
        )
    )
    report = report_of(finished)
    files = {REPORT: json.dumps(report, indent=1, allow_nan=False) + "\n", PAGE: page(report)}
    folder = kept.keep(finished.calibration, files)
    if not args.no_use:
        kept.use(finished.calibration.id)
    _tell(report, folder / PAGE, args, env)
    if not args.json:
        key, new = ("not_used" if args.no_use else "used"), finished.calibration.id
        env.print(say(f"calibrate.{key}", id=kept.active, new=new))
    if finished.calibration.data.unreadable:
        env.error(say("calibrate.unreadable", count=finished.calibration.data.unreadable))
        return Exit.UNREADABLE
    return Exit.DONE


def _asked(args: argparse.Namespace) -> Asked:
    from ..calibration.making.plan import FULL, QUICK
    from ..calibration.making.whole import Asked

    plan = QUICK if args.quick else FULL
    return Asked(args.real, args.corpus, args.independent, plan, args.minutes, args.jobs)


def _facts(args: argparse.Namespace, env: Environment) -> Facts:
    from .. import __version__
    from ..calibration.making.whole import Facts

    date = datetime.fromtimestamp(env.clock(), UTC).date().isoformat()
    return Facts(date, _command(args), __version__)


def _command(args: argparse.Namespace) -> str:
    """The command that makes this calibration again, without folders of this machine."""
    parts = ["touchstone calibrate"]
    parts += [f"--{n} {getattr(args, n).resolve().name}" for n in ("real", "corpus") if _given(args, n)]
    if args.independent:
        parts.append("--independent " + " ".join(args.independent))
    if args.quick:
        parts.append("--quick")
    if args.minutes is not None:
        parts.append(f"--minutes {args.minutes:g}")
    if args.no_generate:
        parts.append("--no-generate")
    return " ".join(parts)


def _detector(env: Environment) -> Any:
    """The detector that scans use, as an evaluation takes it; None where there is none."""
    from ..engine import detector_settings, models_folder
    from ..evaluation.subjects import subject_of
    from ..zoo.registry import Zoo

    return subject_of(None, Zoo(models_folder(env.paths))) if detector_settings() else None


def _tools(args: argparse.Namespace, env: Environment) -> Tools:
    from ..calibration.making.autoencoders import autoencoders
    from ..calibration.making.whole import Tools
    from ..calibration_in_force import models_here
    from ..engine import load_settings, trust_settings, watermark_settings
    from ..inference import NoAnswer

    settings = load_settings(env)
    make: Make | None = None
    decoders: dict[str, dict[str, Any]] = {}
    if not args.no_generate:
        from ..calibration.making.generated import maker

        try:
            make = maker()
            decoders = autoencoders()
        except (NoAnswer, OSError) as problem:
            env.error(say("calibrate.no_generator", reason=problem))
    return Tools(
        models=models_here(),
        marks={
            "watermarks": watermark_settings(env, settings),
            "content_credentials": {"trust": trust_settings(env, settings)},
        },
        detector=_detector(env),
        autoencoders=decoders,
        make=make,
    )


class _Bars:
    """Progress bars on a terminal, nothing else; see making.whole.Told."""

    def __init__(self, env: Environment) -> None:
        self._env = env

    @contextmanager
    def stage(self, title: str, steps: int) -> Iterator[Callable[[int], None]]:
        from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

        shown = self._env.errors.is_terminal
        columns = (*Progress.get_default_columns(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self._env.errors, transient=True, disable=not shown) as progress:
            task = progress.add_task(title, total=steps)
            yield lambda done: progress.advance(task, done)


def _tell(report: dict[str, Any], page: Path, args: argparse.Namespace, env: Environment) -> None:
    from ..calibration.report.tables import about, sheets

    if args.json:
        env.print(json.dumps(report | {"page": str(page)}, indent=1))
        return
    for text in about(report):
        env.print(text)
    for sheet in sheets(report):
        env.print("")
        env.print(sheet.title)
        if sheet.rows:
            _print_table(env, sheet.columns, sheet.rows)
        for note in sheet.notes:
            env.print(note)
    env.print("")
    env.print(say("calibrate.kept", id=report["id"], page=page))


def _print_table(env: Environment, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column.strip())
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    console = env.console
    if not console.is_terminal:  # in a file or a pipe there is no edge to break lines at
        console = Console(file=env.stdout, width=_WIDE, highlight=False)
    console.print(table)
