"""`python -m pulse_entrypoints` is the command `pulse`."""

import sys

from pulse_entrypoints.cli import main

sys.exit(main())
