"""Rendering of a report as one HTML file that fetches nothing from outside."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final

import attrs
import numpy as np
from markupsafe import Markup

from pulse_adapters.published.cautions import FEW_MARK, is_few
from pulse_adapters.published.terms import FEW_TEXT
from pulse_adapters.report import formats, sparklines, wording
from pulse_adapters.report.figures.style import VARIABLES
from pulse_adapters.report.panel import Panel
from pulse_adapters.report.reliability_panels import reliability_panels
from pulse_adapters.report.run_panels import run_panels
from pulse_adapters.report.variable_panels import variable_panels
from pulse_adapters.report.views import Detail, Report, Row, Standing, Verdict

STAR: Final = "\N{BLACK STAR}"
"""The mark of a better forecaster whose evidence survives all comparisons of the run."""

MARKS: Final[Mapping[Verdict, str]] = {
    Verdict.BETTER: "\N{BLACK DIAMOND}",
    Verdict.OPEN: "\N{WHITE CIRCLE}",
    Verdict.BENCHMARK: "\N{EN DASH}",
    Verdict.WORSE: "\N{BLACK DOWN-POINTING TRIANGLE}",
    Verdict.NOTHING: "\N{MULTIPLICATION SIGN}",
}
"""The mark beside each verdict in order, so that verdicts differ in more than colour."""

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
    verdict: str
    rank: int
    few: bool


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
    badge: str
    verdict: str
    mark: str
    cards: Sequence[tuple[str, str, str]]
    focus: str
    focus_class: str
    data: str


Follow = Callable[[Sequence[Any]], Iterable[Any]]
"""Yields the items of a sequence, and may show how far it is."""


def render(report: Report, follow: Follow = iter) -> bytes:
    """Return the report as HTML in UTF-8; nearly all of the time goes to its sections, which `follow` yields."""
    sections = tuple(_section(f"v{index}", detail) for index, detail in enumerate(follow(report.details)))
    opened = min(sections, key=lambda section: _rank(section.row.standing)).id if sections else ""
    scripts = tuple(Markup(text) for text in (_bokeh_script(), _part("report.js")))  # noqa: S704  # our own text and bokeh's
    page: str = _template().render(
        report=report,
        headline=wording.headline(report),
        scope=wording.scope(report),
        tiles=_tiles(report),
        lines=_lines(report, {section.title: section.id for section in sections}),
        sections=sections,
        opened=opened,
        reliability=_plots("reliability", reliability_panels(report)),
        run=_plots("run", run_panels(report)),
        formats=formats,
        style=Markup(_part("report.css")),  # noqa: S704  # our own text
        scripts=scripts,
        policy=_policy(scripts),
        variable_of=VARIABLES,
        colours=json.dumps(VARIABLES),
        star=STAR,
        marks={verdict.name: mark for verdict, mark in MARKS.items()},
        few_mark=FEW_MARK,
        few_text=FEW_TEXT,
        lines_are_few=any(is_few(row.standing.n_effective) for row in report.rows),
    )
    return page.encode()


def _lines(report: Report, sections: Mapping[str, str]) -> Iterable[Line]:
    plotted = len(report.rows) <= SPARKLINE_LIMIT
    reach = _reach(report.rows)
    for row in report.rows:
        yield Line(
            row=row,
            target=sections.get(row.variable),
            skill=sparklines.interval(row.standing.skill, row.standing.interval, reach) if plotted else Markup(""),
            trust=sparklines.interval(row.standing.trust, None, 0.5, 0.5) if plotted else Markup(""),
            errors=sparklines.line(row.errors, low=0.0) if plotted else Markup(""),
            trusts=sparklines.line(row.trusts, 0.0, 1.0, mark=0.5) if plotted else Markup(""),
            mark=_mark(row.standing),
            verdict=wording.verdict_words(row.standing),
            rank=_rank(row.standing),
            few=is_few(row.standing.n_effective),
        )


def _mark(standing: Standing) -> str:
    return STAR if standing.discovery else MARKS[standing.verdict]


def _rank(standing: Standing) -> int:
    """Return the place of a verdict among all, from 0; a discovery comes first."""
    return 0 if standing.discovery else 1 + list(MARKS).index(standing.verdict)


def _reach(rows: Sequence[Row]) -> float:
    """Return the end of the scale of skills: nine in ten lie within it, so that an extreme does not press them flat."""
    ends = [abs(end) for row in rows for end in (row.standing.skill, *(row.standing.interval or ())) if end is not None]
    return max(float(np.quantile(ends, 0.9)), 0.005) if ends else 1.0


def _tiles(report: Report) -> list[tuple[str, str, str]]:
    """Return the figures of the first screen: figure, label, further detail."""
    first = [row for row in report.rows if row.horizon == 1]
    count = {verdict: sum(row.verdict is verdict for row in first) for verdict in Verdict}
    skills = [row.standing.skill for row in first if row.standing.skill is not None]
    discoveries = sum(row.standing.discovery for row in first)
    covered = [row.coverage for row in first if row.coverage is not None]
    failed = dict(report.units)["failed"]
    return [
        (
            f"{count[Verdict.BETTER]:,} of {len(first):,}",
            f"best forecasters shown to be better than {report.benchmark}",
            f"{discoveries:,} with all comparisons of the run counted",
        ),
        (
            formats.signed(float(np.median(skills)) if skills else None),
            "median skill of the best",
            f"share of {report.benchmark}\u2019s {report.loss} saved 1 ahead, on {len(skills):,} of {len(first):,}",
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
        id=identity,
        panels=panels,
        packed=packed(panels),
        title=detail.variable,
        row=detail.row,
        badge=wording.verdict_words(detail.row.standing),
        verdict=wording.verdict_sentence(detail),
        mark=_mark(detail.row.standing),
        cards=wording.standing_cards(detail.focus),
        focus=f"{detail.focus.forecaster}, one step ahead: {_mark(detail.focus)} {wording.verdict_words(detail.focus)}",
        focus_class=f"rank{_rank(detail.focus)}",
        data=wording.data_sentence(detail),
    )


def _plots(identity: str, panels: Iterable[Panel]) -> Plots:
    with_figures = tuple(panels)
    return Plots(identity, with_figures, packed(with_figures))


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
