"""What may go wrong under any command, told in a line that names the remedy instead of a traceback."""

from __future__ import annotations

from pathlib import Path

from ..messages import say
from ..system.environment import Environment
from .exits import Exit


def explain(problem: Exception, env: Environment) -> tuple[str, Exit] | None:
    """The words for a problem with the user's machine and the exit code; None for a mistake of ours."""
    # Imported here: commands that end well need none of it.
    import sqlite3

    from ..settings import SettingError
    from ..store import NewerStore
    from ..system.secrets import SecretsError

    folder = env.paths.data_dir
    match problem:
        case SettingError():
            return str(problem), Exit.USAGE
        case NewerStore(found=found):
            return say("daemon.store.newer", folder=folder, found=found), Exit.FAILED
        case sqlite3.Error():
            return say("daemon.store.broken", folder=folder, reason=problem), Exit.FAILED
        case SecretsError():
            return str(problem), Exit.FAILED
        case OSError(filename=str(name)) if Path(name).parent == folder:
            return say("daemon.store.broken", folder=folder, reason=problem.strerror), Exit.FAILED
        case OSError():
            return str(problem), Exit.FAILED
    return None
