"""The panels of the run itself."""

from __future__ import annotations

from collections.abc import Iterator

from pulse_adapters.report.figures.timeline import origins_figure, timeline_figure
from pulse_adapters.report.formats import day
from pulse_adapters.report.panel import Panel, thinned
from pulse_adapters.report.views import Report


def run_panels(report: Report) -> Iterator[Panel]:
    """Yield the panels of the run itself."""
    if any(milestone.finished is not None for milestone in report.milestones):
        yield Panel(
            title="Time line",
            conclusion=_on_timeline(report),
            drawing=timeline_figure(report.milestones),
            numbers=thinned(
                ("at (UTC)", "event"),
                [(milestone.at.isoformat(sep=" ")[:19], milestone.text) for milestone in report.milestones],
            ),
        )
    total = sum(count for _, count in report.origins)
    yield Panel(
        title="Forecast origins by batch",
        conclusion=f"{total:,} origins in {len(report.origins):,} batches, over all variables.",
        drawing=origins_figure(report.origins),
        numbers=thinned(("batch from", "origins"), [(day(start), f"{count:,}") for start, count in report.origins]),
    )


def _on_timeline(report: Report) -> str:
    first, last = report.milestones[0].at, report.milestones[-1].at
    seconds = (last - first).total_seconds()
    return f"Started {first.isoformat(sep=' ')[:19]} UTC; {seconds:,.1f} seconds from first to last event."
