"""The settings of `pulse report`."""

from __future__ import annotations

from pathlib import Path

import attrs

from pulse_entrypoints.cli.kinds import NAMES, PATH
from pulse_entrypoints.cli.options import option
from pulse_entrypoints.settings.groups import SHOW, WHERE
from pulse_entrypoints.settings.locations import ResultsSettings
from pulse_entrypoints.settings.logs import ConfigSettings
from pulse_entrypoints.settings.output import RunOperand


@attrs.frozen(kw_only=True, slots=False)
class ReportSettings(ConfigSettings, ResultsSettings, RunOperand):
    """The variables of the report, and its location."""

    detail: tuple[str, ...] | None = option(
        NAMES, SHOW, "The variables with details.", default_text="all; of more than 40, the most informative"
    )
    output: Path | None = option(
        attrs.evolve(PATH, metavar="FILE"),
        WHERE,
        "Write the report to this file.",
        default_text="report.html beside the result",
    )
