"""Trust as the two tables quote it, and outcomes by the loss of the quantiles, against plain loops over their rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pytest

from pulse_core import Observations, RunSpec
from pulse_core.results import VariableRecord
from tests.fakes import FakeSink
from tests.unit.core.runs import Row, bits_of, ended, series, spec_of
from tests.unit.method.plain_learning import TAUS, trapezoid

NAMES = ("naive", "drift", "ses", "ar", "median-of-all", "ensemble")


def walk(count: int) -> Observations:
    """Small numbers now and then repeated, so that there are ties too."""
    return series(100 + np.round(np.cumsum(np.random.default_rng(61).normal(size=count)), 1))


def rows_of(sink: FakeSink, table: str) -> dict[Row, dict[str, Any]]:
    """A table's rows by forecaster, horizon and the fourth column, as numbers."""
    rows: dict[Row, dict[str, Any]] = {}
    for (_, part), goes in sink.parts.items():
        for columns in goes if part.startswith(table) else ():
            lists = {
                name: bits_of(column) if hasattr(column, "codes") else column.tolist()
                for name, column in columns.items()
            }
            for values in zip(*lists.values(), strict=True):
                row = dict(zip(lists, values, strict=True))
                rows[tuple(values[1:4])] = row
    return rows


def replayed(spec: RunSpec) -> tuple[VariableRecord, FakeSink]:
    sink = FakeSink()
    ended(walk(150), spec, sink=sink, hindcasts=True)
    record = next(one for one in sink.records.values() if isinstance(one, VariableRecord))
    return record, sink


def batch_of(moment: datetime, spec: RunSpec) -> int:
    return (moment.date() - spec.start).days // spec.batch_size_days


def loss(row: dict[str, Any]) -> float:
    return trapezoid(row["actual"], [row[f"q{level}"] for level in TAUS])


def test_by_crps_the_smaller_loss_of_the_quoted_quantiles_wins():
    spec = spec_of(days=150, horizon=3, batch_size_days=20, trust_loss="crps", forecasters=NAMES)
    record, sink = replayed(spec)
    rows = rows_of(sink, "hindcasts")
    won, lost = np.zeros((2, len(NAMES), 3))
    for (name, horizon, moment), row in rows.items():
        rival = rows.get(("naive", horizon, moment))
        if rival is None or np.isnan(row["actual"]):
            continue
        mine, other = loss(row), loss(rival)
        # no tie but the benchmark's own with itself is exact to the last bit
        share = 0.5 if abs(mine - other) < 1e-12 else float(mine < other)
        won[NAMES.index(name), horizon - 1] += share / horizon
        lost[NAMES.index(name), horizon - 1] += (1 - share) / horizon
    np.testing.assert_allclose(record.wins.sum(axis=0), won, rtol=1e-12)
    np.testing.assert_allclose(record.losses.sum(axis=0), lost, rtol=1e-12)


def test_by_crps_others_win_than_by_absolute_error():
    by_crps, by_error = (
        replayed(spec_of(days=150, forecasters=NAMES, trust_loss=how))[0].wins for how in ("crps", "absolute")
    )
    assert not np.array_equal(by_crps, by_error)


@pytest.mark.parametrize("how", ["absolute", "crps"])
def test_trust_at_the_last_origin_of_a_batch_is_that_at_its_end(how):
    # every day is an origin, so that nothing becomes known after a batch's last
    spec = spec_of(days=150, horizon=3, batch_size_days=10, trust_decay=0.8, trust_loss=how, forecasters=NAMES)
    _, sink = replayed(spec)
    quoted: dict[Row, tuple[Any, float]] = {}
    for (name, horizon, moment), row in rows_of(sink, "hindcasts").items():
        key = (name, horizon, batch_of(moment, spec))
        quoted[key] = max(quoted.get(key, (moment, 0.0)), (moment, row["trust"]), key=lambda one: one[0])
    ends = {
        (name, horizon, batch_of(row["start"], spec)): row
        for (name, horizon, _), row in rows_of(sink, "scores").items()
    }
    compared = np.array([(quoted[key][1], ends[key]["trust"]) for key in ends if key[0] != "naive"])
    assert len(compared) > 200
    np.testing.assert_allclose(compared[:, 0], compared[:, 1], rtol=1e-12)
