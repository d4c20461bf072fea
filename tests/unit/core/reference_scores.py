"""Scores and trust of the reference's cases, from METHOD.md's words alone; None where a score is impossible."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction

from pulse_core.spec import RunSpec
from tests.reference import NEAR, Case, Report, Score, scored
from tests.unit.method.plain_learning import evidence, log10_of


def scores(cases: Iterable[Case]) -> dict[str, Score]:
    """Every score of these cases; None where it is impossible."""
    judged = [(case, case.reported - case.forecast) for case in scored(cases)]  # type: ignore[operator]
    if not judged:
        return dict.fromkeys(("me", "mae", "rmse", "mase", "rmsse", "smape", "hit_rate", "skill_mae", "skill_mse")) | {
            "n": 0.0
        }
    common = [(error, case.reported - case.benchmark) for case, error in judged if case.benchmark is not None]  # type: ignore[operator]
    calls = [call for call in map(direction, (case for case, _ in judged)) if call]
    return {
        "n": float(len(judged)),
        "me": average([error for _, error in judged]),
        "mae": average([abs(error) for _, error in judged]),
        "rmse": root(average([error * error for _, error in judged])),
        "mase": average([over(abs(error), case.absolute_step) for case, error in judged]),
        "rmsse": root(average([over(error * error, case.squared_step) for case, error in judged])),
        "smape": average([percentage(case) for case, _ in judged]),
        "hit_rate": average([float(call > 0) for call in calls]) if calls else None,
        "skill_mae": skill([(abs(loss), abs(rival)) for loss, rival in common]),
        "skill_mse": skill([(loss * loss, rival * rival) for loss, rival in common]),
    }


def average(values: Sequence[Score]) -> Score:
    if any(value is None for value in values):
        return None
    return math.fsum(value for value in values if value is not None) / len(values)


def root(value: Score) -> Score:
    return None if value is None else math.sqrt(value)


def over(numerator: float, denominator: float) -> Score:
    return numerator / denominator if denominator else None


def percentage(case: Case) -> float:
    assert case.forecast is not None
    assert case.reported is not None
    return over(200 * abs(case.reported - case.forecast), abs(case.reported) + abs(case.forecast)) or 0.0


def direction(case: Case) -> int:
    """1 where the forecast moves with the actual, -1 against it, 0 where either does not move."""
    assert case.forecast is not None
    assert case.reported is not None
    forecast_move, actual_move = case.forecast - case.newest, case.reported - case.newest
    return 0 if forecast_move == 0 or actual_move == 0 else 1 if (forecast_move > 0) == (actual_move > 0) else -1


def skill(losses: Sequence[tuple[float, float]]) -> Score:
    other = math.fsum(loss for _, loss in losses)
    return 1 - math.fsum(loss for loss, _ in losses) / other if other else None


def trust(cases: Sequence[Case], spec: RunSpec, batches: int) -> tuple[float, float, float, float, float]:
    """Mean, 95 % interval and effective trials of the Beta after all batches, and the evidence of the same outcomes."""
    from scipy.stats import beta as beta_distribution

    alpha = beta = 1.0
    keep = spec.trust_decay ** (spec.batch_size_days / 30)
    outcomes = [(case.release_batch, win_of(case) / case.horizon, 1 / case.horizon) for case in learnt(cases)]
    for batch in range(batches):
        if batch:
            alpha, beta = 1 + keep * (alpha - 1), 1 + keep * (beta - 1)
        alpha += math.fsum(win for known_batch, win, _ in outcomes if known_batch == batch)
        beta += math.fsum(weight - win for known_batch, win, weight in outcomes if known_batch == batch)
    low, high = beta_distribution.ppf([0.025, 0.975], alpha, beta).tolist()
    return alpha / (alpha + beta), low, high, alpha - 1 + beta - 1, evidence_of(cases)


def evidence_of(cases: Sequence[Case]) -> float:
    """log10 of the average over interleaved origins of the evidence in wins and losses; `cases` in order of origin."""
    ahead = cases[0].horizon
    won, lost = ([0] * ahead for _ in range(2))
    for order, case in enumerate(cases):
        if learnt([case]):
            won[order % ahead] += win_of(case) == 1
            lost[order % ahead] += win_of(case) == 0
    return log10_of(sum(map(evidence, won, lost), Fraction(0)) / ahead)


def learnt(cases: Iterable[Case]) -> list[Case]:
    return [case for case in cases if None not in {case.forecast, case.benchmark, case.released}]


def losses(case: Case) -> tuple[float, float]:
    assert case.forecast is not None
    assert case.benchmark is not None
    assert case.released is not None
    return abs(case.released - case.forecast), abs(case.released - case.benchmark)


def win_of(case: Case) -> float:
    loss, rival = losses(case)
    return 0.5 if loss == rival else float(loss < rival)


def doubtful(name: str, cases: Iterable[Case], expected: Report) -> bool:
    """Whether rounding may decide a comparison: of losses, or of a forecast with y_n or zero."""
    return any(abs(gap) <= NEAR * expected.size for case in cases for gap in gaps(name, case, expected.benchmark))


def gaps(name: str, case: Case, benchmark: str) -> list[float]:
    """The differences whose sign counts. Naive repeats y_n, so that nothing is rounded in it."""
    if case.forecast is None:
        return []
    differences = [] if name == "naive" else [case.forecast, case.forecast - case.newest]
    if name == benchmark or case.benchmark is None or case.released is None:
        return differences
    loss, rival = losses(case)
    return [*differences, loss - rival]
