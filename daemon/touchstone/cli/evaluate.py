"""`touchstone evaluate`: how well examiners do on clips whose origin is known."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..messages import say
from ..system.environment import Environment
from .exits import Exit
from .scan import jobs

if TYPE_CHECKING:
    from ..evaluation.conditions import Condition
    from ..evaluation.corpus import Clip
    from ..evaluation.run import Examined, Kept, Looked
    from ..evaluation.subjects import Subject

DETECTOR = "detector"
_DEFAULT_CONDITIONS = "as_is crf18 crf23 crf28 crf33 720p 480p 360p"


class CannotEvaluate(Exception):
    """What was asked for cannot be evaluated; the text says why and what would be right."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "evaluate", help=say("evaluate.help"), description=say("evaluate.description")
    )
    add = parser.add_argument
    add("--corpus", type=Path, required=True, metavar="DIR", help=say("evaluate.corpus_option"))
    add("--out", type=Path, required=True, metavar="DIR", help=say("evaluate.out_option"))
    add("--model", metavar="NAME|FILE", help=say("evaluate.model_option"))
    add("--examiner", default=DETECTOR, metavar="NAME", help=say("evaluate.examiner_option"))
    add("--also", nargs="+", default=[], metavar="NAME", help=say("evaluate.also_option"))
    conditions = say("evaluate.conditions_option", default=_DEFAULT_CONDITIONS)
    add("--conditions", nargs="+", metavar="NAME", help=conditions)
    add("--jobs", type=jobs, default=2, metavar="N", help=say("evaluate.jobs_option"))
    add("--resume", action="store_true", help=say("evaluate.resume_option"))
    add("--independent", nargs="+", default=[], metavar="GROUP", help=say("evaluate.independent_option"))
    add("--trained-on", type=Path, metavar="FILE", help=say("evaluate.trained_on_option"))
    add("--folds", type=Path, metavar="FILE", help=say("evaluate.folds_option"))
    add("--clips", type=int, metavar="N", help=say("evaluate.clips_option"))
    add("--json", action="store_true", help=say("evaluate.json_option"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, env: Environment) -> int:
    """Evaluate, write the report and say where it is."""
    from ..evaluation.conditions import UnknownCondition, conditions_of
    from ..evaluation.corpus import BadCorpus, read_corpus
    from ..evaluation.run import RESULTS, CannotKeep, Kept
    from ..evaluation.subjects import NoSubject

    try:
        conditions = conditions_of(args.conditions or _DEFAULT_CONDITIONS.split())
        clips = read_corpus(args.corpus, args.independent)
        subject, examined = _examined(args, env)
        trained_on = _trained_on(args, subject)
        shares = _shares(args, subject, examined, [clip for clip in clips if clip.group not in trained_on])
    except (BadCorpus, UnknownCondition, CannotEvaluate, NoSubject) as problem:
        env.error(str(problem))
        return Exit.USAGE
    taken = {clip.name for _, share in shares for clip in share}
    if not taken:
        env.error(say("evaluate.none_left", corpus=args.corpus))
        return Exit.USAGE
    if args.folds:  # the model that the calibration is for has met what its folds held out
        trained_on |= {clip.group for _, share in shares for clip in share}
    left_out = [clip for clip in clips if clip.name not in taken]
    try:
        args.out.mkdir(parents=True, exist_ok=True)
        looked: list[Looked] = []
        resume = args.resume
        for by, share in shares:
            with Kept(args.out / RESULTS, by.key, resume=resume) as kept:
                looked += asyncio.run(_look(share, conditions, by, kept, args.jobs, env))
            resume = True  # what the first share wrote stays
        _write(args, env, conditions, subject, looked, left_out, trained_on)
    except CannotKeep as problem:
        env.error(str(problem))
        return Exit.FAILED
    except OSError as problem:
        reason = problem.strerror or problem
        env.error(say("evaluate.cannot_keep", file=problem.filename or args.out, reason=reason))
        return Exit.FAILED
    return Exit.UNREADABLE if any(look.problem for look in looked) else Exit.DONE


def _examined(args: argparse.Namespace, env: Environment) -> tuple[Subject | None, Examined]:
    """The detector that is evaluated, if one is, and all that looks at the clips."""
    from ..engine import load_settings, models_folder, trust_settings, watermark_settings
    from ..evaluation.run import Examined
    from ..evaluation.subjects import subject_of
    from ..pipeline import EXAMINERS
    from ..zoo.registry import Zoo

    names = list(dict.fromkeys([args.examiner, *args.also]))
    known = (*EXAMINERS, DETECTOR)
    for name in names:
        if name not in known:
            raise CannotEvaluate(say("evaluate.unknown_examiner", name=name, known=", ".join(known)))
    in_force = load_settings(env)
    settings: dict[str, Any] = {
        "watermarks": watermark_settings(env, in_force),
        "content_credentials": {"trust": trust_settings(env, in_force)},
    }
    subject = None
    if DETECTOR in names:
        found = subject_of(args.model, Zoo(models_folder(env.paths)))
        names = [found.examiner if name == DETECTOR else name for name in names]
        settings[found.examiner] = dict(found.settings)
        subject = found if args.examiner == DETECTOR else None
    elif args.model:
        raise CannotEvaluate(say("evaluate.model_for_detector"))
    return subject, Examined(names, {name: settings[name] for name in names if name in settings})


def _shares(
    args: argparse.Namespace, subject: Subject | None, examined: Examined, clips: Sequence[Clip]
) -> list[tuple[Examined, list[Clip]]]:
    """Which clips are looked at by what: all by the same, or each by the model of its fold."""
    if args.folds is None:
        return [(examined, _some(clips, args.clips))]
    from ..evaluation.subjects import folds_of

    if subject is None or subject.examiner != DETECTOR:
        raise CannotEvaluate(say("evaluate.model_for_detector"))
    folds = folds_of(args.folds)
    held_out = [clip for clip in clips if any(clip.group in fold.groups for fold in folds)]
    chosen = _some(held_out, args.clips)
    return [
        (
            replace(examined, settings={**examined.settings, DETECTOR: dict(fold.settings)}),
            [clip for clip in chosen if clip.group in fold.groups],
        )
        for fold in folds
    ]


def _trained_on(args: argparse.Namespace, subject: Subject | None) -> frozenset[str]:
    if args.trained_on is None and args.folds is not None:
        return frozenset()  # each clip is scored by a model that has not met it
    if args.trained_on is None:
        return frozenset(subject.calibration.trained_on if subject and subject.calibration else ())
    try:
        text = args.trained_on.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        reason = getattr(problem, "strerror", None) or problem
        raise CannotEvaluate(say("evaluate.no_trained_on", file=args.trained_on, reason=reason)) from problem
    return frozenset(line.strip() for line in text.splitlines() if line.strip())


def _some(clips: Sequence[Clip], count: int | None) -> list[Clip]:
    if count is None or count >= len(clips):
        return list(clips)
    return [clips[number * len(clips) // max(count, 1)] for number in range(max(count, 1))]


async def _look(
    clips: Sequence[Clip],
    conditions: Sequence[Condition],
    examined: Examined,
    kept: Kept,
    jobs: int,
    env: Environment,
) -> list[Looked]:
    from ..evaluation.run import look_at_all

    total = len(clips) * len(conditions)
    if not env.errors.is_terminal:
        return await look_at_all(clips, conditions, examined, kept, jobs=jobs, environment=env.environ)
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (*Progress.get_default_columns(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=env.errors, transient=True) as progress:
        task = progress.add_task(say("evaluate.progress"), total=total)
        return await look_at_all(
            clips,
            conditions,
            examined,
            kept,
            jobs=jobs,
            environment=env.environ,
            on_progress=lambda done: progress.advance(task, done),
        )


def _write(
    args: argparse.Namespace,
    env: Environment,
    conditions: Sequence[Condition],
    subject: Subject | None,
    looked: Sequence[Looked],
    left_out: Sequence[Clip],
    trained_on: frozenset[str],
) -> None:
    from ..evaluation import written
    from ..evaluation.report import report_of

    examiner = subject.examiner if subject else args.examiner
    about = {
        "model": dict(subject.model) if subject else None,
        "corpus": args.corpus.resolve().name,
        "made_at": datetime.fromtimestamp(env.clock(), UTC).date().isoformat(),
        "made_by": _command(args),
    }
    report = report_of(looked, conditions, examiner, left_out=left_out, about=about)
    if subject and subject.examiner == DETECTOR:
        report["worth"] = written.write_calibration(
            args.out, subject, looked, conditions, about, sorted(trained_on)
        )
    elif subject:
        report["worth"] = written.write_counts(args.out, subject, looked, conditions, about)
    written.write_report(args.out, report)
    written.write_scores(args.out / "vidaudit", looked, conditions, examiner)
    if args.json:
        env.print(json.dumps(report, indent=1))
        return
    env.print(say("evaluate.written", folder=args.out))
    if subject:
        env.print(report["worth"])


def _command(args: argparse.Namespace) -> str:
    """The command that makes this report again, without folders of this machine."""
    parts = ["touchstone evaluate", f"--corpus {args.corpus.resolve().name}"]
    if args.model:
        parts.append(f"--model {Path(args.model).name}")
    if args.examiner != DETECTOR:
        parts.append(f"--examiner {args.examiner}")
    if args.also:
        parts.append("--also " + " ".join(args.also))
    if args.conditions:
        parts.append("--conditions " + " ".join(args.conditions))
    if args.independent:
        parts.append("--independent " + " ".join(args.independent))
    if args.trained_on:
        parts.append(f"--trained-on {args.trained_on.name}")
    if args.folds:
        parts.append(f"--folds {args.folds.name}")
    if args.clips:
        parts.append(f"--clips {args.clips}")
    return " ".join(parts)
