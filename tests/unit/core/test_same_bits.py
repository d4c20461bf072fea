"""Each number is built the same way whatever stands beside it, and wherever and in whatever order it is done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core import (
    BUILT_IN,
    Failure,
    Observations,
    RunSpec,
    Slice,
    VariableSummary,
    histories,
)
from pulse_core.point_in_time import point_in_time
from tests.fakes import FakeSink
from tests.strategies import portfolios, resolved
from tests.unit.core.engines import Pickling, Regrouping, Shuffling
from tests.unit.core.models import OWN
from tests.unit.core.real import real_series, released_late
from tests.unit.core.runs import ROSTER, ended, spec_of

Everything = tuple[tuple[VariableSummary, ...], tuple[Failure, ...], str]


def everything(members: Sequence[Observations], spec: RunSpec, **fields: Any) -> Everything:
    """All that a run says of its variables."""
    spec = attrs.evolve(spec, forecasters=(*ROSTER, OWN.name))
    result = ended(members, spec, forecasters=(OWN,), **fields)
    return result.variables, result.failures, result.digest


def each_alone(members: Sequence[Observations], spec: RunSpec) -> tuple[list[VariableSummary], list[Failure]]:
    alone = [everything([one], attrs.evolve(spec, variables=(one.variable,))) for one in members]
    return [one for variables, _, _ in alone for one in variables], [one for _, lost, _ in alone for one in lost]


@settings(max_examples=30)
@given(portfolios(), st.integers(1, 7))
def test_a_variable_has_the_same_bits_alone_and_in_any_unit(portfolio, unit_size):
    variables, lost, _ = everything(*portfolio, unit_size=unit_size)
    assert (list(variables), list(lost)) == each_alone(*portfolio)


@settings(max_examples=30)
@given(portfolios(), st.integers(0, 1000))
def test_units_of_any_grouping_and_order_give_the_same_bits(portfolio, seed):
    assert everything(*portfolio, backend=Regrouping(seed)) == everything(*portfolio)


@settings(max_examples=30)
@given(portfolios(), st.integers(0, 1000))
def test_units_that_complete_in_any_order_give_the_same_bits(portfolio, seed):
    assert everything(*portfolio, unit_size=1, backend=Shuffling(seed)) == everything(*portfolio)


@settings(max_examples=30)
@given(portfolios())
def test_a_pickled_task_gives_the_same_bits(portfolio):
    assert everything(*portfolio, unit_size=2, backend=Pickling()) == everything(*portfolio)


@settings(max_examples=30)
@given(portfolios(least=3), st.integers(2, 4), st.integers(1, 2))
def test_slices_recorded_apart_and_collected_give_the_same_bits(portfolio, count, unit_size):
    sink = FakeSink()
    for index in range(count):
        everything(*portfolio, sink=sink, unit_size=unit_size, slice=Slice(index, count))
    assert everything(*portfolio, sink=sink) == everything(*portfolio)


@pytest.fixture(scope="module")
def real_portfolio():
    """Long series, a short one, and two of many vintages: more than fits one block or stretch of a filter."""
    members = [
        released_late(real_series("spx_close", 1500, 950)),
        attrs.evolve(real_series("wti_price"), variable="wti_price"),
        attrs.evolve(real_series("wti_price", 100), variable="wti_later"),
        attrs.evolve(released_late(real_series("wti_price", 4800, 950)), variable="wti_revised"),
        resolved(real_series("baa_yield", 1000)),
    ]
    spec = spec_of(*(one.variable for one in members), target="change")
    return members, attrs.evolve(spec, start=date(2005, 2, 1), end=date(2009, 12, 31))


def test_long_series_and_many_vintages_have_the_same_bits_alone_and_together(real_portfolio):
    variables, lost, _ = everything(*real_portfolio, unit_size=100)
    assert lost == ()
    assert list(variables) == sorted(each_alone(*real_portfolio)[0], key=lambda one: one.variable)


@pytest.mark.parametrize("values", [1, 20_000])
def test_histories_laid_out_in_smaller_stretches_give_the_same_bits(real_portfolio, monkeypatch, values):
    whole = everything(*real_portfolio, unit_size=100)
    monkeypatch.setattr(histories, "LARGEST_STRETCH", values)
    assert everything(*real_portfolio, unit_size=100) == whole


@pytest.mark.parametrize("forecaster", BUILT_IN, ids=lambda forecaster: forecaster.name)
@pytest.mark.parametrize("garbage", [np.nan, 1e308, -1.0])
def test_what_lies_beyond_a_history_in_the_arrays_changes_no_bit(forecaster, garbage):
    observations = released_late(real_series("spx_close", 500, 60))
    start = observations.timestamps[20].astype("datetime64[D]").item()
    spec = attrs.evolve(spec_of(), start=start, end=start.replace(year=start.year + 1), min_history=1)
    for _, laid_out in histories.stretches([point_in_time(observations, spec)]):
        soiled = laid_out.values.copy()
        for path in range(soiled.shape[1]):
            read = laid_out.origin_length[laid_out.origin_path == path]
            soiled[int(read.max(initial=0)) :, path] = garbage
        with np.errstate(all="ignore"):
            clean = forecaster.hindcast(laid_out, 3)
            assert forecaster.hindcast(attrs.evolve(laid_out, values=soiled), 3).tobytes() == clean.tobytes()
