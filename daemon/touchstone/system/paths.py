"""Where Touchstone keeps its files on this machine.

Everything lives in directories of the user's own, made with mode 0700: scans name videos that a person
watched, and the runtime directory holds what another process would need to talk to the daemon.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from ..messages import say

APP = "touchstone"
HOME_VARIABLE = "TOUCHSTONE_HOME"
PRIVATE_DIR = 0o700
PRIVATE_FILE = 0o600


@dataclass(frozen=True)
class Paths:
    """The directories of one installation.

    Attributes:
        config_dir: settings the user may edit.
        data_dir: what must survive: the store, trust lists, models, the native host's launcher.
        cache_dir: what may be deleted at any time: fetched bytes, uploads on their way.
        log_dir: log files.
        runtime_dir: what is true only while the daemon runs: `daemon.json`, locks, a Unix socket.
    """

    config_dir: Path
    data_dir: Path
    cache_dir: Path
    log_dir: Path
    runtime_dir: Path

    @classmethod
    def under(cls, home: Path) -> Paths:
        """All directories below one: for tests, portable installations and several daemons side by side."""
        home = home.expanduser().absolute()
        return cls(
            config_dir=home / "config",
            data_dir=home / "data",
            cache_dir=home / "cache",
            log_dir=home / "log",
            runtime_dir=home / "run",
        )

    @classmethod
    def of_user(cls) -> Paths:
        """The platform's own places (XDG on Linux, Library on macOS, AppData on Windows)."""
        dirs = platformdirs.PlatformDirs(APP, appauthor=False)
        return cls(
            config_dir=Path(dirs.user_config_dir),
            data_dir=Path(dirs.user_data_dir),
            cache_dir=Path(dirs.user_cache_dir),
            log_dir=Path(dirs.user_log_dir),
            # Not $XDG_RUNTIME_DIR: a shell without a session (ssh, cron, a container) has none, and would
            # look for the daemon elsewhere than the browser that started it. What a dead daemon left over is
            # found out by asking the daemon itself.
            runtime_dir=Path(dirs.user_state_dir) / "run",
        )

    @classmethod
    def resolve(cls, environ: Mapping[str, str], home: Path | None = None) -> Paths:
        """`home` if given, else below `$TOUCHSTONE_HOME` if set, else the platform's own places."""
        if home is not None:
            return cls.under(home)
        named = environ.get(HOME_VARIABLE, "").strip()
        # Absolute, because the programs that we start have another working directory.
        return cls.under(Path(named).expanduser().absolute()) if named else cls.of_user()

    @property
    def all(self) -> tuple[Path, ...]:
        """Every directory."""
        return (self.config_dir, self.data_dir, self.cache_dir, self.log_dir, self.runtime_dir)

    @property
    def home(self) -> Path | None:
        """The one directory that holds all others, or None where the platform spreads them."""
        home = self.config_dir.parent
        return home if Paths.under(home) == self else None

    @property
    def daemon_file(self) -> Path:
        """Written by a running daemon, 0600: `{"pid", "port", "version", "started_at"}`."""
        return self.runtime_dir / "daemon.json"

    @property
    def daemon_lock(self) -> Path:
        """Held by a daemon from its start to its end: whether there is one is asked of the kernel."""
        return self.runtime_dir / "daemon.lock"

    @property
    def token_file(self) -> Path:
        """The bearer token where there is no keyring."""
        return self.config_dir / "token"

    def create(self) -> Paths:
        """Make all directories, mode 0700. A directory of ours that others could enter is closed to them.

        Raises:
            NoFolder: a directory cannot be made.
        """
        for path in self.all:
            try:
                make_private_dir(path)
            except OSError as problem:
                raise NoFolder(path, problem) from problem
        return self


class NoFolder(OSError):
    """A directory of ours cannot be made; the text names it and the remedy.

    Attributes:
        cause: the directory and what the system said, without the remedy.
    """

    def __init__(self, path: Path, problem: OSError) -> None:
        self.cause = f"{path}: {problem.strerror or problem}"
        super().__init__(say("system.paths.no_folder", cause=self.cause, variable=HOME_VARIABLE))


def make_private_dir(path: Path) -> None:
    """Make a directory that only the user may enter; parents are made with the user's own defaults."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=PRIVATE_DIR, exist_ok=True)
    if os.name == "posix" and path.stat().st_mode & 0o077:
        path.chmod(PRIVATE_DIR)


def write_private_file(path: Path, content: bytes) -> None:
    """Write a 0600 file into a 0700 directory in one step: a reader sees the old content or the new."""
    make_private_dir(path.parent)
    replace_file(path, content, PRIVATE_FILE)


def replace_file(path: Path, content: bytes, mode: int) -> None:
    """Write a file in one step: a reader sees the old content or the new, never a part.

    The file is made with its final mode, so that there is no moment in which others could open it.

    Raises:
        OSError: it cannot be written; the text names a file in the same directory.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
