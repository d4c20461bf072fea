"""Every setting: name, kind, default, environment variable, TOML key, help; in this package and nowhere else.

The option of a field `some_name` is `--some-name`, its TOML key `some_name`, its environment variable
`PULSE_SOME_NAME` unless the field names another. A command has one class of settings, put together by inheritance:
an option that two commands share is declared once. (Without slots, for classes with slots cannot be put together.)
"""

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
