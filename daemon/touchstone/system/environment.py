"""What a command is given of the world: directories, streams, clock, variables, keyring.

`Environment.of_this_machine()` is built once, by `touchstone.cli`; everything below takes what it needs from
it, so that a test hands in another world instead of patching this one.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from .paths import HOME_VARIABLE, Paths
from .terminal import any_name, never_fails, plain

if TYPE_CHECKING:
    from rich.console import Console

    from .secrets import Keyring


def system_keyring() -> Keyring | None:
    """The desktop's keyring, or None where there is none. Imported late: it costs 70 ms and opens D-Bus."""
    from .secrets import system_keyring as find

    return find()


def own_command() -> tuple[str, ...]:
    """The command that starts this program again: a frozen executable, or Python with `-m touchstone`."""
    if getattr(sys, "frozen", False):
        return (sys.executable,)
    # -P: whatever directory a browser starts us in, no module is imported from it.
    return (sys.executable, "-P", "-m", "touchstone")


@dataclass(frozen=True)
class Environment:
    """The world as a command sees it.

    Attributes:
        paths: where our files are.
        home: the user's home directory, where browsers keep their profiles.
        platform: `linux`, `darwin` or `win32`, as `sys.platform` names them.
        environ: environment variables.
        clock: seconds since the epoch.
        keyring: finds the desktop's keyring; called only when a secret is needed.
        command: how to start `touchstone` again, without arguments.
        stdin, stdout, stderr: text streams; the native host takes the bytes below them.
    """

    paths: Paths
    home: Path
    platform: str
    environ: Mapping[str, str] = field(default_factory=dict)
    clock: Callable[[], float] = time.time
    keyring: Callable[[], Keyring | None] = lambda: None
    command: tuple[str, ...] = field(default_factory=own_command)
    stdin: TextIO = field(default_factory=lambda: sys.stdin)
    stdout: TextIO = field(default_factory=lambda: sys.stdout)
    stderr: TextIO = field(default_factory=lambda: sys.stderr)

    @classmethod
    def of_this_machine(cls) -> Environment:
        """The real world."""
        environ = os.environ
        return cls(
            paths=Paths.resolve(environ),
            home=Path.home(),
            platform="linux" if sys.platform.startswith("linux") else sys.platform,
            environ=environ,
            keyring=system_keyring,
            stdin=any_name(sys.stdin),
            stdout=never_fails(sys.stdout),
            stderr=never_fails(sys.stderr),
        )

    @cached_property
    def console(self) -> Console:
        """For what the user asked for: stdout, in colour only where it is a terminal."""
        from rich.console import Console

        return Console(file=self.stdout, highlight=False, soft_wrap=True)

    @cached_property
    def errors(self) -> Console:
        """For progress, notes and problems: stderr."""
        from rich.console import Console

        return Console(file=self.stderr, highlight=False, soft_wrap=True)

    def print(self, text: str = "") -> None:
        """One line or more for the user; what a terminal would obey is written out."""
        self.stdout.write(plain(text, lines=True) + "\n")

    def error(self, text: str) -> None:
        """One line about a problem, marked as coming from us so that it can be told apart in a pipeline."""
        self.stderr.write(f"touchstone: {plain(text, lines=True)}\n")

    def child_environ(self) -> dict[str, str]:
        """Variables for a program of ours that is started from here, so that it uses the same directories."""
        variables = dict(self.environ)
        if self.paths.home is not None:
            variables[HOME_VARIABLE] = str(self.paths.home)
        return variables
