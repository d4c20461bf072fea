"""The simple forecasters that a run does not name check the benchmark, and change nothing else by one bit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core import Forecaster, Observations, RunResult, RunSpec
from pulse_core.forecasters import registry
from pulse_core.forecasters.seasonal import SeasonalNaive
from pulse_core.forecasters.smoothing import SimpleExponentialSmoothing
from pulse_core.results import VariableBacktest, VariableSummary
from tests.backtests import kept_backtests
from tests.fakes import FakeSink
from tests.strategies import replayed, specs_for, values
from tests.unit.core.models import CUSTOM
from tests.unit.core.runs import backtested, ended, series, spec_of, table

BY_SIMPLE = {"simple", "simple_losses", "simple_evidence", "simple_skill", "trends"}
"""What is about the simple forecasters themselves."""

ROSTERS = (
    ("ses", "ar"),
    ("ses", "ar", "mean", "median-of-all", "mean-of-all", "ensemble"),
    ("ensemble", "ses", "holt", CUSTOM.name),
)


@contextmanager
def none_hidden() -> Iterator[None]:
    """Take a forecaster that is named for the only simple one, so that none is added."""

    def simple(*arguments: Any, **fields: Any) -> Any:
        resolved = honest(*arguments, **fields)
        return attrs.evolve(resolved, simple=(SimpleExponentialSmoothing(),))

    honest = registry.resolve
    with (
        patch("pulse_core.runs.training.resolve", simple),
        patch("tests.unit.core.runs.RetrodictionTraining.__doc__", ""),
    ):
        yield


def without(result: VariableBacktest | VariableSummary) -> dict[str, Any]:
    """The bits of all else."""
    fields = (field.name for field in attrs.fields(type(result)) if field.name not in BY_SIMPLE)
    return {name: bits(getattr(result, name)) for name in fields}


def bits(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.shape, value.tobytes()
    return bits(value.values) if hasattr(value, "batches") else value


@attrs.frozen
class Content:
    """All that a run gives of its one variable, but what is about the simple forecasters."""

    digest: str
    summaries: list[dict[str, Any]]
    records: list[dict[str, Any]]
    tables: list[dict[Any, dict[str, Any]]]
    simple: list[tuple[str, ...]]


def content_of(observations: Observations, spec: RunSpec, *custom: Forecaster) -> Content:
    sink = FakeSink()
    with kept_backtests() as backtests:
        result: RunResult = ended(observations, spec, sink=sink, hindcasts=True, forecasters=custom)
    records = list(backtests.values())
    return Content(
        result.digest,
        [without(summary) for summary in result.variables],
        [{**without(record.result), "sums": bits(record.sums)} for record in records],
        [without_simple(table(sink, name)) for name in ("scores", "batches", "hindcasts")],
        [record.simple for record in records],
    )


def without_simple(rows: dict[Any, dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    """Rows without the column that is about the simple forecasters."""
    return {key: {name: bits for name, bits in row.items() if name != "skill_over_simple"} for key, row in rows.items()}


def assert_nothing_changes(observations: Observations, spec: RunSpec) -> Content:
    """Compare a run with one in which no simple forecaster is hidden."""
    before = content_of(observations, spec, CUSTOM)
    with none_hidden():
        after = content_of(observations, spec, CUSTOM)
    assert attrs.evolve(before, simple=[]) == attrs.evolve(after, simple=[])
    assert all("naive" in simple for simple in before.simple)
    assert all(simple == ("ses",) for simple in after.simple)
    return before


@pytest.mark.parametrize(
    ("calibration", "target", "simple"),
    [
        ("conformal", "level", ("naive", "drift", "seasonal-naive")),
        ("empirical", "level", ("naive", "drift", "seasonal-naive")),
        ("conformal", "change", ("naive", "drift", "mean", "seasonal-naive")),
    ],
    ids=str,
)
@pytest.mark.parametrize("trust_loss", ["absolute", "crps"])
@pytest.mark.parametrize("names", ROSTERS, ids=str)
def test_hidden_forecasters_change_no_bit_of_those_that_are_named(names, trust_loss, calibration, target, simple):
    numbers = 100 + np.cumsum(np.random.default_rng(8).normal(0.3, 1, 120))
    fields: dict[str, Any] = {"benchmark": "ses", "forecasters": names, "horizon": 3, "season": 7}
    fields |= {"trust_loss": trust_loss, "calibration": calibration, "target": target, "trust_span": 10}
    spec = spec_of(days=120, **fields)
    content = assert_nothing_changes(series(numbers), spec)
    assert content.simple == [simple]
    assert len(content.tables[2]) > 500


@settings(max_examples=25)
@given(st.data())
def test_hidden_forecasters_change_no_bit_of_any_series(data):
    observations = data.draw(replayed(values()))
    spec = attrs.evolve(data.draw(specs_for(observations)), forecasters=data.draw(st.sampled_from(ROSTERS)))
    size = max(spec.batch_size_days, (spec.end - spec.start).days // 40)
    assert_nothing_changes(observations, attrs.evolve(spec, benchmark="ses", batch_size_days=size))


def test_hidden_forecasters_are_no_hypotheses_and_are_not_shown():
    observations = series(np.arange(80.0) + np.random.default_rng(9).normal(0, 0.2, 80))
    spec = spec_of(days=80, benchmark="ses", forecasters=("mean",), season=4)
    (summary,) = (result := ended(observations, spec)).variables
    assert summary.forecasters == ("ses", "mean")
    assert summary.trust.shape[0] == summary.scores.shape[0] == summary.verdicts.shape[0] == 2
    assert result.discoveries()["x"].shape == (2, 2)
    assert summary.simple_skill.shape == (3, 2, 2)


def test_a_simple_forecaster_that_is_named_is_not_made_twice():
    observations = series(np.cumsum(np.random.default_rng(10).normal(size=60)))
    named = backtested(observations, spec_of(days=60, forecasters=("naive", "drift", "seasonal-naive"), season=4))
    hidden = backtested(observations, spec_of(days=60, forecasters=("naive",), season=4))
    assert named is not None
    assert hidden is not None
    for record in (named, hidden):
        assert record.simple == ("naive", "drift", "seasonal-naive")
    assert named.simple_evidence.tobytes() == hidden.simple_evidence.tobytes()
    assert named.bias.tobytes() == hidden.bias.tobytes()
    assert named.simple_losses[:, :1].tobytes() == hidden.simple_losses.tobytes()
    for field in ("statistics", "evidence"):
        assert getattr(named, field)[:1].tobytes() == getattr(hidden, field).tobytes()
    assert SeasonalNaive().name == named.simple[2]
