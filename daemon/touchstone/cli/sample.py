"""`touchstone sample`: make a signed clip to try Touchstone on, and scan it."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from ..messages import say
from ..system.environment import Environment
from .exits import Exit

if TYPE_CHECKING:
    from ..verdict import Scan

NAME = "touchstone-sample.mp4"


class SampleFailed(Exception):
    """The sample could not be made or not be scanned; the text says why."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser("sample", help=say("sample.help"), description=say("sample.description"))
    parser.add_argument("path", type=Path, nargs="?", metavar="FILE", help=say("sample.path"))
    parser.add_argument("--json", action="store_true", help=say("cli.scan.json"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, env: Environment) -> int:
    """Make the clip, scan it and print what was found."""
    path = args.path or env.paths.create().cache_dir / NAME
    try:
        scan = make_and_scan(path.absolute(), env)
    except SampleFailed as problem:
        env.error(str(problem))
        return Exit.FAILED
    if args.json:
        env.print(scan.model_dump_json(by_alias=True, indent=2))
    else:
        show(scan, env)
    return Exit.DONE if scan.verdict.label.value == "ai_generated" else Exit.FAILED


def make_and_scan(path: Path, env: Environment) -> Scan:
    """Write the sample to `path` and scan it, through the daemon where one is up.

    Raises:
        SampleFailed: `path` cannot be written, or the daemon does not answer.
    """
    # Imported late: the encoder and the signer are large, and only this command needs them.
    from ..engine import open_scanner
    from ..sample import make_sample
    from ..server.client_problems import DaemonError, DaemonLost
    from ..wire import FileSource

    async def scan() -> Scan:
        async with open_scanner(env, fresh=True) as scanner:
            return await scanner.scan(FileSource(path=str(path)))

    try:
        make_sample(path)
    except OSError as problem:
        reason = problem.strerror or problem
        raise SampleFailed(say("sample.cannot_write", path=path, reason=reason)) from problem
    try:
        return asyncio.run(scan())
    except (DaemonError, DaemonLost) as problem:
        raise SampleFailed(str(problem)) from problem


def show(scan: Scan, env: Environment) -> None:
    """What was found in the sample, and why that is right."""
    from . import report

    env.print(say("sample.made"))
    report.show(scan, env.console)
