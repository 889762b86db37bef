"""Has the daemon started when the user logs in: a systemd user unit, a launchd agent, or a Run key.

Only a convenience: the native host starts the daemon when a browser needs it.
"""

from __future__ import annotations

import plistlib
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..messages import say
from .paths import HOME_VARIABLE, Paths, replace_file
from .registry import Registry

UNIT = "touchstone.service"
AGENT = "org.touchstone.daemon"
RUN_KEY = r"Software\Microsoft\Windows\CurrentVersion\Run"
RUN_VALUE = "Touchstone"
COMMAND_TIMEOUT_S = 15.0

RunCommand = Callable[[Sequence[str]], int]
"""Runs a program of the system and returns its exit code; 127 where there is none."""


@dataclass(frozen=True)
class Outcome:
    """What became of it: `done` with the place that was written or cleared, or why it was left alone."""

    done: bool
    detail: str


def run_command(command: Sequence[str]) -> int:
    """Run a program quietly."""
    try:
        return subprocess.run(
            list(command),
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        ).returncode
    except FileNotFoundError:
        return 127
    except (OSError, subprocess.TimeoutExpired):
        return 126


@dataclass(frozen=True)
class Autostart:
    """Autostart on one machine.

    Attributes:
        platform: as in Environment.
        home: the user's.
        paths: of the installation that is started.
        command: starts `touchstone`, without arguments.
        environ: environment variables, which may tell of a container.
        registry: on Windows.
        run: runs programs of the system.
        root: of the file system, where a container leaves its traces.
    """

    platform: str
    home: Path
    paths: Paths
    command: Sequence[str]
    environ: Mapping[str, str]
    registry: Registry | None = None
    run: RunCommand = run_command
    root: Path = Path("/")

    def enable(self) -> Outcome:
        """Set it up, or say why not.

        Raises:
            OSError: a file cannot be written; the text names it.
        """
        if self.platform == "win32":
            return self._run_key()
        if self.platform == "darwin":
            return self._agent()
        return self._unit()

    def disable(self) -> Outcome:
        """Take it away again."""
        if self.platform == "win32":
            if self.registry:
                self.registry.delete_value(RUN_KEY, RUN_VALUE)
            return Outcome(True, RUN_KEY)
        file = self._agent_file if self.platform == "darwin" else self._unit_file
        if not file.exists():
            return Outcome(False, say("system.autostart.none"))
        if self.platform == "darwin":
            self.run(["launchctl", "unload", "-w", str(file)])
        else:
            self.run(["systemctl", "--user", "disable", UNIT])
        file.unlink(missing_ok=True)
        return Outcome(True, str(file))

    # --- Linux --------------------------------------------------------------------------------------

    @property
    def _unit_file(self) -> Path:
        config = self.environ.get("XDG_CONFIG_HOME") or str(self.home / ".config")
        return Path(config) / "systemd" / "user" / UNIT

    def _unit(self) -> Outcome:
        if self._in_container():
            return Outcome(False, say("system.autostart.container"))
        if not (self.root / "run/systemd/system").is_dir():
            return Outcome(False, say("system.autostart.no_systemd"))
        self._unit_file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(self._unit_file, self._unit_text().encode(), 0o644)
        self.run(["systemctl", "--user", "daemon-reload"])
        if self.run(["systemctl", "--user", "enable", UNIT]) != 0:
            self._unit_file.unlink(missing_ok=True)
            return Outcome(False, say("system.autostart.no_session"))
        return Outcome(True, str(self._unit_file))

    def _unit_text(self) -> str:
        # In a command line, and only there, $ starts a variable.
        program = " ".join(_unit_quoted(part).replace("$", "$$") for part in (*self.command, "serve"))
        variable = f"{HOME_VARIABLE}={self.paths.home}"
        home = f"Environment={_unit_quoted(variable)}\n" if self.paths.home else ""
        return (
            f"[Unit]\nDescription={say('system.autostart.description')}\n\n"
            f"[Service]\nExecStart={program}\n{home}\n"
            "[Install]\nWantedBy=default.target\n"
        )

    def _in_container(self) -> bool:
        # Docker and Podman leave these files; systemd-nspawn, LXC and Podman set the variable.
        traces = (self.root / ".dockerenv", self.root / "run/.containerenv")
        return bool(self.environ.get("container")) or any(trace.exists() for trace in traces)

    # --- macOS --------------------------------------------------------------------------------------

    @property
    def _agent_file(self) -> Path:
        return self.home / "Library" / "LaunchAgents" / f"{AGENT}.plist"

    def _agent(self) -> Outcome:
        content = {
            "Label": AGENT,
            "ProgramArguments": [*self.command, "serve"],
            "RunAtLoad": True,
            "ProcessType": "Background",
            **({"EnvironmentVariables": {HOME_VARIABLE: str(self.paths.home)}} if self.paths.home else {}),
        }
        self._agent_file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(self._agent_file, plistlib.dumps(content), 0o644)
        if self.run(["launchctl", "load", "-w", str(self._agent_file)]) != 0:
            return Outcome(False, say("system.autostart.no_session"))
        return Outcome(True, str(self._agent_file))

    # --- Windows ------------------------------------------------------------------------------------

    def _run_key(self) -> Outcome:
        if self.registry is None:
            return Outcome(False, say("system.autostart.no_session"))
        self.registry.write(RUN_KEY, subprocess.list2cmdline([*self.command, "serve"]), RUN_VALUE)
        return Outcome(True, rf"{RUN_KEY}\{RUN_VALUE}")


def _unit_quoted(text: str) -> str:
    """A word as systemd reads it (systemd.syntax(7), systemd.unit(5)): % starts a specifier."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'
