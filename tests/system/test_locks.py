"""A lock between processes goes with its holder, however that ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from touchstone.system.locks import LockTimeout, file_lock

HOLDER = """
import sys, time
from pathlib import Path
from touchstone.system.locks import file_lock
with file_lock(Path(sys.argv[1]), 5):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_lock_is_waited_for_and_is_free_when_its_holder_was_killed(tmp_path: Path) -> None:
    lock = tmp_path / "own" / "lock"
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(lock)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        started = time.monotonic()
        with pytest.raises(LockTimeout, match=r"lock"), file_lock(lock, 0.3):
            pass
        assert 0.3 <= time.monotonic() - started < 3
        holder.send_signal(signal.SIGKILL)
        holder.wait(10)
        with file_lock(lock, 5):
            pass
    finally:
        holder.kill()
        holder.wait(10)


def test_an_exception_inside_lets_go_of_it(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with pytest.raises(ZeroDivisionError), file_lock(lock, 1):
        raise ZeroDivisionError
    with file_lock(lock, 0):
        pass
