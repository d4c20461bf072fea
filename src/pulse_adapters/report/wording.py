"""Sentences about the run as a whole and about each variable."""

from __future__ import annotations

from collections.abc import Callable

from pulse_adapters.published.cautions import FEW_MARK, is_few
from pulse_adapters.report.formats import chance, chance_words, counted, day, evidence, share, signed
from pulse_adapters.report.views import Detail, Report, Standing, Verdict


def headline(report: Report) -> str:
    """Say in one sentence what the run shows one step ahead, of each variable's best forecaster.

    Of no other: the one of the least error may be left open where another, with a little more error, is better.
    """
    first = [row for row in report.rows if row.horizon == 1]
    better = sum(row.verdict is Verdict.BETTER for row in first)
    if not first:
        return "No variable could be trained."
    if not better:
        best = "The best forecaster is not" if len(first) == 1 else "On no variable is the best forecaster"
        return f"{best} shown to be better than {report.benchmark} one step ahead."
    if len(first) == 1:
        return f"The best forecaster is shown to be better than {report.benchmark} one step ahead."
    which = "all" if better == len(first) else f"{better:,} of"
    return (
        f"On {which} {counted(len(first), 'variable')}, the best forecaster is shown to be better than "
        f"{report.benchmark} one step ahead."
    )


def scope(report: Report) -> str:
    """Say what was run, and on which data."""
    ahead = f"1 to {report.horizon} steps" if report.horizon > 1 else "1 step"
    data = f"{counted(report.variables, 'variable')} ({counted(report.observations, 'observation')})"
    return (
        f"From {day(report.start)} to {day(report.end)}, {counted(report.forecasters, 'forecaster')} on {data}, "
        f"{ahead} ahead: each forecast was made from what was known then, and scored by the actual value."
    )


def verdict_words(standing: Standing) -> str:
    """Return a verdict in a word or three."""
    return f"{standing.benchmark} is best" if standing.verdict is Verdict.BENCHMARK else standing.verdict.value


def verdict_sentence(detail: Detail) -> str:
    """Say how a variable's best forecaster stands against the benchmark."""
    standing = detail.row.standing
    if standing.forecaster is None:
        return "Nothing could be scored: no origin had both a forecast and an actual known by the end."
    if standing.verdict is Verdict.BENCHMARK:
        return f"One step ahead no forecaster made smaller errors than {standing.benchmark} itself.{_trend(detail)}"
    parts = (_skill(standing, detail.loss), _meaning(standing), _trust(standing, detail.loss))
    return f"{' '.join(part for part in parts if part)}{_trend(detail)}"


def _skill(standing: Standing, loss: str) -> str:
    name, benchmark, skill = standing.forecaster, standing.benchmark, standing.skill
    if skill is None:
        return f"{name} made the smallest errors."
    interval = ""
    if standing.interval is not None:
        interval = f" (95% interval of the skill: {' to '.join(map(signed, standing.interval))})"
    if skill < 0:
        return f"{name} adds {share(-skill, 1)} to {benchmark}\u2019s {loss}{interval}."
    return f"{name} saves {share(skill, 1)} of {benchmark}\u2019s {loss}{interval}."


def _meaning(standing: Standing) -> str:
    once = " as of this one time" if standing.at_one_time else ""
    if standing.verdict is Verdict.BETTER:
        beyond = ", also with all comparisons of the run counted" if standing.discovery else ""
        return f"The evidence shows it to be better{once}{beyond}."
    if standing.verdict is Verdict.WORSE:
        return f"The evidence shows it to be worse{once}."
    return "The evidence leaves open whether it is better."


def _trust(standing: Standing, loss: str) -> str:
    if standing.trust is None:
        return ""
    few = f" That rests on {standing.n_effective:.0f} independent origins only." if is_few(standing.n_effective) else ""
    span = counted(standing.span or 1, "more origin")
    return f"Its mean {loss} over {span} is lower with a probability of {chance_words(standing.trust)}.{few}"


def _trend(detail: Detail) -> str:
    """Say what skill remains against the best simple forecaster where the benchmark trends."""
    standing = detail.row.standing
    if not detail.trends or standing.over_simple is None or standing.simple == standing.benchmark:
        return ""
    if standing.forecaster == standing.simple:
        return f" {standing.benchmark} is too easy here, and {standing.simple} is the best simple forecaster itself."
    skill = f"the skill of {standing.forecaster} is {signed(standing.over_simple)}"
    return f" {standing.benchmark} is too easy here: against {standing.simple}, the best simple forecaster, {skill}."


def standing_cards(standing: Standing) -> list[tuple[str, str, str]]:
    """Return the numbers of a forecaster against the benchmark: label, figure, detail; none for the benchmark."""
    if standing.verdict in {Verdict.BENCHMARK, Verdict.NOTHING}:
        return []
    few = is_few(standing.n_effective)
    origins = "" if standing.n_effective is None else f"{standing.n_effective:,.0f}"
    return [
        ("Skill", signed(standing.skill), _between(standing.interval, signed)),
        (
            "Trust",
            f"{FEW_MARK if few else ''}{chance(standing.trust)}",
            f"over {counted(standing.span, 'origin')}" if standing.span else "",
        ),
        ("n", origins or chance(None), "independent origins, too few" if few else "independent origins"),
        ("Win rate", share(standing.win_rate), _between(standing.win_interval, share)),
        ("Evidence", f"e = {evidence(standing.log10_e)}", f"against it {evidence(standing.log10_e_against)}"),
    ]


def _between(interval: tuple[float, float] | None, form: Callable[[float], str]) -> str:
    return "" if interval is None else f"{form(interval[0])} to {form(interval[1])}"


def data_sentence(detail: Detail) -> str:
    """Describe the data of a variable."""
    return f"{detail.observations:,} observations known by the end; known at: {detail.known_at}; {detail.season}."
