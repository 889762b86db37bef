"""`touchstone serve`: run the daemon until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import tomllib
from importlib import resources
from typing import TYPE_CHECKING

from ..messages import say
from ..system.environment import Environment
from .exits import Exit
from .machine import refresh_manifests

if TYPE_CHECKING:
    from ..server.serve import Daemon
    from ..settings import Settings


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "serve", help=say("daemon.serve.help"), description=say("daemon.serve.description")
    )
    parser.add_argument("--port", type=int, metavar="N", help=say("daemon.serve.port"))
    parser.add_argument(
        "--log-level", choices=("debug", "info", "warning", "error"), help=say("daemon.serve.log_level")
    )
    parser.add_argument(
        "--no-fetch",
        dest="fetch_urls",
        action="store_const",
        const=False,
        help=say("daemon.serve.no_fetch"),
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, env: Environment) -> int:
    """Serve until Ctrl-C or a signal to end."""
    # Imported here: no other command should pay for the server.
    from ..server.logs import start_logging, stop_logging
    from ..server.serve import AlreadyRunning, CannotListen, serve

    env.paths.create()
    settings = _settings(args, env)
    daemon = _daemon(env, settings)
    refresh_manifests(env)

    def ready(port: int) -> None:
        env.print(say("daemon.serve.ready", port=port))
        env.stdout.flush()

    handlers = start_logging(env.paths.log_dir, env.stderr, settings.log_level, daemon.token)
    try:
        asyncio.run(serve(daemon, ready))
    except (AlreadyRunning, CannotListen) as problem:
        env.error(str(problem))
        return Exit.FAILED
    finally:
        stop_logging(handlers)
    return Exit.DONE


def _settings(args: argparse.Namespace, env: Environment) -> Settings:
    from ..engine import load_settings

    given = {"port": args.port, "log_level": args.log_level, "fetch_urls": args.fetch_urls}
    return load_settings(env, given)


def _daemon(env: Environment, settings: Settings) -> Daemon:
    from ..calibration_in_force import Current
    from ..engine import edition, open_pipeline
    from ..server.serve import Daemon
    from ..system.secrets import TokenStore

    calibration = Current(env.paths)
    return Daemon(
        paths=env.paths,
        settings=settings,
        token=TokenStore(env.paths, env.keyring).load().value,
        chromium_ids=frozenset({_pinned_chromium_id()}),
        edition=edition(env, settings),
        open_scanner=lambda: open_pipeline(env, settings, measure=True, calibration=calibration),
        calibration=calibration,
        clock=env.clock,
    )


def _pinned_chromium_id() -> str:
    text = resources.files("touchstone.system").joinpath("extension_ids.toml").read_text(encoding="utf-8")
    return str(tomllib.loads(text)["chromium"]["id"])
