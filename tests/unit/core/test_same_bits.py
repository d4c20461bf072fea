"""Each number is built the same way whatever stands beside it, and wherever and in whatever order it is done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from unittest.mock import patch

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core import Failure, Histories, Observations, RunSpec, Slice, VariableSummary
from pulse_core.backtest import learning
from pulse_core.kernel import hindcasts as kernel
from tests.fakes import FakeSink
from tests.histories import histories_of_observations
from tests.strategies import portfolios, resolved
from tests.unit.core.engines import Pickling, Regrouping, Shuffling
from tests.unit.core.models import CUSTOM
from tests.unit.core.real import real_series, released_late
from tests.unit.core.runs import FORECASTERS, Row, ended, records_of, spec_of, table

Rows = dict[Row, dict[str, Any]]


@attrs.frozen
class RunContent:
    """All that a run says of its variables; its tables row by row, whatever parts they came in."""

    variables: tuple[VariableSummary, ...]
    failures: tuple[Failure, ...]
    digest: str
    scores: Rows
    hindcasts: Rows


def content_of(members: Sequence[Observations], spec: RunSpec, **fields: Any) -> RunContent:
    spec = attrs.evolve(spec, forecasters=(*spec.forecasters, CUSTOM.name))
    sink = FakeSink()
    result = ended(members, spec, **{"forecasters": (CUSTOM,), "sink": sink, "hindcasts": True} | fields)
    tables = (table(sink, name) for name in ("scores", "hindcasts"))
    return RunContent(result.variables, result.failures, result.digest, *tables)


def each_alone(members: Sequence[Observations], spec: RunSpec) -> tuple[list[VariableSummary], list[Failure], Rows]:
    """Every variable in a run of its own, in name order; predictors come with it."""
    alone = [content_of(members, attrs.evolve(spec, variables=(name,))) for name in sorted(spec.variables)]
    variables, lost = (
        [part for content in alone for part in getattr(content, name)] for name in ("variables", "failures")
    )
    return variables, lost, {key: row for content in alone for key, row in content.hindcasts.items()}


@settings(max_examples=25)
@given(portfolios(), st.integers(1, 5))
def test_a_variable_has_the_same_bits_alone_and_in_any_unit(portfolio, unit_size):
    content = content_of(*portfolio, unit_size=unit_size)
    assert (list(content.variables), list(content.failures), content.hindcasts) == each_alone(*portfolio)


@settings(max_examples=25)
@given(portfolios(), st.integers(1, 5))
def test_the_records_are_the_same_whatever_unit_they_were_made_in(portfolio, unit_size):
    members, spec = portfolio
    alone, together = FakeSink(), FakeSink()
    ended(members, spec, sink=alone, unit_size=1)
    ended(members, spec, sink=together, unit_size=1 + unit_size)
    assert records_of(together) == records_of(alone)


@settings(max_examples=25)
@given(portfolios(), st.integers(0, 1000))
def test_units_of_any_grouping_and_order_give_the_same_bits(portfolio, seed):
    assert content_of(*portfolio, unit_size=1, backend=Regrouping(seed)) == content_of(*portfolio)


@settings(max_examples=25)
@given(portfolios(), st.integers(0, 1000))
def test_units_that_complete_in_any_order_give_the_same_bits(portfolio, seed):
    assert content_of(*portfolio, unit_size=1, backend=Shuffling(seed)) == content_of(*portfolio)


@settings(max_examples=25)
@given(portfolios())
def test_a_pickled_task_gives_the_same_bits(portfolio):
    pickled, expected = content_of(*portfolio, unit_size=2, backend=Pickling()), content_of(*portfolio)
    # what was written stays where it was sent
    assert (pickled.variables, pickled.failures, pickled.digest) == (
        expected.variables,
        expected.failures,
        expected.digest,
    )


@settings(max_examples=25)
@given(portfolios(smallest=3), st.integers(2, 4), st.integers(1, 2))
def test_slices_recorded_apart_and_collected_give_the_same_bits(portfolio, count, unit_size):
    sink = FakeSink()
    for index in range(count):
        content_of(*portfolio, sink=sink, unit_size=unit_size, slice=Slice(index, count))
    members, spec = portfolio
    collected = ended(
        members, attrs.evolve(spec, forecasters=(*spec.forecasters, CUSTOM.name)), forecasters=(CUSTOM,), sink=sink
    )
    expected = content_of(*portfolio)
    assert (collected.variables, collected.failures) == (expected.variables, expected.failures)
    assert table(sink, "scores") == expected.scores


@settings(max_examples=25)
@given(portfolios(smallest=3), st.integers(2, 4), st.integers(1, 2))
def test_slices_of_built_in_forecasters_recorded_apart_are_recalled_with_the_same_bits(portfolio, count, unit_size):
    members, spec = portfolio
    sink = FakeSink()
    for index in range(count):
        ended(members, spec, sink=sink, unit_size=unit_size, slice=Slice(index, count))
    collected, expected = ended(members, spec, sink=sink), ended(members, spec)
    assert collected.units.computed == 0
    assert (collected.variables, collected.failures) == (expected.variables, expected.failures)


@pytest.fixture(scope="module")
def real_portfolio():
    """Long series, a short one, and two of many vintages: more than fits one stretch of the kernel."""
    members = [
        released_late(real_series("spx_close", 1500, 950)),
        attrs.evolve(real_series("wti_price"), variable="wti_price"),
        attrs.evolve(real_series("wti_price", 100), variable="wti_later"),
        attrs.evolve(released_late(real_series("wti_price", 4800, 950)), variable="wti_revised"),
        resolved(real_series("baa_yield", 1000)),
    ]
    spec = spec_of(*(member.variable for member in members), target="change", batch_size_days=90)
    spec = attrs.evolve(spec, start=date(2005, 2, 1), end=date(2007, 12, 31))
    return members, spec, ended(members, spec, unit_size=100)


def test_long_series_and_many_vintages_have_the_same_bits_alone_and_together(real_portfolio):
    members, spec, together = real_portfolio
    assert together.failures == ()
    assert ended(members, spec, unit_size=1).variables == together.variables


def test_long_histories_taken_in_shorter_stretches_give_the_same_bits(real_portfolio, monkeypatch):
    members, spec, expected = real_portfolio
    monkeypatch.setattr(kernel, "LONGEST_STRETCH", 300)
    monkeypatch.setattr(kernel, "FIRST_STRETCH", 64)
    assert ended(members, spec, unit_size=100).variables == expected.variables


@settings(max_examples=10)
@given(portfolios(), st.integers(1, 20), st.integers(1, 20))
def test_histories_taken_in_stretches_of_any_length_give_the_same_bits(portfolio, longest, first):
    expected = content_of(*portfolio)
    with patch.object(kernel, "LONGEST_STRETCH", longest), patch.object(kernel, "FIRST_STRETCH", first):
        assert content_of(*portfolio) == expected


@settings(max_examples=10)
@given(portfolios(), st.integers(1, 2_000))
def test_origins_passed_in_blocks_of_any_size_give_the_same_bits(portfolio, cells):
    expected = content_of(*portfolio)
    with patch.object(learning, "BLOCK", cells):
        assert content_of(*portfolio) == expected


@settings(max_examples=10)
@given(portfolios(), st.integers(1, 4))
def test_variables_cut_into_units_of_any_size_give_the_same_bits(portfolio, unit_size):
    assert content_of(*portfolio, unit_size=unit_size) == content_of(*portfolio, unit_size=100)


@pytest.mark.parametrize("forecaster", FORECASTERS, ids=lambda forecaster: forecaster.name)
@pytest.mark.parametrize("garbage", [np.nan, 1e308, -1.0])
def test_what_lies_beyond_the_histories_of_some_origins_changes_no_bit(forecaster, garbage):
    observations = released_late(real_series("spx_close", 500, 60))
    start = observations.timestamps[20].astype("datetime64[D]").item()
    spec = attrs.evolve(spec_of(), start=start, end=start.replace(year=start.year + 1), min_history=1)
    histories = histories_of_observations(observations, spec)
    # of each path the first half of its origins, so that there is something beyond all of them
    halves = [np.arange(origins.start, (origins.start + origins.stop + 1) // 2) for _, origins in histories.by_path]
    clean = histories.select(np.concatenate(halves))
    soiled = attrs.evolve(clean, paths=tuple(soil(clean, path, garbage) for path in range(len(clean.paths))))
    assert any(values.tobytes() != other.tobytes() for values, other in zip(clean.paths, soiled.paths, strict=True))
    with np.errstate(all="ignore"):
        assert forecaster.hindcast(soiled, 3).tobytes() == forecaster.hindcast(clean, 3).tobytes()


def soil(histories: Histories, path: int, garbage: float) -> np.ndarray:
    """A path with garbage behind the values that its origins know."""
    values = histories.paths[path].copy()
    values[int(histories.origin_length[histories.origin_path == path].max(initial=0)) :] = garbage
    return values
