"""Comparison of two runs: paired losses, skill, and the test of their changes."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_core.runs.comparing import (
    BATCH_COLUMNS,
    HINDCAST_COLUMNS,
    Change,
    Changes,
    Losses,
    adjusted,
    changes,
    joined_changes,
    losses_of_batches,
    losses_of_hindcasts,
    spec_changes,
)
from pulse_core.tables import Columns, Labels
from tests.fakes import FakeSink
from tests.unit.core.runs import day, ended, series, spec_of

NAMES = ("naive", "own")


def losses(values: Any, first: int = 0, **fields: Any) -> Losses:
    """Losses (forecaster, origin) one step ahead, of origins from a day on."""
    given_values = np.array(values, dtype=float)[:, None, :]
    moments = day(first) + np.arange(given_values.shape[2]) * np.timedelta64(1, "D")
    counts = np.isfinite(given_values).astype(float)
    return attrs.evolve(Losses("origins", NAMES, moments, given_values, counts), **fields)


def noise(count: int = 200, seed: int = 0) -> np.ndarray:
    return np.asarray(np.random.default_rng(seed).exponential(size=count))


def of_own(before: Losses, after: Losses) -> Change:
    return next(change for change in changes("x", before, after, "naive") if change.forecaster == "own")


def same(before: Losses, after: Losses) -> list[bool]:
    flags: list[bool] = changes("x", before, after, "naive").same.tolist()
    return flags


def test_the_same_losses_are_the_same():
    run_losses = losses([noise(), noise(seed=1)])
    assert same(run_losses, run_losses) == [True, True]
    assert [change.lost for change in changes("x", run_losses, run_losses, "naive")] == [None, 0.0]


def test_only_moments_of_both_runs_count():
    before, after = losses([noise(20), noise(20)]), losses([noise(20), noise(20)], first=15)
    change = of_own(before, after)
    assert change.pairs == 5
    assert change.mae_before == pytest.approx(noise(20)[15:].mean())
    assert change.mae_after == pytest.approx(noise(20)[:5].mean())


def test_skill_is_lost_where_errors_grow():
    before, after = losses([noise(), noise() * 0.5]), losses([noise(), noise() * 0.75])
    change = of_own(before, after)
    assert (change.skill_before, change.skill_after) == pytest.approx((0.5, 0.25))
    assert change.lost == pytest.approx(0.25)
    assert change.probability is not None
    assert change.probability > 0.999


def test_noise_leaves_the_direction_open():
    rng = np.random.default_rng(4)
    shares = []
    for _ in range(300):
        common = rng.exponential(size=80)
        before, after = (losses([common, common + rng.normal(size=80) * 0.1]) for _ in range(2))
        change = of_own(before, after)
        assert change.p_value is not None
        shares.append(change.p_value < 0.1)
    assert 0.05 < np.mean(shares) < 0.15


def test_a_moment_without_a_loss_in_one_run_is_out():
    after = [noise(20), noise(20)]
    after[1][3] = np.nan
    assert of_own(losses([noise(20), noise(20)]), losses(after)).pairs == 19


def test_batches_of_unequal_length_are_out():
    moments = day(0) + np.arange(6) * np.timedelta64(30, "D")
    counts = np.array([[[30.0, 30, 30, 30, 30, 20]]] * 2)
    before = Losses("batches", NAMES, moments, np.ones((2, 1, 6)), counts)
    after = attrs.evolve(before, counts=np.full((2, 1, 6), 30.0))
    assert of_own(before, after).pairs == 5


def test_forecasters_and_horizons_of_one_run_only_are_out():
    before = losses([noise(20), noise(20)])
    after = attrs.evolve(before, forecasters=("naive", "other"))
    assert [change.forecaster for change in changes("x", before, after, "naive")] == ["naive"]


def one_change(lost: float | None, p_value: float | None = 0.5, adjusted_p: float | None = 0.5) -> Changes:
    """The change of a forecaster that lost so much skill."""
    before, after = (None, None) if lost is None else (0.5, 0.5 - lost)
    numbers = [1.0, 1.1, before, after, p_value, adjusted_p]
    columns = [np.array([np.nan if number is None else number]) for number in numbers]
    index, one = np.zeros(1, dtype=np.int32), np.ones(1, dtype=np.int32)
    return Changes("origins", ("x",), ("own",), index, index, one, 100 * one, *columns)


@pytest.mark.parametrize(
    ("comparison", "counts"),
    [
        (one_change(0.2, 1e-6, 1e-4), True),
        (one_change(0.2, 0.3, 0.9), False),
        (one_change(0.2, None, None), True),
        (one_change(0.0499, 1e-6, 1e-4), False),
        (one_change(-0.2, 1e-6, 1e-4), False),
        (one_change(None, 1e-6, 1e-4), False),
    ],
)
def test_a_loss_counts_beyond_the_limit_and_beyond_noise(comparison, counts):
    assert comparison.beyond(0.05, 0.95).tolist() == [counts]


def test_with_a_certainty_of_0_the_limit_decides():
    assert one_change(0.2, 0.9, 1.0).beyond(0.05, 0.0).tolist() == [True]


def test_a_change_in_columns_is_a_change():
    (change,) = one_change(None, 0.5, None)
    assert change == Change("x", "own", 1, "origins", 100, 1.0, 1.1, None, None, 0.5, None, None, 0.75)


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=20))
def test_adjusted_values_are_no_smaller_and_keep_their_order(values):
    raw = np.array([np.nan if value is None else value for value in values])
    new = adjusted(raw)
    assert np.isnan(new).tolist() == np.isnan(raw).tolist()
    assert (raw[~np.isnan(raw)] <= new[~np.isnan(raw)]).all()
    order = np.argsort(raw[~np.isnan(raw)], kind="stable")
    ranked = new[~np.isnan(raw)][order]
    assert ((ranked[1:] >= ranked[:-1]) & (ranked[1:] <= 1)).all()


def test_one_value_alone_stays_as_it_is_and_many_grow_by_their_harmonic_number():
    assert adjusted(np.array([0.02])).tolist() == [0.02]
    assert adjusted(np.array([0.01, 0.5, 0.5]))[0] == pytest.approx(0.01 * 3 * (1 + 1 / 2 + 1 / 3))


def test_the_changes_of_all_variables_are_adjusted_together():
    own = changes("x", losses([noise(), noise(seed=1)]), losses([noise(), noise(seed=2)]), "naive")
    other = attrs.evolve(own, variables=("y",), forecasters=("naive", "mean"))
    both = joined_changes([own, other])
    assert both is not None
    assert [(change.variable, change.forecaster) for change in both] == [
        *(("x", "naive"), ("x", "own"), ("y", "naive"), ("y", "mean"))
    ]
    (tested,) = own.p_value[~np.isnan(own.p_value)]
    assert both.adjusted[~np.isnan(both.adjusted)].tolist() == pytest.approx([min(1.0, tested * 1.5)] * 2)
    assert joined_changes([]) is None


def tables(values: Any, **fields: Any) -> tuple[Losses, Losses]:
    """The losses of a run on the variable x, from its hindcasts and from its scores."""
    sink = FakeSink()
    ended(
        [series(values)],
        spec_of(days=120, **{"forecasters": ("naive", "ses"), "horizon": 2} | fields),
        sink=sink,
        hindcasts=True,
    )
    readers = {"hindcasts": (losses_of_hindcasts, HINDCAST_COLUMNS), "batches": (losses_of_batches, BATCH_COLUMNS)}
    run_losses = []
    for table, (losses_of, names) in readers.items():
        (goes,) = [goes for (_, part), goes in sink.parts.items() if part.startswith(table)]
        run_losses.append(losses_of({name: _joined([go[name] for go in goes]) for name in names}))
    return run_losses[0], run_losses[1]


def _joined(columns: list[Any]) -> Any:
    if isinstance(columns[0], Labels):
        return Labels(columns[0].names, np.concatenate([column.codes for column in columns]))
    return np.concatenate(columns)


def test_both_tables_of_a_run_give_the_same_means():
    rng = np.random.default_rng(8)
    values = 50 + np.cumsum(rng.normal(size=90))
    pairs = [tables(values, min_history=least) for least in (2, 20)]
    both = [changes("x", pairs[0][table], pairs[1][table], "naive") for table in (0, 1)]
    for by_origin, by_batch in zip(*both, strict=True):
        assert by_origin.mae_before == pytest.approx(by_origin.mae_after, rel=1e-12)
        # the batch in which only one run has all origins is out
        assert by_batch.pairs < by_origin.pairs
        assert by_batch.paired == "batches"
    unchanged = changes("x", pairs[0][1], pairs[0][1], "naive"), changes("x", pairs[0][0], pairs[0][0], "naive")
    for by_batch, by_origin in zip(*unchanged, strict=True):
        assert by_batch.mae_before == pytest.approx(by_origin.mae_before, rel=1e-12)
        assert (by_batch.skill_before is None) == (by_origin.skill_before is None) == (by_batch.forecaster == "naive")
        if by_origin.skill_before is not None:
            assert by_batch.skill_before == pytest.approx(by_origin.skill_before, rel=1e-12)


def test_no_rows_are_no_losses():
    nothing: Columns = {
        "forecaster": Labels(("naive",), np.zeros(0, dtype=np.int32)),
        "horizon": np.zeros(0, dtype=np.int16),
        "known_at": np.zeros(0, dtype="datetime64[us]"),
        "point": np.zeros(0),
        "actual": np.zeros(0),
    }
    assert changes("x", losses_of_hindcasts(nothing), losses_of_hindcasts(nothing), "naive").pairs.size == 0


def hindcasts(point: np.ndarray, actual: np.ndarray) -> Columns:
    """Hindcasts of naive and own in turn, one step ahead, two an origin."""
    return {
        "forecaster": Labels(NAMES, np.tile(np.arange(2, dtype=np.int32), len(point) // 2)),
        "horizon": np.ones(len(point), dtype=np.int16),
        "known_at": np.repeat(day(0) + np.arange(len(point) // 2) * np.timedelta64(1, "D"), 2),
        "point": point,
        "actual": actual,
    }


def of_size(exponent: int) -> tuple[Losses, Losses]:
    """Two runs' losses on values that reach from below -2**(exponent - 1) to above 2**(exponent - 1)."""
    rng = np.random.default_rng(5)
    actual = np.repeat(rng.choice([-0.75, 0.75], size=60), 2)
    points = [rng.uniform(-0.5, 0.5, size=120) for _ in range(2)]
    before, after = (
        losses_of_hindcasts(hindcasts(np.ldexp(point, exponent), np.ldexp(actual, exponent))) for point in points
    )
    return before, after


@pytest.mark.parametrize("exponent", [1024, 961, 400, -900])
def test_a_power_of_two_changes_no_count_skill_or_p_value(exponent):
    ordinary, scaled = (changes("x", *of_size(size), "naive") for size in (0, exponent))
    for small, large in zip(ordinary, scaled, strict=True):
        assert (small.mae_before, small.mae_after) != (None, None)
        maes = tuple(float(np.ldexp(mae, exponent)) for mae in (small.mae_before, small.mae_after))  # type: ignore[arg-type]
        assert large == attrs.evolve(small, mae_before=maes[0], mae_after=maes[1])


def test_runs_of_other_sizes_are_compared_in_one_unit():
    large, ordinary = of_size(1024)[0], of_size(900)[0]
    change = of_own(ordinary, large)
    assert (large.exponent, ordinary.exponent) == (64, 0)
    assert change.mae_before == of_own(ordinary, ordinary).mae_after
    assert change.mae_after == of_own(large, large).mae_after


def test_a_mean_error_beyond_float64_is_none():
    values = np.full(8, 1.7e308)
    run_losses = losses_of_hindcasts(hindcasts(-values, values))
    comparison = changes("x", run_losses, run_losses, "naive")
    assert [(change.pairs, change.mae_before) for change in comparison] == [(4, None)] * 2
    assert comparison.same.all()


def test_large_means_of_batches_add_up():
    batches: Columns = {
        "forecaster": Labels(NAMES, np.array([0, 0, 1, 1], dtype=np.int32)),
        "horizon": np.ones(4, dtype=np.int16),
        "start": day(0) + np.array([0, 30, 0, 30]) * np.timedelta64(1, "D"),
        "n": np.full(4, 30),
        "mae": np.array([1.6e308, 1.6e308, 0.8e308, 0.8e308]),
    }
    change = of_own(losses_of_batches(batches), losses_of_batches(batches))
    assert (change.pairs, change.mae_before, change.skill_before) == (2, 0.8e308, 0.5)


def test_differences_between_specs_are_listed():
    assert list(spec_changes({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4})) == [("b", 2, 3), ("c", None, 4)]
