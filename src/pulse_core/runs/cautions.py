"""What must be known of a run's forecasters and data beside the numbers: told once each, when there is occasion."""

from __future__ import annotations

from typing import Final

import attrs

from pulse_core.events import DataCaution, ForecasterCaution, Observer
from pulse_core.forecasters.registry import ForecasterSet
from pulse_core.results import UnitResult

DOUBTFUL_TOLD: Final = 5
"""The variables of which a run tells that their data are doubtful; the result names all."""

UNREPEATABLE: Final = (
    "asked twice for the same forecast, it gave two: whoever computes this run anew gets other numbers. "
    "Give it a seed of its own"
)


@attrs.define
class Cautions:
    """What has been told of a run so far."""

    run_id: str
    forecasters: ForecasterSet
    observer: Observer
    _unrepeatable: set[str] = attrs.field(init=False, factory=set)
    _has_recalled: bool = attrs.field(init=False, default=False)
    _doubtful: set[str] = attrs.field(init=False, factory=set)

    @property
    def unrepeatable(self) -> tuple[str, ...]:
        """The forecasters that gave two forecasts of one history, in the run's order."""
        return tuple(name for name in self.forecasters.names if name in self._unrepeatable)

    def add(self, result: UnitResult) -> None:
        """Take in the result of a unit, and tell what it gives occasion to."""
        for name in result.unrepeatable:
            if name not in self._unrepeatable:
                self._unrepeatable.add(name)
                self._tell(name, UNREPEATABLE)
        for variable, facts in (
            *result.predictors,
            *((summary.variable, summary.data) for summary in result.summaries),
        ):
            if facts.caution and variable not in self._doubtful and len(self._doubtful) < DOUBTFUL_TOLD:
                self._doubtful.add(variable)
                self.observer(DataCaution(self.run_id, variable, facts.caution))
        if result.recalled and not self._has_recalled:
            self._has_recalled = True
            for forecaster in self.forecasters.forecasters:
                if forecaster.unseen:
                    self._tell(forecaster.name, recalled_text(forecaster.unseen))

    def _tell(self, forecaster: str, message: str) -> None:
        self.observer(ForecasterCaution(self.run_id, forecaster, message))


def recalled_text(unseen: tuple[str, ...]) -> str:
    """Return what is told of recalled forecasts that something may have changed which is not seen."""
    return (
        f"recalled, but changes of {', '.join(unseen)} cannot be seen: after one give its class another 'version', "
        "or use --fresh"
    )
