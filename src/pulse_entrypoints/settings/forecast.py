"""The settings of `pulse forecast`."""

from __future__ import annotations

from datetime import date

import attrs

from pulse_entrypoints.cli.kinds import DAY, FLAG, NAMES
from pulse_entrypoints.cli.options import option
from pulse_entrypoints.settings.groups import SHOW, WHAT
from pulse_entrypoints.settings.locations import DataSettings, ResultsSettings
from pulse_entrypoints.settings.output import FormatSettings, RunOperand


@attrs.frozen(kw_only=True, slots=False)
class ForecastSettings(FormatSettings, ResultsSettings, DataSettings, RunOperand):
    """The settings of `pulse forecast`."""

    as_of: date | None = option(
        DAY, WHAT, "Forecast from all rows that were known by the end of this day.", default_text="today (UTC)"
    )
    allow_changed_history: bool = option(
        FLAG, WHAT, "Forecast also where rows known by the run's end are not those it was trained on.", default=False
    )
    skip_failed: bool = option(FLAG, WHAT, "Show the others where some variables fail (exit status 3).", default=False)
    only: tuple[str, ...] | None = option(NAMES, SHOW, "These variables only.", default_text="all of the run")
    by: tuple[str, ...] | None = option(
        NAMES, SHOW, "Forecasts by these of the run's forecasters, or by 'all'.", default_text="the ensemble"
    )
