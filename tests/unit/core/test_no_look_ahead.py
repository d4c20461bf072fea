"""What is quoted at an origin depends on rows known by then alone: the same bits, whatever comes later."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_core import BUILT_IN, Forecaster, Observations, RunSpec, TooLittleData
from pulse_core.plan import batch_index
from pulse_core.results import VariableResult
from pulse_core.scores.sums import SUMS
from tests.strategies import replayed, rewritten_after, specs_for, values
from tests.unit.core.models import OWN, PEEKING, PEEKING_FAR
from tests.unit.core.runs import ROSTER, hindcasts, known, recorded, spec_of

MICROSECOND = np.timedelta64(1, "us")
POSITIVE = st.floats(1e-3, 1e6) | st.integers(1, 4).map(float)

Law = tuple[Observations, Observations, RunSpec, np.datetime64]
by_name = pytest.mark.parametrize("forecaster", [*BUILT_IN, OWN], ids=lambda forecaster: forecaster.name)


@st.composite
def rewritten(draw: st.DrawFn, *, cut: bool = False) -> Law:
    """Rows, the same rows with another future, the spec, and the moment at which the futures part."""
    target = draw(st.sampled_from(["level", "change", "log-change"]))
    numbers = POSITIVE if target == "log-change" else values()
    one = draw(replayed(numbers))
    spec = draw(specs_for(one, targets=(target,)))
    spec = attrs.evolve(spec, batch_limit=None, batch_size_days=draw(st.integers(1, 9)))
    assert one.known_at is not None
    moment = one.known_at[draw(st.integers(len(one) // 2, len(one) - 1))]
    later = numbers if target == "log-change" else None
    return one, one.known_by(moment) if cut else draw(rewritten_after(one, moment, later)), spec, moment


def assert_quotes_stay(forecaster: Forecaster, law: Law) -> None:
    one, other, spec, moment = law
    before, after = (quoted_by(moment, forecaster, rows, spec) for rows in (one, other))
    assert before == after


def quoted_by(
    moment: np.datetime64, forecaster: Forecaster, rows: Observations, spec: RunSpec
) -> dict[np.datetime64, bytes]:
    try:
        quoted = hindcasts(forecaster, rows, spec)
    except TooLittleData:
        return {}
    return {origin: bits for origin, bits in quoted.items() if origin <= moment}


def assert_record_stays(law: Law, *own: Forecaster) -> None:
    """All arrays by batch of knowledge keep the batches that ended by the moment."""
    one, other, spec, moment = law
    roster = attrs.evolve(spec, forecasters=(*ROSTER, *(forecaster.name for forecaster in own)))
    ended = int(batch_index(spec, np.array([moment + MICROSECOND]))[0])
    before, after = (ended_batches(recorded(rows, roster, *own), max(ended, 0)) for rows in (one, other))
    assert before == after


def ended_batches(result: VariableResult | None, count: int) -> dict[str, bytes]:
    """The bits of the first batches of every array of a record but the sums, which follow an origin's future."""
    if result is None:
        return {}
    arrays = {field.name: getattr(result, field.name) for field in attrs.fields(VariableResult)}
    begun = {name: array[:count] for name, array in arrays.items() if isinstance(array, np.ndarray)}
    return {name: without_empty_end(array) for name, array in begun.items() if array.any()}


def without_empty_end(array: np.ndarray) -> bytes:
    """The bits up to the last row in which something happened."""
    return bytes(array[: int(np.flatnonzero(array.reshape(len(array), -1).any(axis=1))[-1]) + 1].tobytes())


@by_name
@given(law=rewritten())
def test_rows_known_after_an_origin_move_nothing_quoted_at_it(forecaster, law):
    assert_quotes_stay(forecaster, law)


@by_name
@given(law=rewritten(cut=True))
def test_data_cut_at_an_origin_quote_the_same(forecaster, law):
    assert_quotes_stay(forecaster, law)


@given(law=rewritten())
def test_rows_known_after_a_batch_move_nothing_that_trust_learnt_in_it(law):
    assert_record_stays(law, OWN)


@given(law=rewritten(cut=True))
def test_data_cut_after_a_batch_teach_trust_the_same_in_it(law):
    assert_record_stays(law, OWN)


@given(law=rewritten())
def test_rows_known_after_all_actuals_of_a_batch_move_no_score_of_it(law):
    one, other, spec, moment = law
    spec = attrs.evolve(spec, actuals="first", forecasters=ROSTER)
    past, rest = recorded(one.known_by(moment), spec), recorded(other, spec)
    if past is None:
        return
    assert rest is not None
    ended = past.sums.batches < batch_index(spec, np.array([moment + MICROSECOND]))
    counted = past.sums.values[:, ROSTER.index("naive"), :, SUMS.index("count")]
    settled = (counted == past.origins[:, None]) & (ended & (past.origins > 0))[:, None]
    for batch, ahead in np.argwhere(settled):
        assert past.sums.values[batch, :, ahead].tobytes() == rest.sums.values[batch, :, ahead].tobytes()


REVISED = known([(n, float(n * n % 7), n) for n in range(20)] + [(5, 3.5, 8), (6, -1.0, 16), (12, 6.0, 16)])
MOMENT = np.datetime64("2020-01-13T00:00:00.000000")
PARTED: Law = (
    REVISED,
    known(
        [(n, float(n * n % 7), n) for n in range(13)] + [(5, 3.5, 8), (13, 500.0, 13), (14, 500.0, 14), (3, 99.0, 18)]
    ),
    spec_of(days=30, batch_size_days=4),
    MOMENT,
)


@pytest.mark.parametrize("forecaster", PEEKING, ids=lambda forecaster: forecaster.name)
def test_the_law_of_quotes_catches_a_forecaster_that_peeks(forecaster):
    with pytest.raises(AssertionError):
        assert_quotes_stay(forecaster, PARTED)


@pytest.mark.parametrize("forecaster", PEEKING_FAR, ids=lambda forecaster: forecaster.name)
def test_the_law_of_trust_catches_a_forecaster_that_peeks(forecaster):
    with pytest.raises(AssertionError):
        assert_record_stays(PARTED, forecaster)


@pytest.mark.parametrize("forecaster", [*BUILT_IN, OWN], ids=lambda forecaster: forecaster.name)
def test_an_honest_forecaster_passes_where_those_that_peek_are_caught(forecaster):
    assert_quotes_stay(forecaster, PARTED)
    assert_record_stays(PARTED, OWN)
