"""The real native host; where it would start `touchstone` it starts the scripted daemon beside this file."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from touchstone import native_host
from touchstone.system.environment import Environment
from touchstone.system.paths import Paths

DAEMON = Path(__file__).with_name("daemon.py")

if __name__ == "__main__":
    environment = Environment(
        paths=Paths.resolve(os.environ),
        home=Path(os.environ["HOME"]),
        platform=sys.platform,
        environ=os.environ,
        command=(sys.executable, str(DAEMON)),
    )
    sys.exit(native_host.run(environment))
