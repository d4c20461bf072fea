"""The settings of the work: backends, shares, failures."""

from __future__ import annotations

import attrs

from pulse_entrypoints.cli.kinds import COUNT, FLAG, POSITIVE, SECONDS, SHARE, choice
from pulse_entrypoints.cli.options import option
from pulse_entrypoints.settings.groups import WORK


def _plugged_backends() -> tuple[str, ...]:
    from pulse_entrypoints.wiring.entry_points import BACKENDS, plugin_names  # 30 ms that only an unknown name costs

    return plugin_names(BACKENDS)


@attrs.frozen(kw_only=True, slots=False)
class WorkSettings:
    """The options of the work; no number depends on them."""

    backend: str = option(
        choice("serial", "processes", "dask", metavar="NAME", further=_plugged_backends),
        WORK,
        "The backend; the numbers are the same with each. Little work is done without starting processes.",
        "processes",
    )
    max_workers: int | None = option(POSITIVE, WORK, "Worker processes at most.", default_text="all usable cores")
    unit_size: int | None = option(
        POSITIVE, WORK, "Variables a worker takes at a time.", default_text="from their number"
    )
    unit_retries: int = option(
        COUNT,
        WORK,
        "Times that a unit is tried again whose worker process died (backend processes, and --dask-local).",
        2,
    )
    unit_timeout: float | None = option(
        SECONDS,
        WORK,
        "Seconds that a unit may take; then it has failed, and its worker process is replaced. 0 for no limit.",
        default_text="no limit",
    )
    grace_seconds: float = option(
        SECONDS,
        WORK,
        "Seconds that units under way have to finish after SIGTERM or Ctrl-C; the run ends at most a second later.",
        1.0,
    )
    slice: tuple[int, int] | None = option(
        SHARE,
        WORK,
        "Do share I of N (from 0) and publish nothing. Once all shares are finished, the same command without "
        "--slice collects them.",
    )
    keep_going: bool = option(
        FLAG, WORK, "Publish the others where some variables fail (exit status 3).", default=False
    )
    fresh: bool = option(
        FLAG, WORK, "Compute everything again, whatever is recorded, and replace the records.", default=False
    )
