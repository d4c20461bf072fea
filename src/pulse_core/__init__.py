"""Pulse's domain: replays history to learn how far each forecast can be trusted.

What is imported here is the API for services that embed it; nothing else is public.
"""

from pulse_core.backtest.calibration import LEVELS
from pulse_core.data.observations import Observations
from pulse_core.errors import (
    BackendUnavailable,
    DataError,
    ForecasterFailed,
    HistoryChanged,
    InvalidSpec,
    MalformedData,
    NotRecorded,
    PulseError,
    RunFailed,
    RunIdTaken,
    RunInterrupted,
    RunNotFound,
    SettingsError,
    SinkUnavailable,
    StoreUnavailable,
    TooLittleData,
    UnitFailed,
    VariableNotFound,
)
from pulse_core.events import Event, Observer, RunFinished, RunPlanned, UnitFinished
from pulse_core.forecasters.base import FittedForecaster, Forecaster, Histories, PointForecaster
from pulse_core.forecasters.per_origin import PerOriginForecaster
from pulse_core.forecasters.registry import BUILT_IN
from pulse_core.plan import Batch, Slice, WorkUnit
from pulse_core.ports import ComputeBackend, DataStore, Done, Failed, Outcome, ResultSink, Task, TrainingRun, Write
from pulse_core.results import (
    TRUST,
    BatchHindcasts,
    DataFacts,
    Failure,
    Record,
    RunResult,
    UnitCounts,
    UnitResult,
    VariableResult,
    VariableSummary,
)
from pulse_core.runs.forecasting import Forecasting, Forecasts, Trained, VariableForecast
from pulse_core.runs.training import RetrodictionTraining
from pulse_core.scores.measures import MEASURES
from pulse_core.spec import RunSpec
from pulse_core.tables import Columns, Labels
from pulse_core.version import __version__

__all__ = [
    "BUILT_IN",
    "LEVELS",
    "MEASURES",
    "TRUST",
    "BackendUnavailable",
    "Batch",
    "BatchHindcasts",
    "Columns",
    "ComputeBackend",
    "DataError",
    "DataFacts",
    "DataStore",
    "Done",
    "Event",
    "Failed",
    "Failure",
    "FittedForecaster",
    "Forecaster",
    "ForecasterFailed",
    "Forecasting",
    "Forecasts",
    "Histories",
    "HistoryChanged",
    "InvalidSpec",
    "Labels",
    "MalformedData",
    "NotRecorded",
    "Observations",
    "Observer",
    "Outcome",
    "PerOriginForecaster",
    "PointForecaster",
    "PulseError",
    "Record",
    "ResultSink",
    "RetrodictionTraining",
    "RunFailed",
    "RunFinished",
    "RunIdTaken",
    "RunInterrupted",
    "RunNotFound",
    "RunPlanned",
    "RunResult",
    "RunSpec",
    "SettingsError",
    "SinkUnavailable",
    "Slice",
    "StoreUnavailable",
    "Task",
    "TooLittleData",
    "Trained",
    "TrainingRun",
    "UnitCounts",
    "UnitFailed",
    "UnitFinished",
    "UnitResult",
    "VariableForecast",
    "VariableNotFound",
    "VariableResult",
    "VariableSummary",
    "WorkUnit",
    "Write",
    "__version__",
]
