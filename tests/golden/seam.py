"""The one door from the golden runs to the code: rows, a spec and forecasters go in, arrays come out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_adapters.backends.serial import SerialBackend
from pulse_adapters.sinks.memory import MemorySink
from pulse_core import (
    MEASURES,
    TRUST,
    Forecaster,
    Histories,
    Labels,
    Observations,
    PerOriginForecaster,
    RetrodictionTraining,
    RunSpec,
)
from pulse_core.results import STATISTICS
from pulse_core.scores.sums import SUMS
from tests.backtests import kept_backtests
from tests.golden.models import OwnForecaster
from tests.golden.series import Rows

Array = NDArray[np.float64]
OTHER_COLUMNS = ("trust", "actual")
"""Columns of the hindcasts that are compared with nothing: a probability, and what the first code got wrong."""

POINT_SUMS = SUMS.index("quantile_count")
"""How many of the sums are of point forecasts; those of quantiles follow."""


@attrs.frozen
class RunPieces:
    """What a run gives: its digest, failures by variable, and by variable the forecasters and each piece's numbers."""

    digest: str
    failures: dict[str, str]
    forecasters: dict[str, tuple[str, ...]]
    pieces: dict[str, dict[str, Array]]


def train(
    rows: Mapping[str, Rows],
    spec: Mapping[str, Any],
    forecasters: Sequence[OwnForecaster] = (),
    *,
    hindcasts: bool = False,
) -> RunPieces:
    """Train these variables in memory. Whatever the code is called by then, this function is what changes."""
    sink = MemorySink()
    training = RetrodictionTraining(
        store=_Store(dict(rows)),
        backend=SerialBackend(),
        sink=sink,
        forecasters=tuple(_forecaster(forecaster) for forecaster in forecasters),
        hindcasts=hindcasts,
        keep_going=True,
    )
    with kept_backtests() as records:
        result = training.execute(RunSpec(**spec))
    tables = [columns for (_, name), goes in sink.parts.items() if name.startswith("hindcasts/") for columns in goes]
    pieces: dict[str, dict[str, Array]] = {}
    for summary in result.variables:
        record = records[summary.variable]
        pieces[summary.variable] = {
            **{f"scores.{name}": summary.scores[..., index] for index, name in enumerate(MEASURES)},
            **{f"trust.{name}": summary.shown(name) for name in TRUST},
            **{f"statistics.{name}": summary.statistics[..., index] for index, name in enumerate(STATISTICS)},
            "verdicts": _floats(summary.verdicts),
            "reliability": summary.reliability,
            "simple_skill": summary.simple_skill,
            "trends": _floats(summary.trends),
            "benchmark": _floats(summary.forecasters.index(summary.benchmark)),
            "span": _floats(summary.span),
            "weights": summary.weights,
            "regret": summary.regret,
            "bound": summary.bound,
            "origins": _floats(summary.origins),
            "record.exponent": _floats(record.exponent),
            "record.sums.points": record.sums.values[..., :POINT_SUMS],
            "record.sums.quantiles": record.sums.values[..., POINT_SUMS:],
            "record.won": _floats(record.won),
            "record.lost": _floats(record.lost),
            "record.simple_losses": record.simple_losses,
            "record.simple_evidence": record.simple_evidence,
            "record.bias": record.bias,
            **(_hindcasts(tables, summary.variable, summary.forecasters) if hindcasts else {}),
        }
    return RunPieces(
        digest=result.digest,
        failures={failure.variable: failure.kind for failure in result.failures},
        forecasters={summary.variable: summary.forecasters for summary in result.variables},
        pieces=pieces,
    )


@attrs.frozen
class _Store:
    """A DataStore over rows in memory."""

    rows: dict[str, Rows]

    def names(self) -> Iterator[str]:
        yield from sorted(self.rows)

    def read(self, variable: str) -> Observations:
        rows = self.rows[variable]
        known_at = None if rows.known_at is None else np.array(rows.known_at, dtype="datetime64[us]")
        return Observations(variable, np.array(rows.timestamps, dtype="datetime64[us]"), rows.values, known_at)


@attrs.frozen
class _Column:
    """One path of the histories as the old code laid them out: `values` (time, 1)."""

    values: Array
    lengths: NDArray[np.int64]

    def at_origins(self, states: Array) -> Array:
        return np.asarray(states[self.lengths - 1, 0])


@attrs.frozen
class _OnePass(Forecaster):
    """A model that makes all hindcasts in one pass, from a path at a time."""

    name: str
    version: str
    model: Any

    def hindcast(self, histories: Histories, horizon: int) -> Array:
        rows = []
        for path, origins in histories.by_path:
            column = _Column(histories.paths[path][:, None], histories.origin_length[origins])
            rows.append(self.model.hindcast(column, horizon))
        return np.concatenate(rows)


def _forecaster(plain: OwnForecaster) -> Forecaster:
    """Return a forecaster of the code's."""
    if hasattr(plain.model, "hindcast"):
        forecaster: Forecaster = plain.model
        return forecaster
    return PerOriginForecaster(plain.name, "1", plain.model, plain.refit_every)


def _hindcasts(tables: Sequence[Mapping[str, Any]], variable: str, forecasters: Sequence[str]) -> dict[str, Array]:
    """Return the columns of a variable's hindcasts, sorted by forecaster in roster order, horizon and origin."""
    parts: dict[str, list[NDArray[Any]]] = {}
    ranked = {name: rank for rank, name in enumerate(forecasters)}
    for columns in tables:
        rows = np.array([name == variable for name in _labels(columns["variable"])])
        ranks = np.array([ranked.get(name, -1) for name in _labels(columns["forecaster"])])  # -1: another variable's
        for name, column in {**columns, "forecaster": ranks}.items():
            if not isinstance(column, Labels):
                parts.setdefault(name, []).append(column[rows])
    table = {name: np.concatenate(shares) for name, shares in parts.items()}
    order = np.lexsort((table["known_at"], table["horizon"], table["forecaster"]))
    columns = {name: column[order] for name, column in table.items() if name not in OTHER_COLUMNS}
    # the first code wrote the first release as the actual, whichever release it scored
    columns["actual"] = columns.pop("first_release")
    return {f"hindcasts.{name}": _floats(column) for name, column in columns.items()}


def _labels(column: Labels) -> list[str]:
    return [column.names[code] for code in column.codes.tolist()]


def _floats(values: Any) -> Array:
    """Return numbers as float64; moments as microseconds since 1970, NaN where there is none."""
    array = np.asarray(values)
    if array.dtype.kind == "M":
        return np.where(np.isnat(array), np.nan, array.astype("datetime64[us]").astype(np.int64).astype(np.float64))
    return array.astype(np.float64)
