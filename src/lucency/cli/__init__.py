"""The desk: one file per verb, no science.

Nothing heavy is imported before a verb needs it, so that `lucency --help` answers at once.
"""

import sys


def main() -> None:
    """Start the program and leave with its exit code."""
    from lucency.cli.terminal import guarded

    sys.exit(guarded(sys.argv[1:]))
