"""`touchstone models`: what the zoo offers, fetching it, checking it, importing files of one's own."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..messages import say
from ..system.environment import Environment
from .exits import Exit

if TYPE_CHECKING:
    from ..zoo.entry import Model, Variant
    from ..zoo.fetching import Fetch
    from ..zoo.registry import Zoo


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser("models", help=say("models.help"), description=say("models.description"))
    commands = parser.add_subparsers(dest="models_command", required=True, metavar=say("cli.command_metavar"))

    def add(name: str, run: Any) -> argparse.ArgumentParser:
        command = commands.add_parser(
            name, help=say(f"models.{name}.help"), description=say(f"models.{name}.description")
        )
        command.add_argument("--json", action="store_true", help=say("models.json"))
        command.set_defaults(run=run)
        return command

    add("list", run_list)
    add("verify", run_verify)
    pull = add("pull", run_pull)
    pull.add_argument("name", help=say("models.name"))
    pull.add_argument("--variant", help=say("models.pull.variant"))
    bench = add("bench", run_bench)
    bench.add_argument("names", nargs="*", metavar="NAME", help=say("models.bench.names"))
    bench.add_argument("--fresh", action="store_true", help=say("models.bench.fresh"))
    bench.add_argument("--tensorrt", action="store_true", help=say("models.bench.tensorrt"))
    bench.add_argument("--threads", type=int, default=1, metavar="N", help=say("models.bench.threads"))
    take = add("import", run_import)
    take.add_argument("file", type=Path, metavar="FILE.onnx", help=say("models.import.file"))
    take.add_argument("--card", type=Path, required=True, metavar="CARD.toml", help=say("models.import.card"))
    add("remove", run_remove).add_argument("name", help=say("models.name"))


def run_list(args: argparse.Namespace, env: Environment) -> int:
    """Show all models."""
    zoo = _zoo(env)
    rows = bundled_rows() + [_row(zoo, model, variant) for model in zoo.models for variant in model.variants]
    if args.json:
        env.print(json.dumps({"models": rows, "problems": zoo.problems}, indent=2))
        return Exit.DONE
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("name", "version", "task", "variant", "size", "licence", "state"):
        table.add_column(say(f"models.list.column_{column}"), justify="right" if column == "size" else "left")
    for row in rows:
        state = "imported" if row["imported"] and row["state"] == "installed" else row["state"]
        if row["bundled"] and row["state"] == "installed":
            state = "bundled"
        if row["vote"] is not None:
            state = "votes" if row["vote"]["counts"] else "shown_only"
        table.add_row(
            row["name"],
            row["version"],
            say(f"models.list.task_{row['task']}"),
            row["variant"],
            f"{row['size'] / 1e6:.1f} MB",
            row["licence"],
            say(f"models.list.state_{state}"),
        )
    env.console.print(table)
    _tell_problems(zoo, env)
    return Exit.DONE


def run_verify(args: argparse.Namespace, env: Environment) -> int:
    """Hold every installed file against its checksum."""
    from ..zoo.registry import State

    zoo = _zoo(env)
    rows = bundled_rows() + [_row(zoo, found.model, found.variant) for found in zoo.installed()]
    wrong = [row for row in rows if row["state"] != State.INSTALLED]
    if args.json:
        env.print(json.dumps({"models": rows, "problems": zoo.problems}, indent=2))
    else:
        for row in rows:
            word = "right" if row not in wrong else "wrong_bundled" if row["bundled"] else "wrong"
            env.print(say(f"models.verify.{word}", **row))
        if not rows:
            env.print(say("models.verify.none"))
        _tell_problems(zoo, env)
    return Exit.FAILED if wrong or zoo.problems else Exit.DONE


def run_pull(args: argparse.Namespace, env: Environment, fetch: Fetch | None = None) -> int:
    """Fetch a model. `fetch` takes the place of the network."""
    from ..zoo.fetching import FetchFailed, fetcher
    from ..zoo.pull import PullFailed, pull

    zoo = _zoo(env)
    model = _find(zoo, args.name, env)
    if model is None:
        return Exit.USAGE
    variant = next((v for v in model.variants if args.variant in (None, v.name)), None)
    carried = [] if args.variant else [v for v in model.variants if v.carried and v is not variant]
    if variant is None:
        names = ", ".join(v.name for v in model.variants)
        env.error(say("models.pull.unknown_variant", name=model.name, variant=args.variant, names=names))
        return Exit.USAGE
    try:
        with _Bar(env, model.name) as bar:
            path = asyncio.run(pull(zoo, model, variant, fetch or fetcher(env.environ), bar))
            for other in carried:
                asyncio.run(pull(zoo, model, other, fetch or fetcher(env.environ), bar))
    except (FetchFailed, PullFailed) as problem:
        env.error(str(problem))
        return Exit.FAILED
    if args.json:
        env.print(json.dumps(_row(zoo, model, variant), indent=2))
    else:
        env.print(
            say("models.pull.done", name=model.name, version=model.version, variant=variant.name, path=path)
        )
        env.error(say("models.restart"))
    return Exit.DONE


def run_import(args: argparse.Namespace, env: Environment) -> int:
    """Take in a file of the user's own."""
    from ..model_import import NotImported, import_model
    from ..model_import.checker import check_confined
    from ..zoo.entry import BadEntry, read_card
    from ..zoo.pull import PullFailed

    zoo = _zoo(env)
    try:
        card = read_card(args.card)
        with env.errors.status(say("models.import.progress", file=args.file.name)):
            taken = import_model(
                zoo,
                args.file,
                card,
                lambda p, m: check_confined(p, m, environ=env.environ),
                reserved={row["name"] for row in bundled_rows()},
            )
    except BadEntry as problem:
        env.error(str(problem))
        return Exit.USAGE
    except (NotImported, PullFailed) as problem:
        env.error(str(problem))
        return Exit.FAILED
    if args.json:
        row = _row(_zoo(env), taken.model, taken.model.variants[0])
        env.print(json.dumps({**row, "facts": taken.facts}, indent=2))
    else:
        model = taken.model
        env.print(say("models.import.done", name=model.name, version=model.version, path=taken.path))
        env.print(say("models.import.facts", **taken.facts))
        if model.task.value == "detector":
            env.error(say("models.import.not_evaluated", name=model.name))
        elif model.calibration is None:
            env.error(say("models.import.does_not_vote"))
        env.error(say("models.restart"))
    return Exit.DONE


def run_bench(args: argparse.Namespace, env: Environment, start: Sequence[str] | None = None) -> int:
    """Time the models on every provider. `start` is the command that does it."""
    from ..engine import measurements_file, models_to_measure
    from ..inference.measuring import MeasuringFailed, Order, measure_models

    models = models_to_measure(env)
    there = {model.name for model in models}
    for name in args.names:
        if name not in there:
            env.error(say("models.unknown", name=name, names=", ".join(sorted(there))))
            return Exit.USAGE
    order = Order(
        [model for model in models if not args.names or model.name in args.names],
        measurements_file(env.paths),
        threads=args.threads,
        opt_in=args.tensorrt,
        fresh=args.fresh,
    )
    if not order.models:
        env.error(say("models.bench.none"))
        return Exit.DONE
    try:
        with env.errors.status(say("models.bench.progress")):
            answer = asyncio.run(measure_models(order, start=start, environ=env.environ))
    except MeasuringFailed as problem:
        env.error(say("models.bench.failed", reason=problem))
        return Exit.FAILED
    if args.json:
        env.print(json.dumps(answer, indent=2))
        return Exit.DONE
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    numbers = ("ms", "batch_ms", "load_ms", "difference", "flips")
    for column in ("model", "variant", "provider", *numbers, "note"):
        right = column in numbers
        table.add_column(say(f"models.bench.column_{column}"), justify="right" if right else "left")
    for row in answer["models"]:
        for result in row["results"]:
            shown = ("" if result[key] is None else f"{result[key]:g}" for key in numbers)
            provider = result["provider"].removesuffix("ExecutionProvider")
            table.add_row(row["name"], result["variant"], provider, *shown, _note(row, result))
    env.console.print(table)
    env.error(say("models.bench.runtime", version=answer["runtime"]))
    return Exit.DONE


def _note(row: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    """What there is to say of one measurement: why it does not count, that it is used, what it left over."""
    if result["problem"]:
        return str(result["problem"])
    notes = []
    chosen = row["chosen"]
    if (result["variant"], result["provider"]) == (chosen["variant"], chosen["provider"]):
        notes.append(say("models.bench.chosen"))
    if result["elsewhere"]:
        notes.append(say("models.bench.elsewhere", percent=round(100 * result["elsewhere"])))
    return ", ".join(notes)


def run_remove(args: argparse.Namespace, env: Environment) -> int:
    """Delete a model's files."""
    from ..zoo.pull import PullFailed, remove

    zoo = _zoo(env)
    model = _find(zoo, args.name, env)
    if model is None:
        return Exit.USAGE
    try:
        count = remove(zoo, model)
    except PullFailed as problem:
        env.error(str(problem))
        return Exit.FAILED
    if args.json:
        env.print(json.dumps({"name": model.name, "files": count}))
    else:
        env.print(say(f"models.remove.{'done' if count else 'nothing'}", name=model.name, count=count))
    return Exit.DONE


class _Bar:
    """A progress bar on a terminal, nothing else. A context manager that is called with bytes."""

    def __init__(self, env: Environment, name: str) -> None:
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=env.errors,
            transient=True,
            disable=not env.errors.is_terminal,
        )
        self._task = self._progress.add_task(say("models.pull.progress", name=name), total=None)

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, have: int, size: int | None) -> None:
        self._progress.update(self._task, completed=have, total=size)


def _zoo(env: Environment) -> Zoo:
    from ..engine import models_folder
    from ..zoo.registry import Zoo

    return Zoo(models_folder(env.paths))


def _find(zoo: Zoo, name: str, env: Environment) -> Model | None:
    model = zoo.find(name)
    if model is None:
        names = ", ".join(sorted(m.name for m in zoo.models))
        env.error(say("models.unknown", name=name, names=names))
    return model


def _row(zoo: Zoo, model: Model, variant: Variant) -> dict[str, Any]:
    return {
        "name": model.name,
        "version": model.version,
        "task": model.task.value,
        "title": model.title,
        "licence": model.licence,
        "variant": variant.name,
        "size": variant.size,
        "sha256": variant.sha256,
        "source": variant.source,
        "imported": zoo.is_imported(model),
        "state": zoo.state(model, variant).value,
        "path": str(zoo.path(model, variant)),
        "bundled": False,
        "vote": _vote(zoo, model, variant),
    }


def bundled_rows(folder: Path | None = None) -> list[dict[str, Any]]:
    """Models that come with the program, as rows of a list.

    Args:
        folder: where zoo.toml is; that of this installation by default.
    """
    from ..zoo.bundled import bundled
    from ..zoo.entry import Task
    from ..zoo.registry import state_of

    return [
        {
            "name": file.model.name,
            "version": file.model.version,
            "task": file.model.task.value,
            "title": file.model.title,
            "licence": file.model.licence,
            "variant": file.variant.name,
            "size": file.variant.size,
            "sha256": file.variant.sha256,
            "source": None,
            "imported": False,
            "state": state_of(file.path, file.variant).value,
            "path": str(file.path),
            "bundled": True,
            "vote": None,
        }
        for task in Task
        for file in bundled(task, folder)
    ]


def _vote(zoo: Zoo, model: Model, variant: Variant) -> dict[str, Any] | None:
    """Whether an imported detector counts, and why not; None for other models."""
    from ..verdict import CAP_LOG10_LR

    if model.task.value != "detector" or not zoo.is_imported(model):
        return None
    vote = zoo.vote(model, variant, cap=CAP_LOG10_LR["detector"])
    return {
        "counts": bool(vote.stages),
        "reason": vote.reason or None,
        "stages": [{"above": stage.above, "log10_lr": round(stage.log10_lr, 2)} for stage in vote.stages],
    }


def _tell_problems(zoo: Zoo, env: Environment) -> None:
    for problem in zoo.problems:
        env.error(say("models.list.problem", problem=problem))
