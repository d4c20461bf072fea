"""Records and results for tests of sinks: plain ones, and hypothesis strategies for any."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pulse_core.backtest.reliability_counts import BINS
from pulse_core.plan import batches
from pulse_core.results import (
    RELIABILITY,
    STATISTICS,
    TRUST,
    DataFacts,
    DataSnapshot,
    Failure,
    PerOriginRecord,
    Record,
    RunResult,
    UnitCounts,
    VariableBacktest,
    VariableScores,
    VariableSummary,
)
from pulse_core.scores.measures import MEASURES
from pulse_core.scores.sums import SUMS, BatchSums
from pulse_core.spec import RunSpec

FORECASTERS: Final = ("naive", "drift", "ses")
SIMPLE: Final = ("naive", "drift")
SPAN: Final = 250
HORIZONS: Final = 2
FACTS: Final = DataFacts("sha256:" + "0a" * 32, 750, 3, "2020-01-01", "2022-12-30", "timestamp")


def spec(**changes: Any) -> RunSpec:
    """Return a spec of two variables, with some fields changed."""
    values: dict[str, Any] = {
        "variables": ("a", "b"),
        "start": date(2022, 1, 1),
        "end": date(2022, 3, 31),
        "horizon": HORIZONS,
        "forecasters": FORECASTERS,
    }
    return RunSpec(**{**values, **changes})


def variable_record(seed: int = 0, variable: str = "a") -> VariableBacktest:
    """Return the record of a variable, with drawn numbers."""
    generator = np.random.default_rng(seed)
    shape = (3, len(FORECASTERS), HORIZONS)
    floats = {name: generator.uniform(size=size) for name, size in _float_shapes(3, *shape[1:]).items()}
    return VariableBacktest(
        variable=variable,
        forecasters=FORECASTERS,
        benchmark="naive",
        span=SPAN,
        exponent=7,
        sums=BatchSums(np.arange(3), generator.normal(size=(*shape, len(SUMS)))),
        won=generator.integers(0, 30, size=shape),
        lost=generator.integers(0, 30, size=shape),
        origins=generator.integers(0, 30, size=3),
        simple=SIMPLE,
        **floats,
    )


def _float_shapes(batches: int, forecasters: int, horizons: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of each array of floats of a record, but of its sums."""
    return {
        "trust": (batches, forecasters, horizons),
        "statistics": (forecasters, horizons, len(STATISTICS)),
        "evidence": (forecasters, horizons, 3),
        "reliability": (horizons, BINS, len(RELIABILITY)),
        "simple_losses": (len(SIMPLE), forecasters, horizons, 2),
        "simple_evidence": (len(SIMPLE), horizons),
        "bias": (horizons, 2),
        "weights": (forecasters, horizons),
        "regret": (horizons,),
        "bound": (horizons,),
    }


def variable_scores(result: VariableBacktest) -> VariableScores:
    """Return scores of a record's shape, taken from its numbers anyhow."""
    return VariableScores(
        variable=result.variable,
        scores=result.statistics,
        trust=result.evidence,
        verdicts=np.zeros(result.weights.shape, dtype=np.int64),
        simple_skill=result.simple_losses[..., 0],
        trends=np.zeros(len(result.regret), dtype=np.int64),
        **{name: getattr(result, name) for name in _RECALLED},
    )


_RECALLED: Final = (
    *("forecasters", "benchmark", "span", "statistics", "reliability", "simple", "origins"),
    *("weights", "regret", "bound"),
)
"""What scores take from a record as it is."""


def data_snapshot(variable: str = "a", **changes: Any) -> DataSnapshot:
    """Return what a version of a variable's data holds, with some fields changed."""
    return DataSnapshot(**{"variable": variable, "facts": FACTS, "last_day": "2022-03-31", "settled": False, **changes})


def per_origin_record(seed: int = 0) -> PerOriginRecord:
    """Return hindcasts of 20 origins with quantiles, the first origin without a forecast."""
    forecasts = np.random.default_rng(seed).normal(size=(20, HORIZONS))
    forecasts[0] = np.nan
    return PerOriginRecord("a", "my_models:Best", forecasts, np.repeat(forecasts[None], 9, axis=0))


def summary(variable: str = "a", forecasters: Sequence[str] = FORECASTERS, **changes: Any) -> VariableSummary:
    """Return the summary of a variable, with drawn scores and some fields changed; the first is the benchmark."""
    shape = len(forecasters), HORIZONS
    scores = np.random.default_rng(len(variable)).uniform(size=(*shape, len(MEASURES)))
    for name, count in (("n", 60), ("hit_rate_count", 50)):
        scores[..., MEASURES.index(name)] = count
    trust = np.full((*shape, len(TRUST)), 0.5)
    trust[0] = np.nan
    learned = np.full(shape, np.nan)
    values: dict[str, Any] = {
        "variable": variable,
        "data": FACTS,
        "forecasters": forecasters,
        "benchmark": forecasters[0],
        "span": SPAN,
        "scores": scores,
        "trust": trust,
        "statistics": np.full((*shape, len(STATISTICS)), 0.5),
        "verdicts": np.zeros(shape, dtype=np.int64),
        "reliability": np.zeros((HORIZONS, BINS, len(RELIABILITY))),
        "simple": SIMPLE,
        "simple_skill": np.full((len(SIMPLE), *shape), 0.25),
        "trends": np.zeros(HORIZONS, dtype=np.int64),
        "origins": [20, 22, 20],
        "weights": learned,
        "regret": learned[0],
        "bound": learned[0],
    }
    return VariableSummary(**{**values, **changes})


def run_result(**changes: Any) -> RunResult:
    """Return the result of the run `nightly`, with some fields changed."""
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
def variable_records(draw: st.DrawFn) -> VariableBacktest:
    """Any record of a variable: no batches or some, every kind of float, names in any script."""
    count, forecasters, horizons = draw(st.integers(0, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 2))
    shape = (count, forecasters, horizons)
    payload = draw(st.integers(0, 2**40))
    floats = {
        name: _with_payloads(draw(arrays.arrays(np.float64, size, elements=_any_float)), payload)
        for name, size in {"sums": (*shape, len(SUMS)), **_float_shapes(*shape)}.items()
    }
    text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
    counts = [draw(arrays.arrays(np.int64, size, elements=st.integers(0, 2**40))) for size in (shape, shape, count)]
    return VariableBacktest(
        variable=draw(text),
        forecasters=draw(st.lists(text, min_size=forecasters, max_size=forecasters)),
        benchmark=draw(text),
        span=draw(st.integers(1, 400)),
        exponent=draw(st.integers(-1100, 1100)),
        sums=BatchSums(np.arange(count) + draw(st.integers(0, 5)), floats.pop("sums")),
        won=counts[0],
        lost=counts[1],
        origins=counts[2],
        simple=draw(st.lists(text, min_size=len(SIMPLE), max_size=len(SIMPLE))),
        **floats,
    )


@st.composite
def per_origin_records(draw: st.DrawFn) -> PerOriginRecord:
    """Any hindcasts of a batch: no origins or some, every kind of float, with quantiles or without."""
    shape = draw(st.integers(0, 4)), draw(st.integers(1, 3))
    forecasts = draw(arrays.arrays(np.float64, shape, elements=_any_float))
    text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
    quantiles = draw(arrays.arrays(np.float64, (draw(st.sampled_from([0, 9])), *shape), elements=_any_float))
    payload = draw(st.integers(0, 2**40))
    return PerOriginRecord(
        draw(text), draw(text), _with_payloads(forecasts, payload), _with_payloads(quantiles, payload)
    )


@st.composite
def scores(draw: st.DrawFn) -> VariableScores:
    """Any scores that a record was aggregated to: every kind of float."""
    return variable_scores(draw(variable_records()))


@st.composite
def data_snapshots(draw: st.DrawFn) -> DataSnapshot:
    """Any snapshot of data."""
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    counts = draw(st.integers(0, 2**40)), draw(st.integers(0, 2**40))
    facts = DataFacts(draw(text), *counts, draw(text), draw(text), draw(text))
    return DataSnapshot(draw(text), facts, draw(st.dates()).isoformat(), draw(st.booleans()))


def records() -> st.SearchStrategy[Record]:
    """Any record that a sink may be given."""
    return st.one_of(variable_records(), per_origin_records(), scores(), data_snapshots())


def publish(sink: ResultSink, result: RunResult) -> Sequence[str]:
    """Claim a result's run id and publish the result; return its addresses."""
    with sink.claim(result.run_id, result.spec, lambda reason: None) as claim:
        return claim.publish(result)
