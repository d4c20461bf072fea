"""The contract of Forecaster: a forecast depends on nothing but what its origin knows, to the bit."""

from __future__ import annotations

import math
import pickle
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, cast

import attrs
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pulse.testing.histories import Path, futures, histories_of, paths, random_walk
from pulse_core import BUILT_IN, LEVELS, Forecaster, Histories, QuantileForecaster, Values

HORIZON = 3
_SES = next(forecaster for forecaster in BUILT_IN if forecaster.name == "ses")


class ForecasterContract(ABC):
    """Subclass it, and say in `create` how the forecaster comes to be.

    A model with `forecast`, or with `fit` and `predict`, is held to it inside a PerOriginForecaster.
    """

    examples: int = 25
    """How many histories each property is tried with; fewer where the forecaster is slow."""
    phases: tuple[Phase, ...] = tuple(Phase)
    """What hypothesis does with them; without `Phase.shrink` a failure is shown sooner, and larger."""
    shortest: int = 1
    """How many values the shortest history has: the least `min_history` of runs that the forecaster is for."""
    longest: int = 60
    """How many values the longest history has: enough for the forecaster to forecast."""

    @abstractmethod
    def create(self) -> Forecaster:
        """Return a new forecaster; every one is the same."""

    @pytest.fixture
    def forecaster(self) -> Forecaster:
        """Create a forecaster for a test."""
        return self.copy()

    def copy(self) -> Forecaster:
        """Send a forecaster through pickle, as to a worker, and return the copy that arrives."""
        return copied(self.create())

    def for_all(self, strategy: st.SearchStrategy[Any], check: Callable[[Any], None]) -> None:
        """Check whatever the strategy draws."""
        tried = settings(
            max_examples=self.examples,
            phases=self.phases,
            report_multiple_bugs=False,
            database=None,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        )
        tried(given(strategy)(check))()

    def test_it_has_a_name_and_a_version(self, forecaster: Forecaster) -> None:
        for text in (forecaster.name, forecaster.version):
            assert isinstance(text, str)
            assert text.strip() == text != ""

    def test_it_declares_how_it_is_called(self, forecaster: Forecaster) -> None:
        assert type(forecaster.per_origin) is bool
        assert type(forecaster.brings_quantiles) is bool
        assert forecaster.per_origin or not forecaster.brings_quantiles
        assert callable(getattr(forecaster, "hindcast_quantiles", None)) or not forecaster.brings_quantiles

    def test_it_declares_a_season_or_none(self, forecaster: Forecaster) -> None:
        assert forecaster.season is None or (type(forecaster.season) is int and forecaster.season >= 1)

    def test_it_declares_seconds_per_origin(self, forecaster: Forecaster) -> None:
        assert math.isfinite(forecaster.cost)
        assert forecaster.cost > 0

    def test_a_copy_declares_and_forecasts_the_same(self, forecaster: Forecaster) -> None:
        original = self.create()
        assert declarations(forecaster) == declarations(original)
        histories = walk(self.shortest, self.longest)
        assert bits(forecasts(forecaster, histories)) == bits(forecasts(original, histories))

    def test_a_long_history_is_forecast(self, forecaster: Forecaster) -> None:
        assert np.isfinite(forecaster.hindcast(walk(self.shortest, self.longest), HORIZON)[-1]).all()

    def test_there_is_a_number_for_each_origin_and_step(self, forecaster: Forecaster) -> None:
        def check(vintages: Sequence[Path]) -> None:
            histories = histories_of(vintages)
            for horizon in (1, HORIZON):
                result = forecaster.hindcast(histories, horizon)
                assert result.shape == (len(histories), horizon)
                assert result.dtype == np.dtype(np.float64)
                assert not np.isinf(result).any()

        self.for_all(paths(self.shortest, self.longest), check)

    def test_quantiles_rise_with_the_level_and_stand_beside_the_points(self, forecaster: Forecaster) -> None:
        def check(vintages: Sequence[Path]) -> None:
            histories = histories_of(vintages)
            result = forecasts(forecaster, histories)
            assert result.shape[1:] == (len(histories), HORIZON)
            points, quantiles = result[0], result[1:]
            assert len(quantiles) == (len(LEVELS) if forecaster.brings_quantiles else 0)
            assert bits(points) == bits(forecaster.hindcast(histories, HORIZON))
            missing = np.isnan(quantiles)
            assert not len(quantiles) or (missing.any(axis=0) == missing.all(axis=0)).all()
            assert not np.isinf(quantiles).any()
            assert not (quantiles[1:] < quantiles[:-1]).any()

        self.for_all(paths(self.shortest, self.longest), check)

    def test_nothing_that_comes_later_moves_a_forecast(self, forecaster: Forecaster) -> None:
        def check(future: tuple[Sequence[Path], int, Sequence[Path], int]) -> None:
            vintages, origin, other, other_origin = future
            first = forecasts(copied(forecaster), histories_of(vintages))[:, origin]
            assert bits(forecasts(copied(forecaster), histories_of(other))[:, other_origin]) == bits(first)

        self.for_all(futures(self.shortest, self.longest), check)

    def test_any_cut_gives_the_same_bits(self, forecaster: Forecaster) -> None:
        def check(draw: tuple[Sequence[Path], Sequence[bool]]) -> None:
            vintages, mask = draw
            histories = histories_of(vintages)
            complete = forecasts(copied(forecaster), histories)
            selected = np.resize(np.array(mask), len(histories))
            for origins in (np.flatnonzero(selected), np.flatnonzero(~selected)):
                cut = forecasts(copied(forecaster), histories.select(origins))  # as in two workers
                assert bits(cut) == bits(complete[:, origins])

        self.for_all(
            st.tuples(paths(self.shortest, self.longest), st.lists(st.booleans(), min_size=1, max_size=8)), check
        )

    def test_histories_stay_as_they_are(self, forecaster: Forecaster) -> None:
        def check(vintages: Sequence[Path]) -> None:
            histories = histories_of(vintages)
            _SES.hindcast(histories, HORIZON)  # shares a result
            before = contents(histories)
            forecasts(forecaster, histories)
            after = contents(histories)
            assert {name: after.get(name) for name in before} == before

        self.for_all(paths(self.shortest, self.longest), check)


def copied(forecaster: Forecaster) -> Forecaster:
    """Return the copy that arrives after a journey through pickle."""
    return cast("Forecaster", pickle.loads(pickle.dumps(forecaster)))


def walk(shortest: int, longest: int) -> Histories:
    """Return the histories of a random walk, with an origin at each length."""
    return histories_of([attrs.evolve(random_walk(longest), lengths=tuple(range(shortest, longest + 1)))])


def declarations(forecaster: Forecaster) -> tuple[object, ...]:
    """Return what a forecaster declares of itself."""
    of_numbers = (forecaster.per_origin, forecaster.brings_quantiles, forecaster.season, forecaster.cost)
    return (forecaster.name, forecaster.version, *of_numbers)


def forecasts(forecaster: Forecaster, histories: Histories) -> Values:
    """Return the points, then the quantiles where the forecaster brings any; (1 + level, origin, horizon)."""
    if forecaster.brings_quantiles:
        return cast("QuantileForecaster", forecaster).hindcast_quantiles(histories, HORIZON)
    return forecaster.hindcast(histories, HORIZON)[None]


def contents(histories: Histories) -> dict[str, object]:
    """Return all that histories hold, by name, and what forecasters share."""
    return {
        "paths": [values.tobytes() for values in histories.paths],
        "origins": [values.tobytes() for values in (histories.origin_path, histories.origin_length)],
        "exponent": histories.exponent,
        "predictors": [values.tobytes() for values in histories.predictors],
        **{f"shared {name}": pickle.dumps(result) for name, result in histories.shared.items()},
    }


def bits(numbers: Values) -> tuple[tuple[int, ...], bytes]:
    """Return shape and bits, where one NaN is as good as another."""
    return numbers.shape, np.where(np.isnan(numbers), np.nan, numbers).tobytes()
