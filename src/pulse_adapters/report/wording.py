"""Sentences about the run as a whole and about each variable."""

from __future__ import annotations

from pulse_adapters.report.formats import counted, day, share, signed
from pulse_adapters.report.views import Detail, Report, Row, Verdict


def headline(report: Report) -> str:
    """Say in one sentence what the run shows one step ahead."""
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


def scope(report: Report) -> str:
    """Say what was run, and on which data."""
    ahead = f"1 to {report.horizon} steps" if report.horizon > 1 else "1 step"
    data = f"{counted(report.variables, 'variable')} ({counted(report.observations, 'observation')})"
    return (
        f"From {day(report.start)} to {day(report.end)}, {counted(report.forecasters, 'forecaster')} on {data}, "
        f"{ahead} ahead: each forecast was made from what was known then, and scored by the actual value."
    )


def verdict_sentence(row: Row, benchmark: str) -> str:
    """Say how much better than the benchmark a variable's best forecaster is."""
    if row.best is None:
        return "Nothing could be scored: no origin had both a forecast and an actual known by the end."
    if row.verdict is Verdict.BENCHMARK:
        return f"No forecaster made smaller errors than {benchmark} itself."
    interval = f" (95% interval {signed(row.low)} to {signed(row.high)})" if row.low is not None else ""
    saving = f"{row.best} saves {share(row.skill, 1)} of {benchmark}\u2019s error{interval}"
    if row.trust is None:
        return f"{saving}."
    chance = f"beats it with probability {share(row.trust)} ({share(row.trust_low)} to {share(row.trust_high)})"
    meaning = {
        Verdict.PROVEN: "That is beyond chance, all comparisons of the run counted.",
        Verdict.LIKELY: "That is likely better, but not beyond chance once all comparisons of the run are counted.",
    }.get(row.verdict, "That may be chance.")
    return f"{saving}, and {chance}. {meaning}"


def data_sentence(detail: Detail) -> str:
    """Describe the data of a variable."""
    return f"{detail.observations:,} observations known by the end; known at: {detail.known_at}."
