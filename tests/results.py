"""Results to record and publish: plain ones, and hypothesis strategies for any."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pulse_core.plan import batches
from pulse_core.results import (
    TRUST,
    DataFacts,
    DataSnapshot,
    Failure,
    PerOriginRecord,
    Record,
    RunResult,
    UnitCounts,
    VariableRecord,
    VariableScores,
    VariableSummary,
)
from pulse_core.scores.measures import MEASURES
from pulse_core.scores.sums import SUMS, BatchSums
from pulse_core.spec import RunSpec

FORECASTERS = ("naive", "drift", "ses")
HORIZONS = 2
FACTS = DataFacts("sha256:" + "0a" * 32, 750, 3, "2020-01-01", "2022-12-30", "timestamp")


def spec(**changes: Any) -> RunSpec:
    values: dict[str, Any] = {
        "variables": ("a", "b"),
        "start": date(2022, 1, 1),
        "end": date(2022, 3, 31),
        "horizon": HORIZONS,
        "forecasters": FORECASTERS,
    }
    return RunSpec(**{**values, **changes})


def variable_result(seed: int = 0, variable: str = "a") -> VariableRecord:
    generator = np.random.default_rng(seed)
    shape = (3, len(FORECASTERS), HORIZONS)
    return VariableRecord(
        variable=variable,
        forecasters=FORECASTERS,
        exponent=7,
        sums=BatchSums(np.arange(3), generator.normal(size=(*shape, len(SUMS)))),
        wins=generator.uniform(size=shape),
        losses=generator.uniform(size=shape),
        origins=generator.integers(0, 30, size=3),
        **{name: generator.uniform(size=shape[1:]) for name in ("dm_p", "log10_e", "weights")},
        **{name: generator.uniform(size=HORIZONS) for name in ("regret", "bound")},
    )


def folded(result: VariableRecord, aggregation: str = "ab") -> VariableScores:
    """Scores of a result's shape, made of its numbers anyhow."""
    return VariableScores(
        variable=result.variable,
        aggregation=aggregation,
        forecasters=result.forecasters,
        scores=np.stack([result.dm_p, result.log10_e], axis=-1),
        trust=result.dm_p[..., None],
        origins=result.origins,
        **{name: getattr(result, name) for name in ("weights", "regret", "bound")},
    )


def sighting(variable: str = "a", **changes: Any) -> DataSnapshot:
    return DataSnapshot(**{"variable": variable, "facts": FACTS, "last_day": "2022-03-31", "settled": False, **changes})


def batch_hindcasts(seed: int = 0) -> PerOriginRecord:
    forecasts = np.random.default_rng(seed).normal(size=(20, HORIZONS))
    forecasts[0] = np.nan
    return PerOriginRecord("a", "own:Best", forecasts, np.repeat(forecasts[None], 9, axis=0))


def summary(variable: str = "a", forecasters: Sequence[str] = FORECASTERS, **changes: Any) -> VariableSummary:
    scores = np.random.default_rng(len(variable)).uniform(size=(len(forecasters), HORIZONS, len(MEASURES)))
    scores[..., MEASURES.index("n")] = 60
    trust = np.full((len(forecasters), HORIZONS, len(TRUST)), 0.5)
    trust[0] = np.nan
    learned = np.full((len(forecasters), HORIZONS), np.nan)
    values: dict[str, Any] = {
        "variable": variable,
        "data": FACTS,
        "forecasters": forecasters,
        "scores": scores,
        "trust": trust,
        "origins": [20, 22, 20],
        "weights": learned,
        "regret": learned[0],
        "bound": learned[0],
    }
    return VariableSummary(**{**values, **changes})


def with_scores(measure: str, values: Any, **changes: Any) -> VariableSummary:
    """A summary whose one measure has these values, shape (forecaster, horizon)."""
    scores = summary(**changes).scores.copy()
    scores[..., MEASURES.index(measure)] = values
    return summary(**changes, scores=scores)


def run_result(**changes: Any) -> RunResult:
    values: dict[str, Any] = {
        "run_id": "nightly",
        "spec": spec(),
        "batches": batches(spec()),
        "variables": (summary("a"), summary("b")),
        "failures": (Failure("c", "VariableNotFound", "no variable 'c'", "data", "Near: a, b"),),
        "units": UnitCounts(planned=3, recalled=1, computed=1, failed=1),
        "software": {"pulse": "0.1", "numpy": "2.4"},
        "started_at": datetime(2024, 5, 1, 6, 0, tzinfo=UTC),
        "finished_at": datetime(2024, 5, 1, 6, 0, 2, 500_000, tzinfo=UTC),
    }
    return RunResult(**{**values, **changes})


_any_float = st.floats(width=64) | st.sampled_from([-0.0, float("inf"), float("-inf"), 5e-324])


def _with_payloads(values: np.ndarray, payload: int) -> np.ndarray:
    """Turn every NaN into one that carries a payload."""
    bits = values.copy().view(np.uint64)
    bits[np.isnan(values)] = 0x7FF8_0000_0000_0000 | payload
    return bits.view(np.float64)


@st.composite
def variable_results(draw: st.DrawFn) -> VariableRecord:
    """Any result: no batches or some, every kind of float, names in any script."""
    count, forecasters, horizons = draw(st.integers(0, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 2))
    shape = (count, forecasters, horizons)
    payload = draw(st.integers(0, 2**40))
    floats = [
        _with_payloads(draw(arrays.arrays(np.float64, size, elements=_any_float)), payload)
        for size in ((*shape, len(SUMS)), shape, shape, *[shape[1:]] * 3, *[shape[2:]] * 2)
    ]
    text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
    return VariableRecord(
        variable=draw(text),
        forecasters=draw(st.lists(text, min_size=forecasters, max_size=forecasters)),
        exponent=draw(st.integers(-1100, 1100)),
        sums=BatchSums(np.arange(count) + draw(st.integers(0, 5)), floats[0]),
        wins=floats[1],
        losses=floats[2],
        origins=draw(arrays.arrays(np.int64, count, elements=st.integers(0, 2**40))),
        **dict(zip(("dm_p", "log10_e", "weights", "regret", "bound"), floats[3:], strict=True)),
    )


@st.composite
def hindcasts_of_batches(draw: st.DrawFn) -> PerOriginRecord:
    """Any hindcasts per origin of a batch: no origins or some, every kind of float, with quantiles or not."""
    shape = draw(st.integers(0, 4)), draw(st.integers(1, 3))
    forecasts = draw(arrays.arrays(np.float64, shape, elements=_any_float))
    text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
    quantiles = draw(arrays.arrays(np.float64, (draw(st.sampled_from([0, 9])), *shape), elements=_any_float))
    payload = draw(st.integers(0, 2**40))
    return PerOriginRecord(
        draw(text), draw(text), _with_payloads(forecasts, payload), _with_payloads(quantiles, payload)
    )


@st.composite
def scores_of_variables(draw: st.DrawFn) -> VariableScores:
    """What any record was aggregated to: every kind of float."""
    result, aggregation = draw(variable_results()), draw(st.text("0123456789abcdef", max_size=8))
    return folded(result, aggregation=aggregation)


@st.composite
def sightings(draw: st.DrawFn) -> DataSnapshot:
    """What reading anything may have given."""
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    counts = draw(st.integers(0, 2**40)), draw(st.integers(0, 2**40))
    facts = DataFacts(draw(text), *counts, draw(text), draw(text), draw(text))
    return DataSnapshot(draw(text), facts, draw(st.dates()).isoformat(), draw(st.booleans()))


def records() -> st.SearchStrategy[Record]:
    """Anything that may be recorded."""
    return st.one_of(variable_results(), hindcasts_of_batches(), scores_of_variables(), sightings())
