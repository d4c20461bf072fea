"""How accurate forecasts are beside statsforecast's, on series whose last values are cut off.

FOLDER holds yearly.csv, quarterly.csv, monthly.csv, half_hourly.csv, or other files named in `_series_sets.py` (columns
variable, timestamp, value). The last 6, 8, 18, 336 values of each series are cut off; Pulse is trained on what is left
as a user would, at every origin from the first possible one on, and forecasts from the newest; so does each peer. The
measures are those of the M4 competition. How to read it: benchmarks/README.md.

    python benchmarks/accuracy.py FOLDER [--sets yearly,quarterly] [--half even|odd] [--peers FILE | --no-peers]
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import attrs
import numpy as np
from _competition import OUTSIDE, coverage, mase, msis, naive2, owa, smape
from _peer_cache import Forecast, PeerCache, median
from _series_sets import SETS, HistoryStore, Series, SeriesSet, read
from numpy.typing import NDArray

from pulse_adapters.backends.serial import SerialBackend
from pulse_adapters.sinks.memory import MemorySink
from pulse_core import (
    LEVELS,
    Event,
    Failure,
    Forecasting,
    RetrodictionTraining,
    RunFailed,
    RunResult,
    RunSpec,
    Trained,
    UnitFinished,
    VariableForecast,
)
from pulse_core.season import season_setting

Array = NDArray[np.float64]
Forecasts = dict[str, Forecast]
"""By the series' name."""

PEERS_FILE: Final = Path.home() / ".cache" / "pulse" / "benchmarks" / "peers.jsonl"
NAIVE2: Final = "Naive2"
ENSEMBLE: Final = "ensemble"
PEERS_MEDIAN: Final = "median of peers"
AT_ONCE: Final = 50
"""Variables between two lines of progress."""

PROGRESS_SECONDS: Final = 2.0


@attrs.frozen(eq=False)
class PulseRun:
    """What Pulse forecast of a set, by forecaster; which series failed; what training cost."""

    forecasts: dict[str, Forecasts]
    failures: tuple[Failure, ...]
    cpu_seconds: float
    origins: int


@attrs.frozen(eq=False)
class Measured:
    """The measures of one method by series, (series,) each in the order of `names`."""

    names: tuple[str, ...]
    smape: Array
    mase: Array
    msis: Array
    coverage: Array

    def of(self, names: Sequence[str]) -> Measured:
        """Return the measures of some of the series."""
        rows = [self.names.index(name) for name in names]
        return Measured(tuple(names), *(getattr(self, name)[rows] for name in ("smape", "mase", "msis", "coverage")))


def measure(series_set: SeriesSet, series: Sequence[Series], forecasts: Forecasts) -> Measured:
    """Measure one method on those series that it has forecast at every horizon and whose history scales errors."""
    rows, names = [], []
    for one in series:
        forecast = forecasts.get(one.name)
        if forecast is None or not np.isfinite(forecast.mean).all():
            continue
        scaled = mase(one.actual, forecast.mean, one.history, series_set.season)
        if not np.isfinite(scaled):
            continue
        bounds = forecast.low, forecast.high
        interval = msis(one.actual, *bounds, one.history, series_set.season)
        covered = coverage(one.actual, *bounds) if np.isfinite(bounds).all() else np.nan
        rows.append((smape(one.actual, forecast.mean), scaled, interval, covered))
        names.append(one.name)
    return Measured(tuple(names), *np.array(rows, dtype=float).reshape(-1, 4).T)


def pulse_run(series_set: SeriesSet, series: Sequence[Series], options: dict[str, Any]) -> PulseRun:
    """Train as `pulse train` does, with the defaults but for `options`, and forecast as `pulse forecast` does."""
    store = HistoryStore.of(list(series))
    names = tuple(store.names())
    spec = RunSpec(variables=names, **_period(series), horizon=series_set.horizon, **options)
    progress = Progress(series_set.name, len(names))
    started = time.process_time()
    result = _train(store, spec, progress)
    cpu_seconds = time.process_time() - started
    failures = list(result.failures)
    forecasts: dict[str, Forecasts] = {}
    trained = sorted(set(names) - {failure.variable for failure in failures})
    for begin in range(0, len(trained), AT_ONCE):
        made = Forecasting(store=store, sink=MemorySink()).execute(
            Trained(spec, {}), spec.end, trained[begin : begin + AT_ONCE]
        )
        failures += made.failures
        for variable in made.variables:
            _add(forecasts, variable)
        progress("forecast", begin + len(made.variables))
    origins = int(sum(summary.origins.sum() for summary in result.variables))
    return PulseRun(forecasts, tuple(failures), cpu_seconds, origins)


def _period(series: Sequence[Series]) -> dict[str, date]:
    """Return a period that begins before the data and ends when the last of them is known."""
    ends = [one.timestamps[-1] + (one.timestamps[-1] - one.timestamps[-2]) for one in series]
    start, end = (
        moment.astype("datetime64[D]").item() for moment in (min(one.timestamps[0] for one in series), max(ends))
    )
    return {"start": start, "end": end + timedelta(days=2)}


def _train(store: HistoryStore, spec: RunSpec, progress: Progress) -> RunResult:
    def observe(event: Event) -> None:
        if isinstance(event, UnitFinished):
            progress("trained", event.finished)

    training = RetrodictionTraining(
        store=store, backend=SerialBackend(), sink=MemorySink(), keep_going=True, observer=observe
    )
    try:
        return training.execute(spec)
    except RunFailed as error:  # no variable could be trained
        return error.result


def _add(forecasts: dict[str, Forecasts], variable: VariableForecast) -> None:
    low, high = (LEVELS.index(level) for level in (OUTSIDE / 2, 1 - OUTSIDE / 2))
    for row, name in enumerate(variable.forecasters):
        forecasts.setdefault(name, {})[variable.variable] = Forecast(
            variable.point[row], variable.quantiles[low, row], variable.quantiles[high, row]
        )


def naive2_forecasts(series_set: SeriesSet, series: Sequence[Series]) -> Forecasts:
    none = np.full(series_set.horizon, np.nan)
    return {
        one.name: Forecast(naive2(one.history, series_set.season, series_set.horizon), none, none) for one in series
    }


@attrs.define
class Progress:
    """Tells on stderr how far a set is, at most every PROGRESS_SECONDS."""

    name: str
    total: int
    last: float = attrs.field(factory=time.monotonic)

    def __call__(self, stage: str, count: int) -> None:
        if time.monotonic() > self.last + PROGRESS_SECONDS:
            self.last = time.monotonic()
            print(f"{self.name}: {stage} {count} of {self.total}", file=sys.stderr, flush=True)


def report(series_set: SeriesSet, series: Sequence[Series], run: PulseRun, peers: dict[str, Forecasts]) -> None:
    """Print the table of a set: Pulse's ensemble and forecasters by OWA, then the peers."""
    print(f"\n{series_set.name}: {len(series)} series, {series_set.horizon} values ahead, season {series_set.season}")
    for failure in run.failures[:3]:
        print(f"  failed: {failure.variable}: {failure.message}")
    if run.failures:
        print(f"  {len(run.failures)} of {len(series)} series failed")
    benchmark = measure(series_set, series, naive2_forecasts(series_set, series))
    ensemble = measure(series_set, series, run.forecasts.get(ENSEMBLE, {}))
    print(f"{'':<28}{'series':>7}{'sMAPE':>8}{'MASE':>8}{'OWA':>8}{'ensemble/':>11}{'MSIS':>9}{'coverage':>10}")
    ours = {name: measure(series_set, series, forecasts) for name, forecasts in run.forecasts.items()}
    lines = {name: owa_of(measured, benchmark) for name, measured in ours.items() if len(measured.names)}
    for name in sorted(lines, key=lambda name: (name != ENSEMBLE, lines[name])):
        _print_line(name, ours[name], benchmark, ensemble)
    medians = {PEERS_MEDIAN: median(peers)} if peers else {}
    for name, forecasts in {NAIVE2: naive2_forecasts(series_set, series), **peers, **medians}.items():
        measured = measure(series_set, series, forecasts)
        if len(measured.names):
            _print_line(name, measured, benchmark, ensemble)
    _print_cost(run, peers)


def owa_of(measured: Measured, benchmark: Measured) -> float:
    """Return the OWA over the series that were measured."""
    same = benchmark.of(measured.names)
    return owa(measured.smape, measured.mase, same.smape, same.mase)


def _print_line(name: str, measured: Measured, benchmark: Measured, ensemble: Measured) -> None:
    """Print a method's measures; `ensemble/` is the ensemble's OWA over its own, on the series that both have."""
    common = [series for series in measured.names if series in set(ensemble.names)]
    ratio = owa_of(ensemble.of(common), benchmark) / owa_of(measured.of(common), benchmark) if common else float("nan")
    bounds = f"{np.mean(measured.msis):>9.2f}{np.mean(measured.coverage):>10.3f}" if name != NAIVE2 else ""
    print(
        f"{name:<28}{len(measured.names):>7}{measured.smape.mean():>8.3f}{measured.mase.mean():>8.3f}"
        f"{owa_of(measured, benchmark):>8.4f}{ratio:>11.4f}{bounds}",
        flush=True,
    )


def _print_cost(run: PulseRun, peers: dict[str, Forecasts]) -> None:
    if not run.origins:
        return
    ours = run.cpu_seconds / run.origins
    line = (
        f"cost: {1e6 * ours:,.0f} us of CPU an origin ({run.origins:,} origins, all forecasters, everything in process)"
    )
    if "AutoETS" in peers:
        theirs = float(np.mean([forecast.cpu_seconds for forecast in peers["AutoETS"].values()]))
        line += f"; one fit of AutoETS {1e6 * theirs:,.0f} us: ratio {ours / theirs:.4f}"
    print(line, flush=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path, nargs="?", help="where the sets lie; without it nothing is measured")
    options.add_argument("--sets", default=",".join(one.name for one in SETS), help="which, by their files' names")
    options.add_argument("--half", choices=("even", "odd", "all"), default="all", help="series by their number")
    options.add_argument("--peers", type=Path, default=PEERS_FILE, help="the file where peers' forecasts are kept")
    options.add_argument("--no-peers", action="store_true", help="compute none that the file does not have")
    options.add_argument("--season", help="auto, none, m or m1,m2")
    options.add_argument("--min-history", type=int)
    options.add_argument("--forecasters", help="names with commas between them")
    arguments = options.parse_args()
    if arguments.folder is None:
        print("accuracy: name a folder of series; benchmarks/README.md says what it holds")
        return
    os.nice(10)
    for series_set in SETS:
        if series_set.name not in arguments.sets.split(","):
            continue
        series = read(arguments.folder, series_set)
        cache = PeerCache(arguments.peers)
        if not arguments.no_peers:
            cache.complete(series_set, series)
        chosen = [one for one in series if arguments.half == "all" or one.number % 2 == (arguments.half == "odd")]
        if chosen:
            run = pulse_run(series_set, chosen, _spec_options(arguments))
            report(series_set, chosen, run, cache.forecasts(series_set, chosen))


def _spec_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what differs from the defaults."""
    chosen: dict[str, Any] = {}
    if arguments.season is not None:
        chosen["season"] = season_setting(arguments.season)
    if arguments.min_history is not None:
        chosen["min_history"] = arguments.min_history
    if arguments.forecasters:
        chosen["forecasters"] = tuple(arguments.forecasters.split(","))
    return chosen


if __name__ == "__main__":
    main()
