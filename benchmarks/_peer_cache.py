"""The peers' forecasts, kept in a file: a line of JSON each, see `_peer_forecasts.py`; what is missing is computed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import attrs
import numpy as np
from _series_sets import Series, SeriesSet
from _statsforecast import PYTHON, prepare
from numpy.typing import NDArray

Array = NDArray[np.float64]

FAST: Final = ("SeasonalNaive", "DynamicOptimizedTheta", "AutoETS")
SLOW: Final = "AutoARIMA"
PEERS: Final = (*FAST, SLOW)
"""Classes of `statsforecast.models`."""

MEDIAN_OF: Final = ("DynamicOptimizedTheta", "AutoETS", "AutoARIMA")
"""The peers whose median is a forecast too, of points and of bounds, where there are all that a set asks."""


@attrs.frozen(eq=False)
class Forecast:
    """A forecast of the values cut off, its 95 % interval, (horizon,) each, and the CPU seconds of one fit."""

    mean: Array
    low: Array
    high: Array
    cpu_seconds: float = np.nan


@attrs.frozen
class PeerCache:
    """Peers' forecasts by series set, name and key of the history, and model, in a file."""

    path: Path

    def forecasts(self, series_set: SeriesSet, series: Sequence[Series]) -> dict[str, dict[str, Forecast]]:
        """Return the forecasts by model and series' name; of what failed there is none."""
        keys = {one.name: one.key for one in series}
        lines = {
            (line["model"], line["series"]): Forecast(
                *(np.array(line[name], dtype=float) for name in ("mean", "low", "high")), line["cpu_seconds"]
            )
            for line in self._lines()
            if (line["set"], line["horizon"]) == (series_set.name, series_set.horizon)
            if line["season"] == series_set.peer_season and "error" not in line
            if line["key"] == keys.get(line["series"])
        }
        found: dict[str, dict[str, Forecast]] = {model: {} for model in PEERS}
        for (model, name), forecast in lines.items():
            found[model][name] = forecast
        return {model: by_name for model, by_name in found.items() if by_name}

    def complete(self, series_set: SeriesSet, series: Sequence[Series]) -> None:
        """Compute what is missing, SLOW for some series only; it may take long, and what is done stays done."""
        fields = ("set", "series", "key", "model", "season", "horizon")
        done = {tuple(line[field] for field in fields) for line in self._lines()}
        missing = [job for job in _jobs(series_set, series) if tuple(job[field] for field in fields) not in done]
        if not missing:
            return
        prepare()
        print(f"{series_set.name}: {len(missing)} forecasts of peers are computed", flush=True)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory() as folder:
            jobs = Path(folder) / "jobs.json"
            jobs.write_text(json.dumps(missing))
            script = Path(__file__).with_name("_peer_forecasts.py")
            subprocess.run([PYTHON, script, jobs, self.path], check=True)

    def _lines(self) -> Iterator[dict[str, Any]]:
        if self.path.exists():
            yield from map(json.loads, self.path.read_text().splitlines())


def _jobs(series_set: SeriesSet, series: Sequence[Series]) -> Iterator[dict[str, Any]]:
    count = len(series) if series_set.slow_peers is None else min(series_set.slow_peers, len(series))
    spread = {series[number * len(series) // count].name for number in range(count)}
    for model in PEERS:
        for one in series:
            if model != SLOW or one.name in spread:
                yield {
                    "set": series_set.name,
                    "series": one.name,
                    "key": one.key,
                    "model": model,
                    "season": series_set.peer_season,
                    "horizon": series_set.horizon,
                    "values": one.history.tolist(),
                }


def median(forecasts: dict[str, dict[str, Forecast]]) -> dict[str, Forecast]:
    """Return the median of the peers in MEDIAN_OF, for the series that all of them have forecast."""
    models = [forecasts[model] for model in MEDIAN_OF if model in forecasts]
    names = set(models[0]).intersection(*models[1:]) if models else set()
    return {
        name: Forecast(
            *(np.median([getattr(model[name], bound) for model in models], axis=0) for bound in ("mean", "low", "high"))
        )
        for name in names
    }
