"""`python -m pulse_entrypoints` is the command `pulse`."""

from pulse_entrypoints.program import pulse

pulse()
