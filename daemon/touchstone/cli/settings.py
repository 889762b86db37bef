"""`touchstone settings`: show them, change them, go back to the default."""

from __future__ import annotations

import argparse
import json

from ..messages import say
from ..system.environment import Environment
from .exits import Exit


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "settings", help=say("daemon.settings.help"), description=say("daemon.settings.description")
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help=say("daemon.settings.name"))
    change = parser.add_mutually_exclusive_group()
    change.add_argument("value", nargs="?", metavar="VALUE", help=say("daemon.settings.value"))
    change.add_argument("--reset", action="store_true", help=say("daemon.settings.reset"))
    parser.add_argument("--json", action="store_true", help=say("daemon.settings.json"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, env: Environment) -> int:
    """Show all settings or one, or change one."""
    if args.reset and not args.name:
        env.error(say("daemon.settings.reset_what"))
        return Exit.USAGE
    from ..settings import check, check_name, load, to_text
    from ..store import Store, store_path

    env.paths.create()
    with Store(store_path(env.paths), env.clock) as store:
        if args.name:
            check_name(args.name)
        if args.value is not None:
            check(args.name, args.value)
        if args.reset or args.value is not None:
            store.set_setting(args.name, args.value)
            env.error(say("daemon.settings.changed_hint"))
        settings = load(env.environ, store.settings())
    names = [args.name] if args.name else list(type(settings).model_fields)
    if args.json:
        values = settings.model_dump(mode="json")
        env.print(json.dumps({name: values[name] for name in names}, indent=2))
        return Exit.DONE
    for name in names:
        env.print(say("daemon.settings.kept", name=name, value=to_text(getattr(settings, name))))
    return Exit.DONE
