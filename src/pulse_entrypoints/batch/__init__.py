"""AWS Batch: what runs in a job's container (`pulse-batch`), and what submits jobs and looks after them."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the job that this container is for: `pulse batch run` under the name that images start."""
    from pulse_entrypoints.cli import main as pulse  # help must not wait for it

    return pulse(["batch", "run", *(sys.argv[1:] if arguments is None else arguments)])
