"""The settings of `pulse data list`, `check`, `convert` and `sample`."""

from __future__ import annotations

from typing import Final

import attrs

from pulse_entrypoints.cli.kinds import FLAG, NAMES, TEXT, Kind
from pulse_entrypoints.cli.options import option
from pulse_entrypoints.settings.groups import OPERANDS, SHOW, WHERE
from pulse_entrypoints.settings.locations import DataSettings
from pulse_entrypoints.settings.logs import ConfigSettings
from pulse_entrypoints.settings.output import FormatSettings

LOCATION: Final[Kind] = attrs.evolve(TEXT, metavar="LOCATION")


@attrs.frozen(kw_only=True, slots=False)
class OfVariables:
    """A selection of the variables."""

    of: tuple[str, ...] | None = option(
        attrs.evolve(NAMES, metavar="VARIABLE..."),
        OPERANDS,
        "These variables.",
        operand=True,
        default_text="all of the data",
    )


@attrs.frozen(kw_only=True, slots=False)
class ListSettings(FormatSettings, DataSettings, OfVariables):
    """The settings of `pulse data list`."""


@attrs.frozen(kw_only=True, slots=False)
class CheckSettings(FormatSettings, DataSettings, OfVariables):
    """The settings of `pulse data check`."""

    strict: bool = option(FLAG, SHOW, "Exit with 1 where a finding is more than a note.", default=False)


@attrs.frozen(kw_only=True, slots=False)
class ConvertSettings(ConfigSettings, DataSettings, OfVariables):
    """The settings of `pulse data convert`."""

    to: str = option(LOCATION, WHERE, "The location of the Parquet files, created where missing.", "", required=True)
    overwrite: bool = option(FLAG, WHERE, "Replace files that hold other rows.", default=False)


@attrs.frozen(kw_only=True, slots=False)
class SampleSettings(ConfigSettings):
    """The settings of `pulse data sample`."""

    folder: str = option(
        LOCATION, OPERANDS, "The folder for the sample, created where it is missing.", "", operand=True, required=True
    )
