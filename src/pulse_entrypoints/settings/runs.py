"""The settings of `pulse runs list`, `show`, `verify` and `prune`."""

from __future__ import annotations

import attrs

from pulse_entrypoints.cli.kinds import COUNT, DAYS, FLAG, RUN_ID, choice
from pulse_entrypoints.cli.options import option
from pulse_entrypoints.settings.groups import HOW, OPERANDS
from pulse_entrypoints.settings.locations import ResultsSettings
from pulse_entrypoints.settings.output import FormatSettings, RunOperand

ALL, RUNS, RECORDS = "all", "runs", "records"


@attrs.frozen(kw_only=True, slots=False)
class RunsListSettings(FormatSettings, ResultsSettings):
    """The settings of `pulse runs list`."""


@attrs.frozen(kw_only=True, slots=False)
class RunsShowSettings(FormatSettings, ResultsSettings, RunOperand):
    """The settings of `pulse runs show`."""


@attrs.frozen(kw_only=True, slots=False)
class RunsVerifySettings(FormatSettings, ResultsSettings):
    """The settings of `pulse runs verify`."""

    run: str | None = option(
        attrs.evolve(RUN_ID, metavar="RUN"),
        OPERANDS,
        "The run to check, by its id; without one all runs and all records are checked.",
        default_text="all",
        operand=True,
    )
    repair: bool = option(FLAG, HOW, "Set damaged records aside and remove what is left over.", default=False)


@attrs.frozen(kw_only=True, slots=False)
class RunsPruneSettings(FormatSettings, ResultsSettings):
    """The settings of `pulse runs prune`."""

    older_than: int = option(DAYS, HOW, "Remove what was last written more days ago.", 0, required=True)
    keep: int = option(COUNT, HOW, "Runs to keep however old: the newest N.", 1)
    what: str = option(choice(ALL, RUNS, RECORDS, metavar="WHAT"), HOW, "Remove runs, records, or both.", ALL)
    dry_run: bool = option(FLAG, HOW, "Show what would be removed, and remove nothing.", default=False)
