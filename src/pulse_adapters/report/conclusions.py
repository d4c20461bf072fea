"""Conclusions: what a reader may conclude from each figure, in a sentence or two."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pulse_adapters.report.figures.fan import outside
from pulse_adapters.report.figures.trust import DECISIVE
from pulse_adapters.report.figures.weights import OTHERS, heaviest
from pulse_adapters.report.formats import amount, chance_words, counted, day, evidence, listed, share
from pulse_adapters.report.views import (
    Array,
    Calibration,
    Fan,
    Heat,
    Residuals,
    SkillCurve,
    Standing,
    TrustPath,
    Verdict,
    Weights,
)

CLOSE = 0.02
"""A share this near to nominal is called right, however many values it is of."""

BEYOND = 4.65e-4
"""The share of a normal law beyond 3.5 standard deviations."""


def on_trust(path: TrustPath, focus: Standing, loss: str) -> str:
    """Say where trust ended, and since when it has been on one side of one half."""
    finite = np.isfinite(path.trust)
    if not finite.any():
        return f"Too few forecasts of {focus.forecaster} differ from {focus.benchmark}\u2019s for a trust in it."
    trust, ends = path.trust[finite], path.ends[finite]
    end = (
        f"At the end the probability is {chance_words(trust[-1])} that {focus.forecaster} has a lower mean {loss} than "
        f"{focus.benchmark} over {counted(focus.span or 1, 'more origin')}"
    )
    side, word = (trust > 0.5, "above") if trust[-1] > 0.5 else (trust <= 0.5, "at or below")
    since = 0 if side.all() else int(np.flatnonzero(~side)[-1]) + 1
    return f"{end}. It has been {word} one half since {day(ends[since])}."


def on_evidence(path: TrustPath, focus: Standing) -> str:
    """Say how strong the evidence became on either side, and what follows."""
    ends = f"The e-value for {focus.forecaster} ends at {evidence(_last(path.log10_e))}, that against it at "
    ends += f"{evidence(_last(path.log10_e_against))}."
    if focus.verdict is Verdict.OPEN:
        return f"{ends} The verdict is open: it takes 20 on one side, and a skill that agrees."
    better = focus.verdict is Verdict.BETTER
    passed = np.flatnonzero((path.log10_e if better else path.log10_e_against) >= DECISIVE)
    when = f" It first reached 20 on {day(path.evidence_at[passed[0]])}." if len(passed) else ""
    otherwise = f"Were it no {focus.verdict.value} than {focus.benchmark}"
    return f"{ends} The verdict is {focus.verdict.value}.{when} {otherwise}, at most one run in twenty would get there."


def _last(values: Array) -> float | None:
    finite = values[np.isfinite(values)]
    return float(finite[-1]) if len(finite) else None


def on_skill(curves: Sequence[SkillCurve], benchmark: str, loss: str) -> str:
    """Say at which horizons the interval of the first forecaster excludes zero."""
    lead = curves[0]
    better = [str(index + 1) for index in np.flatnonzero(lead.low > 0).tolist()]
    worse = [str(index + 1) for index in np.flatnonzero(lead.high < 0).tolist()]
    saves, loses = f"{lead.forecaster} saves some of {benchmark}\u2019s {loss}", f"{lead.forecaster} adds to it"
    if len(better) == len(lead.skill):
        return f"{saves} at every horizon: no interval holds zero."
    parts = []
    if better:
        parts.append(f"{saves} {listed(better)} ahead, where the interval lies above zero")
    if worse:
        loses = loses if better else f"{lead.forecaster} adds to {benchmark}\u2019s {loss}"
        parts.append(f"{loses} {listed(worse)} ahead, where the interval lies below zero")
    if parts:
        return f"{'; '.join(parts)}."
    return f"At every horizon the interval holds zero: the difference from {benchmark} may be chance."


def on_fan(fan: Fan) -> str:
    """Say how often actual values lay outside the 95 % interval."""
    known = np.isfinite(fan.actual)
    missed, count = int(outside(fan)[known].sum()), int(known.sum())
    period = f"{day(fan.target[0])} to {day(fan.target[-1])}"
    rate = share(missed / count if count else None, 1)
    lay = f"Actual values lay outside the 95% interval {counted(missed, 'time')} in {count} ({rate}; 5% is right)"
    return f"The last {counted(len(fan), 'forecast')}, for {period}. {lay}."


def on_surprises(fan: Fan, focus: str) -> str:
    """Say what the closer look shows."""
    width = float(np.nanmedian(fan.quantiles[6] - fan.quantiles[2]))
    reason = "because their intervals are too thin to see above"
    meaning = f"80% of actual values should lie within about {amount(width)}"
    return f"The same forecasts of {focus} held level, {reason}: {meaning}."


def on_reliability(calibration: Calibration, count: int) -> str:
    """Say whether the intervals hold the share of actual values that they promise."""
    coverage = calibration.coverage.get(80, float("nan"))
    held = f"The 80% interval held {share(coverage, 1)} of actual values"
    if not np.isfinite(coverage):
        return "Quantiles were not scored."
    if abs(coverage - 0.8) <= _close(0.8, count):
        low, high = float(calibration.mass[:3].sum()), float(calibration.mass[-3:].sum())
        if max(abs(low - 0.1), abs(high - 0.1)) > _close(0.1, count):
            return f"{held}, but {share(low, 1)} lay below it and {share(high, 1)} above: it lies off the middle."
        return f"{held}: intervals can be taken at their word."
    if coverage < 0.8:
        return f"{held}: intervals are too narrow; take them wider."
    return f"{held}: intervals are wider than they need to be."


def on_pit(calibration: Calibration) -> str:
    """Say where actual values fell among the quantiles."""
    if not calibration.count:
        return "Quantiles were not scored."
    low, high = float(calibration.mass[:3].sum()), float(calibration.mass[-3:].sum())
    close = _close(0.1, calibration.count)
    sides = f"{share(low, 1)} fell into the lowest tenth, {share(high, 1)} into the highest"
    if abs(low - 0.1) <= close and abs(high - 0.1) <= close:
        return f"Flat is right. {sides}: both tails are as heavy as forecast."
    if low > 0.1 + close and high > 0.1 + close:
        return f"Flat is right. {sides}: surprises come too often on both sides."
    if low < 0.1 - close and high < 0.1 - close:
        return f"Flat is right. {sides}: surprises are rarer than forecast."
    side = "below" if low > high else "above"
    return f"Flat is right. {sides}: actual values tend to lie {side} the forecast."


def on_weights(weights: Weights) -> str:
    """Say to which forecasters the ensemble gives most weight at the end."""
    names, values = heaviest(weights)
    last = values[:, -1]
    order = np.argsort(-last, kind="stable")
    heavy = [f"{names[index]} ({share(last[index])})" for index in order[:3].tolist() if last[index] > 0.005]
    if float(last.max()) > 0.9:
        return f"It leans on one forecaster: {heavy[0]} at the end."
    if names == (OTHERS,):
        return "The weight is spread thinly."
    return f"At the end the weight lies on {listed(heavy)}."


def on_heat(heat: Heat, focus: str, benchmark: str) -> str:
    """Say in how many batches the focus made smaller errors than the benchmark."""
    if focus not in heat.forecasters:
        return f"Each forecaster\u2019s errors against {benchmark}\u2019s, batch by batch."
    ratio = heat.ratio[heat.forecasters.index(focus)]
    scored = ratio[np.isfinite(ratio)]
    better, batches = int((scored < 1).sum()), counted(len(scored), "batch", "batches")
    return f"{focus} made smaller errors than {benchmark} in {better:,} of {batches}."


def on_hardness(heat: Heat, benchmark: str) -> str:
    """Say which batch was the hardest to forecast."""
    if not np.isfinite(heat.hardness).any():
        return "The benchmark has no scaled error here."
    index = int(np.nanargmax(heat.hardness))
    hardest = (
        f"Hardest was the batch from {day(heat.starts[index])}: {amount(heat.hardness[index])} times the usual step"
    )
    return f"{benchmark}\u2019s error in units of the average step before. {hardest}."


def on_residuals(residuals: Residuals, count: int) -> str:
    """Say how many errors are far out, and whether something broke."""
    far = int(residuals.outlier.sum())
    expected = count * BEYOND
    kinds = sorted({anomaly.kind for anomaly in residuals.anomalies if anomaly.kind != "outlier"})
    breaks = "Neither level nor spread shows a break."
    if kinds:
        breaks = f"There is a {listed(kinds)}: what was learned before may not hold after."
    if not far:
        return f"No error of {count:,} lies further out than a normal law would have it. {breaks}"
    lie = f"{far:,} of {count:,} errors lie more than 3.5 robust standard deviations out"
    return f"{lie}; a normal law would have about {expected:.1f}. {breaks}"


def _close(nominal: float, count: int) -> float:
    """Return how far the share of so many values may lie from nominal by chance: two standard errors."""
    return max(CLOSE, 2.0 * math.sqrt(nominal * (1.0 - nominal) / max(count, 1)))
