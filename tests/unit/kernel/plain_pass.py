"""The pass over the origins of a variable once more: at each origin learn from what became known, forecast, score."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping

import attrs
import numpy as np

from pulse_core.scores.trust import STATE, fade_of
from tests.unit.kernel.passes import PassInput, PassOutput
from tests.unit.kernel.plain_calibration import CALIBRATORS, NORMAL_OVER_MEAN_ABSOLUTE, TAUS, Calibrator
from tests.unit.kernel.plain_ensemble import MLPoly
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
        self.calibrators: dict[Cell, Calibrator] = {cell: calibrator() for cell in self.cells}
        self.custom: dict[Cell, Calibrator] = {
            (index, h): calibrator() for index in range(len(case.custom)) for h in range(self.horizons)
        }
        members = len(case.members) if case.ensemble is not None else 0
        self.ensembles = [MLPoly(members) for _ in range(self.horizons)] if members else []
        self.levels = [Level() for _ in range(self.horizons)]
        self.pairs = {cell: Pair(cell[1] + 1, fade_of(case.trust_half_life)) for cell in self.cells}
        self.counts = np.zeros((self.origins.batches, self.horizons, 2, self.forecasters))
        self.batches: dict[int, list[dict[Cell, Hindcast]]] = {}

    def run(self) -> PassOutput:
        quantiles, weights, told = [], [], Told([], [], [], [])
        for origin in range(self.count):
            for h, past in self._became_known(origin):
                self._learn(past, h, origin)
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

    def _became_known(self, origin: int) -> Iterator[tuple[int, int]]:
        """Horizon and origin of each error that became known since the origin before."""
        for h in range(self.horizons):
            before = int(self.origins.known[origin - 1, h]) if origin else 0
            for past in range(before, int(self.origins.known[origin, h])):
                yield h, past

    def _learn(self, past: int, h: int, origin: int) -> None:
        actual, forecasts = float(self.origins.released[past, h]), self.forecasts[past]
        if self.ensembles:
            members = [forecasts[row][h] for row in self.case.members]
            self.ensembles[h].learn(actual, float(self.origins.scale[past]), forecasts[self.case.ensemble][h], members)
        for index, row in enumerate(self.case.custom.calibrated):
            spread = float(self.case.custom.spread[past, index, h])
            self.custom[index, h].learn((actual - forecasts[row][h]) / spread)
        for f in range(self.forecasters):
            self.calibrators[f, h].learn(actual - forecasts[f][h])
            if self.origins.batch[past] >= 0:
                self.counts[self.origins.batch[origin], h, :, f] += self.pairs[f, h].learn()
        self.levels[h].learn(actual - forecasts[self.case.benchmark][h])

    def _combine(self, origin: int) -> list[list[float]]:
        """The ensemble's weights (member, horizon); its forecasts are written down."""
        by_horizon = []
        for h, ensemble in enumerate(self.ensembles):
            weights, forecast = ensemble.predict([self.forecasts[origin][row][h] for row in self.case.members])
            self.forecasts[origin][self.case.ensemble][h] = forecast
            by_horizon.append(weights)
        return [list(row) for row in zip(*by_horizon, strict=True)]

    def _predict(self, origin: int) -> Predicted:
        """Offsets and size of each cell."""
        predicted: Predicted = {}
        for f, h in self.cells:
            expected = float(self.origins.scale[origin]) * math.sqrt(h + 1.0)
            offsets, size = self.calibrators[f, h].predict(expected, self.forecasts[origin][f][h])
            predicted[f, h] = list(offsets), size
        custom = self.case.custom
        for index, h in self.custom:
            spread = float(custom.spread[origin, index, h])
            offsets, size = self.custom[index, h].predict(1.0 / NORMAL_OVER_MEAN_ABSOLUTE, spread)
            raw = custom.offsets[origin, :, index, h].tolist()
            predicted[custom.rows[index], h] = (raw, 1.0) if math.isfinite(raw[0]) else ([0.0] * len(TAUS), math.nan)
            if math.isfinite(size * spread):
                predicted[custom.calibrated[index], h] = list(offsets), size * spread
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
        self.batches.setdefault(int(origins.batch[origin]), []).append(
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
            if self.ensembles
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
        for h, ensemble in enumerate(self.ensembles):
            latest[list(self.case.members), h] = ensemble.weights([1.0] * ensemble.members)
            regret[h] = ensemble.regret[ensemble.best()]
        if self.ensembles:
            bound[0] = self.ensembles[0].bound()
        return latest, np.where(np.isfinite(regret), regret, np.nan), bound

    def _sums(self) -> np.ndarray:
        sums = np.zeros((self.origins.batches, self.forecasters, self.horizons, 34))
        for batch, hindcasts in self.batches.items():
            for f, h in self.cells:
                of_cell = [at_origin[f, h] for at_origin in hindcasts]
                rival = [at_origin[self.case.benchmark, h] for at_origin in hindcasts]
                sums[batch, f, h] = batch_sums(of_cell, rival)
        return sums


def plain(case: PassInput) -> PassOutput:
    with np.errstate(all="ignore"):
        return PlainPass(case).run()
