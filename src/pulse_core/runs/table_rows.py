"""Rows of the tables of scores and of batches, collected from variables and written many at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Final, Generic, TypeVar

import numpy as np

from pulse_core.plan import batches
from pulse_core.ports import Write
from pulse_core.results import TRUST, VariableBatches, VariableScores
from pulse_core.scores.measures import MEASURES
from pulse_core.scores.verdict import VERDICTS
from pulse_core.spec import RunSpec
from pulse_core.tables import Columns, Labels

Variable = TypeVar("Variable")

AT_ONCE: Final = 1 << 15
"""Rows of a table that are written at once, or those of one variable."""

TRUST_COLUMNS: Final = tuple({"probability": "trust"}.get(name, name) for name in TRUST)
"""The names of the columns of TRUST."""

_CODES: Final = tuple(VERDICTS)
_VERDICT_NAMES: Final = (*VERDICTS.values(), "")
"""The names in the column `verdict`; the benchmark's is empty."""


class VariableRows(Generic[Variable]):
    """Writes the rows of a table, of many variables at once; `columns` makes them of what is known of the variables."""

    def __init__(self, write: Write, columns: Callable[[Sequence[Variable]], Columns]) -> None:
        self._write, self._columns = write, columns
        self._waiting: list[Variable] = []
        self._rows = 0

    def add(self, variable: Variable, rows: int) -> None:
        """Take in a variable, of so many rows at most; write once there are many."""
        self._waiting.append(variable)
        self._rows += rows
        if self._rows >= AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Write the rows that wait."""
        columns = self._columns(self._waiting) if self._waiting else {}
        if columns and len(columns["horizon"]):
            self._write(columns)
        self._waiting, self._rows = [], 0


def score_columns(variables: Sequence[VariableScores]) -> Columns:
    """Return a row for each variable, forecaster and horizon.

    Columns: `variable`, `forecaster`, `horizon`; the measures over all batches; the skill against the best simple
    forecaster; TRUST as it stands at the end; the `weight` in the ensemble; `beyond_reason`,
    how many forecasts were; and the `verdict`, empty for the benchmark.
    """
    shapes = [scores.verdicts.shape for scores in variables]
    measures = np.concatenate([scores.scores.reshape(-1, len(MEASURES)) for scores in variables])
    trust = np.concatenate([scores.trust.reshape(-1, len(TRUST)) for scores in variables])
    return {
        "variable": Labels(tuple(scores.variable for scores in variables), _repeated([a * b for a, b in shapes])),
        "forecaster": _forecasters(variables, [_forecaster_codes(shape) for shape in shapes]),
        "horizon": np.concatenate([_horizons(shape) for shape in shapes]),
        **{name: np.ascontiguousarray(measures[:, index]) for index, name in enumerate(MEASURES)},
        "skill_over_simple": np.concatenate([_over_simple(scores) for scores in variables]),
        **{name: np.ascontiguousarray(trust[:, index]) for index, name in enumerate(TRUST_COLUMNS)},
        "weight": np.concatenate([scores.weights.ravel() for scores in variables]),
        "beyond_reason": np.concatenate([scores.beyond_reason.ravel() for scores in variables]),
        "verdict": Labels(_VERDICT_NAMES, np.concatenate([_verdict_codes(scores) for scores in variables])),
    }


def batch_columns(variables: Sequence[VariableBatches], spec: RunSpec) -> Columns:
    """Return a row for each variable, forecaster, horizon and batch in which something was scored or became known.

    Columns: `variable`, `forecaster`, `horizon`, `batch`, its first day `start`; `n`, `mae`, `mase` and `crps` of the
    batch's own origins; the `trust` at its end; `won` and `lost`, how many outcomes that became known in it were wins
    and losses.
    """
    rows = [np.flatnonzero((entry.n > 0) | (entry.won + entry.lost > 0)) for entry in variables]
    cells = [
        np.array(np.unravel_index(cells_of, entry.n.shape), dtype=np.int32)
        for cells_of, entry in zip(rows, variables, strict=True)
    ]
    horizon = np.concatenate([positions[2] for positions in cells])
    in_run = [entry.batches[batch] for entry, (batch, *_) in zip(variables, cells, strict=True)]
    indexes, batch = np.unique(np.concatenate(in_run), return_inverse=True)
    every = batches(spec)
    windows = [every[index] for index in indexes.tolist()]
    starts = np.array([window.start for window in windows], dtype="datetime64[us]")

    def column(name: str) -> np.ndarray:
        return np.concatenate(
            [getattr(entry, name).ravel()[cells_of] for cells_of, entry in zip(rows, variables, strict=True)]
        )

    return {
        "variable": Labels(
            tuple(entry.variable for entry in variables), _repeated([len(cells_of) for cells_of in rows])
        ),
        "forecaster": _forecasters(variables, [positions[1] for positions in cells]),
        "horizon": (horizon + 1).astype(np.int16),
        "batch": Labels(tuple(window.id for window in windows), batch.astype(np.int32)),
        "start": starts[batch],
        **{name: column(name) for name in ("n", "mae", "mase", "crps", "trust", "won", "lost")},
    }


def _forecasters(variables: Sequence[VariableScores | VariableBatches], rows: Sequence[np.ndarray]) -> Labels:
    """Return the labels of rows whose codes index the forecasters of each variable; these may differ."""
    names = tuple(dict.fromkeys(chain.from_iterable(entry.forecasters for entry in variables)))
    positions = {name: position for position, name in enumerate(names)}
    codes = [
        np.array([positions[name] for name in entry.forecasters], dtype=np.int32)[forecaster]
        for entry, forecaster in zip(variables, rows, strict=True)
    ]
    return Labels(names, np.concatenate(codes))


def _over_simple(scores: VariableScores) -> np.ndarray:
    """Return the skills against the best simple forecaster at each horizon; (forecaster x horizon,)."""
    horizons = range(1, scores.verdicts.shape[1] + 1)
    return np.stack([scores.skill_over_simple(horizon) for horizon in horizons], axis=-1).ravel()


def _repeated(counts: Sequence[int]) -> np.ndarray:
    return np.repeat(np.arange(len(counts), dtype=np.int32), counts)


def _forecaster_codes(shape: tuple[int, ...]) -> np.ndarray:
    return np.repeat(np.arange(shape[0], dtype=np.int32), shape[1])


def _horizons(shape: tuple[int, ...]) -> np.ndarray:
    return np.tile(np.arange(1, shape[1] + 1, dtype=np.int16), shape[0])


def _verdict_codes(scores: VariableScores) -> np.ndarray:
    codes = np.zeros(scores.verdicts.shape, dtype=np.int32)
    for position, code in enumerate(_CODES):
        codes[scores.verdicts == code] = position
    codes[scores.forecasters.index(scores.benchmark)] = len(_CODES)
    return codes.ravel()
