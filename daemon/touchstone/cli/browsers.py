"""`touchstone browsers`: tell browsers about the native host, or see which of them know."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..messages import say
from ..system.browsers import BROWSER_NAMES
from ..system.environment import Environment
from .exits import Exit

if TYPE_CHECKING:
    from ..system.manifests import Installed


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "browsers", help=say("browsers.help"), description=say("browsers.description")
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name in ("install", "status", "remove"):
        own = actions.add_parser(
            name, help=say(f"browsers.{name}.help"), description=say(f"browsers.{name}.description")
        )
        own.set_defaults(run=run)
        own.add_argument("--json", action="store_true", help=say("browsers.json"))
        if name != "status":
            own.add_argument(
                "--browser", action="append", default=[], choices=BROWSER_NAMES, help=say("browsers.browser")
            )
        if name == "install":
            own.add_argument("--profile-dir", type=Path, metavar="DIR", help=say("browsers.profile_dir"))


def run(args: argparse.Namespace, env: Environment) -> int:
    """Install, remove or list."""
    from .machine import manifests

    try:
        known = manifests(env)
        if args.action == "install" and args.profile_dir:
            manifest = known.install_into_profile(args.profile_dir)
            env.print(json.dumps({"manifest": str(manifest)}) if args.json else str(manifest))
            return Exit.DONE
        match args.action:
            case "install":
                listed = known.install(args.browser)
            case "remove":
                listed = known.remove(args.browser)
            case _:
                listed = known.status()
    except OSError as problem:
        env.error(say("browsers.failed", reason=problem))
        return Exit.FAILED
    if args.json:
        env.print(json.dumps([describe(entry) for entry in listed], indent=2))
    else:
        if args.action == "remove":
            for entry in listed:
                env.print(say("browsers.remove.done", browser=_title(entry)))
        else:
            show(env, listed)
        if not listed:
            env.print(say(f"browsers.{args.action}.nothing"))
    return Exit.DONE


def describe(entry: Installed) -> dict[str, object]:
    """One place as JSON."""
    from ..system.manifests import hint

    channel = entry.place.channel
    return {
        "browser": entry.place.browser.name,
        "title": entry.place.browser.title,
        "packaging": channel.packaging if channel else "native",
        "found": entry.place.found,
        "state": entry.state.value,
        "manifest": str(entry.manifest),
        "hint": hint(entry.place),
    }


def show(env: Environment, listed: Sequence[Installed]) -> None:
    """One line for each place, and what is left to do below it."""
    from ..system.manifests import hint

    for entry in listed:
        env.print(
            say(
                f"browsers.state.{entry.state.value}",
                browser=_title(entry),
                manifest=entry.manifest,
            )
        )
        if remark := hint(entry.place):
            env.print(f"  {remark}")


def _title(entry: Installed) -> str:
    channel = entry.place.channel
    packaging = channel.packaging if channel else "native"
    title = entry.place.browser.title
    return title if packaging == "native" else f"{title} ({packaging.capitalize()})"
