"""The settings of `pulse data list`, `check`, `convert` and `sample`."""

from __future__ import annotations

from typing import Final

import attrs

from pulse_entrypoints.cli.kinds import FLAG, NAMES, TEXT, Kind
from pulse_entrypoints.cli.options import option
from pulse_entrypoints.settings.answers import AnswerSettings
from pulse_entrypoints.settings.groups import OPERANDS, SHOW, WHERE
from pulse_entrypoints.settings.logs import ConfigSettings
from pulse_entrypoints.settings.places import DataSettings

PLACE: Final[Kind] = attrs.evolve(TEXT, metavar="PLACE")


@attrs.frozen(kw_only=True, slots=False)
class OfVariables:
    """Some of the variables that are there."""

    of: tuple[str, ...] | None = option(
        attrs.evolve(NAMES, metavar="VARIABLE..."), OPERANDS, "These variables.", operand=True, shown="all there are"
    )


@attrs.frozen(kw_only=True, slots=False)
class ListSettings(AnswerSettings, DataSettings, OfVariables):
    """The settings of `pulse data list`."""


@attrs.frozen(kw_only=True, slots=False)
class CheckSettings(AnswerSettings, DataSettings, OfVariables):
    """The settings of `pulse data check`."""

    strict: bool = option(FLAG, SHOW, "Exit with 1 where anything but a note is found.", default=False)


@attrs.frozen(kw_only=True, slots=False)
class ConvertSettings(ConfigSettings, DataSettings, OfVariables):
    """The settings of `pulse data convert`."""

    to: str = option(PLACE, WHERE, "The place for the Parquet files, made where it is missing.", "", required=True)
    overwrite: bool = option(FLAG, WHERE, "Replace files that hold other rows.", default=False)


@attrs.frozen(kw_only=True, slots=False)
class SampleSettings(ConfigSettings):
    """The settings of `pulse data sample`."""

    folder: str = option(
        PLACE, OPERANDS, "The place for the sample, made where it is missing.", "", operand=True, required=True
    )
