"""`python -m touchstone.native_host`: `touchstone native-host` without importing the command line."""

import sys

from ..system.environment import Environment
from . import PROBE, run

if __name__ == "__main__":
    sys.exit(run(Environment.of_this_machine(), probe=PROBE in sys.argv[1:]))
