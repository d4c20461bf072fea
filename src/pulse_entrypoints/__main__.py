"""`python -m pulse_entrypoints` is the command `pulse`."""

from pulse_entrypoints.cli.program import pulse

pulse()
