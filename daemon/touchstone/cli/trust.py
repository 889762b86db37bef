"""`touchstone trust`: whose signatures count, and fetching the official lists of them."""

from __future__ import annotations

import argparse
import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..messages import say
from ..system.environment import Environment
from .exits import Exit

if TYPE_CHECKING:
    from ..trust import Anchor, Trust
    from ..trust.update import Fetch, Outcome


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser("trust", help=say("trust.help"), description=say("trust.description"))
    commands = parser.add_subparsers(dest="trust_command", required=True, metavar=say("cli.command_metavar"))
    for name, run in (("update", run_update), ("status", run_status)):
        command = commands.add_parser(
            name, help=say(f"trust.{name}.help"), description=say(f"trust.{name}.description")
        )
        command.add_argument("--json", action="store_true", help=say("trust.json"))
        command.set_defaults(run=run)


def run_update(args: argparse.Namespace, env: Environment, fetch: Fetch | None = None) -> int:
    """Fetch the official lists. `fetch` takes the place of the network."""
    from ..engine import trust_folder
    from ..trust.update import fetch_https, update

    folder = trust_folder(env.paths)
    get = fetch or fetch_https

    async def shown(url: str) -> bytes:
        with env.errors.status(say("trust.update.progress", name=url)):
            return await get(url)

    try:
        env.paths.create()
        outcomes = asyncio.run(update(folder, shown, env.clock))
    except OSError as problem:
        env.error(say("trust.update.cannot_store", folder=folder, reason=problem.strerror or problem))
        return Exit.FAILED
    if args.json:
        env.print(json.dumps([_outcome(outcome) for outcome in outcomes], indent=2))
    else:
        for outcome in outcomes:
            _show(outcome, env)
        if any(outcome.changed for outcome in outcomes):
            env.error(say("trust.update.restart"))
    return Exit.FAILED if any(outcome.problem for outcome in outcomes) else Exit.DONE


def _outcome(outcome: Outcome) -> dict[str, Any]:
    stored = outcome.stored
    return {
        "name": outcome.official.name,
        "url": outcome.official.url,
        "changed": outcome.changed,
        "problem": outcome.problem,
        "authorities": stored.authorities if stored else None,
        "fetched_at": stored.fetched_at if stored else None,
    }


def _show(outcome: Outcome, env: Environment) -> None:
    name, stored = outcome.official.name, outcome.stored
    if outcome.problem is not None:
        env.error(say("trust.update.failed", name=name, problem=outcome.problem))
        if stored is not None:
            env.error(say("trust.update.kept", date=_date(stored.fetched_at)))
    elif stored is not None:
        key = "changed" if outcome.changed else "same"
        env.print(say(f"trust.update.{key}", name=name, count=stored.authorities))


def run_status(args: argparse.Namespace, env: Environment) -> int:
    """Show the authorities in force, and where they come from."""
    from ..engine import load_settings, trust_settings
    from ..settings import SettingError
    from ..trust import Trust

    try:
        settings = load_settings(env)
    except SettingError as problem:
        env.error(str(problem))
        return Exit.USAGE
    trust = Trust.from_dict(trust_settings(env, settings))
    rows = _rows(trust)
    if args.json:
        env.print(json.dumps({"sources": rows, "problems": trust.problems}, indent=2))
        return Exit.DONE
    _table(rows, env)
    for trust_list in trust.chosen_lists:
        if trust_list.left_out:
            env.error(say("trust.status.left_out", path=trust_list.path, count=trust_list.left_out))
    for unread in trust.problems:
        env.error(say("trust.status.unreadable", problem=unread))
    return Exit.DONE


def _rows(trust: Trust) -> list[dict[str, Any]]:
    """One row for each source of anchors: what it is, how many, since when."""
    from ..trust import pinned_anchors
    from ..trust.update import OFFICIAL_LISTS, read_index

    rows = (
        [_row("pins", say("trust.status.own", version=__version__), pinned_anchors())] if trust.pins else []
    )
    index = read_index(trust.official) if trust.official else {}
    stored = {trust_list.path.name: trust_list for trust_list in trust.official_lists}
    for official in OFFICIAL_LISTS:
        trust_list, entry = stored.get(official.file), index.get(official.file)
        row = _row("official", official.name, trust_list.anchors if trust_list else ())
        rows.append({**row, "url": official.url, "fetched_at": entry.fetched_at if entry else None})
    rows += [_row("list", str(chosen.path), chosen.anchors) for chosen in trust.chosen_lists]
    return rows


def _row(kind: str, name: str, anchors: tuple[Anchor, ...]) -> dict[str, Any]:
    from ..trust import Role

    return {
        "kind": kind,
        "name": name,
        "signers": sum(Role.SIGNER in anchor.roles for anchor in anchors),
        "timestamps": sum(Role.TIMESTAMP in anchor.roles for anchor in anchors),
        "authorities": [
            {
                "name": anchor.name,
                "sha256": anchor.sha256,
                "roles": sorted(anchor.roles),
                "may": sorted(anchor.may),
                "organisations": sorted(anchor.organisations),
                "why": anchor.why,
                "source": anchor.source,
            }
            for anchor in anchors
        ],
    }


def _table(rows: list[dict[str, Any]], env: Environment) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("source", "signers", "timestamps", "since"):
        numbers = column in ("signers", "timestamps")
        table.add_column(
            say(f"trust.status.column_{column}"), justify="right" if numbers else "left", overflow="fold"
        )
    for row in rows:
        since = ""
        if row["kind"] == "official":
            since = _date(row["fetched_at"]) if row["fetched_at"] else say("trust.status.never")
        table.add_row(row["name"], str(row["signers"]), str(row["timestamps"]), since)
    env.console.print(table)


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
