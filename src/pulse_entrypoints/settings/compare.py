"""The settings of `pulse compare`."""

from __future__ import annotations

import attrs

from pulse_entrypoints.cli.kinds import NUMBER, RUN_ID, SHARE_OF_ONE
from pulse_entrypoints.cli.options import option
from pulse_entrypoints.settings.groups import HOW, OPERANDS
from pulse_entrypoints.settings.locations import ResultsSettings
from pulse_entrypoints.settings.output import FormatSettings


@attrs.frozen(kw_only=True, slots=False)
class CompareSettings(FormatSettings, ResultsSettings):
    """The settings of `pulse compare`."""

    before: str = option(
        attrs.evolve(RUN_ID, metavar="RUN"), OPERANDS, "The run to compare with.", "", operand=True, required=True
    )
    after: str = option(
        attrs.evolve(RUN_ID, metavar="RUN"), OPERANDS, "The run that may differ.", "", operand=True, required=True
    )
    max_loss: float | None = option(
        NUMBER,
        HOW,
        "Exit with 4 where a forecaster has lost more skill than this, e.g. 0.02: two points of a hundred.",
        default_text="no limit",
    )
    certainty: float = option(
        SHARE_OF_ONE,
        HOW,
        "How certain a loss must be, all comparisons counted, to be more than noise; with 0 the limit alone decides.",
        0.95,
    )
