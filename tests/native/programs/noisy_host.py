"""A native host in which everything prints: Python, native libraries, programs that it starts."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from touchstone import native_host
from touchstone.system.environment import Environment
from touchstone.system.paths import Paths


def noisy_clock() -> float:
    print("a stray print")
    os.write(1, b"a stray write of a native library\n")
    os.system("echo a stray child")  # noqa: S605
    return time.time()


if __name__ == "__main__":
    environment = Environment(
        paths=Paths.resolve(os.environ),
        home=Path(os.environ["HOME"]),
        platform=sys.platform,
        environ=os.environ,
        clock=noisy_clock,
        command=(sys.executable, str(Path(__file__).with_name("daemon.py"))),
    )
    sys.exit(native_host.run(environment))
