"""The settings of what a run shows, during the run and at its end."""

from __future__ import annotations

import attrs

from pulse_entrypoints.cli.kinds import FLAG
from pulse_entrypoints.cli.options import option
from pulse_entrypoints.settings.groups import SHOW


@attrs.frozen(kw_only=True, slots=False)
class DisplaySettings:
    """What a run shows, during the run and at its end."""

    quiet: bool = option(FLAG, SHOW, "Show nothing but warnings and errors.", default=False)
    json: bool = option(
        FLAG, SHOW, "Write the result to stdout, as JSON and nothing else; events go to stderr.", default=False
    )
    table: bool = option(
        FLAG, SHOW, "Write the table at the end to a pipe or file too, in place of events.", default=False
    )
    dry_run: bool = option(
        FLAG,
        SHOW,
        "Show the plan, an estimate of time and memory, and the bytes to read; compute nothing.",
        default=False,
    )
