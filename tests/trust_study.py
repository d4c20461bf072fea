"""Does trust come true? Replays of simulated series by the kernel, and how often what it said of them came true.

There is one origin a step, and an actual is known `horizon` origins later. Losses are told to the kernel as forecasts
that miss an actual of 0 by so much.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date
from typing import Final

import attrs
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from pulse_core.backtest.custom_quantiles import NO_QUANTILES
from pulse_core.backtest.hindcasts import Hindcasts, hindcast
from pulse_core.backtest.learning import LearningPass
from pulse_core.backtest.origins import Origins
from pulse_core.forecasters.base import Histories
from pulse_core.forecasters.registry import ForecasterSet, resolve
from pulse_core.kernel.bindings import whole_lanes
from pulse_core.scores.evidence import log10_of
from pulse_core.scores.trust import trust_probability
from pulse_core.spec import DEFAULT_FORECASTERS, RunSpec
from tests.processes_trust import autoregressions, autoregressive_changes, local_levels, near_walks, walks

Array = NDArray[np.float64]
Process = Callable[[int, int, Generator], Array]

ALL: Final = tuple(
    name
    for name in resolve(DEFAULT_FORECASTERS).of_variable(()).names
    if name not in {"naive", "ensemble"} and not name.startswith("log-")
)
"""What forecasts series without a season that cross zero, but for the benchmark and the ensemble."""
MIN_HISTORY: Final = 30
FIRST: Final = 40
TWENTY: Final = math.log10(20.0)
BINS: Final = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
RESAMPLES: Final = 200

PROCESSES: Final[Mapping[str, Process]] = {
    "near-walks": near_walks,
    "AR(1) levels": lambda count, length, generator: autoregressions(
        count, length, generator, generator.uniform(0.9, 1.0, count)
    ),
    "AR(1) changes": lambda count, length, generator: autoregressive_changes(
        count, length, generator, generator.uniform(-0.3, 0.3, count)
    ),
    "local levels": lambda count, length, generator: local_levels(
        count, length, generator, generator.uniform(0.0, 1.0, count)
    ),
    "walks": walks,
}

SPAN: Final = 250
"""K: the origins that trust looks ahead."""


@attrs.frozen(eq=False)
class Quotes:
    """Trust (quoted origin, forecaster), NaN where null, and log10 of e in both directions (origin, forecaster)."""

    trust: Array
    evidence: Array
    evidence_against: Array


def quote(losses: Array, benchmark_losses: Array, horizon: int, origins: Collection[int]) -> Quotes:
    """Replay absolute errors (origin, forecaster) against the benchmark's (origin,); trust at some `origins`."""
    learning = _learning_pass(np.column_stack([benchmark_losses, losses]), horizon)
    with np.errstate(all="ignore"):
        parts = list(learning.states(0, len(losses)))
        evidence = log10_of(np.concatenate([part.evidence[:, :, -1, 1:] for part in parts]))
        states = np.concatenate([part.states for part in parts])[list(origins)]
        trust = trust_probability(states, SPAN)[:, -1, 1:]
    return Quotes(trust, evidence[:, 0], evidence[:, 1])


def _learning_pass(losses: Array, horizon: int) -> LearningPass:
    """Return the pass over losses (origin, forecaster), of which the first are the benchmark's."""
    count, forecasters = losses.shape
    names = tuple(f"f{row}" for row in range(forecasters))
    cells = np.full((count, whole_lanes(forecasters * horizon)), np.nan)
    cells[:, horizon - 1 : forecasters * horizon : horizon] = losses
    spec = RunSpec(
        variables=("x",),
        start=date(2020, 1, 1),
        end=date(2020, 12, 31),
        horizon=horizon,
        forecasters=names,
        benchmark=names[0],
    )
    origins = Origins(
        batch=np.zeros(count, dtype=np.int64),
        newest=np.zeros(count),
        scale=np.ones(count),
        square_scale=np.ones(count),
        step_square=np.ones(count),
        steps=np.arange(1.0, count + 1.0),
        reported=np.zeros((count, horizon)),
        released=np.zeros((count, horizon)),
        known=np.maximum(np.arange(count)[:, None] - np.arange(horizon), 0),
    )
    beyond_reason = np.zeros((forecasters, horizon), dtype=np.int64)
    hindcasts = Hindcasts(names, forecasters, horizon, cells, NO_QUANTILES, beyond_reason)
    marks = np.empty(0, dtype=np.int64)
    return LearningPass(hindcasts, origins, ForecasterSet(names, (), (), None), spec, names[0], marks)


@attrs.frozen(eq=False)
class Replay:
    """Losses (origin, series, rival) of series at one horizon; trust (quoted origin, series, rival), evidence likewise.

    `gains`: by how much the benchmark's mean loss was larger over the K origins from each quoted one on.
    """

    losses: Array
    benchmark_losses: Array
    trust: Array
    gains: Array
    evidence: Array
    evidence_against: Array

    @classmethod
    def of_losses(cls, losses: Array, benchmark_losses: Array, horizon: int) -> Replay:
        """Replay losses (origin, series, rival) against the benchmark's (origin, series)."""
        origins, count, _ = losses.shape
        quoted = quoted_origins(origins)
        quotes = [quote(losses[:, row], benchmark_losses[:, row], horizon, quoted) for row in range(count)]
        spans = [slice(origin, origin + SPAN) for origin in quoted]
        gains = np.array([np.nanmean(benchmark_losses[span, :, None] - losses[span], axis=0) for span in spans])
        trust, *evidence = (
            np.stack([getattr(each, name) for each in quotes], axis=1)
            for name in ("trust", "evidence", "evidence_against")
        )
        return cls(losses, benchmark_losses, trust, gains, *evidence)

    @classmethod
    def of(cls, values: Array, horizon: int, rivals: tuple[str, ...] = ALL, history: int = MIN_HISTORY) -> Replay:
        """Replay series (series, time) with every rival against naive; the first origin has so long a history."""
        errors = np.stack([_errors(row, horizon, ("naive", *rivals), history) for row in values], axis=1)
        return cls.of_losses(errors[..., 1:], errors[..., 0], horizon)

    def ever(self, origins: int | None = None) -> Array:
        """Whether e of 20 was reached within so many origins; (series, rival)."""
        return np.asarray((self.evidence[:origins] >= TWENTY).any(axis=0))


def quoted_origins(origins: int) -> range:
    """The 40th and every K-th after it, as long as K more follow."""
    return range(FIRST, origins - SPAN + 1, SPAN)


def _errors(values: Array, horizon: int, names: tuple[str, ...], history: int) -> Array:
    """The absolute errors (origin, forecaster) at a horizon."""
    lengths = np.arange(history, len(values) - horizon + 1)
    histories = Histories((np.ascontiguousarray(values),), np.zeros(len(lengths), dtype=np.int64), lengths)
    forecasts = hindcast(resolve(names), histories, horizon, {}).forecasts[:, : len(names), -1]
    return np.abs(values[lengths + horizon - 1][:, None] - forecasts)


@attrs.frozen(eq=False)
class Reliability:
    """Trusts and whether they came true, with the series that each is of; (number,)."""

    trust: Array
    outcome: Array
    series: NDArray[np.int64]
    equal: float
    """The share in which the mean loss was the same, as where `ses` becomes naive; it counts as not lower."""

    @classmethod
    def of(cls, replay: Replay, rivals: tuple[str, ...]) -> Reliability:
        """All that was quoted of some rivals in a replay of ALL."""
        columns = [ALL.index(rival) for rival in rivals]
        trust, gains = replay.trust[..., columns], replay.gains[..., columns]
        quoted = np.isfinite(trust)
        series = np.broadcast_to(np.arange(trust.shape[1])[:, None], trust.shape)[quoted]
        outcome, equal = gains[quoted] > 0.0, gains[quoted] == 0.0
        return cls(trust[quoted], outcome.astype(np.float64), series, float(equal.mean()))

    @classmethod
    def pooled(cls, parts: list[Reliability]) -> Reliability:
        """Several, each of series of its own."""
        shifts = np.cumsum([0, *(part.series.max() + 1 for part in parts)])
        series = [part.series + shift for part, shift in zip(parts, shifts[:-1], strict=True)]
        trust, outcome = (np.concatenate([getattr(part, name) for part in parts]) for name in ("trust", "outcome"))
        equal = np.average([part.equal for part in parts], weights=[len(part.trust) for part in parts])
        return cls(trust, outcome, np.concatenate(series), float(equal))

    @property
    def slope(self) -> float:
        """Of the outcome on trust, by least squares."""
        return float(np.polyfit(self.trust, self.outcome, 1)[0])

    @property
    def brier(self) -> float:
        """The mean squared distance of outcome and trust."""
        return float(np.mean((self.outcome - self.trust) ** 2))

    @property
    def uncertainty(self) -> float:
        """The Brier score of the share that came true, said every time."""
        return float(self.outcome.var())

    @property
    def log_score(self) -> float:
        """The mean of -log of what was given to the outcome."""
        trust = np.clip(self.trust, 1e-12, 1.0 - 1e-12)
        return float(-np.mean(self.outcome * np.log(trust) + (1.0 - self.outcome) * np.log(1.0 - trust)))

    def band(self, generator: Generator) -> tuple[float, float]:
        """95 % of the slopes when series are drawn with replacement."""
        ids = np.unique(self.series)
        rows = {number: np.flatnonzero(self.series == number) for number in ids}
        slopes = []
        for _ in range(RESAMPLES):
            drawn = np.concatenate([rows[number] for number in generator.choice(ids, len(ids))])
            slopes.append(np.polyfit(self.trust[drawn], self.outcome[drawn], 1)[0])
        low, high = np.quantile(slopes, (0.025, 0.975))
        return float(low), float(high)

    def bins(self) -> Iterator[tuple[float, float, int]]:
        """Mean trust, how often it came true, and the number, by bin."""
        bin_of = np.clip(np.digitize(self.trust, BINS) - 1, 0, len(BINS) - 2)
        for index in np.unique(bin_of):
            within = bin_of == index
            yield float(self.trust[within].mean()), float(self.outcome[within].mean()), int(within.sum())
