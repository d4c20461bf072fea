"""`python -m pulse_entrypoints.batch`."""

from pulse_entrypoints.cli.program import pulse_batch

pulse_batch()
