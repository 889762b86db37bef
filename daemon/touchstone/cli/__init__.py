"""The command line: `touchstone <command>`. A command is a thin function in a module of its own.

Each command's module offers `add_parser(subparsers)`, which sets `run`, a callable `(args, env) -> int`.
Modules keep their imports light at the top: `--help` pays for all of them.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Sequence
from importlib import import_module

from .. import __version__
from ..messages import say
from ..own_processes import run_as_named
from ..system.environment import Environment
from .exits import Exit
from .problems import explain

COMMANDS = (
    "up",
    "stop",
    "scan",
    "sample",
    "history",
    "trust",
    "models",
    "evaluate",
    "calibrate",
    "watermark",
    "generate",
    "browsers",
    "settings",
    "token",
    "doctor",
    "serve",
    "native_host",
)
"""Modules of this package that hold a command, in the order `--help` lists them."""

COLLECT_AFTER = 50_000
"""Objects that are made before garbage is looked for: loading modules makes many, and none of it is garbage.
With Python's own threshold a daemon takes an eighth longer to start."""


def build_parser(commands: Sequence[str] = COMMANDS) -> argparse.ArgumentParser:
    """The command line as argparse sees it; docs/cli.md is generated from all of it.

    Args:
        commands: modules of the commands that are declared.
    """
    parser = argparse.ArgumentParser(prog="touchstone", description=say("cli.description"))
    parser.add_argument("--version", action="version", version=f"touchstone {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar=say("cli.command_metavar"))
    for name in commands:
        import_module(f"{__name__}.{name}").add_parser(subparsers)
    return parser


def main(argv: Sequence[str] | None = None, env: Environment | None = None) -> int:
    """Run one command and return its exit code. The console script `touchstone` calls this, and so does the
    entry of a frozen program, whose own processes begin here too."""
    gc.set_threshold(COLLECT_AFTER)
    if argv is None and (status := run_as_named(sys.argv[1:])) is not None:
        return status
    words = sys.argv[1:] if argv is None else argv
    named = [name for name in COMMANDS if words and words[0] == name.replace("_", "-")]
    args = build_parser(named or COMMANDS).parse_args(argv)  # what is not asked for need not be loaded
    env = env or Environment.of_this_machine()
    try:
        code: int = args.run(args, env)
        env.stdout.flush()  # here, where a disk that is full can still be told
    except KeyboardInterrupt:
        code = 130  # what a shell reports for SIGINT
    except BrokenPipeError:
        # The reader of our output has gone (`touchstone history | head`): not an error of ours.
        sys.stderr.close()
        code = Exit.DONE
    except Exception as problem:
        told = explain(problem, env)
        if told is None:
            raise
        text, code = told
        env.error(text)
    return code
