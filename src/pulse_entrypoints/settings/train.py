"""The settings of `pulse train`."""

from __future__ import annotations

import attrs

from pulse_entrypoints.settings.dask import DaskSettings
from pulse_entrypoints.settings.display import DisplaySettings
from pulse_entrypoints.settings.locations import DataSettings, OutputSettings, ResultsSettings
from pulse_entrypoints.settings.logs import LogSettings
from pulse_entrypoints.settings.spec import SpecSettings
from pulse_entrypoints.settings.work import WorkSettings


@attrs.frozen(kw_only=True, slots=False)
class TrainSettings(
    LogSettings,
    DisplaySettings,
    DaskSettings,
    WorkSettings,
    OutputSettings,
    ResultsSettings,
    DataSettings,
    SpecSettings,
):
    """The settings of one run of `pulse train`."""
