"""`touchstone native-host`: what browsers start; see docs/native-messaging.md."""

from __future__ import annotations

import argparse

from ..messages import say
from ..system.environment import Environment


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "native-host", help=say("browsers.host.help"), description=say("browsers.host.description")
    )
    # Chromium passes the caller's origin (and on Windows a window handle), Firefox the manifest's path and
    # the add-on's id. The browser has checked the caller by then; nothing is decided on them.
    parser.add_argument("caller", nargs="*", help=argparse.SUPPRESS)
    parser.add_argument("--probe", action="store_true", help=say("browsers.host.probe"))
    parser.add_argument("--parent-window", help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, env: Environment) -> int:
    """Serve the browser until it closes the port."""
    from .. import native_host

    return native_host.run(env, probe=args.probe)
