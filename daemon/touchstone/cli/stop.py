"""`touchstone stop`: end the daemon."""

from __future__ import annotations

import argparse
import json

from ..messages import say
from ..system.environment import Environment
from .exits import Exit


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "stop", help=say("setup.stop.help"), description=say("setup.stop.description")
    )
    parser.add_argument("--no-autostart", action="store_true", help=say("setup.stop.no_autostart"))
    parser.add_argument("--json", action="store_true", help=say("setup.json"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, env: Environment) -> int:
    """End the daemon that runs, if one does; scans that it has not finished are taken up by the next one."""
    from ..system.daemon_process import find, stop
    from .machine import autostart

    if args.no_autostart:
        autostart(env).disable()
    running = find(env.paths)
    ended = running is None or stop(running, env.paths)
    if not ended and running is not None:
        env.error(say("setup.stop.stays", pid=running.pid))
        return Exit.FAILED
    if args.json:
        env.print(json.dumps({"was_running": running is not None}))
    else:
        env.print(say("setup.stop.ended") if running else say("setup.stop.none"))
    return Exit.DONE
