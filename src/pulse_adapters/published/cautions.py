"""What a reader must be told beside the numbers: few origins, horizons without a score, a benchmark that trends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

import attrs

from pulse_core.scores.trust import FEW

FEW_MARK: Final = "~"
"""The mark, wherever it is shown, of a trust that rests on fewer than FEW independent origins."""

_SHOWN: Final = 5


@attrs.frozen
class TrendingBenchmark:
    """A variable whose benchmark trends.

    `alternatives` are the simple forecasters that are better than it at some horizon; `best` is the best forecaster one
    step ahead, `skill` its skill against the simple forecaster `simple`, None where there is none.
    """

    variable: str
    benchmark: str
    alternatives: tuple[str, ...]
    best: str | None
    simple: str | None
    skill: float | None


class TrustBin(Protocol):
    """A bin of the reliability table."""

    @property
    def horizon(self) -> int:
        """Steps ahead."""

    @property
    def low(self) -> float:
        """The lower end of the bin."""

    @property
    def high(self) -> float:
        """The upper end of the bin."""

    @property
    def count(self) -> int:
        """How many trusts were in it."""

    @property
    def trust(self) -> float:
        """Their mean."""

    @property
    def true(self) -> float:
        """The share of them that came true."""

    @property
    def bad(self) -> bool:
        """Whether that is beyond chance."""


def is_few(n_effective: float | None) -> bool:
    """Whether a trust rests on so few independent origins that it is marked."""
    return n_effective is not None and n_effective < FEW


def trending_text(variables: Sequence[TrendingBenchmark]) -> str:
    """Say on which variables the benchmark trends, what to compare with, and the skill against that; empty for none."""
    if not variables:
        return ""
    benchmarks = list(dict.fromkeys(variable.benchmark for variable in variables))
    alternatives = list(dict.fromkeys(name for variable in variables for name in variable.alternatives))
    who = benchmarks[0] if len(benchmarks) == 1 else "The benchmark"
    advice = "its errors lean to one side, and no simple forecaster does better there"
    if alternatives:
        auto = ", or auto" if len(benchmarks) == 1 else ""
        advice = f"compare with {' or '.join(alternatives)} (--benchmark {alternatives[0]}{auto})"
    skills = [_against_simple(variable) for variable in variables[:_SHOWN] if _has_better_simple(variable)]
    more = f", and {len(variables) - _SHOWN} more variables" if len(variables) > _SHOWN else ""
    is_easy = "is too easy" if who == "The benchmark" else "is too easy a benchmark"
    text = f"{who} {is_easy} on {_counted(len(variables), 'variable')}: {advice}."
    return (
        f"{text} The best against the best simple forecaster, 1 ahead: {'; '.join(skills)}{more}." if skills else text
    )


def _has_better_simple(variable: TrendingBenchmark) -> bool:
    """Whether one step ahead another simple forecaster does better than the benchmark, and a skill against it."""
    return variable.skill is not None and variable.simple != variable.benchmark


def _against_simple(variable: TrendingBenchmark) -> str:
    if variable.best == variable.simple:
        return f"{variable.variable} {variable.simple}, itself the best simple one"
    return f"{variable.variable} {variable.best} {variable.skill:+.1%} over {variable.simple}"


def reliability_text(bins: Iterable[TrustBin]) -> str:
    """Say which of the run's own trusts did not come true, the most telling bin first; empty where all did."""
    bad = sorted(
        (trust_bin for trust_bin in bins if trust_bin.bad), key=lambda trust_bin: -abs(trust_bin.true - trust_bin.trust)
    )
    if not bad:
        return ""
    worst = bad[0]
    more = f" ({_counted(len(bad) - 1, 'bin')} more {'is' if len(bad) == 2 else 'are'} off)" if len(bad) > 1 else ""
    return (
        f"This run's trusts did not come true as they should: {worst.horizon} ahead, of {worst.count:,} trusts from "
        f"{worst.low:.0%} to {worst.high:.0%} (mean {worst.trust:.0%}) {worst.true:.0%} came true{more}."
    )


def unrepeatable_text(forecasters: Sequence[str]) -> str:
    """Say which forecasters gave two forecasts of one history; empty for none."""
    if not forecasters:
        return ""
    return (
        f"{' and '.join(forecasters)}, asked twice for the same forecast, gave two: whoever computes this run anew "
        "gets other numbers. Give every generator of random numbers a seed of its own."
    )


def unscored_text(variables: Iterable[tuple[str, Sequence[int]]]) -> str:
    """Say which horizons have no score, given variables and these horizons; empty for none."""
    by_horizons: dict[tuple[int, ...], list[str]] = {}
    for variable, horizons in variables:
        if horizons:
            by_horizons.setdefault(tuple(horizons), []).append(variable)
    if not by_horizons:
        return ""
    parts = [f"{_listed(names)} {_ahead(horizons)}" for horizons, names in list(by_horizons.items())[:_SHOWN]]
    rest = sum(len(names) for names in list(by_horizons.values())[_SHOWN:])
    more = f"; and {_counted(rest, 'more variable')}" if rest else ""
    reason = "no origin of the period knows what came so far ahead"
    return f"Forecast but not scored, for {reason}: {'; '.join(parts)}{more}."


def _ahead(horizons: Sequence[int]) -> str:
    """Return `6 ahead`, `4 to 6 ahead` for horizons in a row, else all of them."""
    if len(horizons) > 1 and horizons[-1] - horizons[0] == len(horizons) - 1:
        return f"{horizons[0]} to {horizons[-1]} ahead"
    return f"{', '.join(map(str, horizons))} ahead"


def beyond_reason_text(counts: Iterable[tuple[str, str, int]]) -> str:
    """Say how many forecasts were beyond reason, given (variable, forecaster, number), most of one first."""
    total: dict[str, int] = {}
    variables: dict[str, list[str]] = {}
    for variable, forecaster, count in counts:
        total[forecaster] = total.get(forecaster, 0) + count
        variables.setdefault(forecaster, []).append(variable)
    if not total:
        return ""
    names = sorted(total, key=lambda name: -total[name])
    parts = [
        f"{total[name]:,} of {name} on "
        f"{variables[name][0] if len(variables[name]) == 1 else _counted(len(variables[name]), 'variable')}"
        for name in names[:_SHOWN]
    ]
    more = f", and some of {_counted(len(names) - _SHOWN, 'more forecaster')}" if len(names) > _SHOWN else ""
    return f"Forecasts beyond reason, judged by the history's range and steps, count as none: {', '.join(parts)}{more}."


def doubtful_text(data: Iterable[tuple[str, str]]) -> str:
    """Say what is doubtful about the data, given variables and their cautions ('' for none); empty for none."""
    by_caution: dict[str, list[str]] = {}
    for variable, caution in data:
        if caution:
            by_caution.setdefault(caution, []).append(variable)
    return " ".join(f"{_listed(variables)}: {caution}." for caution, variables in by_caution.items())


def _listed(variables: Sequence[str]) -> str:
    more = f" and {_counted(len(variables) - _SHOWN, 'more variable')}" if len(variables) > _SHOWN else ""
    return f"{', '.join(variables[:_SHOWN])}{more}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
