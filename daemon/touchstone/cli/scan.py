"""`touchstone scan`: look at files and URLs and say where they came from."""

from __future__ import annotations

import argparse
import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ..messages import say
from ..system.environment import Environment
from . import inputs, report
from .exits import Exit

if TYPE_CHECKING:
    from ..verdict import Scan
    from ..wire import AnySource


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser("scan", help=say("cli.scan.help"), description=say("cli.scan.description"))
    add = parser.add_argument
    add("inputs", nargs="+", metavar="PATH|URL", help=say("cli.scan.inputs"))
    add("--fragment", action="append", default=[], metavar="SEGMENT", help=say("cli.scan.fragment"))
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help=say("cli.scan.json"))
    form.add_argument("--jsonl", action="store_true", help=say("cli.scan.jsonl"))
    add("--output", type=Path, metavar="FILE", help=say("cli.scan.output"))
    add("--resume", action="store_true", help=say("cli.scan.resume"))
    add("--jobs", type=jobs, default=2, metavar="N", help=say("cli.scan.jobs"))
    add("--fail-on", action="append", default=[], choices=report.LABELS, help=say("cli.scan.fail_on"))
    add("--no-daemon", action="store_true", help=say("cli.scan.no_daemon"))
    add("--fresh", action="store_true", help=say("cli.scan.fresh"))
    parser.set_defaults(run=run)


def jobs(text: str) -> int:
    """How many at once, from 1 to 64, for argparse."""
    if not text.isdecimal() or not 1 <= int(text) <= 64:
        raise argparse.ArgumentTypeError(say("cli.scan.jobs_range", got=text))
    return int(text)


def run(args: argparse.Namespace, env: Environment) -> int:
    """Scan everything that was asked for and print it in the form that was asked for."""
    from ..server.client_problems import DaemonError, DaemonLost

    if args.resume and not args.output:
        env.error(say("cli.scan.resume_needs_output"))
        return Exit.USAGE
    try:
        wanted = list(inputs.sources(args.inputs, args.fragment, env.stdin))
    except inputs.BadInput as problem:
        env.error(str(problem))
        return Exit.USAGE
    try:
        finished = report.read_finished(args.output) if args.resume else {}
        seen = asyncio.run(_scan_all(args, env, wanted, finished))
    except (report.CannotWrite, DaemonError, DaemonLost) as problem:
        env.error(str(problem))
        return Exit.FAILED
    labels = {scan.verdict.label.value for scan in seen}
    if labels & set(args.fail_on):
        return Exit.FOUND
    return Exit.UNREADABLE if "unreadable" in labels else Exit.DONE


async def _scan_all(
    args: argparse.Namespace,
    env: Environment,
    wanted: Sequence[AnySource | inputs.Unscannable],
    finished: Mapping[str, Scan],
) -> list[Scan]:
    # Imported here: `touchstone --help` should not pay for the whole engine.
    from ..engine import open_scanner

    seen: list[Scan] = []
    async with AsyncExitStack() as resources:
        scanner = await resources.enter_async_context(
            open_scanner(env, use_daemon=not args.no_daemon, fresh=args.fresh, jobs=args.jobs)
        )
        printer = resources.enter_context(report.Printer(args, env, total=len(wanted)))

        async def one(source: AnySource | inputs.Unscannable) -> tuple[Scan, bool]:
            if isinstance(source, inputs.Unscannable):
                return report.unscannable(source), True
            known = finished.get(report.key_of(source))
            return (known, False) if known else (await scanner.scan(source), True)

        async for scan, is_new in in_order(one, wanted, args.jobs):
            printer.add(scan, is_new)
            seen.append(scan)
    return seen


Item = TypeVar("Item")
Result = TypeVar("Result")


async def in_order(
    work: Callable[[Item], Awaitable[Result]], items: Iterable[Item], jobs: int
) -> AsyncIterator[Result]:
    """Run `work` on `jobs` items at once and yield the results in the order of the items.

    Holds at most four times `jobs` items at a time, so a list of a million costs no memory to speak of
    and one slow item does not stop the others at once.
    """
    places = asyncio.Semaphore(jobs)

    async def placed(item: Item) -> Result:
        async with places:
            return await work(item)

    pending: deque[asyncio.Task[Result]] = deque()
    try:
        for item in items:
            pending.append(asyncio.create_task(placed(item)))
            if len(pending) >= 4 * jobs:
                yield await pending.popleft()
        while pending:
            yield await pending.popleft()
    finally:
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
