"""The scores of every batch, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pulse_core.plan import batches
from pulse_core.results import VariableResult
from pulse_core.scores.measures import MEASURES, all_measures
from pulse_core.scores.sums import SUMS
from pulse_core.scores.trust import batch_decay, posteriors
from pulse_core.spec import RunSpec
from pulse_core.tables import Columns, Labels

COMMON: Final = ("common_absolute", "benchmark_absolute")
"""The sums that the table gives beside the measures."""


def score_columns(results: Sequence[VariableResult], spec: RunSpec) -> Columns:
    """Return a row for each variable, forecaster, horizon and batch in which something was scored or became known.

    Columns: `variable`, `forecaster`, `horizon`, `batch`, its first day `start`; the measures of the batch's own
    origins; `common_absolute` and `benchmark_absolute`, the sums of absolute errors on the origins scored for both, of
    which skills over any batches follow; `won` and `lost`, the weighted outcomes that became known in it, and the
    `trust` at its end.
    """
    parts = [_of(result, place, spec) for place, result in enumerate(results)]
    merged = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    labels = {
        "variable": tuple(result.variable for result in results),
        "forecaster": spec.roster,
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


def _of(result: VariableResult, place: int, spec: RunSpec) -> dict[str, NDArray[Any]]:
    # (batch, forecaster, horizon)
    decay = batch_decay(spec.trust_decay, spec.batch_size_days)
    ends = posteriors(result.wins, result.losses, decay, len(result.wins))
    trust = np.stack([alpha / (alpha + beta) for alpha, beta in ends])
    trust[:, result.forecasters.index(spec.benchmark)] = np.nan
    measures = all_measures(result.sums.values, result.exponent)
    rows = (measures[..., 0] > 0) | (result.wins + result.losses > 0)
    batch, forecaster, horizon = (index.astype(np.int32) for index in np.nonzero(rows))
    found = measures[rows]
    return {
        "variable": np.full(len(batch), place, dtype=np.int32),
        "forecaster": forecaster,
        "horizon": horizon + np.int32(1),
        "batch": batch,
        **{name: found[:, column] for column, name in enumerate(MEASURES[:-1])},
        **{name: _in_units(result.sums.values[..., SUMS.index(name)][rows], result.exponent) for name in COMMON},
        "won": result.wins[rows],
        "lost": result.losses[rows],
        "trust": trust[rows],
    }


def _in_units(sums: NDArray[np.float64], exponent: int) -> NDArray[np.float64]:
    """Return sums in the data's units; NaN beyond the range of a float64."""
    with np.errstate(over="ignore"):
        values = np.ldexp(sums, exponent)
    return np.where(np.isfinite(values), values, np.nan)
