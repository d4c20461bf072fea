"""What is quoted at an origin depends on rows known by then alone: the same bits, whatever comes later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core import Forecaster, Observations, RunSpec, TooLittleData
from pulse_core.data import covariates
from pulse_core.forecasters.ridge import Ridge
from pulse_core.plan import batch_index
from pulse_core.scores.sums import SUMS
from tests.backtests import KeptBacktest
from tests.strategies import replayed, rewritten_after, values, whole_for
from tests.unit.core.models import CUSTOM, CUSTOM_WITH_QUANTILES, PEEKING, PEEKING_FAR
from tests.unit.core.runs import FORECASTERS, Row, backtested, day, hindcasts, known, quotes, series, spec_of

MICROSECOND = np.timedelta64(1, "us")
POSITIVE = st.floats(1e-3, 1e6) | st.integers(1, 4).map(float)

Members = tuple[Observations, ...]
"""A variable, and the predictors that the spec names."""
Law = tuple[Members, Members, RunSpec, np.datetime64]
by_name = pytest.mark.parametrize("forecaster", [*FORECASTERS, CUSTOM], ids=lambda forecaster: forecaster.name)


@st.composite
def rewritten(draw: st.DrawFn, *, cut: bool = False, predicted: bool = False) -> Law:
    """Rows, the same rows with another future, the spec, and the moment at which the futures part."""
    target = draw(st.sampled_from(["level", "change", "log-change"]))
    numbers = POSITIVE if target == "log-change" else values()
    observations = draw(replayed(numbers))
    predictors = [draw(replayed(values(), "y"))] if predicted else []
    spec = draw(whole_for(observations, (target,), tuple(other.variable for other in predictors)))
    # some forty batches at most: a forecaster called origin by origin has a unit for each
    size = draw(st.integers(1, 9)) * (1 + (spec.end - spec.start).days // 40)
    spec = attrs.evolve(spec, batch_limit=None, batch_size_days=size)
    assert observations.known_at is not None
    moment = observations.known_at[draw(st.integers(len(observations) // 2, len(observations) - 1))]
    later = numbers if target == "log-change" else None
    members = (observations, *predictors)
    if cut:
        return members, tuple(member.known_by(moment) for member in members), spec, moment
    futures = (draw(rewritten_after(member, moment, later)) for member in members)
    return members, tuple(futures), spec, moment


def assert_quotes_stay(forecaster: Forecaster, law: Law) -> None:
    members, rewritten_members, spec, moment = law
    before, after = (quoted_by(moment, forecaster, rows, spec) for rows in (members, rewritten_members))
    assert before == after


def quoted_by(
    moment: np.datetime64, forecaster: Forecaster, members: Members, spec: RunSpec
) -> dict[np.datetime64, bytes]:
    try:
        forecasts = hindcasts(forecaster, members[0], spec, *members[1:])
    except TooLittleData:
        return {}
    # those before the period are made where it has an origin at all
    return {origin: bits for origin, bits in forecasts.items() if np.datetime64(spec.start, "us") <= origin <= moment}


def assert_table_stays(law: Law, *custom: Forecaster) -> None:
    """All that is written of the origins by the moment stays, but what happened after it."""
    members, rewritten_members, spec, moment = law
    forecasters = with_custom(spec, custom)
    cut = tuple(member.known_by(moment) for member in members)
    tables = [quotes(rows, forecasters, *custom) for rows in (members, rewritten_members, cut)]
    before, after, then = (written_by(moment, rows) for rows in tables)
    assert before == after == then
    outcomes = [released_by(moment, rows, released=tables[2]) for rows in tables]
    assert outcomes[0] == outcomes[1] == outcomes[2]


def written_by(moment: np.datetime64, rows: dict[Row, dict[str, Any]]) -> dict[Row, dict[str, Any]]:
    """What stood at the origins by the moment: forecasts, weights, trust and evidence."""
    later = {"target", "actual", "first_release", "outcome", "difference"}
    return {
        key: {name: bits for name, bits in row.items() if name not in later}
        for key, row in rows.items()
        if key[-1] <= moment.item()
    }


def released_by(
    moment: np.datetime64, rows: dict[Row, dict[str, Any]], released: dict[Row, dict[str, Any]]
) -> dict[Row, dict[str, Any]]:
    """What happened after the origins by the moment, where it had been released by then."""
    keys = [key for key, row in released.items() if key[-1] <= moment.item() and not is_nan(row["first_release"])]
    return {
        key: {name: rows[key][name] for name in ("target", "first_release", "outcome", "difference")} for key in keys
    }


def is_nan(bits: bytes) -> bool:
    return bool(np.isnan(np.frombuffer(bits)[0]))


def with_custom(spec: RunSpec, custom: Sequence[Forecaster]) -> RunSpec:
    return attrs.evolve(spec, forecasters=(*spec.forecasters, *(forecaster.name for forecaster in custom)))


def assert_record_stays(law: Law, *custom: Forecaster) -> None:
    """All arrays by batch of knowledge keep the batches that ended by the moment."""
    members, rewritten_members, spec, moment = law
    forecasters = with_custom(spec, custom)
    ended = int(batch_index(spec, np.array([moment + MICROSECOND]))[0])
    before, after = (
        ended_batches(backtested(rows, forecasters, *custom), max(ended, 0)) for rows in (members, rewritten_members)
    )
    assert before == after


def ended_batches(result: KeptBacktest | None, count: int) -> dict[str, bytes]:
    """The bits of the first batches of what a record holds by the batch in which it became known."""
    if result is None:
        return {}
    ended = int(np.searchsorted(result.batches, count))
    names = ("batches", "origins", "won", "lost", "trust") if ended else ()
    return {name: getattr(result, name)[:ended].tobytes() for name in names}


@by_name
@settings(max_examples=20)
@given(law=rewritten())
def test_rows_known_after_an_origin_move_nothing_quoted_at_it(forecaster, law):
    assert_quotes_stay(forecaster, law)


@by_name
@settings(max_examples=12)
@given(law=rewritten(cut=True))
def test_data_cut_at_an_origin_quote_the_same(forecaster, law):
    assert_quotes_stay(forecaster, law)


@settings(max_examples=30)
@given(law=rewritten(predicted=True))
def test_rows_of_it_or_its_predictors_known_after_an_origin_move_no_forecast_of_ridge(law):
    assert_quotes_stay(Ridge(), law)


@settings(max_examples=30)
@given(law=rewritten(predicted=True, cut=True))
def test_data_and_predictors_cut_at_an_origin_give_the_same_forecast_of_ridge(law):
    assert_quotes_stay(Ridge(), law)


@settings(max_examples=25)
@given(law=rewritten(predicted=True))
def test_rows_known_after_an_origin_move_nothing_that_a_run_writes_of_it(law):
    assert_table_stays(law, CUSTOM, CUSTOM_WITH_QUANTILES)


@settings(max_examples=25)
@given(law=rewritten(predicted=True, cut=True))
def test_of_data_cut_at_an_origin_a_run_writes_the_same(law):
    assert_table_stays(law, CUSTOM, CUSTOM_WITH_QUANTILES)


@settings(max_examples=25)
@given(law=rewritten(predicted=True))
def test_rows_known_after_a_batch_move_nothing_that_trust_learnt_in_it(law):
    assert_record_stays(law, CUSTOM, CUSTOM_WITH_QUANTILES)


@settings(max_examples=25)
@given(law=rewritten(predicted=True, cut=True))
def test_data_cut_after_a_batch_teach_trust_the_same_in_it(law):
    assert_record_stays(law, CUSTOM, CUSTOM_WITH_QUANTILES)


@settings(max_examples=25)
@given(law=rewritten(predicted=True))
def test_rows_known_after_all_actuals_of_a_batch_move_no_score_of_it(law):
    members, rewritten_members, spec, moment = law
    spec = attrs.evolve(spec, actuals="first")
    cut_record, record = (
        backtested([member.known_by(moment) for member in members], spec),
        backtested(rewritten_members, spec),
    )
    if cut_record is None:
        return
    assert record is not None
    ended = cut_record.sums.batches < batch_index(spec, np.array([moment + MICROSECOND]))
    counted = cut_record.sums.values[:, cut_record.forecasters.index("naive"), :, SUMS.index("count")]
    settled = (counted == cut_record.origins[:, None]) & ended[:, None]
    for row, ahead in np.argwhere(settled):
        assert cut_record.batches[row] == record.batches[row]
        assert cut_record.sums.values[row, :, ahead].tobytes() == record.sums.values[row, :, ahead].tobytes()


REVISED = known([(n, float(n * n % 7), n) for n in range(20)] + [(5, 3.5, 8), (6, -1.0, 16), (12, 6.0, 16)])
MOMENT = np.datetime64("2020-01-13T00:00:00.000000")
OTHERWISE = known(
    [(n, float(n * n % 7), n) for n in range(13)] + [(5, 3.5, 8), (13, 500.0, 13), (14, 500.0, 14), (3, 99.0, 18)]
)
PARTED: Law = (
    (REVISED,),
    (OTHERWISE,),
    spec_of(days=30, batch_size_days=4),
    MOMENT,
)


@pytest.mark.parametrize("forecaster", PEEKING, ids=lambda forecaster: forecaster.name)
def test_the_law_of_quotes_catches_a_forecaster_that_peeks(forecaster):
    with pytest.raises(AssertionError):
        assert_quotes_stay(forecaster, PARTED)


@pytest.mark.parametrize("forecaster", PEEKING, ids=lambda forecaster: forecaster.name)
def test_the_law_of_tables_catches_a_forecaster_that_peeks(forecaster):
    with pytest.raises(AssertionError):
        assert_table_stays(PARTED, forecaster)


@pytest.mark.parametrize("forecaster", PEEKING_FAR, ids=lambda forecaster: forecaster.name)
def test_the_law_of_trust_catches_a_forecaster_that_peeks(forecaster):
    with pytest.raises(AssertionError):
        assert_record_stays(PARTED, forecaster)


@by_name
def test_an_honest_forecaster_passes_where_those_that_peek_are_caught(forecaster):
    assert_quotes_stay(forecaster, PARTED)


def test_an_honest_set_of_forecasters_passes_where_those_that_peek_are_caught():
    assert_record_stays(PARTED, CUSTOM, CUSTOM_WITH_QUANTILES)
    assert_table_stays(PARTED, CUSTOM, CUSTOM_WITH_QUANTILES)


def test_the_law_catches_a_predictor_that_is_known_too_early(monkeypatch):
    # the predictor leads by a day, so that ridge follows it
    numbers = [float(n * n % 11) for n in range(40)]
    following, leading = series(numbers), series([n + 0.1 * (n % 3) for n in numbers[1:]], "y")
    moment = day(30)
    cut = tuple(attrs.evolve(member, known_at=member.timestamps).known_by(moment) for member in (following, leading))
    spec = spec_of(days=60, predictors=("y",), forecasters=("naive", "ridge"))
    law: Law = ((following, leading), cut, spec, moment)
    assert_quotes_stay(Ridge(), law)
    honest = covariates._newest_changes

    def a_day_early(stamps, numbers, limit, counts):
        return honest(stamps, numbers, limit + np.timedelta64(1, "D"), counts + 1)

    monkeypatch.setattr(covariates, "_newest_changes", a_day_early)
    with pytest.raises(AssertionError):
        assert_quotes_stay(Ridge(), law)
