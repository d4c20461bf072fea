"""The digest: over what was learned and scored, not over what is shown, nor over probabilities made of it."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import pytest

from pulse_core import Observations, RunResult, Slice
from pulse_core.data.known_at import resolve_known_at
from pulse_core.scores import comparison, jackknife, trust, win_rate
from tests.fakes import FakeSink
from tests.unit.core.models import CUSTOM
from tests.unit.core.runs import run, series, spec_of, training

NAMES = ("naive", "drift", "ses", "ar", "median-of-all", "ensemble")


def walk(variable: str, seed: int, count: int = 90) -> Observations:
    return series(100 + np.cumsum(np.random.default_rng(seed).normal(0.2, 1, count)), variable)


MEMBERS = [walk("a", 1), walk("b", 2), walk("c", 3, 60)]
SPEC = spec_of("a", "b", "c", days=90, horizon=3, forecasters=NAMES, trust_span=15)


def digest(**fields: Any) -> str:
    return run(MEMBERS, SPEC, **fields).digest


@pytest.mark.parametrize(
    "fields",
    [{"hindcasts": True}, {"unit_size": 1}, {"unit_size": 2}, {"run_id": "another"}, {"fresh": True}],
    ids=str,
)
def test_what_is_shown_or_how_it_is_cut_does_not_change_it(fields):
    assert digest(**fields) == digest()


def test_a_run_that_keeps_going_has_that_of_the_variables_that_it_has():
    missing = attrs.evolve(SPEC, variables=("a", "b", "c", "nowhere"))
    result = training(*MEMBERS, keep_going=True).execute(missing)
    assert [failure.variable for failure in result.failures] == ["nowhere"]
    assert result.digest == digest()


def test_slices_recorded_apart_have_that_of_the_whole():
    sink = FakeSink()
    for index in range(2):
        run(MEMBERS, SPEC, sink=sink, slice=Slice(index, 2), unit_size=1)
    collected = run(MEMBERS, SPEC, sink=sink, hindcasts=True)
    assert collected.digest == digest()


def test_rows_known_after_the_end_and_a_rule_spelled_out_do_not_change_it():
    spelled = attrs.evolve(SPEC, known_at="timestamp")
    assert run(MEMBERS, spelled).digest == digest()
    resolved = [resolve_known_at(member, "timestamp", SPEC.end).known for member in MEMBERS]
    assert run(resolved, SPEC).digest == digest()


@pytest.mark.parametrize(
    "changed",
    [
        {"trust_half_life": 499.0},
        {"trust_loss": "crps"},
        {"benchmark": "drift"},
        {"horizon": 2},
        {"calibration": "empirical"},
    ],
    ids=str,
)
def test_what_is_learned_otherwise_changes_it(changed):
    assert run(MEMBERS, attrs.evolve(SPEC, **changed)).digest != digest()


def test_how_far_trust_looks_ahead_changes_trust_alone():
    # the span goes into no sum
    before, after = (run(MEMBERS, attrs.evolve(SPEC, trust_span=span)) for span in (15, 60))
    assert before.digest == after.digest
    assert trusts(before) != trusts(after)


def trusts(result: RunResult) -> list[bytes]:
    return [summary.trust.tobytes() for summary in result.variables]


def probabilities(result: RunResult) -> np.ndarray:
    """What is made by special functions: of TRUST but the evidence by sizes, and the p-values."""
    (first, *_) = result.variables
    names = ("probability", "win_rate", "win_rate_low", "win_rate_high", "log10_e_wins", "skill_low", "skill_high")
    return np.stack([first.shown(name) for name in names] + [first.scores[..., -1]])


FUNCTIONS = {
    "trust": ("kernel_trust", (trust,)),
    "the t's distribution": ("student_t_cdf", (comparison,)),
    "the t's quantile": ("student_t_quantile", (jackknife,)),
    "the Beta's quantile": ("beta_quantile", (win_rate,)),
}


@pytest.mark.parametrize(("name", "users"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_another_rounding_of_a_probability_does_not_change_it(name, users, monkeypatch):
    before = run(MEMBERS, SPEC, hindcasts=True)
    honest = getattr(users[0], name)

    def rounded_otherwise(*arguments: Any) -> Any:
        return honest(*arguments) * (1 + 1e-13)

    for user in users:
        monkeypatch.setattr(user, name, rounded_otherwise)
    after = run(MEMBERS, SPEC, hindcasts=True)
    assert after.digest == before.digest
    moved, still = probabilities(after), probabilities(before)
    assert moved.tobytes() != still.tobytes()
    np.testing.assert_allclose(moved, still, rtol=1e-10)


def test_another_rounding_of_the_evidence_by_wins_does_not_change_it(monkeypatch):
    from pulse_core.scores import evidence

    before = digest()
    honest = evidence.average_evidence
    monkeypatch.setattr(evidence, "average_evidence", lambda *arguments: honest(*arguments) + 1e-13)
    assert digest() == before


def test_a_forecaster_called_origin_by_origin_and_tables_recalled_keep_it():
    spec, sink = attrs.evolve(SPEC, forecasters=(*NAMES, CUSTOM.name)), FakeSink()
    first = run(MEMBERS, spec, forecasters=(CUSTOM,), sink=sink)
    again = run(MEMBERS, spec, forecasters=(CUSTOM,), sink=sink, hindcasts=True, unit_size=1)
    assert again.digest == first.digest
