"""Nothing known after the end of the period is used for anything."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core import Observations, RunSpec
from pulse_core.data.observations import end_of
from pulse_core.scores.measures import MEASURES
from tests.fakes import FakeSink
from tests.strategies import DAY, FIRST_DAY, daily, replayed, rewritten_after, specs, values, whole, whole_for
from tests.unit.core.runs import day, ended, known, series, spec_of, table


def content_of(observations: Observations | Sequence[Observations], spec: RunSpec) -> tuple[Any, ...]:
    """All that a run says of a variable, its data's facts and its tables included."""
    sink = FakeSink()
    result = ended(observations, spec, sink=sink, hindcasts=True)
    return result.digest, result.variables, result.failures, table(sink, "scores"), table(sink, "hindcasts")


@settings(max_examples=40)
@given(st.data())
def test_rows_known_after_the_end_may_be_anything(data):
    observations = data.draw(replayed(values()))
    spec = data.draw(whole_for(observations))
    other = data.draw(rewritten_after(observations, end_of(spec.last_day)))
    assert content_of(observations, spec) == content_of(other, spec)


@settings(max_examples=30)
@given(st.data())
def test_later_stamps_may_be_anything_where_stamps_say_what_was_known(data):
    spec = data.draw(specs(last=60).flatmap(whole))
    before = stamped_until(data.draw(daily(1, 30)), spec.last_day)
    after = data.draw(st.lists(st.integers(1, 400), unique=True, max_size=20))
    stamps = [np.datetime64(spec.last_day, "us") + wait * DAY for wait in after]
    assert content_of(before, spec) == content_of(with_stamps(before, stamps), spec)


@settings(max_examples=20)
@given(
    st.integers(12, 20),
    st.integers(0, 26),
    st.lists(st.integers(0, 60), unique=True, max_size=15),
)
def test_stamps_in_an_unfinished_month_may_be_anything_where_data_are_monthly(months, days, days_later):
    first = np.datetime64(FIRST_DAY, "M")
    monthly = Observations("x", (first + np.arange(months)).astype("datetime64[us]"), np.arange(months) ** 2.0)
    unfinished = (first + months).astype("datetime64[D]").item()
    spec = attrs.evolve(spec_of(batch_size_days=40), end=unfinished + timedelta(days=days))
    stamps = [np.datetime64(unfinished, "us") + day_later * DAY for day_later in days_later]
    assert content_of(monthly, spec) == content_of(with_stamps(monthly, stamps), spec)


def stamped_until(observations: Observations, last: date) -> Observations:
    early = observations.timestamps <= end_of(last)
    return attrs.evolve(observations, timestamps=observations.timestamps[early], values=observations.values[early])


def with_stamps(observations: Observations, stamps: list[np.datetime64]) -> Observations:
    return attrs.evolve(
        observations,
        timestamps=np.append(observations.timestamps, np.array(stamps, dtype="datetime64[us]")),
        values=np.append(observations.values, np.arange(len(stamps)) * 1e6),
    )


@settings(max_examples=25)
@given(st.data())
def test_rows_of_predictors_known_after_the_end_may_be_anything(data):
    observations, predictor = data.draw(replayed(values())), data.draw(replayed(values(), "y"))
    spec = data.draw(whole_for(observations, predictors=("y",)))
    other = data.draw(rewritten_after(predictor, end_of(spec.last_day)))
    assert content_of([observations, predictor], spec) == content_of([observations, other], spec)


def test_a_row_known_in_the_last_moment_of_the_end_date_is_used():
    rows = series([1, 2, 4, 8, 16, 32])
    late = attrs.evolve(rows, known_at=np.append(rows.timestamps[:-1], end_of(date(2020, 1, 6))))
    assert content_of(late, spec_of(days=6))[1][0].scores[0, 0, MEASURES.index("n")] == 4


def test_a_row_known_a_moment_after_the_end_date_is_not_used():
    rows = series([1, 2, 4, 8, 16, 32])
    late = attrs.evolve(rows, known_at=np.append(rows.timestamps[:-1], day(6)))
    assert content_of(late, spec_of(days=6))[1][0].scores[0, 0, MEASURES.index("n")] == 3


def test_the_period_ends_with_the_last_batch_of_the_batch_limit():
    rows = series(range(20))
    assert content_of(rows, spec_of(days=20, batch_size_days=5, batch_limit=2)) == content_of(
        rows, spec_of(days=10, batch_size_days=5)
    )


def test_the_latest_actual_is_the_newest_known_by_the_end():
    released = [(n, float(n), n) for n in range(8)]
    spec = spec_of(days=8, horizon=1, actuals="latest", forecasters=("naive",))
    revised = known([*released, (6, 50.0, 7), (6, 90.0, 9)])
    # four origins miss by 1, the fifth reads 5 before the 50, the sixth reads 6 before the 7
    assert content_of(revised, spec)[1][0].scores[0, 0, MEASURES.index("mae")] == pytest.approx((4 * 1 + 45 + 1) / 6)


def test_history_before_the_start_is_used():
    spec = attrs.evolve(spec_of(days=10, min_history=5, horizon=1), start=date(2020, 1, 6))
    assert content_of(series(range(10)), spec)[1][0].scores[0, 0, MEASURES.index("n")] == 4
