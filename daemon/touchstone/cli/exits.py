"""What an exit code means, for every command."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes; docs/cli.md lists them."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    UNREADABLE = 3
    REFUSED = 4  # the generator will not make it
    FOUND = 10  # --fail-on
