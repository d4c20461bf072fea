"""`python -m pulse_entrypoints.batch`."""

import sys

from pulse_entrypoints.batch import main

sys.exit(main())
