"""Every Forecaster keeps the contract, and the contract catches every broken one."""

from __future__ import annotations

import os
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import Phase

from pulse.testing import ForecasterContract
from pulse_adapters.forecasters.imported import imported
from pulse_adapters.forecasters.libraries import library_forecaster
from pulse_adapters.forecasters.plugins import plugin_forecaster
from pulse_core import BUILT_IN, LEVELS, Forecaster, Histories, PerOriginForecaster
from pulse_core.forecasters.base import Values
from pulse_core.forecasters.registry import SEASONAL, WITH_PREDICTORS
from tests.unit.core.models import LastThree, PeeksAtLength, PeeksAtMean, PeeksAtNext, PeeksAtOtherVintages, WithinRange

MODELS = "tests.unit.core.models"
FOLDER = Path(__file__).parents[2]

FORECASTERS: dict[str, Callable[[], Forecaster]] = {
    **{forecaster.name: partial(deepcopy, forecaster) for forecaster in (*BUILT_IN, *WITH_PREDICTORS)},
    **{name: partial(create, 3) for name, create in SEASONAL.items()},
    "per origin": lambda: PerOriginForecaster("last-three", "1", LastThree()),
    "per origin, with quantiles": lambda: PerOriginForecaster("within-range", "1", WithinRange()),
    "imported": lambda: imported(f"{MODELS}:LastThree", FOLDER),
    "plug-in, with quantiles": lambda: plugin_forecaster("range", f"{MODELS}:WithinRange", str(FOLDER), "models 1"),
    "sklearn": lambda: library_forecaster("sklearn:Ridge"),
    "statsforecast, with quantiles": lambda: library_forecaster("statsforecast:RandomWalkWithDrift"),
}
"""Every kind of forecaster. A new one is one more line; what is in a registry is here already."""


class TestForecasters(ForecasterContract):
    @pytest.fixture(autouse=True, params=FORECASTERS)
    def choose(self, request):
        self.kind = FORECASTERS[request.param]

    def create(self):
        return self.kind()


@attrs.frozen
class Sound(Forecaster):
    """Forecasts the newest value."""

    name: str = "sound"
    version: str = "1"

    def hindcast(self, histories: Histories, horizon: int) -> Values:
        newest = [histories.history(origin)[-1] for origin in range(len(histories))]
        return np.repeat(np.array(newest, dtype=np.float64)[:, None], horizon, axis=1)


@attrs.frozen
class Nameless(Sound):
    name: str = ""


@attrs.frozen
class Unversioned(Sound):
    version: str = " "


@attrs.frozen
class Boastful(Sound):
    brings_quantiles: bool = True


@attrs.frozen
class OneSeasonTooFew(Sound):
    season: int = 0


@attrs.frozen
class CostsNothing(Sound):
    cost: float = 0.0


class ForgetsItsVersion(Sound):
    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name, "another")


@attrs.frozen
class ForecastsElsewhere(Sound):
    """Forecasts something else after a journey through pickle."""

    factor: float = 1.0

    def hindcast(self, histories: Histories, horizon: int) -> Values:
        return self.factor * super().hindcast(histories, horizon)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name, self.version, 2.0)


class NeverReady(Sound):
    def hindcast(self, histories: Histories, horizon: int) -> Values:
        return np.full((len(histories), horizon), np.nan)


class OneStep(Sound):
    def hindcast(self, histories: Histories, horizon: int) -> Values:
        return super().hindcast(histories, 1)


class Unbounded(Sound):
    def hindcast(self, histories: Histories, horizon: int) -> Values:
        forecasts = super().hindcast(histories, horizon)
        return np.where(histories.origin_length[:, None] > 1, forecasts, np.inf)


@attrs.frozen
class WithQuantiles(Sound):
    per_origin: bool = True
    brings_quantiles: bool = True

    def hindcast_quantiles(self, histories: Histories, horizon: int) -> Values:
        return np.repeat(self.hindcast(histories, horizon)[None], 1 + len(LEVELS), axis=0)


class Crossing(WithQuantiles):
    def hindcast_quantiles(self, histories: Histories, horizon: int) -> Values:
        quantiles = super().hindcast_quantiles(histories, horizon)
        quantiles[3] += 1.0
        return quantiles


class OtherPoints(WithQuantiles):
    def hindcast_quantiles(self, histories: Histories, horizon: int) -> Values:
        return 1.0 + super().hindcast_quantiles(histories, horizon)


class HalfOfTheLevels(WithQuantiles):
    def hindcast_quantiles(self, histories: Histories, horizon: int) -> Values:
        quantiles = super().hindcast_quantiles(histories, horizon)
        quantiles[6:] = np.nan
        return quantiles


class PeeksWithQuantiles(WithQuantiles):
    def hindcast_quantiles(self, histories: Histories, horizon: int) -> Values:
        quantiles = super().hindcast_quantiles(histories, horizon)
        quantiles[-1] += PeeksAtLength().hindcast(histories, horizon)
        return quantiles


class CountsOrigins(Sound):
    """Forecasts which of the origins it is called for this is."""

    def hindcast(self, histories: Histories, horizon: int) -> Values:
        return np.repeat(np.arange(len(histories), dtype=np.float64)[:, None], horizon, axis=1)


class Undecided(Sound):
    def hindcast(self, histories: Histories, horizon: int) -> Values:
        return super().hindcast(histories, horizon) + float.fromhex(os.urandom(2).hex())


class Careless(Sound):
    """Works in the arrays of others, read-only or not."""

    def hindcast(self, histories: Histories, horizon: int) -> Values:
        forecasts = super().hindcast(histories, horizon)
        self.spoil(histories)
        return forecasts

    def spoil(self, histories: Histories) -> None:
        overwrite(histories.paths[0], 0.0)


class OverwritesOrigins(Careless):
    def spoil(self, histories: Histories) -> None:
        overwrite(histories.origin_path, -1)


class OverwritesLengths(Careless):
    def spoil(self, histories: Histories) -> None:
        overwrite(histories.origin_length, 10**9)


class Rescales(Careless):
    def spoil(self, histories: Histories) -> None:
        object.__setattr__(histories, "exponent", histories.exponent + 1)


class ForgetsWhatIsShared(Careless):
    def spoil(self, histories: Histories) -> None:
        histories.shared.clear()


class ReplacesWhatIsShared(Careless):
    def spoil(self, histories: Histories) -> None:
        histories.shared.update(dict.fromkeys(histories.shared))


def overwrite(array: Any, value: float) -> None:
    array.flags.writeable = True
    array[:] = value


class Remembers:
    """A model that returns the first history's newest value ever after."""

    def __init__(self) -> None:
        self.newest: list[float] = []

    def forecast(self, history: Any, horizon: int) -> list[float]:
        self.newest.append(float(history[-1]))
        return self.newest[:1] * horizon


LATER, CUT = "test_nothing_that_comes_later_moves_a_forecast", "test_any_cut_gives_the_same_bits"
QUANTILES = "test_quantiles_rise_with_the_level_and_stand_beside_the_points"
BREACHES: tuple[tuple[Callable[[], Forecaster], str], ...] = (
    (Nameless, "test_it_has_a_name_and_a_version"),
    (Unversioned, "test_it_has_a_name_and_a_version"),
    (Boastful, "test_it_declares_how_it_is_called"),
    (OneSeasonTooFew, "test_it_declares_a_season_or_none"),
    (CostsNothing, "test_it_declares_seconds_per_origin"),
    (ForgetsItsVersion, "test_a_copy_declares_and_forecasts_the_same"),
    (ForecastsElsewhere, "test_a_copy_declares_and_forecasts_the_same"),
    (NeverReady, "test_a_long_history_is_forecast"),
    (OneStep, "test_there_is_a_number_for_each_origin_and_step"),
    (Unbounded, "test_there_is_a_number_for_each_origin_and_step"),
    (Crossing, QUANTILES),
    (OtherPoints, QUANTILES),
    (HalfOfTheLevels, QUANTILES),
    (PeeksAtNext, LATER),
    (PeeksAtLength, LATER),
    (PeeksAtMean, LATER),
    (PeeksAtOtherVintages, LATER),
    (PeeksWithQuantiles, LATER),
    (CountsOrigins, CUT),
    (Undecided, CUT),
    (lambda: PerOriginForecaster("remembers", "1", Remembers()), CUT),
    *(
        (kind, "test_histories_stay_as_they_are")
        for kind in (
            *(Careless, OverwritesOrigins, OverwritesLengths, Rescales, ForgetsWhatIsShared, ReplacesWhatIsShared),
        )
    ),
)


class AnyForecaster(ForecasterContract):
    phases = (Phase.generate,)

    def __init__(self, kind):
        self.kind = kind

    def create(self):
        return self.kind()


def hold(kind: Callable[[], Forecaster], promise: str) -> None:
    contract = AnyForecaster(kind)
    getattr(contract, promise)(contract.copy())


@pytest.mark.parametrize(("kind", "caught_by"), BREACHES, ids=lambda value: getattr(value, "__name__", value))
def test_the_contract_bites(kind, caught_by):
    hold(WithQuantiles, caught_by)
    with pytest.raises(AssertionError):
        hold(kind, caught_by)


@pytest.mark.parametrize("part", ["paths", "origin_path", "origin_length", "predictors"])
def test_histories_are_read_only(part):
    origins = np.zeros(1, dtype=np.int64)
    histories = Histories((np.ones(3),), origins, origins + 3, predictors=(np.ones((2, 3)),))
    arrays = getattr(histories, part)
    with pytest.raises(ValueError, match="read-only"):
        (arrays[0] if isinstance(arrays, tuple) else arrays)[:] = 0
    assert origins.flags.writeable


def test_every_promise_is_seen_to_bite():
    promises = {name for name in vars(ForecasterContract) if name.startswith("test_")}
    assert promises == {caught_by for _, caught_by in BREACHES}
