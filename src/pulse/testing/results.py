"""Records and results for tests of sinks: plain ones, and hypothesis strategies for any."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pulse_core.backtest.reliability_counts import BINS
from pulse_core.data.seasons import Seasonality
from pulse_core.plan import batches
from pulse_core.ports import ResultSink
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
    VariableBatches,
    VariableScores,
    VariableSummary,
)
from pulse_core.scores.measures import MEASURES
from pulse_core.spec import RunSpec

FORECASTERS: Final = ("naive", "drift", "ses")
SIMPLE: Final = ("naive", "drift")
SPAN: Final = 250
SEASONALITY: Final = Seasonality((12,), "test", "months: 12 found (F 9.5, limit 1.7)")
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


def variable_batches(seed: int = 0, variable: str = "a") -> VariableBatches:
    """Return the batches of a variable, with drawn numbers."""
    generator = np.random.default_rng(seed)
    shape = (3, len(FORECASTERS), HORIZONS)
    floats = {name: generator.uniform(size=shape) for name in ("mae", "mase", "crps", "trust")}
    counts = {name: generator.integers(0, 30, size=shape) for name in ("n", "won", "lost")}
    return VariableBatches(variable, FORECASTERS, [0, 2, 3], **floats, **counts)


def variable_scores(seed: int = 0, variable: str = "a") -> VariableScores:
    """Return the scores of a variable, with drawn numbers."""
    generator = np.random.default_rng(seed)
    floats = {name: generator.uniform(size=shape) for name, shape in _score_shapes(len(FORECASTERS), HORIZONS).items()}
    return VariableScores(
        variable=variable,
        forecasters=FORECASTERS,
        benchmark="naive",
        span=SPAN,
        seasonality=SEASONALITY,
        min_history=8,
        verdicts=generator.integers(-1, 2, size=(len(FORECASTERS), HORIZONS)),
        simple=SIMPLE,
        trends=generator.integers(0, 2, size=HORIZONS),
        batches=[0, 1, 2],
        origins=generator.integers(1, 30, size=3),
        beyond_reason=generator.integers(0, 3, size=(len(FORECASTERS), HORIZONS)),
        **floats,
    )


def _score_shapes(forecasters: int, horizons: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of each array of floats of scores."""
    return {
        "scores": (forecasters, horizons, len(MEASURES)),
        "trust": (forecasters, horizons, len(TRUST)),
        "statistics": (forecasters, horizons, len(STATISTICS)),
        "reliability": (horizons, BINS, len(RELIABILITY)),
        "simple_skill": (len(SIMPLE), forecasters, horizons),
        "weights": (forecasters, horizons),
        "regret": (horizons,),
        "bound": (horizons,),
    }


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
        "seasonality": SEASONALITY,
        "min_history": 8,
        "scores": scores,
        "trust": trust,
        "statistics": np.full((*shape, len(STATISTICS)), 0.5),
        "verdicts": np.zeros(shape, dtype=np.int64),
        "reliability": np.zeros((HORIZONS, BINS, len(RELIABILITY))),
        "simple": SIMPLE,
        "simple_skill": np.full((len(SIMPLE), *shape), 0.25),
        "trends": np.zeros(HORIZONS, dtype=np.int64),
        "batches": [0, 1, 2],
        "origins": [20, 22, 20],
        "weights": learned,
        "regret": learned[0],
        "bound": learned[0],
        "beyond_reason": np.zeros(shape, dtype=np.int64),
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


_text: st.SearchStrategy[str] = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


@st.composite
def any_batches(draw: st.DrawFn) -> VariableBatches:
    """Any batches of a variable: none or some, every kind of float."""
    shape = draw(st.integers(0, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    counts = {
        name: draw(arrays.arrays(np.int32, shape, elements=st.integers(0, 2**31 - 1))) for name in ("n", "won", "lost")
    }
    single = {
        name: draw(arrays.arrays(np.float32, shape, elements=st.floats(width=32))) for name in ("mase", "crps", "trust")
    }
    mae = _with_payloads(draw(arrays.arrays(np.float64, shape, elements=_any_float)), draw(st.integers(0, 2**40)))
    batches = draw(_batch_indexes(shape[0]))
    return VariableBatches(draw(_text), draw(_names(shape[1])), batches, mae=mae, **single, **counts)


@st.composite
def any_scores(draw: st.DrawFn) -> VariableScores:
    """Any scores of a variable: every kind of float."""
    forecasters, horizons = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    payload = draw(st.integers(0, 2**40))
    floats = {
        name: _with_payloads(draw(arrays.arrays(np.float64, shape, elements=_any_float)), payload)
        for name, shape in _score_shapes(forecasters, horizons).items()
    }
    return VariableScores(
        variable=draw(_text),
        forecasters=draw(_names(forecasters)),
        benchmark=draw(_text),
        span=draw(st.integers(1, 400)),
        seasonality=Seasonality(tuple(draw(st.lists(st.integers(1, 9999), max_size=2))), draw(_text), draw(_text)),
        min_history=draw(st.integers(1, 400)),
        verdicts=draw(arrays.arrays(np.int64, (forecasters, horizons), elements=st.integers(-1, 1))),
        simple=draw(_names(len(SIMPLE))),
        trends=draw(arrays.arrays(np.int64, horizons, elements=st.integers(0, 1))),
        batches=draw(_batch_indexes(with_origins := draw(st.integers(0, 4)))),
        origins=draw(arrays.arrays(np.int64, with_origins, elements=st.integers(1, 2**40))),
        beyond_reason=draw(arrays.arrays(np.int64, (forecasters, horizons), elements=st.integers(0, 2**40))),
        **floats,
    )


def _batch_indexes(count: int) -> st.SearchStrategy[list[int]]:
    """So many indexes of batches, in order, each once."""
    return st.lists(st.integers(0, 2**40), min_size=count, max_size=count, unique=True).map(sorted)


def _names(count: int) -> st.SearchStrategy[list[str]]:
    return st.lists(_text, min_size=count, max_size=count)


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
def data_snapshots(draw: st.DrawFn) -> DataSnapshot:
    """Any snapshot of data."""
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    counts = draw(st.integers(0, 2**40)), draw(st.integers(0, 2**40))
    facts = DataFacts(draw(text), *counts, draw(text), draw(text), draw(text))
    return DataSnapshot(draw(text), facts, draw(st.dates()).isoformat(), draw(st.booleans()))


def records() -> st.SearchStrategy[Record]:
    """Any record that a sink may be given."""
    return st.one_of(any_batches(), any_scores(), per_origin_records(), data_snapshots())


def publish(sink: ResultSink, result: RunResult) -> Sequence[str]:
    """Claim a result's run id and publish the result; return its addresses."""
    with sink.claim(result.run_id, result.spec, print) as claim:
        return claim.publish(result)
