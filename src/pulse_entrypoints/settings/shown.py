"""What a run shows while it goes on and at its end."""

from __future__ import annotations

import attrs

from pulse_entrypoints.cli.kinds import FLAG
from pulse_entrypoints.cli.options import option
from pulse_entrypoints.settings.groups import SHOW


@attrs.frozen(kw_only=True, slots=False)
class ShownSettings:
    """What a run shows."""

    quiet: bool = option(FLAG, SHOW, "Show nothing but warnings and what went wrong.", default=False)
    json: bool = option(
        FLAG, SHOW, "Write the result to stdout, as JSON and nothing else; events go to stderr.", default=False
    )
    dry_run: bool = option(
        FLAG,
        SHOW,
        "Show what would be done, an estimate of time and memory, and the bytes to read; do nothing.",
        default=False,
    )
