"""Rendering of a report as one HTML file that fetches nothing from outside."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final

import attrs
import numpy as np
from markupsafe import Markup

from pulse_adapters.report import formats, sparklines, wording
from pulse_adapters.report.figures.style import VARIABLES
from pulse_adapters.report.panel import Panel
from pulse_adapters.report.run_panels import run_panels
from pulse_adapters.report.variable_panels import variable_panels
from pulse_adapters.report.views import Detail, Report, Row, Verdict

MARKS: Final[Mapping[Verdict, str]] = {
    Verdict.PROVEN: "\N{BLACK DIAMOND}",
    Verdict.LIKELY: "\N{WHITE DIAMOND}",
    Verdict.OPEN: "\N{WHITE CIRCLE}",
    Verdict.BENCHMARK: "\N{EN DASH}",
    Verdict.NOTHING: "\N{MULTIPLICATION SIGN}",
}
"""The mark beside each verdict, so that verdicts differ in more than colour."""

ORDER: Final = (Verdict.PROVEN, Verdict.LIKELY, Verdict.OPEN, Verdict.BENCHMARK, Verdict.NOTHING)
SPARKLINE_LIMIT: Final = 1_500
"""The number of rows beyond which the summary has no small plots, so that the file does not grow too large."""


@attrs.frozen(eq=False)
class Line:
    """A row of the summary as the page shows it: its small plots, and the rank that its verdict sorts by."""

    row: Row
    target: str | None
    skill: Markup
    trust: Markup
    errors: Markup
    trusts: Markup
    mark: str
    rank: int


@attrs.frozen(eq=False)
class Plots:
    """Panels, and the packed JSON of their plots."""

    id: str
    panels: tuple[Panel, ...]
    packed: str


@attrs.frozen(eq=False)
class Section(Plots):
    """The details of a variable: text and plots."""

    title: str
    row: Row
    verdict: str
    mark: str
    data: str


def render(report: Report) -> bytes:
    """Return the report as HTML in UTF-8."""
    sections = tuple(_section(f"v{index}", detail) for index, detail in enumerate(report.details))
    opened = min(sections, key=lambda section: ORDER.index(section.row.verdict)).id if sections else ""
    scripts = tuple(Markup(text) for text in (_bokeh_script(), _part("report.js")))  # noqa: S704  # our own text and bokeh's
    page: str = _template().render(
        report=report,
        headline=wording.headline(report),
        scope=wording.scope(report),
        tiles=_tiles(report),
        lines=_lines(report, {section.title: section.id for section in sections}),
        sections=sections,
        opened=opened,
        run=_run_plots(report),
        formats=formats,
        style=Markup(_part("report.css")),  # noqa: S704  # our own text
        scripts=scripts,
        policy=_policy(scripts),
        variable_of=VARIABLES,
        colours=json.dumps(VARIABLES),
        verdicts=[(MARKS[verdict], verdict.value) for verdict in ORDER],
    )
    return page.encode()


def _lines(report: Report, sections: Mapping[str, str]) -> Iterable[Line]:
    plotted = len(report.rows) <= SPARKLINE_LIMIT
    reach = _reach(report.rows)
    for row in report.rows:
        yield Line(
            row=row,
            target=sections.get(row.variable),
            skill=sparklines.interval(row.skill, row.low, row.high, reach) if plotted else Markup(""),
            trust=sparklines.interval(row.trust, row.trust_low, row.trust_high, 0.5, 0.5) if plotted else Markup(""),
            errors=sparklines.line(row.errors, low=0.0) if plotted else Markup(""),
            trusts=sparklines.line(row.trusts, 0.0, 1.0, mark=0.5) if plotted else Markup(""),
            mark=MARKS[row.verdict],
            rank=ORDER.index(row.verdict),
        )


def _reach(rows: Sequence[Row]) -> float:
    """Return the end of the scale of skills: nine in ten lie within it, so that an extreme does not press them flat."""
    ends = [abs(end) for row in rows for end in (row.skill, row.low, row.high) if end is not None]
    return max(float(np.quantile(ends, 0.9)), 0.005) if ends else 1.0


def _tiles(report: Report) -> list[tuple[str, str, str]]:
    """Return the figures of the first screen: figure, label, further detail."""
    first = [row for row in report.rows if row.horizon == 1]
    count = {verdict: sum(row.verdict is verdict for row in first) for verdict in Verdict}
    skills = [row.skill for row in first if row.skill is not None]
    covered = [row.coverage for row in first if row.coverage is not None]
    failed = dict(report.units)["failed"]
    return [
        (
            f"{count[Verdict.PROVEN]:,} of {len(first):,}",
            f"beat {report.benchmark} beyond chance",
            f"{count[Verdict.LIKELY]:,} more are likely better",
        ),
        (
            formats.signed(float(np.median(skills)) if skills else None),
            "median skill of the best",
            f"share of {report.benchmark}\u2019s error saved, one step ahead",
        ),
        (
            formats.share(float(np.median(covered)) if covered else None, 1),
            "of outcomes inside 80% intervals",
            f"{formats.share(min(covered), 1)} to {formats.share(max(covered), 1)} by variable"
            if covered
            else "not scored",
        ),
        (
            f"{failed:,}",
            "failures",
            f"{dict(report.units)['recalled']:,} recalled, {dict(report.units)['computed']:,} computed",
        ),
    ]


def _section(identity: str, detail: Detail) -> Section:
    panels = tuple(variable_panels(detail))
    return Section(
        identity,
        panels,
        packed(panels),
        detail.variable,
        detail.row,
        wording.verdict_sentence(detail.row, detail.benchmark),
        MARKS[detail.row.verdict],
        wording.data_sentence(detail),
    )


def _run_plots(report: Report) -> Plots:
    panels = tuple(run_panels(report))
    return Plots("run", panels, packed(panels))


def packed(panels: Sequence[Panel]) -> str:
    """Return the plots as JSON, compressed, in base64: no character in it can end the script it stands in."""
    text = json.dumps([json.dumps(_item(panel.drawing.plot), separators=(",", ":")) for panel in panels])
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def _item(plot: Any) -> dict[str, Any]:
    """Return the argument of `Bokeh.embed.embed_item`: the same as `bokeh.embed.json_item` returns, in less time."""
    from bokeh import __version__
    from bokeh.document import Document

    document = Document()
    document.add_root(plot)
    return {"target_id": None, "root_id": plot.id, "doc": document.to_json(deferred=False), "version": __version__}


def _policy(scripts: Sequence[Markup]) -> str:
    """Return the content security policy: these scripts alone run, and nothing is fetched."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts
    )
    rules = (
        "default-src 'none'",
        f"script-src {hashes}",
        "style-src 'unsafe-inline'",
        "img-src data: blob:",
        "form-action 'none'",
        "base-uri 'none'",
    )
    return "; ".join(rules)


@cache
def _bokeh_script() -> str:
    from bokeh.resources import Resources

    script, *_ = Resources(mode="inline", components=["bokeh"]).js_raw
    return script.replace("</script", "<\\/script")


@cache
def _template() -> Any:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_part("report.html.jinja"))


@cache
def _part(name: str) -> str:
    return files("pulse_adapters.report").joinpath("page", name).read_text(encoding="utf-8")
