"""Hindcasts of forecasters that are called origin by origin: recorded batch by batch, read by the variable's unit."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.backtest.hindcasts import forecast_rows, row_count
from pulse_core.backtest.variable import histories_of
from pulse_core.data.known_at import KnownRows
from pulse_core.data.point_in_time import PointInTime
from pulse_core.errors import HINT_NOT_RECORDED, NOT_RECORDED, NotRecorded
from pulse_core.forecasters.base import Forecaster, Histories
from pulse_core.plan import Batch, batch_index, batches
from pulse_core.ports import ResultSink
from pulse_core.results import PerOriginRecord
from pulse_core.runs.keys import hindcast_key
from pulse_core.spec import RunSpec

Array = NDArray[np.float64]


@attrs.frozen
class PerOriginHindcasts:
    """One variable's hindcasts by batches of the period. Learners of these forecasters start with the period.

    With `recorded_only` nothing is made: what is not recorded is NotRecorded.
    """

    spec: RunSpec
    sink: ResultSink
    rows: KnownRows
    point: PointInTime
    recorded_only: bool = False
    unrepeatable: list[str] = attrs.field(init=False, factory=list)
    """Names of the forecasters that gave two forecasts of one history: asked twice where the newest batch is made."""

    def all(self, forecaster: Forecaster) -> Array:
        """Return its rows at every origin, NaN before the period; see forecast_rows. Raises ForecasterFailed."""
        rows = np.full((row_count(forecaster), len(self.point.origin_step), self.spec.horizon), np.nan)
        for batch in self.batches:
            rows[:, self._origins(batch)], _ = self.in_batch(forecaster, batch)
        return rows

    @property
    def batches(self) -> tuple[Batch, ...]:
        """The batches that have an origin: nothing is made or recorded in others."""
        every, indexes = batches(self.spec), np.unique(batch_index(self.spec, self.point.origin_known_at))
        return tuple(every[index] for index in indexes.tolist() if index >= 0)

    def in_batch(self, forecaster: Forecaster, batch: Batch, *, fresh: bool = False) -> tuple[Array, bool]:
        """Return its rows at the origins of one of `batches`, in the scale of the point, and whether it was recalled.

        When `fresh`, they are made whatever is recorded, and recorded instead. Raises ForecasterFailed,
        NotRecorded.
        """
        key = hindcast_key(self.spec, forecaster, self.rows.by(batch.end), batch, self.point)
        record = None if fresh else self.sink.recall(key)
        if isinstance(record, PerOriginRecord):
            return self._scaled(record), True
        if self.recorded_only:
            context = f"variable '{self.point.variable}', forecaster '{forecaster.name}', {batch.id}"
            raise NotRecorded(NOT_RECORDED, context, HINT_NOT_RECORDED)
        record = self._record(forecaster, batch)
        if fresh:
            self.sink.remove_record(key)
        self.sink.record(key, record)
        return self._scaled(record), False

    def _record(self, forecaster: Forecaster, batch: Batch) -> PerOriginRecord:
        origins, histories = self._origins(batch), histories_of(self.point)
        rows = forecast_rows(forecaster, histories.select(origins), self.spec.horizon)
        if origins[-1] == len(histories) - 1:
            self._ask_again(forecaster, histories.select(origins[:1]), rows[:, :1])
        # recorded in the data's units: the scale depends on the first origin, which is the run's
        in_units = np.ldexp(rows, self.point.exponent)
        return PerOriginRecord(self.point.variable, forecaster.name, in_units[0], in_units[1:])

    def _origins(self, batch: Batch) -> NDArray[np.int64]:
        """Return the origins in a batch."""
        return np.flatnonzero(batch_index(self.spec, self.point.origin_known_at) == batch.index)

    def _ask_again(self, forecaster: Forecaster, histories: Histories, rows: Array) -> None:
        """Compare the rows of one origin with those that a second call gives."""
        if not np.array_equal(forecast_rows(forecaster, histories, self.spec.horizon), rows, equal_nan=True):
            self.unrepeatable.append(forecaster.name)

    def _scaled(self, record: PerOriginRecord) -> Array:
        in_units = np.concatenate([record.forecasts[None], record.quantiles])
        return np.asarray(np.ldexp(in_units, -self.point.exponent))
