"""
The command line: parse, call a front door, present.

Modules here import nothing heavy at the top: `mailer --help` must answer at once.
"""

import sys


def main() -> None:
    """Run the command line: 0 done, 1 refused or failed with one sentence on standard error, 2 wrong usage."""
    from mailer.cli.machine import open_streams

    open_streams()
    from mailer.cli.commands import run

    sys.exit(run(sys.argv[1:]))
