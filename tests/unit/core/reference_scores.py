"""Scores and trust of the reference's cases, from METHOD.md's words alone; None where a score is impossible."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from pulse_core.spec import RunSpec
from tests.plain_pairs import Judged, Step, judged
from tests.plain_trust import Settings
from tests.reference import NEAR, Case, Report, Score, scored


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


def standing(cases: Sequence[Case], earlier: Sequence[Case], spec: RunSpec) -> Judged:
    """The pair as it stands at the newest origin, with a span of the spec's; `cases` in order of origin."""
    settings = Settings(spec.trust_half_life, spec.trust_span or 0)
    steps = [*(step_of(case, counted=False) for case in earlier), *(step_of(case, counted=True) for case in cases)]
    return judged(steps, cases[0].horizon, settings)


def step_of(case: Case, *, counted: bool) -> Step:
    actual, forecast, benchmark = (number(value) for value in (case.released, case.forecast, case.benchmark))
    loss, rival = abs(actual - forecast), abs(actual - benchmark)
    return Step(case.origin, case.release, loss, rival, actual - benchmark, counted)


def number(value: Score) -> float:
    return math.nan if value is None else value


def trust(cases: Sequence[Case], stands: Judged) -> tuple[float, ...]:
    """The values of TRUST after all origins; NaN where there is none."""
    pair, nothing = stands.pair, (math.nan,) * 3
    probability = number(pair.probability)
    effective = math.nan if math.isnan(probability) else pair.n_effective
    mean, low, high, trials = pair.win_rate
    rate = (mean, low, high, trials) if trials else (*nothing, math.nan)
    return (probability, effective, *rate, *pair.evidence, stands.log10_e_wins, *skill_interval(cases))


def skill_interval(cases: Sequence[Case]) -> tuple[float, float]:
    """The textbook's jackknife of the skill for MAE by batches, with Student's t, up to 1; NaN without two batches."""
    from scipy.stats import t

    both = [case for case in cases if None not in {case.forecast, case.benchmark, case.reported}]
    batches: dict[int, list[float]] = {}
    for case in both:
        sums = batches.setdefault(case.batch, [0.0, 0.0])
        sums[0] += abs(number(case.reported) - number(case.forecast))
        sums[1] += abs(number(case.reported) - number(case.benchmark))
    losses = [pair for pair in batches.values() if pair != [0.0, 0.0]]
    count = len(losses)
    own, rival = (math.fsum(pair[side] for pair in losses) for side in (0, 1))
    if count < 2 or any(rival - pair[1] <= NEAR * rival for pair in losses):
        return math.nan, math.nan
    skills = [1 - (own - pair[0]) / (rival - pair[1]) for pair in losses]
    mean = math.fsum(skills) / count
    error = math.sqrt((count - 1) / count * math.fsum((value - mean) ** 2 for value in skills))
    margin = float(t.ppf(0.975, count - 1)) * error
    return 1 - own / rival - margin, min(1 - own / rival + margin, 1.0)


def verdict(judgement: Sequence[float], skill_mae: Score) -> int:
    """1 better, -1 worse, 0 open; `judgement` in the order of TRUST."""
    in_favour, against = judgement[6:8]
    skill = skill_mae or 0.0
    return int(in_favour >= math.log10(20) and skill > 0) - int(against >= math.log10(20) and skill < 0)


def learnt(cases: Iterable[Case]) -> list[Case]:
    return [case for case in cases if None not in {case.forecast, case.benchmark, case.released}]


def losses(case: Case) -> tuple[float, float]:
    assert case.forecast is not None
    assert case.benchmark is not None
    assert case.released is not None
    return abs(case.released - case.forecast), abs(case.released - case.benchmark)


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
