"""What a run shows of itself: ten lines of text, the table of verdicts as HTML, the DataFrame of trust."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pulse_adapters.published.cautions import FEW_MARK
from pulse_adapters.published.result_reader import PublishedRun
from pulse_adapters.published.score_reader import with_best_scores
from pulse_adapters.published.terms import LOSSES, benchmark_text, span_text
from pulse_adapters.report.summary import summary_rows
from pulse_adapters.report.views import Row, Verdict
from pulse_core.runs.table_rows import TRUST_COLUMNS
from pulse_core.scores.verdict import SKILL
from pulse_entrypoints.commands.figures import NOTHING, origins_text, skill_text, trust_text

if TYPE_CHECKING:
    from pulse.run import Run

HEAD: Final = ("variable", "ahead", "best", "skill", "verdict", "trust", "n", "in 80%")
_LINES: Final = 6
_ROWS: Final = 40
_NAME: Final = 24
_COLOURS: Final = {Verdict.BETTER: "#00734f", Verdict.WORSE: "#b34700"}
_LEFT: Final = ("variable", "best", "verdict")


def text(run: Run) -> str:
    """Return ten lines: what was trained, the best forecasters, where the rest is."""
    lines = list(_cells(run, _LINES))
    hidden = _count(run) - len(lines)
    widths = [max(map(len, column)) for column in zip(HEAD, *lines, strict=True)]
    table = ["  ".join(_aligned(cells, widths)).rstrip() for cells in (HEAD, *lines)]
    more = f"... {hidden} more rows; " if hidden > 0 else ""
    last = f"{more}.scores .trust .hindcasts .batches: DataFrames; .forecast() .plot() .report()"
    return "\n".join([_title(run), *table, last])


def html(run: Run) -> str:
    """Return the table of verdicts, with what its columns mean; every name in it is escaped."""
    lines = list(_cells(run, _ROWS))
    hidden = _count(run) - len(lines)
    head = "".join(f"<th style='text-align:{_side(name)}'>{escape(name)}</th>" for name in HEAD)
    body = "".join(f"<tr>{''.join(map(_cell, HEAD, cells))}</tr>" for cells in lines)
    more = f"<p>{hidden} more rows in <code>run.trust</code></p>" if hidden > 0 else ""
    failed = "".join(f"<p><b>failed</b> {escape(str(failure))}</p>" for failure in run.failures)
    return (
        f"<div><p><b>{escape(_title(run))}</b></p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        f"{more}{failed}<p style='opacity:.7'><small>{escape(_legend(run))}</small></p></div>"
    )


def trust_frame(scores: Any, run: PublishedRun) -> Any:
    """Return what Run.trust holds, as a pyarrow Table, of the table `scores`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    scores = scores.filter(pc.not_equal(scores["verdict"].cast(pa.string()), ""))
    least, skill = run.document.discoveries.log10_e, SKILL[run.spec.trust_loss]
    names = scores["variable"].cast(pa.string()).to_pylist()
    beyond = np.zeros(len(names), bool)
    if least is not None:
        beyond = (np.asarray(scores["log10_e"]) >= least) & (np.asarray(scores[skill]) > 0)
    columns = {name: scores[name] for name in ("variable", "forecaster", "horizon")}
    columns["benchmark"] = pa.array([run.variables[name].benchmark.name for name in names], pa.string())
    columns["span"] = pa.array([run.variables[name].span for name in names], pa.int64())
    columns |= {name: scores[name] for name in (*TRUST_COLUMNS, "verdict")}
    return pa.table(columns | {"discovery": pa.array(beyond)})


def _title(run: Run) -> str:
    spec = run.spec
    failed = f"; {len(run.failures)} failed" if run.failures else ""
    return (
        f"{_plural(len(run.variables), 'variable')}, {spec.start} to {spec.last_day}, "
        f"{_plural(len(spec.forecasters), 'forecaster')}, {_plural(spec.horizon, 'step')} ahead (run {run.id}{failed})"
    )


def _horizons(run: Run, limit: int) -> tuple[int, ...]:
    """Return the first and the last horizon where all variables fit, else the first."""
    last = run.spec.horizon
    return (1, last) if last > 1 and 2 * len(run.variables) <= limit else (1,)


def _count(run: Run) -> int:
    return len(run.variables) * min(run.spec.horizon, 2)


def _cells(run: Run, limit: int) -> Iterator[tuple[str, ...]]:
    """Yield the cells of the first rows: how the best forecaster of each variable stands."""
    horizons = _horizons(run, limit)
    names = run.variables[: limit // len(horizons)]
    published = run.published
    if published.document.variables_hold != "all":
        published = with_best_scores(run.sink, published, horizons)
    for name in names:
        for row in summary_rows(published, name, None, horizons):
            yield _row(row, is_first=row.horizon == horizons[0])


def _row(row: Row, *, is_first: bool) -> tuple[str, ...]:
    standing = row.standing
    low, high = standing.interval or (None, None)
    verdict = NOTHING if standing.verdict in (Verdict.BENCHMARK, Verdict.NOTHING) else standing.verdict.value
    return (
        _short(row.variable) if is_first else "",
        str(row.horizon),
        standing.forecaster or NOTHING,
        skill_text(standing.skill, low, high),
        f"{verdict}{'*' if standing.discovery else ''}",
        trust_text(standing.trust, standing.n_effective),
        origins_text(standing.n_effective),
        NOTHING if row.coverage is None else f"{row.coverage:.1%}",
    )


def _legend(run: Run) -> str:
    variables = run.published.variables.values()
    benchmark = benchmark_text((variable.benchmark.name for variable in variables), run.spec.benchmark)
    span, loss = span_text(variable.span for variable in variables), LOSSES[run.spec.trust_loss]
    return (
        f"best: the least mean absolute error; skill: the share of {benchmark}'s {loss} it saves, with its 95% "
        f"interval; trust: the probability that over {span} its mean {loss} is lower, resting on n independent "
        f"origins ({FEW_MARK}: few); *: better beyond chance, all comparisons counted; in 80%: how often the actual "
        "lay in its 80% interval"
    )


def _cell(name: str, content: str) -> str:
    colour = next((code for verdict, code in _COLOURS.items() if content.rstrip("*") == verdict.value), None)
    style = f"text-align:{_side(name)}" + (f";color:{colour}" if colour and name == "verdict" else "")
    return f"<td style='{style}'>{escape(content)}</td>"


def _side(name: str) -> str:
    return "left" if name in _LEFT else "right"


def _aligned(cells: tuple[str, ...], widths: list[int]) -> Iterator[str]:
    for name, cell, width in zip(HEAD, cells, widths, strict=True):
        yield cell.ljust(width) if name in _LEFT else cell.rjust(width)


def _short(name: str) -> str:
    return name if len(name) <= _NAME else f"{name[: _NAME - 1]}\N{HORIZONTAL ELLIPSIS}"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
