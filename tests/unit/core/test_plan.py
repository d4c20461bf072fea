"""From a spec to batches and work units."""

from __future__ import annotations

from datetime import date, timedelta
from unittest.mock import patch

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_core import (
    Event,
    Forecaster,
    Histories,
    PerOriginForecaster,
    RunPlanned,
    RunSpec,
    SettingsError,
    Slice,
    UnitFinished,
    WorkUnit,
)
from pulse_core.data.observations import end_of
from pulse_core.forecasters.base import Values
from pulse_core.forecasters.registry import resolve
from pulse_core.plan import LONGEST_DEFAULT_UNIT, Workload, batch_index, batch_units, batches, take, work_units
from pulse_core.runs.training import shared_units
from pulse_core.runs.units import workload
from tests.strategies import specs
from tests.unit.core.models import LastThree
from tests.unit.core.runs import series, spec_of, training

BUILT_IN = Workload(built_in=1e-5)
PER_ORIGIN = Workload(built_in=1e-5, per_origin=1e-2)
NAMES = st.lists(st.text("abcxyz", min_size=1, max_size=6), min_size=1, max_size=80, unique=True)


def days_of(spec: RunSpec) -> list[date]:
    return [spec.start + timedelta(days=count) for count in range((spec.last_day - spec.start).days + 1)]


@given(specs())
def test_batches_tile_the_period_exactly_once(spec):
    covered = [
        batch.start + timedelta(days=count)
        for batch in batches(spec)
        for count in range((batch.end - batch.start).days + 1)
    ]
    assert covered == days_of(spec)


@given(specs())
def test_every_batch_but_the_last_has_the_batch_size(spec):
    lengths = [(batch.end - batch.start).days + 1 for batch in batches(spec)]
    assert set(lengths[:-1]) <= {spec.batch_size_days}
    assert 1 <= lengths[-1] <= spec.batch_size_days


@given(specs())
def test_every_moment_of_the_period_falls_into_the_batch_that_holds_its_day(spec):
    moments = np.array([end_of(day) for day in days_of(spec)])
    inside = [next(batch.index for batch in batches(spec) if batch.start <= day <= batch.end) for day in days_of(spec)]
    assert batch_index(spec, moments).tolist() == inside


@given(specs())
def test_a_moment_before_the_period_falls_into_no_batch(spec):
    before = np.array([end_of(spec.start - timedelta(days=1))])
    assert batch_index(spec, before)[0] < 0


@given(specs())
def test_batches_are_numbered_and_named_in_order(spec):
    assert [batch.id for batch in batches(spec)] == [f"batch_{index:04d}" for index in range(len(batches(spec)))]


@given(specs(), st.integers(1, 5))
def test_a_batch_limit_keeps_the_first_batches(spec, limit):
    unlimited = batches(attrs.evolve(spec, batch_limit=None))
    assert batches(attrs.evolve(spec, batch_limit=limit)) == unlimited[:limit]


@given(specs())
def test_the_period_never_ends_after_the_end(spec):
    assert spec.start <= spec.last_day <= spec.end


@given(NAMES, st.none() | st.integers(1, 100))
def test_units_hold_every_variable_exactly_once_in_name_order(names, unit_size):
    units = work_units(spec_of(*names), BUILT_IN, unit_size)
    assert [variable for unit in units for variable in unit.variables] == sorted(names)
    assert [unit.index for unit in units] == list(range(len(units)))


@given(NAMES, st.integers(1, 100))
def test_no_unit_is_empty_or_larger_than_asked(names, unit_size):
    assert all(1 <= len(unit.variables) <= unit_size for unit in work_units(spec_of(*names), BUILT_IN, unit_size))


@given(NAMES)
def test_the_plan_does_not_depend_on_the_order_in_which_variables_are_named(names):
    assert work_units(spec_of(*names), BUILT_IN) == work_units(spec_of(*reversed(names)), BUILT_IN)


@pytest.mark.parametrize("size", [0, -3])
def test_a_unit_size_below_one_is_refused(size):
    with pytest.raises(SettingsError, match="unit_size"):
        work_units(spec_of("a"), BUILT_IN, size)


@pytest.mark.parametrize(("variables", "size"), [(1, 1), (2, 2), (64, 64), (65, 33), (100, 50), (1000, 63)])
def test_the_default_unit_size_is_even_and_at_most_64(variables, size):
    spec = spec_of(*(f"v{number}" for number in range(variables)))
    assert len(work_units(spec, BUILT_IN)[0].variables) == size


def test_each_variable_is_a_unit_by_default_where_a_forecaster_is_called_origin_by_origin():
    assert [unit.variables for unit in work_units(spec_of("a", "b", "c"), PER_ORIGIN)] == [("a",), ("b",), ("c",)]


@given(NAMES, st.integers(1, 40), st.integers(1, 7))
def test_work_per_origin_has_a_unit_for_every_variable_and_batch_in_order(names, days, size):
    spec = spec_of(*names, days=days, batch_size_days=size)
    units = batch_units(spec, PER_ORIGIN)
    places = [(name, batch.index) for name in sorted(names) for batch in batches(spec)]
    assert [(unit.variables, unit.batches) for unit in units] == [((name,), (batch,)) for name, batch in places]
    assert [unit.index for unit in units] == list(range(len(units)))


def test_a_unit_of_variables_has_no_batch():
    assert [unit.batches for unit in work_units(spec_of("a", "b"), BUILT_IN, 1)] == [(), ()]


@given(NAMES, st.integers(1, 40), st.integers(1, 7), st.integers(1, 30), st.sampled_from([1e-9, 1.0, 100.0]))
def test_many_batches_share_units_in_order_each_batch_of_a_variable_once(names, days, size, most, cost):
    spec = spec_of(*names, days=days, batch_size_days=size)
    with patch("pulse_core.plan.MOST_BATCH_UNITS", most):
        units = batch_units(spec, attrs.evolve(PER_ORIGIN, per_origin=cost))
    places = [(name, batch) for unit in units for name in unit.variables for batch in unit.batches]
    assert places == [(name, batch.index) for name in sorted(names) for batch in batches(spec)]
    assert all(len(unit.batches) == 1 or unit.seconds <= LONGEST_DEFAULT_UNIT for unit in units)
    if cost == 1e-9:
        assert len(units) <= max(most, len(names)) + len(names)


def test_yearly_data_for_a_library_make_few_units():
    spec = spec_of(*(f"v{number:03}" for number in range(100)), days=20_000, batch_size_days=30)
    assert len(batch_units(spec, Workload(1e-5, 1e-2))) == 100 * 21


@given(NAMES, st.integers(1, 9), st.integers(1, 9))
def test_slices_hold_every_unit_exactly_once(names, unit_size, count):
    units = work_units(spec_of(*names), BUILT_IN, unit_size)
    shares = [unit for index in range(count) for unit in take(units, Slice(index, count))]
    assert sorted(shares, key=lambda unit: unit.index) == list(units)


@given(NAMES, st.integers(1, 9))
def test_slices_are_of_even_size(names, count):
    units = work_units(spec_of(*names), BUILT_IN, 1)
    sizes = [len(take(units, Slice(index, count))) for index in range(count)]
    assert max(sizes) - min(sizes) <= 1


def test_no_slice_means_all_units():
    units = work_units(spec_of("a", "b"), BUILT_IN, 1)
    assert take(units, None) == units


@pytest.mark.parametrize(("index", "count"), [(3, 3), (-1, 3), (0, 0), (1, -2)])
def test_a_slice_outside_its_count_is_refused(index, count):
    with pytest.raises(SettingsError, match=f"slice {index}/{count}"):
        Slice(index, count)


@attrs.frozen
class OnePass(Forecaster):
    """Naive, in one pass, under any name and of any cost."""

    name: str
    cost: float = 1e-5
    version: str = "1"

    def hindcast(self, histories: Histories, horizon: int) -> Values:
        return np.array([[histories.history(origin)[-1]] * horizon for origin in range(len(histories))])


def units_of(forecaster: Forecaster) -> tuple[tuple[WorkUnit, ...], tuple[WorkUnit, ...]]:
    """The units that slices share, and those of variables, of a run with naive and this forecaster."""
    spec = spec_of("a", "b", "c", days=28, forecasters=("naive", forecaster.name))
    forecasters = resolve(spec.forecasters, [forecaster])
    return shared_units(spec, forecasters), work_units(spec, workload(forecasters))


def finished_units(forecaster: Forecaster) -> tuple[list[RunPlanned], list[WorkUnit]]:
    """What a run of two variables plans, and the units that it finishes; the run's name is that of its spec."""
    events: list[Event] = []
    members = [series([float(n * n % 11) for n in range(28)], name) for name in ("a", "b")]
    spec = spec_of("a", "b", days=28, forecasters=("naive", forecaster.name))
    training(*members, forecasters=(forecaster,), observer=events.append, run_id="r").execute(spec)
    return (
        [event for event in events if isinstance(event, RunPlanned)],
        [event.unit for event in events if isinstance(event, UnitFinished)],
    )


@pytest.mark.parametrize("kind", [OnePass, lambda name: PerOriginForecaster(name, "1", LastThree())])
def test_units_are_the_same_whatever_name_a_forecaster_goes_by(kind):
    assert units_of(kind("slow")) == units_of(kind("m:slow"))
    assert finished_units(kind("slow")) == finished_units(kind("m:slow"))


@pytest.mark.parametrize("name", ["slow", "m:slow"])
def test_a_forecaster_called_origin_by_origin_is_shared_by_variable_and_batch(name):
    shared, of_variables = units_of(PerOriginForecaster(name, "1", LastThree()))
    assert [(unit.variables, unit.batches) for unit in shared] == [
        ((v,), (batch,)) for v in "abc" for batch in range(4)
    ]
    assert [unit.variables for unit in of_variables] == [("a",), ("b",), ("c",)]


@pytest.mark.parametrize("name", ["slow", "m:slow"])
def test_a_forecaster_of_one_pass_is_shared_as_the_built_in_ones_are(name):
    shared, of_variables = units_of(OnePass(name))
    assert shared == of_variables
    assert [(unit.variables, unit.batches) for unit in shared] == [(("a", "b", "c"), ())]


def test_a_forecaster_called_origin_by_origin_is_expected_to_take_longer_than_a_built_in_one():
    spec = spec_of("a")
    assert work_units(spec, PER_ORIGIN)[0].seconds > work_units(spec, BUILT_IN)[0].seconds


@pytest.mark.parametrize(
    ("cheap", "dear"),
    [
        (OnePass("slow"), OnePass("slow", cost=1.0)),
        (PerOriginForecaster("slow", "1", LastThree()), PerOriginForecaster("slow", "1", LastThree(), cost=1.0)),
    ],
)
def test_what_a_forecaster_declares_to_cost_is_what_its_units_are_expected_to_take(cheap, dear):
    for units, dear_units in zip(units_of(cheap), units_of(dear), strict=True):
        assert sum(unit.seconds for unit in units) < sum(unit.seconds for unit in dear_units)


@pytest.mark.parametrize(
    ("built_in", "days", "size"),
    [(0.0, 1_000, 60), (1e-5, 1_000, 60), (1e-3, 1_000, 10), (1e-2, 1_000, 1), (1.0, 1_000, 1), (1e-3, 2_000, 5)],
)
def test_a_unit_is_some_seconds_of_work_at_most(built_in, days, size):
    spec = spec_of(*(f"v{number:03}" for number in range(120)), days=days, batch_size_days=30)
    assert {len(unit.variables) for unit in work_units(spec, Workload(built_in))} == {size}


def test_a_unit_holds_no_more_batches_than_fit_in_memory():
    spec = spec_of("a", "b", "c", days=25_000, batch_size_days=1, horizon=5)
    assert [unit.variables for unit in work_units(spec, Workload(1e-9))] == [("a",), ("b",), ("c",)]
