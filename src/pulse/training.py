"""`pulse.train`: one call from data to a finished run, by the settings and the wiring of the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import attrs

from pulse.arguments import read_arguments
from pulse.data import Data, location_of, store_of
from pulse.forecasters import named
from pulse.frames import frames_kind
from pulse.progress import Bar
from pulse.run import Run
from pulse.temporary import TemporaryFolder
from pulse_adapters.published.result_reader import read_result
from pulse_core.errors import PulseError, RunFailed
from pulse_core.ports import DataStore
from pulse_entrypoints.cli.layers import Layered
from pulse_entrypoints.commands.report import attach_report
from pulse_entrypoints.commands.train.command import TrainRequest, validated
from pulse_entrypoints.commands.train.preflight import require_ready
from pulse_entrypoints.settings.train import TrainSettings
from pulse_entrypoints.wiring import composition

_OPTIONS_IN_PYTHON: Final = (
    "Options are arguments here: --date-format %d.%m.%Y is date_format='%d.%m.%Y', --columns value=Close is "
    "columns={'value': 'Close'}"
)
_NOTES: Final = 10
"""The failed variables that an error tells."""
_RESULTS: Final = ("results", "s3_results_bucket")


def train(data: Data, *, frames: str | None = None, **options: Any) -> Run:
    """Replay the history in some data, and return the finished run.

    `data` are a DataFrame of pandas or polars or a pyarrow Table (a column a variable, or a column with the variables'
    names), a Series, a dict of such by variable, a DataStore, or what the option `--data` takes: a path, `s3://...`,
    `"sample"`.

    `options` are those of `pulse train` by the same names, `start_date="2020-01-01"` for `--start-date 2020-01-01`; see
    `pulse train --help`. Texts, numbers, dates, Timestamps and lists of them do. The environment and `config=` count as
    on the command line. `forecasters` takes names, classes and instances, in a list or as a dict by name. `hindcasts`
    are kept unless they are False. Without `results=` nothing is left behind: what the run writes lies in a temporary
    folder that goes with the Run. `frames` is the kind of DataFrames that the Run returns: pandas, polars or arrow; by
    default that of the data, else pandas.

    Raises TypeError for an option that there is none of, and PulseError as the command line reports it: SettingsError
    with all problems of the options, DataError with all faults of a source, RunFailed where variables fail.
    """
    with _told_in_python():
        return _trained(data, frames_kind(frames, data), options)


def _trained(data: Data, kind: str, options: Mapping[str, Any]) -> Run:
    objects, options = named(options)
    layered = read_arguments({"hindcasts": True, **options, "data": location_of(data)})
    store = store_of(data, layered.settings)
    with _results(layered) as (layered, folder):
        request = validated(layered, store, objects)
        settings = request.settings
        sink = composition.sink_of_run(settings)
        sink.check_run_id(request.run_id, request.spec)
        names = tuple(dict.fromkeys([*request.spec.variables, *request.spec.predictors]))
        require_ready(settings, names, sink, store)
        with Bar(request.counted, quiet=settings.quiet) as bar:
            training = composition.training(
                settings, sink, request.forecasters, bar, composition.utc_now, bar.announce, store
            )
            result = training.execute(request.spec)
        if settings.report:
            attach_report(sink, result.run_id)
        return Run(
            published=read_result(sink, result.run_id),
            sink=sink,
            store=_store_of(request, store),
            forecasters=request.forecasters,
            frames=kind,
            folder=folder,
        )


@contextmanager
def _told_in_python() -> Iterator[None]:
    """Add to errors what a caller in Python needs beside the words of the command line."""
    try:
        yield
    except RunFailed as error:
        for failure in error.failures[:_NOTES]:
            error.add_note(str(failure))
        raise
    except PulseError as error:
        if "--" in error.hint:
            error.add_note(_OPTIONS_IN_PYTHON)
        raise


def _store_of(request: TrainRequest, store: DataStore | None) -> DataStore:
    return composition.store_of(request.settings) if store is None else store


@contextmanager
def _results(
    layered: Layered[TrainSettings],
) -> Iterator[tuple[Layered[TrainSettings], TemporaryFolder | None]]:
    """Yield the settings with the location of the results: as given, else a temporary folder, which is yielded too."""
    if any(name in layered.sources for name in _RESULTS):
        yield layered, None
        return
    folder = TemporaryFolder()
    try:
        yield attrs.evolve(layered, settings=attrs.evolve(layered.settings, results=folder.path)), folder
    except BaseException:
        folder.remove()
        raise
