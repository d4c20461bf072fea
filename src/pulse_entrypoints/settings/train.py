"""The settings of `pulse train`."""

from __future__ import annotations

import attrs

from pulse_entrypoints.settings.dask import DaskSettings
from pulse_entrypoints.settings.logs import LogSettings
from pulse_entrypoints.settings.places import DataSettings, OutputSettings, ResultsSettings
from pulse_entrypoints.settings.shown import ShownSettings
from pulse_entrypoints.settings.spec import SpecSettings
from pulse_entrypoints.settings.work import WorkSettings


@attrs.frozen(kw_only=True, slots=False)
class TrainSettings(
    LogSettings,
    ShownSettings,
    DaskSettings,
    WorkSettings,
    OutputSettings,
    ResultsSettings,
    DataSettings,
    SpecSettings,
):
    """The settings of one run of `pulse train`."""
