"""`touchstone up`: set everything up on a fresh machine, and say what to do next."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__
from ..messages import say
from ..system.environment import Environment
from ..system.paths import NoFolder
from . import sample
from .browsers import describe, show
from .exits import Exit

if TYPE_CHECKING:
    from ..system.autostart import Outcome
    from ..system.daemon_process import RunningDaemon
    from ..system.manifests import Installed
    from ..verdict import Scan


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser("up", help=say("setup.up.help"), description=say("setup.up.description"))
    parser.add_argument("--no-autostart", action="store_true", help=say("setup.up.no_autostart"))
    parser.add_argument("--extension", type=Path, metavar="DIR", help=say("setup.up.extension"))
    parser.add_argument("--sample", action="store_true", help=say("setup.up.sample"))
    parser.add_argument("--json", action="store_true", help=say("setup.json"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, env: Environment) -> int:
    """Do all of it; every step may be done again."""
    from ..system.daemon_process import DaemonNotStarted

    def tell(text: str = "") -> None:
        if not args.json:
            env.print(text)

    try:
        env.paths.create()
        browsers = _register(env)
        if not args.json:
            _tell_browsers(env, browsers)
        start = _autostart(env, wanted=not args.no_autostart)
        tell(say("setup.up.autostart" if start.done else "setup.up.no_autostart_here", detail=start.detail))
        with env.errors.status(say("setup.up.starting")):
            daemon = _daemon(env)
        tell(say("setup.up.daemon", version=daemon.version, port=daemon.port))
        scanned = _sample(env) if args.sample else None
        if scanned is not None and not args.json:
            tell()
            sample.show(scanned, env)
    except NoFolder:
        raise  # it says itself what to do
    except (DaemonNotStarted, sample.SampleFailed, OSError) as problem:
        env.error(say("setup.up.failed", reason=problem))
        return Exit.FAILED
    steps = list(_next_steps(browsers, args.extension))
    if args.json:
        env.print(
            json.dumps(
                {
                    "browsers": [describe(entry) for entry in browsers],
                    "autostart": {"set": start.done, "detail": start.detail},
                    "daemon": {"port": daemon.port, "version": daemon.version},
                    "sample": scanned.model_dump(mode="json", by_alias=True) if scanned else None,
                    "next": steps,
                },
                indent=2,
            )
        )
    if not args.sample:
        tell()  # a report ends with a blank line of its own
    tell(say("setup.up.next"))
    for step in steps:
        tell(f"  {step}")
    return Exit.DONE


def _register(env: Environment) -> list[Installed]:
    from .machine import manifests

    return manifests(env).install()


def _tell_browsers(env: Environment, browsers: Sequence[Installed]) -> None:
    show(env, browsers)
    if not browsers:
        env.print(say("browsers.install.nothing"))


def _autostart(env: Environment, *, wanted: bool) -> Outcome:
    from .machine import autostart

    if wanted:
        return autostart(env).enable()
    autostart(env).disable()
    from ..system.autostart import Outcome

    return Outcome(False, say("setup.up.not_wanted"))


def _daemon(env: Environment) -> RunningDaemon:
    """The daemon of this version: one of another version is ended first."""
    from ..system.daemon_process import find, find_or_start, stop

    running = find(env.paths)
    if running is not None and running.version != __version__:
        stop(running, env.paths)
    return find_or_start(env.paths, env.command, env.child_environ())


def _sample(env: Environment) -> Scan:
    with env.errors.status(say("setup.up.sampling")):
        return sample.make_and_scan(env.paths.cache_dir / sample.NAME, env)


def _next_steps(browsers: Sequence[Installed], extension: Path | None) -> list[str]:
    """What a person has to do by hand: browsers let no program put an extension into them."""
    if not browsers:
        return [say("setup.next.no_browser")]
    steps = []
    for family in dict.fromkeys(entry.place.browser.family for entry in browsers):
        titles = dict.fromkeys(e.place.browser.title for e in browsers if e.place.browser.family == family)
        names = say("setup.next.or").join(titles)
        if extension is None:
            steps.append(say("setup.next.extension", browsers=names))
            continue
        folder = (extension / ("firefox-mv3" if family == "firefox" else "chrome-mv3")).absolute()
        steps.append(say(f"setup.next.{family}", browsers=names, folder=folder))
    return [*steps, say("setup.next.watch")]
