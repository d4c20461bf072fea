"""Run: a finished run, with its tables as DataFrames, its forecasts, plots and report."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from pulse import display
from pulse.data import Data, location_of, store_of
from pulse.frames import frame
from pulse.temporary import TemporaryFolder
from pulse_adapters.published.result_reader import PublishedRun
from pulse_adapters.published.table_reader import run_table
from pulse_core.errors import SettingsError
from pulse_core.forecasters.base import Forecaster
from pulse_core.ports import DataStore
from pulse_core.results import Failure
from pulse_core.spec import RunSpec
from pulse_entrypoints.wiring.results_archive import ResultsArchive

if TYPE_CHECKING:
    from pulse_adapters.report.charts import Chart


@attrs.frozen(eq=False, repr=False)
class Run:
    """A finished run. `train` and `load` return it; nobody else makes one.

    Its DataFrames are read when they are first asked for, and kept. In a notebook it shows its verdicts.
    """

    published: PublishedRun
    """The document `result.json`: all that the run says of itself."""
    sink: ResultsArchive
    """Where its results are."""
    store: DataStore | None
    """Its data, for forecasts; None for a run that was loaded without."""
    forecasters: tuple[Forecaster, ...] = ()
    """Those that were given as classes or instances."""
    frames: str = "pandas"
    """The kind of its DataFrames."""
    folder: TemporaryFolder | None = None
    """Where its results are if they go with it."""
    _read: dict[str, Any] = attrs.field(factory=dict, init=False)

    @property
    def id(self) -> str:
        """The run's name in the results."""
        return self.published.run_id

    @property
    def spec(self) -> RunSpec:
        """What was trained, and how."""
        return self.published.spec

    @property
    def digest(self) -> str:
        """The SHA-256 over all scores: the same for the same data and options, here and on the command line."""
        return self.published.document.digest

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of the variables that were trained."""
        return tuple(self.published.variables)

    @property
    def failures(self) -> tuple[Failure, ...]:
        """The variables that could not be trained, with `keep_going=True`."""
        return tuple(Failure(*attrs_of) for attrs_of in map(_fields, self.published.document.failures))

    @property
    def scores(self) -> Any:
        """The table `scores`: a row for each variable, forecaster and horizon, over the whole period."""
        return self._table("scores")

    @property
    def batches(self) -> Any:
        """The table `batches`: the same for each batch of the period, with the trust at its end."""
        return self._table("batches")

    @property
    def hindcasts(self) -> Any:
        """The table `hindcasts`: every forecast of every origin, as it was quoted, with quantiles, actual and trust.

        Raises RunNotFound where the run did not keep them: `hindcasts=False`, or the command line without --hindcasts.
        """
        return self._table("hindcasts")

    @property
    def trust(self) -> Any:
        """How each forecaster stands against its variable's benchmark at the end of the period.

        The columns of `scores` from `trust` to `skill_high` and `verdict`, with the `benchmark`, the `span` of origins
        that trust looks ahead, and `discovery`: whether it is better beyond chance, all comparisons counted.
        """
        if "trust" not in self._read:
            self._read["trust"] = display.trust_frame(self._arrow("scores"), self.published)
        return frame(self._read["trust"], self.frames)

    def forecast(
        self,
        steps: int | None = None,
        *,
        variables: str | Sequence[str] | None = None,
        forecasters: str | Sequence[str] | None = None,
        data: Data | None = None,
        as_of: Any = None,
        allow_changed_history: bool = False,
    ) -> Any:
        """Return the next steps as a DataFrame: points, quantiles, trust, with the columns of `pulse forecast`.

        The run's learners are brought to the newest rows. More `steps` than the run's horizon are learned by the same
        pass. `forecasters` is the ensemble, or names, or "all". `data` are newer ones in place of the run's.

        Raises SettingsError, HistoryChanged where rows known by the run's end are not those it was trained on, and
        RunFailed where variables cannot be forecast.
        """
        from pulse.forecasting import forecast_table

        table = forecast_table(
            self,
            self._data(data),
            steps,
            variables=variables,
            forecasters=forecasters,
            as_of=as_of,
            allow_changed_history=allow_changed_history,
        )
        return frame(table, self.frames)

    def plot(self, variable: str | None = None) -> Chart:
        """Return a picture of a variable: forecasts against actual values, and trust through time.

        Of the best forecaster one step ahead. It shows itself in a notebook; `save` writes it as SVG.
        Raises SettingsError where the run has no such variable.
        """
        from pulse_adapters.report.charts import variable_chart

        if variable is None:
            if len(self.variables) != 1:
                raise SettingsError([f"variable: name one of {', '.join(self.variables[:20])}"])
            variable = self.variables[0]
        return variable_chart(self.sink, self.id, variable)

    def report(self, path: str | os.PathLike[str], variables: Sequence[str] = ()) -> Path:
        """Write the report, one HTML file, and return its path; `variables` are those with details.

        Raises SettingsError where Bokeh is not installed, SinkUnavailable where the file cannot be written.
        """
        from pulse_entrypoints.commands.report import write_report

        names = (variables,) if isinstance(variables, str) else tuple(variables)
        return write_report(self.sink, self.id, Path(path).expanduser(), names)

    def __repr__(self) -> str:
        return display.text(self)

    def _repr_html_(self) -> str:
        return display.html(self)

    def _table(self, name: str) -> Any:
        return frame(self._arrow(name), self.frames)

    def _arrow(self, name: str) -> Any:
        if name not in self._read:
            self._read[name] = run_table(self.sink, self.published, name, ()).whole()
        return self._read[name]

    def _data(self, data: Data | None) -> DataStore:
        """Return the store of the data to forecast from. Raises SettingsError where there are none."""
        if data is None and self.store is None:
            raise SettingsError(["data: the run was loaded without; give them: forecast(..., data=df)"])
        if data is None:
            return self.store  # type: ignore[return-value]  # one of the two is there
        from pulse.arguments import read_arguments
        from pulse_entrypoints.wiring import composition

        settings = read_arguments({"data": location_of(data)}, "forecast").settings
        return store_of(data, settings) or composition.store_of(settings)


def _fields(failure: Any) -> tuple[str, ...]:
    return failure.variable, failure.kind, failure.message, failure.context, failure.hint
