"""The settings of output, for commands that print a result."""

from __future__ import annotations

import attrs

from pulse_entrypoints.cli.kinds import RUN_ID, choice
from pulse_entrypoints.cli.options import option
from pulse_entrypoints.settings.groups import OPERANDS, SHOW
from pulse_entrypoints.settings.logs import ConfigSettings

TABLE, CSV, JSON = "table", "csv", "json"


@attrs.frozen(kw_only=True, slots=False)
class FormatSettings(ConfigSettings):
    """The form of the output."""

    format: str = option(
        choice(TABLE, CSV, JSON, metavar="FORM"),
        SHOW,
        "A table for people, or the complete output as CSV or JSON.",
        TABLE,
    )


@attrs.frozen(kw_only=True, slots=False)
class RunOperand:
    """A published run."""

    run: str = option(
        attrs.evolve(RUN_ID, metavar="RUN"), OPERANDS, "The run, by its id.", "", operand=True, required=True
    )
