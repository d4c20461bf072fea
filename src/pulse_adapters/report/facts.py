"""What was run, on what, with what."""

from __future__ import annotations

from pulse_adapters.published.result_reader import PublishedRun
from pulse_adapters.report.numbers import counted, day


def facts_of(run: PublishedRun) -> tuple[tuple[str, str], ...]:
    """Return what was run, name and value."""
    spec, facts = run.spec, run.document.run
    target = {"level": "levels", "change": "changes", "log-change": "log changes"}[spec.target]
    return (
        ("Period", f"{day(spec.start)} to {day(spec.last_day)}"),
        ("Variables", f"{len(run.document.variables):,}, forecast as {target}"),
        ("Ahead", f"1 to {spec.horizon} steps" if spec.horizon > 1 else "1 step"),
        ("Forecasters", f"{len(spec.roster)}, against {spec.benchmark}"),
        ("Batches", f"{len(run.batches):,} of {counted(spec.batch_size_days, 'day')}"),
        ("Actuals", f"{spec.actuals} release"),
        ("Quantiles", f"{spec.calibration} calibration"),
        ("Software", ", ".join(f"{name} {version}" for name, version in facts.software.items())),
        ("Digest", run.document.digest),
    )


def data_of(run: PublishedRun) -> tuple[tuple[str, ...], ...]:
    """Return what was read of each variable: name, observations, absent, first, last, known at, fingerprint."""
    return tuple(
        (
            name,
            f"{one.observations:,}",
            f"{one.absent:,}",
            one.first[:10],
            one.last[:10],
            one.known_at,
            one.fingerprint[7:19],
        )
        for name, one in run.document.run.data.items()
    )
