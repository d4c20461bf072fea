"""Runs as tables for people: a list, the details of a run, the removed ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, islice
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from pulse_adapters.published.result_reader import PublishedRun
from pulse_adapters.published.terms import seasons_text
from pulse_adapters.published.variable_json import summary_horizons
from pulse_adapters.sinks.verification import Finding
from pulse_core.spec import AUTO
from pulse_entrypoints.commands.runs.command import PUBLISHED, RecordsSize, RunLine
from pulse_entrypoints.commands.runs.prune import OldResults
from pulse_entrypoints.commands.runs.verify import Verified

VARIABLES_SHOWN: Final = 40
FINDINGS_SHOWN: Final = 100
_NOTHING: Final = "\N{EN DASH}"
_WIDEST: Final = 32
_STATES: Final = {"damaged": "damaged", "repaired": "repaired", "leftover": "left over"}
_SIZES: Final = ("B", "kB", "MB", "GB", "TB")


def listing(lines: Sequence[RunLine], records: RecordsSize, location: str) -> Iterator[Any]:
    """Yield a table with a row a run, and a line on the records."""
    if lines:
        table = _table("run", "written", "period", "vars", "recalled", "failed")
        for line in lines:
            written = _NOTHING if line.written is None else f"{line.written:%Y-%m-%d}"
            table.add_row(_name(line.run), written, *_cells(line))
        yield table
    else:
        yield Text(f"No runs in {location}.")
    aside = f", {records.set_aside} set aside as damaged" if records.set_aside else ""
    yield Text(f"Records: {records.count:,}, {size(records.bytes)}{aside}.")


def details(run: PublishedRun) -> Iterator[Any]:
    """Yield the facts of a published run, and its best forecasters by variable and horizon."""
    spec, facts = run.spec, run.document.run
    units, finished = facts.units, facts.finished_at
    yield _facts(
        {
            "run": run.run_id,
            "period": f"{spec.start} to {spec.last_day}",
            "finished": _NOTHING if finished is None else f"{finished:%Y-%m-%dT%H:%M:%SZ}",
            "variables": f"{units.planned}: {units.recalled} recalled, {units.computed} computed, "
            f"{units.failed} failed",
            "forecasters": ", ".join(spec.forecasters),
            "benchmark": _benchmarks(run),
            "season": seasons_text(head.season.periods for head in run.heads().values()),
            "software": ", ".join(f"{name} {version}" for name, version in run.software.items()),
            "digest": run.document.digest,
        }
    )
    yield from _best(run)
    for failure in run.document.failures:
        yield Text(f"{failure.variable} failed: {failure.message}")


def _benchmarks(run: PublishedRun) -> str:
    """Return the benchmark's name, or those of the variables with how many each where these differ."""
    counts = Counter(head.benchmark.name for head in run.heads().values())
    if run.spec.benchmark != AUTO and len(counts) <= 1:
        return next(iter(counts), run.spec.benchmark)
    return f"{run.spec.benchmark}: {', '.join(f'{name} ({count})' for name, count in counts.most_common())}"


def _best(run: PublishedRun) -> Iterator[Any]:
    shown = {name: run.variables[name].best for name in islice(run.variables, VARIABLES_SHOWN)}
    if shown:
        horizons = [str(horizon) for horizon in summary_horizons(run.spec.horizon)]
        table = _table("variable")
        table.title, table.title_justify, table.title_style = "Best forecaster, by steps ahead", "left", "bold"
        for horizon in horizons:
            table.add_column(horizon)
        for name, best in shown.items():
            table.add_row(_name(name), *(_name(best.get(horizon) or _NOTHING) for horizon in horizons))
        yield table
    if len(run.variables) > len(shown):
        yield Text(f"and {len(run.variables) - len(shown)} more: --format csv has all")


def pruned(old: OldResults, *, removed: bool) -> Iterator[Any]:
    """Yield the runs that were removed, or would be, and the sum of their sizes."""
    verb = "Removed" if removed else "Would remove"
    for run in old.runs:
        yield Text(f"{verb} run {run.run}, written {run.written:%Y-%m-%d %H:%M}, {size(run.bytes or 0)}")
    yield Text(f"{verb} {len(old.runs)} runs and {len(old.records)} records, {size(old.bytes)}.")


def verification(verified: Verified, location: str) -> Iterator[Any]:
    """Yield a table of what was found, damages first, and a line on what was checked."""
    order = {state: number for number, state in enumerate(("damaged", "repaired", "leftover"))}
    findings = sorted(verified.findings, key=lambda finding: (order[finding.state], finding.address))
    if findings:
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
        for name in ("state", "file", "what is wrong, and what to do"):
            table.add_column(name, overflow="fold")
        rows = [(finding, list(alike)) for finding, alike in groupby(findings, _alike)]
        for (state, kind, address, sentence), alike in rows[:FINDINGS_SHOWN]:
            name = alike[0].address if len(alike) == 1 else address
            what = f"{len(alike)} {kind}s in" if len(alike) > 1 else kind
            file = f"{what} {name.removeprefix(location).lstrip('/')}"
            table.add_row(Text(state, style="red" if state == "damaged" else ""), Text(file), Text(sentence))
        yield table
        hidden = sum(len(alike) for _, alike in rows[FINDINGS_SHOWN:])
        if hidden:
            yield Text(f"and {hidden} more: --format csv has all")
    counts = ", ".join(f"{verified.counts[state]:,} {words}" for state, words in _STATES.items())
    left = verified.counts["leftover"]
    advice = " --repair removes what is left over." if left else ""
    yield Text(f"Checked {verified.files:,} files, {size(verified.bytes)}: {counts}.{advice}")


def _alike(finding: Finding) -> tuple[str, str, str, str]:
    """Return what leftover parts of one folder share, which are one row; any other file is a row of its own."""
    folder, _, name = finding.address.rpartition("/")
    shown = folder if finding.kind == "part" and finding.state != "damaged" else f"{folder}/{name}"
    return finding.state, finding.kind, shown, finding.sentence


def size(count: float) -> str:
    """Return bytes in the unit that people use."""
    for unit in _SIZES[:-1]:
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == _SIZES[0] else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} {_SIZES[-1]}"


def _cells(line: RunLine) -> tuple[str, ...]:
    if line.state != PUBLISHED:
        return (line.state, *(_NOTHING,) * 3)
    return (f"{line.start} to {line.end}", str(line.planned), str(line.recalled), str(line.failed))


def _facts(facts: Mapping[str, str]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, value in facts.items():
        table.add_row(Text(name, style="bold"), Text(value, overflow="fold"))
    return table


def _table(first: str, *columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(first, min_width=8, max_width=_WIDEST, overflow="ellipsis")
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


def _name(name: str) -> Text:
    return Text(name, no_wrap=True, overflow="ellipsis")
