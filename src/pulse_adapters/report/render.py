"""The report as one HTML file that asks nothing of the outside."""

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

from pulse_adapters.report import numbers, sparklines, wording
from pulse_adapters.report.figures.style import VARIABLES
from pulse_adapters.report.panel import Panel
from pulse_adapters.report.panels import panels_of
from pulse_adapters.report.run_panels import panels_of_run
from pulse_adapters.report.views import Detail, Report, Row, Verdict

MARKS: Final[Mapping[Verdict, str]] = {
    Verdict.PROVEN: "\N{BLACK DIAMOND}",
    Verdict.LIKELY: "\N{WHITE DIAMOND}",
    Verdict.OPEN: "\N{WHITE CIRCLE}",
    Verdict.BENCHMARK: "\N{EN DASH}",
    Verdict.NOTHING: "\N{MULTIPLICATION SIGN}",
}
"""A mark beside each verdict, so that colour is not all that tells them apart."""

ORDER: Final = (Verdict.PROVEN, Verdict.LIKELY, Verdict.OPEN, Verdict.BENCHMARK, Verdict.NOTHING)
MOST_SPARKS: Final = 1_500
"""Rows of the summary beyond which its small plots are left out, so that the file stays within reason."""


@attrs.frozen(eq=False)
class Line:
    """A row of the summary as it is printed: its small plots, and what its cells sort by."""

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
    """Some panels, and their plots' packed JSON."""

    id: str
    panels: tuple[Panel, ...]
    packed: str


@attrs.frozen(eq=False)
class Section(Plots):
    """The details of a variable: what is told, and its plots."""

    title: str
    row: Row
    verdict: str
    mark: str
    told: str


def render(report: Report) -> bytes:
    """Return the report as HTML in UTF-8."""
    sections = tuple(_section(place, one) for place, one in enumerate(report.details))
    opened = min(sections, key=lambda one: ORDER.index(one.row.verdict)).id if sections else ""
    scripts = tuple(Markup(text) for text in (_bokeh_script(), _part("report.js")))  # noqa: S704 - our own and bokeh's
    page: str = _template().render(
        report=report,
        headline=wording.headline(report),
        asked=wording.asked(report),
        tiles=_tiles(report),
        lines=_lines(report, {section.title: section.id for section in sections}),
        sections=sections,
        opened=opened,
        run=_run_plots(report),
        n=numbers,
        style=Markup(_part("report.css")),  # noqa: S704 - our own
        scripts=scripts,
        policy=_policy(scripts),
        variable_of=VARIABLES,
        colours=json.dumps(VARIABLES),
        verdicts=[(MARKS[one], one.value) for one in ORDER],
    )
    return page.encode()


def _lines(report: Report, sections: Mapping[str, str]) -> Iterable[Line]:
    drawn = len(report.rows) <= MOST_SPARKS
    reach = _reach(report.rows)
    for row in report.rows:
        yield Line(
            row=row,
            target=sections.get(row.variable),
            skill=sparklines.interval(row.skill, row.low, row.high, reach) if drawn else Markup(""),
            trust=sparklines.interval(row.trust, row.trust_low, row.trust_high, 0.5, 0.5) if drawn else Markup(""),
            errors=sparklines.line(row.errors, low=0.0) if drawn else Markup(""),
            trusts=sparklines.line(row.trusts, 0.0, 1.0, mark=0.5) if drawn else Markup(""),
            mark=MARKS[row.verdict],
            rank=ORDER.index(row.verdict),
        )


def _reach(rows: Sequence[Row]) -> float:
    """Return the end of the scale of skills: nine in ten lie within it, so that one does not press the others flat."""
    ends = [abs(end) for row in rows for end in (row.skill, row.low, row.high) if end is not None]
    return max(float(np.quantile(ends, 0.9)), 0.005) if ends else 1.0


def _tiles(report: Report) -> list[tuple[str, str, str]]:
    """Return what the first screen tells in figures: figure, what it is, and more of it."""
    first = [row for row in report.rows if row.horizon == 1]
    count = {one: sum(row.verdict is one for row in first) for one in Verdict}
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
            numbers.signed(float(np.median(skills)) if skills else None),
            "median skill of the best",
            f"share of {report.benchmark}\u2019s error saved, one step ahead",
        ),
        (
            numbers.share(float(np.median(covered)) if covered else None, 1),
            "of outcomes inside 80% intervals",
            f"{numbers.share(min(covered), 1)} to {numbers.share(max(covered), 1)} by variable"
            if covered
            else "not scored",
        ),
        (
            f"{failed:,}",
            "failures",
            f"{dict(report.units)['recalled']:,} recalled, {dict(report.units)['computed']:,} computed",
        ),
    ]


def _section(place: int, detail: Detail) -> Section:
    panels = tuple(panels_of(detail))
    return Section(
        f"v{place}",
        panels,
        packed(panels),
        detail.variable,
        detail.row,
        wording.verdict_of(detail.row, detail.benchmark),
        MARKS[detail.row.verdict],
        wording.described(detail),
    )


def _run_plots(report: Report) -> Plots:
    panels = tuple(panels_of_run(report))
    return Plots("run", panels, packed(panels))


def packed(panels: Sequence[Panel]) -> str:
    """Return the plots as JSON, compressed, in base64: no character in it can end the script it stands in."""
    text = json.dumps([json.dumps(_item(panel.drawn.plot), separators=(",", ":")) for panel in panels])
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def _item(plot: Any) -> dict[str, Any]:
    """Return what `Bokeh.embed.embed_item` takes: as `bokeh.embed.json_item` makes it, in less time."""
    from bokeh import __version__
    from bokeh.document import Document

    document = Document()
    document.add_root(plot)
    return {"target_id": None, "root_id": plot.id, "doc": document.to_json(deferred=False), "version": __version__}


def _policy(scripts: Sequence[Markup]) -> str:
    """Return the content security policy: only these very scripts run, and nothing is fetched from anywhere."""
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in scripts)
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
