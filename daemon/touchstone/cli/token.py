"""`touchstone token`: show the bearer token of the API, or replace it."""

from __future__ import annotations

import argparse
import json

from ..messages import say
from ..system.environment import Environment
from .exits import Exit


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "token", help=say("setup.token.help"), description=say("setup.token.description")
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, action in (("show", show), ("rotate", rotate)):
        own = actions.add_parser(
            name, help=say(f"setup.token.{name}_help"), description=say(f"setup.token.{name}_help")
        )
        own.add_argument("--json", action="store_true", help=say("setup.json"))
        own.set_defaults(run=action)


def show(args: argparse.Namespace, env: Environment) -> int:
    """Print the token, making it on the first call."""
    from ..system.secrets import SecretsError, TokenStore

    try:
        env.paths.create()
        token = TokenStore(env.paths, env.keyring).load()
    except (SecretsError, OSError) as problem:
        env.error(str(problem))
        return Exit.FAILED
    if args.json:
        env.print(json.dumps({"token": token.value, "kept_in": token.kept_in}))
    else:
        env.print(token.value)
    return Exit.DONE


def rotate(args: argparse.Namespace, env: Environment) -> int:
    """Make a new token, and start a daemon that runs with the old one again."""
    from ..system.daemon_process import DaemonNotStarted, find, find_or_start, stop
    from ..system.secrets import SecretsError, TokenStore

    try:
        env.paths.create()
        running = find(env.paths)
        token = TokenStore(env.paths, env.keyring).rotate()
        if running is not None:
            if not stop(running, env.paths):
                env.error(say("setup.token.daemon_stays", pid=running.pid))
                return Exit.FAILED
            find_or_start(env.paths, env.command, env.child_environ())
    except (SecretsError, DaemonNotStarted, OSError) as problem:
        env.error(str(problem))
        return Exit.FAILED
    restarted = running is not None
    if args.json:
        env.print(json.dumps({"kept_in": token.kept_in, "daemon_restarted": restarted}))
    else:
        env.print(say(f"setup.token.rotated_{token.kept_in}"))
        if restarted:
            env.print(say("setup.token.restarted"))
    return Exit.DONE
