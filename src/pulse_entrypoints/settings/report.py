# ruff: noqa: RUF009 - option() declares an attrs field and is meant to be called once, here
"""The settings of `pulse report`."""

from __future__ import annotations

from pathlib import Path

import attrs

from pulse_entrypoints.cli.kinds import NAMES, PATH
from pulse_entrypoints.cli.options import option
from pulse_entrypoints.settings.answers import RunOperand
from pulse_entrypoints.settings.groups import SHOW, WHERE
from pulse_entrypoints.settings.logs import ConfigSettings
from pulse_entrypoints.settings.places import ResultsSettings


@attrs.frozen(kw_only=True, slots=False)
class ReportSettings(ConfigSettings, ResultsSettings, RunOperand):
    """What to report, and where to put it."""

    detail: tuple[str, ...] | None = option(
        NAMES, SHOW, "The variables to tell in detail.", shown="all; of more than 40, the most telling"
    )
    output: Path | None = option(
        attrs.evolve(PATH, metavar="FILE"),
        WHERE,
        "Write the report to this file.",
        shown="report.html beside the result",
    )
