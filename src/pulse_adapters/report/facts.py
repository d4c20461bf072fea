"""Facts of a run as name and text: what was run, on which data, with which software."""

from __future__ import annotations

from collections import Counter

from pulse_adapters.published.result_reader import PublishedRun
from pulse_adapters.published.terms import seasons_text
from pulse_adapters.report.formats import counted, day, listed
from pulse_core.spec import AUTO


def run_facts(run: PublishedRun) -> tuple[tuple[str, str], ...]:
    """Return the name and text of each fact."""
    spec, facts = run.spec, run.document.run
    target = {"level": "levels", "change": "changes", "log-change": "log changes"}[spec.target]
    return (
        ("Period", f"{day(spec.start)} to {day(spec.last_day)}"),
        ("Variables", f"{len(run.variables):,}, forecast as {target}"),
        ("Ahead", f"1 to {spec.horizon} steps" if spec.horizon > 1 else "1 step"),
        ("Forecasters", f"{len(spec.forecasters)}, against {_benchmarks(run)}"),
        ("Season", seasons_text(head.season.periods for head in run.heads().values())),
        ("Batches", f"{len(run.batches):,} of {counted(spec.batch_size_days, 'day')}"),
        ("Actuals", f"{spec.actuals} release"),
        ("Quantiles", f"{spec.calibration} calibration"),
        ("Software", ", ".join(f"{name} {version}" for name, version in facts.software.items())),
        ("Digest", run.document.digest),
    )


def _benchmarks(run: PublishedRun) -> str:
    """Return the benchmark, or those of the variables with how many each where these differ."""
    counts = Counter(head.benchmark.name for head in run.heads().values())
    if run.spec.benchmark != AUTO and len(counts) <= 1:
        return next(iter(counts), run.spec.benchmark)
    return listed([f"{name} ({count:,})" for name, count in counts.most_common()])


def data_table(run: PublishedRun) -> tuple[tuple[str, ...], ...]:
    """Return a row for each variable: name, observations, absent, first, last, known at, fingerprint."""
    return tuple(
        (
            name,
            f"{data.observations:,}",
            f"{data.absent:,}",
            data.first[:10],
            data.last[:10],
            data.known_at,
            data.fingerprint[7:19],
        )
        for name, data in run.document.run.data.items()
    )
