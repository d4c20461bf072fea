"""The settings of `pulse runs list`, `show` and `prune`."""

from __future__ import annotations

import attrs

from pulse_entrypoints.cli.kinds import COUNT, FLAG, POSITIVE, choice
from pulse_entrypoints.cli.options import option
from pulse_entrypoints.settings.answers import AnswerSettings, RunOperand
from pulse_entrypoints.settings.groups import HOW
from pulse_entrypoints.settings.places import ResultsSettings

ALL, RUNS, RECORDS = "all", "runs", "records"


@attrs.frozen(kw_only=True, slots=False)
class RunsListSettings(AnswerSettings, ResultsSettings):
    """The settings of `pulse runs list`."""


@attrs.frozen(kw_only=True, slots=False)
class RunsShowSettings(AnswerSettings, ResultsSettings, RunOperand):
    """The settings of `pulse runs show`."""


@attrs.frozen(kw_only=True, slots=False)
class RunsPruneSettings(AnswerSettings, ResultsSettings):
    """The settings of `pulse runs prune`."""

    older_than: int = option(
        attrs.evolve(POSITIVE, metavar="DAYS"), HOW, "Remove what was last written more days ago.", 0, required=True
    )
    keep: int = option(COUNT, HOW, "Runs to keep however old: the newest N.", 1)
    message: str = option(choice(ALL, RUNS, RECORDS, metavar="WHAT"), HOW, "Remove runs, records, or both.", ALL)
    dry_run: bool = option(FLAG, HOW, "Say what would be removed, and remove nothing.", default=False)
