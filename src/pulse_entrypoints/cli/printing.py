"""Text on stdout and stderr: plain for people, and a failure where stdout cannot take the answer of a command.

Where only the reader of stdout has gone, as with `| head`, the command has not failed.
"""

from __future__ import annotations

import sys

from pulse_adapters.backends.host.streams import failure_of
from pulse_entrypoints.cli.plain_text import plain_text


def write_stderr(text: str) -> None:
    """Write lines to stderr, plain."""
    if text:
        sys.stderr.write(f"{plain_text(text)}\n")
        sys.stderr.flush()


def write_text(text: str) -> None:
    """Write lines to stdout, plain on a terminal and else as they are. Raises OutputUnavailable."""
    sys.stdout.write(f"{plain_text(text) if sys.stdout.isatty() else text}\n")
    finish_output()


def finish_output() -> None:
    """Send all that was written to stdout on its way. Raises OutputUnavailable."""
    sys.stdout.flush()
    failure = failure_of(sys.stdout)
    if failure:
        from pulse_entrypoints.cli.exits import OutputUnavailable  # help and version need not wait for the core

        raise OutputUnavailable.because(failure)
