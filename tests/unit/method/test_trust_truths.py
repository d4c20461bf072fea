"""Trust, evidence and verdicts on processes whose truth is known: who is called better, and how often by mistake."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

import attrs
import numpy as np
import pytest
from numpy.typing import NDArray

from pulse_core import RunSpec
from pulse_core.backtest.hindcasts import hindcast
from pulse_core.backtest.learning import LearningPass
from pulse_core.backtest.origins import origins_of
from pulse_core.backtest.variable import histories_of
from pulse_core.data.point_in_time import point_in_time
from pulse_core.forecasters.registry import resolve
from pulse_core.scores.evidence import discoveries, log10_of
from pulse_core.scores.measures import MEASURES
from pulse_core.scores.trust import trust_probability
from pulse_core.scores.verdict import BETTER, WORSE
from tests.processes_trust import (
    ERRORS,
    KNOWS_JUMPS,
    OVERSHOOTS,
    autoregressions,
    autoregressive_changes,
    jump_series,
    local_levels,
    near_walks,
    over_series,
    walks,
)
from tests.unit.method.running import series, spec_of, train

Array = NDArray[np.float64]

WALKS, ORIGINS, EARLIER = 400, 750, 30
SPAN = 250
RIVALS = ("drift", "mean", "ses", "theta", "ar", "ensemble")
HORIZONS = 5
ALL_ORIGINS = slice(40, None, 10)
"""The origins whose trusts are looked at."""


def spec_for(rivals: Sequence[str], horizon: int) -> RunSpec:
    """A spec of all rivals beside naive, on a daily series."""
    fields = {"horizon": horizon, "forecasters": ("naive", *rivals), "trust_span": SPAN}
    return spec_of(days=EARLIER + ORIGINS, first=EARLIER, **fields)


@attrs.frozen(eq=False)
class Quoted:
    """What was quoted of each rival: `trust` (origin, horizon, rival), the e-values for it (origin, horizon, rival)."""

    trust: Array
    e_values: Array
    lead: Array
    """What it lost less than the benchmark by the origin (origin, horizon, rival)."""


def quoted(values: Array, spec: RunSpec) -> Quoted:
    """Pass over one series, looking at every origin of the period."""
    point, forecasters = point_in_time(series(100 + values), spec), resolve(spec.forecasters)
    with np.errstate(all="ignore"):
        origins = origins_of(point, spec)
        hindcasts = hindcast(forecasters, histories_of(point), spec.horizon, {}, target=spec.target)
        learning = LearningPass(hindcasts, origins, forecasters, spec, "naive", np.zeros(0, dtype=np.int64))
        learning.run(0, origins.first)
        parts = list(learning.states(origins.first, len(origins)))
        states, evidence = (np.concatenate([getattr(part, name) for part in parts]) for name in ("states", "evidence"))
        trust = trust_probability(states[ALL_ORIGINS], SPAN)
    rivals = slice(1, len(spec.forecasters))
    losses = np.nan_to_num(learning.differences[..., rivals])
    return Quoted(trust[..., rivals], evidence[:, 0, :, rivals], np.cumsum(losses, axis=0))


def all_quoted(members: Array, spec: RunSpec) -> Quoted:
    """The same of many series; (series, origin, horizon, rival)."""
    each = [quoted(member, spec) for member in members]
    return Quoted(*(np.stack([getattr(one, name) for one in each]) for name in ("trust", "e_values", "lead")))


@pytest.fixture(scope="module", params=ERRORS)
def on_walks(request) -> Quoted:
    """On walks nobody can beat naive, whatever their steps are."""
    members = walks(WALKS, EARLIER + ORIGINS, np.random.default_rng(101), request.param)
    return all_quoted(members, spec_for(RIVALS, HORIZONS))


@pytest.mark.parametrize("rival", range(len(RIVALS)), ids=RIVALS)
def test_on_walks_evidence_of_twenty_is_ever_seen_on_one_in_twenty_at_most(on_walks, rival):
    share = np.mean(on_walks.e_values[..., 0, rival].max(axis=1) >= 20)
    assert share <= 0.05, f"{share:.1%} of walks"


@pytest.mark.parametrize("ahead", [2, 5])
@pytest.mark.parametrize("rival", range(len(RIVALS)), ids=RIVALS)
def test_on_walks_evidence_of_twenty_times_h_is_ever_seen_on_one_in_twenty_at_most(on_walks, rival, ahead):
    share = np.mean(on_walks.e_values[..., ahead - 1, rival].max(axis=1) >= 20 * ahead)
    assert share <= 0.05, f"{share:.1%} of walks"


@pytest.mark.parametrize("ahead", [2, 5])
def test_on_walks_evidence_of_twenty_is_seen_at_the_end_on_one_in_twenty_at_most(on_walks, ahead):
    shares = np.mean(on_walks.e_values[:, -1, ahead - 1] >= 20, axis=0)
    assert shares.max() <= 0.05, shares


def test_a_run_over_walks_discovers_something_one_time_in_twenty_at_most(on_walks):
    runs = log10_of(on_walks.e_values[:, -1]).reshape(WALKS // 10, 10, HORIZONS, len(RIVALS))
    share = np.mean([discoveries(run).any() for run in runs])
    assert share <= 0.05, f"{share:.1%} of runs"


@pytest.mark.parametrize(("ahead", "allowed"), [(1, 0.002), (5, 0.005)])
def test_on_walks_trust_is_hardly_ever_above_nine_tenths(on_walks, ahead, allowed):
    trust = on_walks.trust[..., ahead - 1, :]
    shares = {"of all that is quoted": np.mean(trust > 0.9), "of what is quoted last": np.mean(trust[:, -1] > 0.9)}
    assert max(shares.values()) <= allowed, shares


def test_autoregression_is_shown_to_be_better_where_changes_depend_on_one_another():
    # a year before the period from which it learns, as most series have
    earlier = 250
    spec = spec_for(["ar", "ari"], 1)
    spec = attrs.evolve(spec, start=spec.start + timedelta(earlier), end=spec.end + timedelta(earlier))
    members = autoregressive_changes(150, earlier + EARLIER + ORIGINS, np.random.default_rng(102), 0.3)
    shares = np.mean(all_quoted(members, spec).e_values[:, :, 0].max(axis=1) >= 20, axis=0)
    assert shares.min() >= 0.7, f"of ar and ari on {shares} of series"


def test_trust_comes_true_about_as_often_as_it_says():
    # a coarse check on few series; the benchmarks have the figures
    generator, length = np.random.default_rng(103), EARLIER + ORIGINS
    members = np.concatenate(
        [
            near_walks(40, length, generator),
            autoregressions(40, length, generator, generator.uniform(0.5, 0.99, 40)),
            autoregressive_changes(40, length, generator, generator.uniform(-0.3, 0.3, 40)),
            local_levels(40, length, generator, generator.uniform(0.1, 2.0, 40)),
            walks(40, length, generator),
        ]
    )
    result = all_quoted(members, spec_for(RIVALS, 1))
    said, true = (np.concatenate(parts) for parts in zip(*come_of_age(result), strict=True))
    slope = np.polyfit(said, true, 1)[0]
    assert 0.8 <= slope <= 1.25, f"slope {slope:.2f} of {len(said)}"
    assert np.mean((said - true) ** 2) <= 0.2
    for low, high in ((0.0, 0.2), (0.8, 1.0)):
        among = (said >= low) & (said < high)
        assert np.mean(true[among]) == pytest.approx(np.mean(said[among]), abs=0.1)


def come_of_age(result: Quoted) -> Iterator[tuple[Array, Array]]:
    """Trusts quoted at some origins, and whether they came true over the span: 1 or 0."""
    quoted_at = np.arange(ORIGINS)[ALL_ORIGINS]
    for index in range(0, len(quoted_at), 10):
        # what is lost at an origin is known after it: the span begins with the origin itself
        begin, end = quoted_at[index] - 1, quoted_at[index] - 1 + SPAN
        if end < ORIGINS - 1:
            said = result.trust[:, index, 0]
            true = result.lead[:, end, 0] > result.lead[:, begin, 0]
            yield said[np.isfinite(said)], true[np.isfinite(said)].astype(float)


def test_a_forecaster_that_is_better_by_much_on_few_days_is_called_better():
    (values,) = jump_series(1, 600, np.random.default_rng(104))
    spec = spec_of(days=600, first=50, horizon=1, forecasters=("naive", KNOWS_JUMPS.name))
    (summary,) = train([series(values)], spec, forecasters=(KNOWS_JUMPS,)).variables
    assert summary.shown("win_rate")[1, 0] < 0.5
    assert summary.scores[1, 0, MEASURES.index("skill_mae")] > 0.1
    assert summary.verdicts[1, 0] == BETTER
    assert summary.shown("probability")[1, 0] > 0.9
    assert summary.shown("log10_e_against")[1, 0] < 0


def test_a_forecaster_that_wins_often_by_little_and_loses_by_much_is_called_worse():
    (values,) = over_series(1, 600, np.random.default_rng(105))
    spec = spec_of(days=600, first=50, horizon=1, forecasters=("naive", OVERSHOOTS.name))
    (summary,) = train([series(values)], spec, forecasters=(OVERSHOOTS,)).variables
    assert summary.shown("win_rate")[1, 0] > 0.5
    assert summary.scores[1, 0, MEASURES.index("skill_mae")] < -0.1
    assert summary.verdicts[1, 0] == WORSE
    assert summary.shown("probability")[1, 0] < 0.1
    assert summary.shown("log10_e")[1, 0] < 0
