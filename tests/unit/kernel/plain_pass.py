"""The pass over the origins of a variable once more: at each origin learn from what became known, forecast, score."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence

import attrs
import numpy as np

from pulse_core.backtest.volatility import Volatility
from pulse_core.scores.trust import STATE, fade_of
from tests.unit.kernel.passes import PassInput, PassOutput
from tests.unit.kernel.plain_calibration import CALIBRATORS, TAUS, Calibrator, Situation
from tests.unit.kernel.plain_ensemble import Ensemble
from tests.unit.kernel.plain_pairs import Level, Pair, loss
from tests.unit.kernel.plain_sums import Hindcast, batch_sums

Cell = tuple[int, int]
"""Forecaster and horizon, from 0."""

Predicted = dict[Cell, tuple[list[float], float]]
"""Offsets and size."""


@attrs.frozen
class Told:
    """What was told of the pairs at the origins of the period, and at the marks."""

    states: list[np.ndarray]
    evidence: list[np.ndarray]
    marked: list[np.ndarray]
    ahead: list[np.ndarray]


class PlainPass:
    """What a pass remembers, by cell or by horizon."""

    def __init__(self, case: PassInput) -> None:
        self.case, self.origins = case, case.origins
        self.count, self.forecasters, self.horizons = case.shape
        self.cells = list(itertools.product(range(self.forecasters), range(self.horizons)))
        calibrator = CALIBRATORS[case.calibration]
        self.forecasts = case.forecasts.tolist()
        self.volatility = self.origins.volatility if case.calibration == "conformal" else None
        leans = self.volatility is not None
        self.calibrators: list[Calibrator] = [calibrator(self.horizons, leans=leans) for _ in range(self.forecasters)]
        self.custom: list[Calibrator] = [calibrator(self.horizons, brings_spread=True) for _ in case.custom.rows]
        members = len(case.members) if case.ensemble is not None else 0
        self.ensemble = Ensemble(members, self.horizons) if members else None
        self.levels = [Level() for _ in range(self.horizons)]
        self.pairs = {cell: Pair(cell[1] + 1, fade_of(case.trust_half_life)) for cell in self.cells}
        self.counts = np.zeros((len(self.origins.batches), self.horizons, 2, self.forecasters))
        self.batches: dict[int, list[dict[Cell, Hindcast]]] = {}

    def run(self) -> PassOutput:
        quantiles, weights, told = [], [], Told([], [], [], [])
        for origin in range(self.count):
            for step in self._became_known(origin):
                self._learn(step, origin)
            weights.append(self._combine(origin))
            predicted = self._predict(origin)
            quantiles.append([self._by_cell(self._quantiles(origin, predicted, k)) for k in range(len(TAUS))])
            if self.origins.batch[origin] >= 0:
                self._tell(origin, told)
                self._score(origin, predicted)
        return self._output(quantiles, weights, told)

    def _tell(self, origin: int, told: Told) -> None:
        """What stands at an origin of the period, before it forecasts."""
        told.states.append(self._by_pair({cell: pair.state() for cell, pair in self.pairs.items()}))
        told.evidence.append(self._by_pair({cell: pair.evidence() for cell, pair in self.pairs.items()}))
        if origin in self.case.marks:
            told.marked.append(told.states[-1])
            told.ahead.append(self._by_pair({cell: [pair.ahead] for cell, pair in self.pairs.items()})[0])

    def _by_pair(self, numbers: Mapping[Cell, list[float]]) -> np.ndarray:
        """Lists of numbers as (number, horizon, forecaster)."""
        return np.array([[numbers[f, h] for f in range(self.forecasters)] for h in range(self.horizons)]).transpose(
            2, 0, 1
        )

    def _by_cell(self, numbers: Mapping[Cell, float]) -> list[list[float]]:
        """Numbers as (forecaster, horizon)."""
        return [[numbers[f, h] for h in range(self.horizons)] for f in range(self.forecasters)]

    def _quantiles(self, origin: int, predicted: Predicted, level: int) -> dict[Cell, float]:
        points = self.forecasts[origin]
        return {(f, h): points[f][h] + size * offsets[level] for (f, h), (offsets, size) in predicted.items()}

    def _became_known(self, origin: int) -> Iterator[list[int | None]]:
        """The origins whose errors became known since the origin before: at each step the next one of each horizon."""
        fresh = []
        for h in range(self.horizons):
            before = int(self.origins.known[origin - 1, h]) if origin else 0
            fresh.append(range(before, int(self.origins.known[origin, h])))
        return (list(step) for step in itertools.zip_longest(*fresh) if step)

    def _learn(self, step: Sequence[int | None], origin: int) -> None:
        """Learn, at an origin, of the error of one earlier origin, or of none, at each horizon."""
        self._learn_weights(step)
        for h, past in enumerate(step):
            if past is not None:
                self._learn_difference(past, h, origin)
        errors = [[self._error(past, f, h) for h, past in enumerate(step)] for f in range(self.forecasters)]
        for index, row in enumerate(self.case.custom.calibrated):
            self.custom[index].learn(errors[row])
        for f, calibrator in enumerate(self.calibrators):
            calibrator.learn(errors[f], self._step(step[0]))

    def _step(self, past: int | None) -> float | None:
        return None if past is None else float(self.origins.released[past, 0]) - float(self.origins.newest[past])

    def _error(self, past: int | None, f: int, h: int) -> float | None:
        return None if past is None else float(self.origins.released[past, h]) - self.forecasts[past][f][h]

    def _learn_difference(self, past: int, h: int, origin: int) -> None:
        actual, forecasts = float(self.origins.released[past, h]), self.forecasts[past]
        for f in range(self.forecasters):
            if self.origins.batch[past] >= 0:
                self.counts[self.origins.batch_rows[origin], h, :, f] += self.pairs[f, h].learn()
        self.levels[h].learn(actual - forecasts[self.case.benchmark][h])

    def _learn_weights(self, step: Sequence[int | None]) -> None:
        if self.ensemble is None:
            return
        pasts = [0 if past is None else past for past in step]
        actuals = [float(self.origins.released[past, h]) for h, past in enumerate(pasts)]
        scales = [float(self.origins.scale[past]) for past in pasts]
        self.ensemble.learn(step, actuals, scales, [self._offered(past, h) for h, past in enumerate(pasts)])

    def _offered(self, origin: int, h: int) -> list[float]:
        return [self.forecasts[origin][row][h] for row in self.case.members]

    def _combine(self, origin: int) -> list[list[float]]:
        """The ensemble's weights (member, horizon); its forecasts are written down."""
        if self.ensemble is None:
            return []
        combined = self.ensemble.predict([self._offered(origin, h) for h in range(self.horizons)])
        self.forecasts[origin][self.case.ensemble] = [of_horizon.whole for of_horizon in combined]
        return [list(row) for row in zip(*(of_horizon.weights for of_horizon in combined), strict=True)]

    def _predict(self, origin: int) -> Predicted:
        """Offsets and size of each cell."""
        predicted: Predicted = {}
        steps, volatility = float(self.origins.steps[origin]), self.volatility
        square = float((volatility or self.origins).step_square[origin])
        situation = None if volatility is None else situation_at(volatility, origin)
        for f, calibrator in enumerate(self.calibrators):
            quoted = calibrator.predict(self.forecasts[origin][f], square, steps, situation)
            predicted |= {(f, h): of_horizon for h, of_horizon in enumerate(quoted)}
        custom = self.case.custom
        for index, calibrator in enumerate(self.custom):
            raw = custom.offsets[origin, :, index].T.tolist()
            for h, own in enumerate(calibrator.predict(custom.spread[origin, index].tolist(), math.nan, steps)):
                plain = custom.rows[index], h
                predicted[plain] = (raw[h], 1.0) if math.isfinite(raw[h][0]) else ([0.0] * len(TAUS), math.nan)
                if math.isfinite(own[1]):
                    predicted[custom.calibrated[index], h] = own
        return predicted

    def _score(self, origin: int, predicted: Predicted) -> None:
        forecasts, origins = self.forecasts[origin], self.origins
        losses = {
            (f, h): loss(self.case.trust_loss, float(origins.released[origin, h]), forecasts[f][h], *predicted[f, h])
            for f, h in self.cells
        }
        first = origin - self.origins.first
        for (f, h), pair in self.pairs.items():
            gain = losses[self.case.benchmark, h] - losses[f, h]
            # whoever bets must know how the earlier bets of the same process came out
            allowed = first <= h or int(origins.known[origin, h]) > origin - h - 1
            pair.forecast(gain, self.levels[h].scale(), allowed)
        self.batches.setdefault(int(origins.batch_rows[origin]), []).append(
            {
                (f, h): Hindcast(
                    point=forecasts[f][h],
                    offsets=predicted[f, h][0],
                    size=predicted[f, h][1],
                    actual=float(origins.reported[origin, h]),
                    newest=float(origins.newest[origin]),
                    scale=float(origins.scale[origin]),
                    square_scale=float(origins.square_scale[origin]),
                )
                for f, h in self.cells
            }
        )

    def _output(self, quantiles: list, weights: list, told: Told) -> PassOutput:
        latest, regret, bound = self._learned()
        pairs = (self.horizons, self.forecasters)
        differences = self._by_pair({cell: pair.differences for cell, pair in self.pairs.items()})
        return PassOutput(
            forecasts=np.array(self.forecasts),
            quantiles=np.array(quantiles),
            weights=np.array(weights).reshape(self.count, -1, self.horizons)
            if self.ensemble
            else np.empty((self.count, 0, self.horizons)),
            states=np.array(told.states),
            evidence=np.array(told.evidence),
            sums=self._sums(),
            differences=differences,
            counts=self.counts,
            marked=np.array(told.marked).reshape(-1, len(STATE), *pairs),
            ahead=np.array(told.ahead).reshape(-1, *pairs),
            latest=latest,
            regret=regret,
            bound=bound,
        )

    def _learned(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What the ensemble has come to: weights if all were awake, regret, and its bound one step ahead."""
        latest, regret, bound = (
            np.full((self.forecasters, self.horizons), np.nan),
            np.full(self.horizons, np.nan),
            np.full(self.horizons, np.nan),
        )
        if self.ensemble:
            all_awake = [[1.0] * self.ensemble.members] * self.horizons
            for h, (weights, *_) in enumerate(self.ensemble.weights(all_awake)):
                latest[list(self.case.members), h] = weights
                regret[h] = self.ensemble.regret[h][self.ensemble.best(h)]
            bound[0] = self.ensemble.bound()
        return latest, np.where(np.isfinite(regret), regret, np.nan), bound

    def _sums(self) -> np.ndarray:
        sums = np.zeros((len(self.origins.batches), self.forecasters, self.horizons, 34))
        for batch, hindcasts in self.batches.items():
            for f, h in self.cells:
                of_cell = [at_origin[f, h] for at_origin in hindcasts]
                rival = [at_origin[self.case.benchmark, h] for at_origin in hindcasts]
                sums[batch, f, h] = batch_sums(of_cell, rival)
        return sums


def situation_at(volatility: Volatility, origin: int) -> Situation:
    """What a conditional scale says at an origin."""
    return Situation(
        origin >= volatility.first,
        volatility.scale[origin].tolist(),
        float(volatility.lean[origin]),
        float(volatility.square_rate[origin]),
    )


def plain(case: PassInput) -> PassOutput:
    with np.errstate(all="ignore"):
        return PlainPass(case).run()
