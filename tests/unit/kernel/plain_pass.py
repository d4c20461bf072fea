"""The pass over the origins of a variable once more: at each origin learn from what became known, forecast, score."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from tests.unit.kernel.passes import PassInput, PassOutput
from tests.unit.kernel.plain_calibration import CALIBRATORS, TAUS, Calibrator
from tests.unit.kernel.plain_ensemble import MLPoly
from tests.unit.kernel.plain_outcomes import UNKNOWN, Posterior, loss, outcome
from tests.unit.kernel.plain_sums import Hindcast, batch_sums

Cell = tuple[int, int]
"""Forecaster and horizon, from 0."""

Predicted = dict[Cell, tuple[list[float], float]]
"""Offsets and size."""


class PlainPass:
    """What a pass remembers, by cell or by horizon."""

    def __init__(self, case: PassInput) -> None:
        self.case, self.origins = case, case.origins
        self.count, self.forecasters, self.horizons = case.shape
        self.cells = list(itertools.product(range(self.forecasters), range(self.horizons)))
        calibrator = CALIBRATORS[case.calibration]
        self.forecasts = case.forecasts.tolist()
        self.calibrators: list[Calibrator] = [calibrator(self.horizons) for _ in range(self.forecasters)]
        self.custom: list[Calibrator] = [calibrator(self.horizons, brings_spread=True) for _ in case.custom.rows]
        members = len(case.members) if case.ensemble is not None else 0
        self.ensembles = [MLPoly(members) for _ in range(self.horizons)] if members else []
        self.posteriors = {cell: Posterior(cell[1] + 1, case.trust_decay) for cell in self.cells}
        self.outcomes: dict[tuple[int, int, int], int] = {}
        self.batches: dict[int, list[dict[Cell, Hindcast]]] = {}

    def run(self) -> PassOutput:
        quantiles, weights, trust = [], [], []
        for origin in range(self.count):
            for step in self._became_known(origin):
                self._learn(step)
            weights.append(self._combine(origin))
            predicted = self._predict(origin)
            quantiles.append([self._by_cell(self._quantiles(origin, predicted, k)) for k in range(len(TAUS))])
            if self.origins.batch[origin] >= 0:
                self._score(origin, predicted)
            for posterior in self.posteriors.values():
                posterior.enter(int(self.origins.batch[origin]))
            trust.append(self._by_cell({cell: posterior.mean() for cell, posterior in self.posteriors.items()}))
        return self._output(quantiles, weights, trust)

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

    def _learn(self, step: Sequence[int | None]) -> None:
        """Learn of the error of one origin, or of none, at each horizon."""
        for h, past in enumerate(step):
            if past is not None:
                self._learn_outcomes(past, h)
        errors = [[self._error(past, f, h) for h, past in enumerate(step)] for f in range(self.forecasters)]
        for index, row in enumerate(self.case.custom.calibrated):
            self.custom[index].learn(errors[row])
        for f, calibrator in enumerate(self.calibrators):
            calibrator.learn(errors[f])

    def _error(self, past: int | None, f: int, h: int) -> float | None:
        return None if past is None else float(self.origins.released[past, h]) - self.forecasts[past][f][h]

    def _learn_outcomes(self, past: int, h: int) -> None:
        actual, forecasts = float(self.origins.released[past, h]), self.forecasts[past]
        if self.ensembles:
            members = [forecasts[row][h] for row in self.case.members]
            self.ensembles[h].learn(actual, float(self.origins.scale[past]), forecasts[self.case.ensemble][h], members)
        for f in range(self.forecasters):
            if self.origins.batch[past] >= 0:
                self.posteriors[f, h].enter(int(self.origins.known_batch[past, h]))
                self.posteriors[f, h].learn(self.outcomes[past, f, h])

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
        steps = float(self.origins.steps[origin])
        for f, calibrator in enumerate(self.calibrators):
            quoted = calibrator.predict(self.forecasts[origin][f], float(self.origins.step_square[origin]), steps)
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
        for f, h in self.cells:
            self.outcomes[origin, f, h] = outcome(losses[f, h], losses[self.case.benchmark, h])
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

    def _output(self, quantiles: list, weights: list, trust: list) -> PassOutput:
        wins, trials = self._counts()
        latest, regret, bound = self._learned()
        return PassOutput(
            forecasts=np.array(self.forecasts),
            quantiles=np.array(quantiles),
            weights=np.array(weights).reshape(self.count, -1, self.horizons)
            if self.ensembles
            else np.empty((self.count, 0, self.horizons)),
            trust=np.array(trust),
            sums=self._sums(),
            outcomes=self._outcomes(),
            wins=wins,
            trials=trials,
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

    def _outcomes(self) -> np.ndarray:
        outcomes = np.full((self.count, self.forecasters, self.horizons), float(UNKNOWN))
        for cell, code in self.outcomes.items():
            outcomes[cell] = code
        return outcomes

    def _sums(self) -> np.ndarray:
        sums = np.zeros((self.origins.batches, self.forecasters, self.horizons, 34))
        for batch, hindcasts in self.batches.items():
            for f, h in self.cells:
                of_cell = [at_origin[f, h] for at_origin in hindcasts]
                rival = [at_origin[self.case.benchmark, h] for at_origin in hindcasts]
                sums[batch, f, h] = batch_sums(of_cell, rival)
        return sums

    def _counts(self) -> tuple[np.ndarray, np.ndarray]:
        """Outcome codes added up, and their number, by the batch in which they became known."""
        wins, trials = np.zeros((2, self.origins.batches, self.forecasters, self.horizons))
        for (origin, f, h), code in self.outcomes.items():
            batch = self.origins.known_batch[origin, h]
            if batch >= 0 and code >= 0:
                wins[batch, f, h] += code
                trials[batch, f, h] += 1
        return wins, trials


def plain(case: PassInput) -> PassOutput:
    with np.errstate(all="ignore"):
        return PlainPass(case).run()
