"""Rows of the table of scores: one for each variable, forecaster, horizon and batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pulse_core.kernel.bindings import posteriors
from pulse_core.plan import batches
from pulse_core.results import VariableRecord
from pulse_core.scores.measures import MEASURES, measure_columns
from pulse_core.scores.sums import SUMS
from pulse_core.scores.trust import batch_decay
from pulse_core.spec import RunSpec
from pulse_core.tables import Columns, Labels

COMMON: Final = ("common_absolute", "benchmark_absolute")
"""The sums that the table gives beside the measures."""


def score_columns(records: Sequence[VariableRecord], spec: RunSpec) -> Columns:
    """Return a row for each variable, forecaster, horizon and batch in which something was scored or became known.

    Columns: `variable`, `forecaster`, `horizon`, `batch`, its first day `start`; the measures of the batch's own
    origins; `common_absolute` and `benchmark_absolute`, the sums of absolute errors on the origins scored for both, of
    which skills over any batches follow; `won` and `lost`, the weighted outcomes that became known in it, and the
    `trust` at its end.
    """
    parts = [_columns(record, index, spec) for index, record in enumerate(records)]
    merged = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    labels = {
        "variable": tuple(record.variable for record in records),
        "forecaster": spec.forecasters,
        "batch": tuple(batch.id for batch in batches(spec)),
    }
    starts = np.array([batch.start for batch in batches(spec)], dtype="datetime64[us]")
    return {
        **{name: Labels(labels[name], merged[name]) for name in ("variable", "forecaster")},
        "horizon": merged["horizon"],
        "batch": Labels(labels["batch"], merged["batch"]),
        "start": starts[merged["batch"]],
        **{name: merged[name] for name in (*MEASURES[:-1], *COMMON, "won", "lost", "trust")},
    }


def _columns(record: VariableRecord, index: int, spec: RunSpec) -> dict[str, NDArray[Any]]:
    # (batch, forecaster, horizon)
    decay = batch_decay(spec.trust_decay, spec.batch_size_days)
    alpha, beta = posteriors(record.wins, record.losses, decay, len(record.wins))
    trust = alpha / (alpha + beta)
    trust[:, record.forecasters.index(spec.benchmark)] = np.nan
    sums = record.sums.values
    rows = (sums[..., SUMS.index("count")] > 0) | (record.wins + record.losses > 0)
    batch, forecaster, horizon = (position.astype(np.int32) for position in np.nonzero(rows))
    return {
        "variable": np.full(len(batch), index, dtype=np.int32),
        "forecaster": forecaster,
        "horizon": horizon + np.int32(1),
        "batch": batch,
        **dict(zip(MEASURES[:-1], measure_columns(sums, np.flatnonzero(rows), record.exponent), strict=True)),
        **{name: _in_units(sums[..., SUMS.index(name)][rows], record.exponent) for name in COMMON},
        "won": record.wins[rows],
        "lost": record.losses[rows],
        "trust": trust[rows],
    }


def _in_units(sums: NDArray[np.float64], exponent: int) -> NDArray[np.float64]:
    """Return sums in the data's units; NaN beyond the range of a float64."""
    with np.errstate(over="ignore"):
        values = np.ldexp(sums, exponent)
    return np.where(np.isfinite(values), values, np.nan)
