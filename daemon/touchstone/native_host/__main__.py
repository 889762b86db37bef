"""`python -m touchstone.native_host`: the same as `touchstone native-host`, without the command line's imports."""

import sys

from ..system.environment import Environment
from . import run

if __name__ == "__main__":
    sys.exit(run(Environment.of_this_machine()))
