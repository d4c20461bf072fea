"""What a reader may conclude from each figure, in a sentence or two."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pulse_adapters.report.figures.fan import outside
from pulse_adapters.report.figures.trust import CONVINCING
from pulse_adapters.report.figures.weights import REST, heaviest
from pulse_adapters.report.numbers import amount, counted, day, evidence, listed, share, signed
from pulse_adapters.report.views import (
    Calibration,
    Detail,
    Fan,
    Heat,
    Report,
    Residuals,
    Row,
    SkillCurve,
    TrustPath,
    Verdict,
    Weights,
)

CLOSE = 0.02
"""A share this near to nominal is called right, however many there are."""


def headline(report: Report) -> str:
    """Say in one sentence what the run found one step ahead."""
    first = [row for row in report.rows if row.horizon == 1]
    proven = sum(row.verdict is Verdict.PROVEN for row in first)
    if not first:
        return "No variable could be trained."
    if not proven:
        return f"No forecaster beats {report.benchmark} beyond chance one step ahead."
    if len(first) == 1:
        return f"A forecaster beats {report.benchmark} beyond chance one step ahead."
    which = "all" if proven == len(first) else f"{proven:,}"
    return f"On {which} of {counted(len(first), 'variable')}, a forecaster beats {report.benchmark} beyond chance."


def asked(report: Report) -> str:
    """Say what was run, on what data."""
    facts = dict(report.facts)
    rows = sum(int(line[1].replace(",", "")) for line in report.data)
    return (
        f"From {day(report.start)} to {day(report.end)}, {facts['Forecasters'].partition(',')[0]} forecasters were replayed on "
        f"{facts['Variables'].partition(',')[0]} variables ({counted(rows, 'observation')}), {facts['Ahead'].lower()} ahead: "
        "each forecast was made from what was known then, and scored by what came."
    )


def verdict_of(row: Row, benchmark: str) -> str:
    """Say how good a variable's best forecaster is."""
    if row.best is None:
        return "Nothing could be scored: no origin had both a forecast and an actual known by the end."
    if row.verdict is Verdict.BENCHMARK:
        return f"No forecaster made smaller errors than {benchmark} itself."
    interval = f" (95% interval {signed(row.low)} to {signed(row.high)})" if row.low is not None else ""
    saved = f"{row.best} saves {share(row.skill, 1)} of {benchmark}\u2019s error{interval}"
    if row.trust is None:
        return f"{saved}."
    chance = f"beats it with probability {share(row.trust)} ({share(row.trust_low)} to {share(row.trust_high)})"
    meaning = {
        Verdict.PROVEN: "That is beyond chance, all comparisons of the run counted.",
        Verdict.LIKELY: "That is likely better, but the evidence is not enough for the whole run\u2019s count of comparisons.",
    }.get(row.verdict, "That may be chance.")
    return f"{saved}, and {chance}. {meaning}"


def on_trust(path: TrustPath, focus: str, benchmark: str) -> str:
    """Say where trust ended and since when its whole band has lain on one side."""
    now = f"At the end {focus} beats {benchmark} with probability {share(path.mean[-1])} ({share(path.low[-1])} to {share(path.high[-1])})."
    above, below = path.low > 0.5, path.high < 0.5
    for side, word in ((above, "above"), (below, "below")):
        if side[-1]:
            since = int(np.flatnonzero(~side)[-1]) + 1 if not side.all() else 0
            return f"{now} The whole band has stayed {word} one half since {day(path.ends[since])}."
    return f"{now} The band holds one half: wins and losses are nearly even."


def on_evidence(path: TrustPath, benchmark: str) -> str:
    """Say how strong the evidence became, and when it first convinced."""
    top, last = float(path.log10_e.max()), float(path.log10_e[-1])
    end = f"The e-value ends at {evidence(last)}"
    passed = np.flatnonzero(path.log10_e >= CONVINCING)
    if len(passed):
        first = day(path.evidence_at[passed[0]])
        return f"{end}. It passed 20 on {first}: had nothing beaten {benchmark}, chance would take it there at most once in twenty runs."
    return f"{end} and never reached 20 (highest {evidence(top)}): wins like these come by chance."


def on_skill(curves: Sequence[SkillCurve], benchmark: str) -> str:
    """Say at which horizons the interval of the first forecaster excludes zero."""
    lead = curves[0]
    better = [str(place + 1) for place in np.flatnonzero(lead.low > 0).tolist()]
    worse = [str(place + 1) for place in np.flatnonzero(lead.high < 0).tolist()]
    total = len(lead.skill)
    if len(better) == total:
        return f"{lead.forecaster} makes smaller errors than {benchmark} at every horizon, beyond its interval."
    if better:
        return f"{lead.forecaster} makes smaller errors than {benchmark} beyond its interval {listed(better)} ahead; elsewhere the interval holds zero or lies below."
    if worse:
        return f"{lead.forecaster} makes larger errors than {benchmark} beyond its interval {listed(worse)} ahead."
    return f"At every horizon the interval holds zero: the difference from {benchmark} may be chance."


def on_fan(fan: Fan) -> str:
    """Say how often what came lay outside."""
    told = np.isfinite(fan.actual)
    missed, count = int(outside(fan)[told].sum()), int(told.sum())
    period = f"{day(fan.target[0])} to {day(fan.target[-1])}"
    return f"The last {counted(len(fan), 'forecast')}, for {period}. What came lay outside the 95% interval {counted(missed, 'time')} in {count} ({share(missed / count if count else None, 1)}; 5% is right)."


def on_surprises(fan: Fan, benchmark: str, focus: str) -> str:
    """Say what the closer look shows."""
    width = float(np.nanmedian(fan.quantiles[6] - fan.quantiles[2]))
    step = "" if focus == benchmark else f" of {focus}"
    return f"The same forecasts{step} held level, because their intervals are too thin to see above: 80% of what came should lie within a span of about {amount(width)}."


def on_reliability(calibration: Calibration, count: int) -> str:
    """Say whether the intervals hold what they promise."""
    found = calibration.coverage.get(80, float("nan"))
    held = f"The 80% interval held {share(found, 1)} of what came"
    if not np.isfinite(found):
        return "Quantiles were not scored."
    if abs(found - 0.8) <= _close(0.8, count):
        return f"{held}: intervals can be taken at their word."
    if found < 0.8:
        return f"{held}: intervals are too narrow; take them wider."
    return f"{held}: intervals are wider than they need to be."


def _close(nominal: float, count: int) -> float:
    """Return how far a share of so many may lie from nominal by chance: two standard errors."""
    return max(CLOSE, 2.0 * math.sqrt(nominal * (1.0 - nominal) / max(count, 1)))


def on_pit(calibration: Calibration) -> str:
    """Say where what came fell among the quantiles."""
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
    return f"Flat is right. {sides}: what came tends to lie {side} the forecast."


def on_weights(weights: Weights) -> str:
    """Say whom the ensemble trusts at the end."""
    names, values = heaviest(weights)
    order = np.argsort(-values[:, -1], kind="stable")
    heavy = [
        f"{names[place]} ({share(values[place, -1])})" for place in order[:3].tolist() if values[place, -1] > 0.005
    ]
    alone = float(values[:, -1].max()) > 0.9
    told = "It leans on one forecaster" if alone else "At the end the weight lies on"
    if alone:
        return f"{told}: {heavy[0]} at the end."
    return f"{told} {listed(heavy)}." if names != (REST,) else "The weight is spread thinly."


def on_heat(heat: Heat, focus: str, benchmark: str) -> str:
    """Say in how many batches the focus did better."""
    if focus not in heat.forecasters:
        return f"Each forecaster\u2019s errors against {benchmark}\u2019s, batch by batch."
    mine = heat.ratio[heat.forecasters.index(focus)]
    told = mine[np.isfinite(mine)]
    return f"{focus} made smaller errors than {benchmark} in {int((told < 1).sum()):,} of {counted(len(told), 'batch', 'batches')}."


def on_hardness(heat: Heat, benchmark: str) -> str:
    """Say when the times were hardest."""
    if not np.isfinite(heat.hardness).any():
        return "The benchmark has no scaled error here."
    place = int(np.nanargmax(heat.hardness))
    return f"{benchmark}\u2019s error in units of the average step before. Hardest was the batch from {day(heat.starts[place])}: {amount(heat.hardness[place])} times the usual step."


def on_residuals(residuals: Residuals, count: int) -> str:
    """Say how many errors are far out, and whether something broke."""
    far = int(residuals.outlier.sum())
    expected = count * 4.65e-4
    kinds = sorted({one.kind for one in residuals.oddities if one.kind != "outlier"})
    broke = (
        f" There is a {listed(kinds)}: what was learned before may not hold after."
        if kinds
        else " Neither level nor spread shows a break."
    )
    if not far:
        return f"No error of {count:,} lies further out than a normal law would have it.{broke}"
    return f"{far:,} of {count:,} errors lie more than 3.5 robust standard deviations out; a normal law would have about {expected:.1f}.{broke}"


def described(detail: Detail) -> str:
    """Say what the detail's data are."""
    return f"{detail.observations:,} observations known by the end; known at: {detail.known_at}."
