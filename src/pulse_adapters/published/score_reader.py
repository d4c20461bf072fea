"""Reader of the table `scores`: the variables of a large run with the scores that `result.json` leaves out.

What it returns is what a complete `result.json` says, value for value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from pulse_adapters.published.archive import Archive
from pulse_adapters.published.document import ForecasterScores, Interval, Scores, Trust, Variable, WinRate
from pulse_adapters.published.forecaster_json import GROUPS
from pulse_adapters.published.result_reader import PublishedRun
from pulse_adapters.published.table_reader import Rows, RunTable, run_table
from pulse_core.scores.measures import MEASURES
from pulse_core.scores.verdict import SKILL, anytime_limit

COMPLETE: Final = "all"
"""What `variables_hold` says where the document has all scores."""

_TRUST: Final = ("trust", "n_effective")
_WIN_RATE: Final = ("win_rate", "win_rate_low", "win_rate_high", "win_rate_trials")
_INTERVAL: Final = ("skill_low", "skill_high")
_EVIDENCE: Final = ("log10_e", "log10_e_against", "log10_e_wins")
_COLUMNS: Final = (
    *("forecaster", "horizon", "verdict", "skill_over_simple"),
    *MEASURES,
    *_TRUST,
    *_WIN_RATE,
    *_INTERVAL,
    *_EVIDENCE,
)
_COUNTS: Final = ("n", "hit_rate_count")

Chosen = Callable[[Rows], NDArray[np.bool_]]
Values = Mapping[str, float]


def with_scores(archive: Archive, run: PublishedRun, variables: Collection[str]) -> PublishedRun:
    """Return the run with all scores of some of its variables. Raises DamagedPart, SinkUnavailable."""
    scored = _with_rows(archive, run, variables, lambda rows: np.ones(len(rows), dtype=bool))
    complete = {name: _with_best(scored.variables[name], run.spec.horizon) for name in variables}
    return scored.with_variables(complete)


def with_best_scores(archive: Archive, run: PublishedRun, horizons: Collection[int]) -> PublishedRun:
    """Return the run with the scores of the best forecaster of every variable at some horizons. Raises as above.

    Where the document does not tell the best at one of the horizons, all scores are read.
    """
    if not {str(horizon) for horizon in horizons} <= set(_horizons(run)):
        return with_scores(archive, run, run.variables)

    def is_best(rows: Rows) -> NDArray[np.bool_]:
        chosen = np.zeros(len(rows), dtype=bool)
        for horizon in horizons:
            best = np.array([run.variables[name].best[str(horizon)] for name in rows.names("variable")], dtype=object)
            names = np.array(rows.names("forecaster"), dtype=object)
            chosen |= (best[rows["variable"]] == names[rows["forecaster"]]) & (rows["horizon"] == horizon)
        return chosen

    return _with_rows(archive, run, run.variables, is_best)


def best_forecasters(archive: Archive, run: PublishedRun) -> Iterator[tuple[str, int, str | None]]:
    """Yield variable, horizon, and the forecaster of the least MAE, at all horizons. Raises as above."""
    if run.document.variables_hold == COMPLETE or len(_horizons(run)) == run.spec.horizon:
        for name, variable in run.variables.items():
            yield from ((name, int(horizon), best) for horizon, best in variable.best.items())
        return
    table = run_table(archive, run, "scores", ("forecaster", "horizon", "mae"))
    for name in run.variables:
        columns = table.of(name)
        rows = None if columns is None else Rows(columns)
        for horizon in range(1, run.spec.horizon + 1):
            yield name, horizon, None if rows is None else _least(rows, horizon)


def _horizons(run: PublishedRun) -> Collection[str]:
    """Return the horizons that the document tells the best of; all variables have the same."""
    return next((variable.best for variable in run.variables.values()), {})


def _with_best(variable: Variable, horizon: int) -> Variable:
    """Return a variable with the best forecaster at every horizon, the earlier of equals."""
    best: dict[str, str | None] = {}
    for step in map(str, range(1, horizon + 1)):
        scores = {name: forecaster.horizons[step].mae for name, forecaster in variable.forecasters.items()}
        errors = {name: error for name, error in scores.items() if error is not None}
        best[step] = min(errors, key=errors.__getitem__) if errors else None
    return msgspec.structs.replace(variable, best=variable.best | best)


def _least(rows: Rows, horizon: int) -> str | None:
    """Return the forecaster of the least MAE, the earlier of equals: rows are in the order of the spec."""
    chosen = np.flatnonzero((rows["horizon"] == horizon) & ~np.isnan(rows["mae"]))
    if not len(chosen):
        return None
    best = chosen[np.argmin(rows["mae"][chosen])]
    return rows.names("forecaster")[int(rows["forecaster"][best])]


def _with_rows(archive: Archive, run: PublishedRun, variables: Collection[str], chosen: Chosen) -> PublishedRun:
    if run.document.variables_hold == COMPLETE:
        return run
    table = run_table(archive, run, "scores", _COLUMNS)
    return run.with_variables(dict(_variables(table, run, variables, chosen)))


def _variables(
    table: RunTable, run: PublishedRun, variables: Collection[str], chosen: Chosen
) -> Iterator[tuple[str, Variable]]:
    wanted = None if len(variables) == len(run.variables) else set(variables)
    for part in table.parts:
        scores: dict[str, dict[str, dict[str, Scores]]] = {}
        for rows in table.row_groups(part, wanted):
            for name, forecaster, horizon, value in _scores(rows.select(chosen(rows)), run):
                scores.setdefault(name, {}).setdefault(forecaster, {})[str(horizon)] = value
        for name, forecasters in scores.items():
            by_forecaster = {by: ForecasterScores(horizons) for by, horizons in forecasters.items()}
            yield name, msgspec.structs.replace(run.variables[name], forecasters=by_forecaster)


def _scores(rows: Rows, run: PublishedRun) -> Iterator[tuple[str, str, int, Scores]]:
    """Yield variable, forecaster, horizon and scores of each row."""
    variables, forecasters, verdicts = (rows.names(name) for name in ("variable", "forecaster", "verdict"))
    columns = {name: rows[name].tolist() for name in rows.columns}
    threshold, skill = run.document.discoveries.log10_e, SKILL[run.spec.trust_loss]
    for row in zip(*columns.values(), strict=True):
        values = dict(zip(columns, row, strict=True))
        name, verdict = variables[values["variable"]], verdicts[values["verdict"]]
        against = _against_benchmark(values, verdict, run.variables[name].span)
        if verdict:
            is_discovery = threshold is not None and values["log10_e"] >= threshold and values[skill] > 0
            against |= {"verdict": verdict, "discovery": bool(is_discovery)}
        yield name, forecasters[values["forecaster"]], values["horizon"], Scores(**_measures(values), **against)


def _measures(values: Values) -> dict[str, Any]:
    """Return the measures by the names of the document: those of a group in one object."""
    measures: dict[str, Any] = {}
    for measure in MEASURES:
        group, _, part = measure.partition("_")
        value = _number(values[measure])
        if group in GROUPS:
            measures.setdefault(group, {})[part] = value
        else:
            measures[measure] = int(value) if measure in _COUNTS and value is not None else value
    return measures


def _against_benchmark(values: Values, verdict: str, span: int) -> dict[str, Any]:
    """Return how a forecaster stands against the benchmark, which has no verdict; None where there is no value."""
    nothing = dict.fromkeys(("skill_interval", "trust", "win_rate", *_EVIDENCE, "verdict", "anytime", "discovery"))
    over_simple = {"skill_over_simple": _number(values["skill_over_simple"])}
    if not verdict:
        return nothing | over_simple
    interval, trust, rate = (_numbers(values, names) for names in (_INTERVAL, _TRUST, _WIN_RATE))
    evidence = {"better": values["log10_e"], "worse": values["log10_e_against"]}.get(verdict)
    return (
        nothing
        | over_simple
        | {name: _number(values[name]) for name in _EVIDENCE}
        | {
            "skill_interval": interval and Interval(*interval),
            "trust": trust and Trust(trust[0], span, trust[1]),
            "win_rate": rate and WinRate(*rate),
            "anytime": None if evidence is None else evidence >= anytime_limit(int(values["horizon"])),
        }
    )


def _numbers(values: Values, names: tuple[str, ...]) -> tuple[float, ...] | None:
    numbers = tuple(values[name] for name in names)
    return numbers if all(map(math.isfinite, numbers)) else None


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
