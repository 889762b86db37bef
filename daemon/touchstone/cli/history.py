"""`touchstone history`: what was scanned, and deleting it."""

from __future__ import annotations

import argparse
from datetime import datetime
from typing import TYPE_CHECKING

from ..messages import say
from ..system.environment import Environment
from ..system.terminal import plain
from .exits import Exit
from .report import LABELS, LOOK

if TYPE_CHECKING:
    from ..store import Page, Store
    from ..wire import ScanState

LIMIT = 20


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "history", help=say("daemon.history.help"), description=say("daemon.history.description")
    )
    add = parser.add_argument
    add("--label", choices=LABELS, help=say("daemon.history.label"))
    add("--text", metavar="TEXT", help=say("daemon.history.text"))
    add("--limit", type=_limit, default=LIMIT, metavar="N", help=say("daemon.history.limit"))
    add("--json", action="store_true", help=say("daemon.history.json"))
    add("--forget", action="append", default=[], metavar="ID", help=say("daemon.history.forget"))
    add("--clear", action="store_true", help=say("daemon.history.clear"))
    parser.set_defaults(run=run)


def _limit(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= 100_000:
        raise argparse.ArgumentTypeError(say("daemon.history.limit_range", got=text))
    return int(text)


def run(args: argparse.Namespace, env: Environment) -> int:
    """Show the history, or delete from it. The store is read in place, whether or not the daemon is up."""
    from ..store import Store, store_path

    env.paths.create()
    with Store(store_path(env.paths), env.clock) as store:
        return _forget(args, env, store) if args.forget or args.clear else _show(args, env, store)


def _forget(args: argparse.Namespace, env: Environment, store: Store) -> int:
    unknown = [scan_id for scan_id in args.forget if not store.forget(scan_id)]
    count = len(args.forget) - len(unknown)
    if args.clear:
        count += store.prune(keep=0, max_age_s=0)
    env.print(say("daemon.history.forgotten", count=count))
    for scan_id in unknown:
        env.error(say("daemon.history.unknown", id=scan_id))
    return Exit.USAGE if unknown else Exit.DONE


def _show(args: argparse.Namespace, env: Environment, store: Store) -> int:
    from ..verdict import Label
    from ..wire import History

    label = Label(args.label) if args.label else None
    page = store.history(label=label, text=args.text, limit=args.limit)
    if args.json:
        history = History(scans=list(page.scans), before=page.before)
        env.print(history.model_dump_json(by_alias=True, indent=2))
    elif page.scans:
        _print(page, env)
    else:
        key = "nothing_found" if args.label or args.text else "empty"
        env.print(say(f"daemon.history.{key}"))
    return Exit.DONE


def _print(page: Page, env: Environment) -> None:
    from rich.text import Text

    for state in page.scans:
        when = datetime.fromtimestamp(state.created_at).astimezone().strftime("%Y-%m-%d %H:%M")
        line = Text(when + "  ", style="dim")
        if state.scan:
            sign, style = LOOK[state.scan.verdict.label.value]
            line.append(f"{sign} {plain(state.scan.verdict.headline)}", style=style)
        else:
            line.append("… " + say("daemon.history.waiting"), style="dim")
        env.console.print(line)
        env.console.print(Text(" " * 18 + plain(_what(state))))
    if page.before is not None:
        env.console.print(Text(say("daemon.history.more"), style="dim"))


def _what(state: ScanState) -> str:
    name = state.scan.source.name if state.scan else None
    return state.url or name or state.id
