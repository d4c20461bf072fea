"""What is told of a forecaster beside its numbers: that it does not repeat itself, that its changes are not seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import numpy as np
import pytest

from pulse_adapters.backends.serial import SerialBackend
from pulse_adapters.sinks.memory import MemorySink
from pulse_core import Event, Forecaster, Histories, Observations, PerOriginForecaster, RetrodictionTraining, RunResult
from pulse_core.events import ForecasterCaution
from tests.unit.method.running import spec_of

DAYS = 60
NAMES = ("naive", "own:One")


@attrs.frozen
class Store:
    """Two walks."""

    def names(self) -> Iterator[str]:
        yield from ("a", "b")

    def read(self, variable: str) -> Observations:
        days = np.datetime64("2000-01-01", "us") + np.arange(DAYS) * np.timedelta64(1, "D")
        values = np.cumsum(np.random.default_rng(len(variable)).normal(size=DAYS))
        return Observations(variable, days, values, days)


class Steady:
    def forecast(self, history: Any, horizon: int) -> list[float]:
        return [float(history[-1])] * horizon


class Unseeded:
    def forecast(self, history: Any, horizon: int) -> list[float]:
        return [float(history[-1] + np.random.default_rng().normal())] * horizon


class UnseededAtTheEnd:
    def forecast(self, history: Any, horizon: int) -> list[float]:
        return [float("nan") if len(history) < DAYS - 10 else np.random.default_rng().normal()] * horizon


@attrs.frozen
class AllAtOnce(Forecaster):
    """A forecaster of all origins in one pass."""

    name: str
    noise: float
    version: str = "1"

    def hindcast(self, histories: Histories, horizon: int) -> Any:
        newest = [
            histories.paths[path][length - 1]
            for path, length in zip(histories.origin_path, histories.origin_length, strict=True)
        ]
        noise = np.random.default_rng().normal(size=(len(histories), horizon))
        return np.array(newest)[:, None] + self.noise * noise


@attrs.frozen
class Blind(PerOriginForecaster):
    """A forecaster that reads a file."""

    unseen: tuple[str, ...] = ("a file that is read (own.py, line 3)",)


def train(forecaster: Forecaster, sink: MemorySink, **options: Any) -> tuple[RunResult, list[ForecasterCaution]]:
    events: list[Event] = []
    training = RetrodictionTraining(
        store=Store(), backend=SerialBackend(), sink=sink, forecasters=(forecaster,), observer=events.append, **options
    )
    spec = spec_of("a", "b", days=DAYS, first=30, forecasters=NAMES, horizon=2)
    return training.execute(spec), [event for event in events if isinstance(event, ForecasterCaution)]


@pytest.mark.parametrize("refit_every", [1, 7])
@pytest.mark.parametrize("model", [Unseeded, UnseededAtTheEnd])
def test_a_forecaster_without_a_seed_is_told_once(model, refit_every) -> None:
    result, cautions = train(PerOriginForecaster(NAMES[1], "1", model(), refit_every), MemorySink())
    (caution,) = cautions
    assert caution.forecaster == NAMES[1]
    assert "seed" in caution.message
    assert result.unrepeatable == (NAMES[1],)


def test_one_that_makes_all_origins_at_once_is_told_too() -> None:
    result, cautions = train(AllAtOnce(NAMES[1], 1.0), MemorySink())
    assert [caution.forecaster for caution in cautions] == [NAMES[1]]
    assert result.unrepeatable == (NAMES[1],)


@pytest.mark.parametrize("forecaster", [PerOriginForecaster(NAMES[1], "1", Steady()), AllAtOnce(NAMES[1], 0.0)])
def test_nothing_is_told_of_one_that_repeats_itself(forecaster) -> None:
    result, cautions = train(forecaster, MemorySink())
    assert not cautions
    assert result.unrepeatable == ()


def test_what_cannot_be_seen_is_told_once_and_only_where_something_is_recalled() -> None:
    sink, forecaster = MemorySink(), Blind(NAMES[1], "1", Steady())
    assert not train(forecaster, sink)[1]
    (caution,) = train(forecaster, sink)[1]
    assert "changes of a file that is read (own.py, line 3) cannot be seen" in caution.message
    assert not train(forecaster, sink, fresh=True)[1]
    assert not train(PerOriginForecaster(NAMES[1], "1", Steady()), sink)[1]
