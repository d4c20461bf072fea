"""`pulse.load`: a finished run, wherever its results are."""

from __future__ import annotations

import os
from typing import Any

from pulse.arguments import read_arguments
from pulse.data import Data, location_of, store_of
from pulse.forecasters import named
from pulse.frames import frames_kind
from pulse.run import Run
from pulse_adapters.published.result_reader import read_result
from pulse_core.errors import SettingsError
from pulse_entrypoints.wiring import composition


def load(run: str | os.PathLike[str], *, data: Data | None = None, frames: str | None = None, **options: Any) -> Run:
    """Open a finished run: `pulse.load("results/RUN")`, `pulse.load("s3://bucket/results/RUN")`.

    `data` are those that forecasts are made from, as for `train`; nothing else needs them. Where the run had classes or
    instances as forecasters, `forecasters=` gives them again. Further `options` are those of the connection to S3.

    Raises RunNotFound where there is no such run or it is not finished, MalformedData for a damaged result.
    """
    results, _, run_id = os.fspath(run).rstrip("/").rpartition("/")
    if not run_id:
        raise SettingsError([f"run: expected the folder of a run, such as 'results/RUN', got {os.fspath(run)!r}"])
    objects, options = named(options)
    location = None if data is None else location_of(data)
    layered = read_arguments({**options, "results": results or ".", "data": location}, "pulse.load")
    composition.refuse_unserved_locations(layered)
    if layered.problems:
        raise SettingsError(list(layered.problems))
    sink = composition.sink_of(layered.settings)
    published = read_result(sink, run_id)
    store = None
    if data is not None:
        store = store_of(data, layered.settings) or composition.store_of(layered.settings)
    return Run(published, sink, store, objects, frames_kind(frames, data))
