"""Pulse's domain: replays history to learn how far each forecast can be trusted.

What is imported here is the API for services that embed it; nothing else is public. A name loads the module that
defines it when the name is first used, so that `import pulse_core.errors` costs no numpy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from pulse_core.version import __version__

if TYPE_CHECKING:
    from pulse_core.data.observations import Moments, Observations
    from pulse_core.data.seasons import Seasonality
    from pulse_core.errors import (
        BackendUnavailable,
        DataError,
        ForecasterFailed,
        HistoryChanged,
        InvalidSpec,
        KernelUnavailable,
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
    from pulse_core.events import (
        DataCaution,
        Event,
        ForecasterCaution,
        Observer,
        RunFinished,
        RunPlanned,
        RunWaiting,
        UnitFinished,
    )
    from pulse_core.forecasters.base import (
        FittedForecaster,
        Forecaster,
        Histories,
        PointForecaster,
        Positions,
        QuantileForecaster,
        Values,
    )
    from pulse_core.forecasters.per_origin import PerOriginForecaster
    from pulse_core.forecasters.registry import BUILT_IN
    from pulse_core.levels import LEVELS
    from pulse_core.plan import Batch, Slice, WorkUnit
    from pulse_core.ports import (
        ComputeBackend,
        DataStore,
        Done,
        Failed,
        PartWriter,
        ReadsAhead,
        Recall,
        ResultSink,
        RunClaim,
        StoresAhead,
        Task,
        TellsVersions,
        TrainingRun,
        UnitOutcome,
        Write,
        reading,
        storing,
    )
    from pulse_core.results import (
        STATISTICS,
        TRUST,
        DataFacts,
        DataSnapshot,
        Failure,
        PerOriginRecord,
        Record,
        RunResult,
        UnitCounts,
        UnitResult,
        VariableBacktest,
        VariableBatches,
        VariableScores,
        VariableSummary,
    )
    from pulse_core.runs.forecasting import Forecasting, Forecasts, Trained, VariableForecast
    from pulse_core.runs.training import Clock, RetrodictionTraining
    from pulse_core.scores.measures import MEASURES
    from pulse_core.scores.reliability import Reliability, ReliabilityBin
    from pulse_core.scores.sums import SUMS, BatchSums
    from pulse_core.scores.verdict import VERDICTS
    from pulse_core.season import SeasonSetting
    from pulse_core.spec import RunSpec
    from pulse_core.tables import Column, Columns, Labels, PartFacts

__all__ = [
    "BUILT_IN",
    "LEVELS",
    "MEASURES",
    "STATISTICS",
    "SUMS",
    "TRUST",
    "VERDICTS",
    "BackendUnavailable",
    "Batch",
    "BatchSums",
    "Clock",
    "Column",
    "Columns",
    "ComputeBackend",
    "DataCaution",
    "DataError",
    "DataFacts",
    "DataSnapshot",
    "DataStore",
    "Done",
    "Event",
    "Failed",
    "Failure",
    "FittedForecaster",
    "Forecaster",
    "ForecasterCaution",
    "ForecasterFailed",
    "Forecasting",
    "Forecasts",
    "Histories",
    "HistoryChanged",
    "InvalidSpec",
    "KernelUnavailable",
    "Labels",
    "MalformedData",
    "Moments",
    "NotRecorded",
    "Observations",
    "Observer",
    "PartFacts",
    "PartWriter",
    "PerOriginForecaster",
    "PerOriginRecord",
    "PointForecaster",
    "Positions",
    "PulseError",
    "QuantileForecaster",
    "ReadsAhead",
    "Recall",
    "Record",
    "Reliability",
    "ReliabilityBin",
    "ResultSink",
    "RetrodictionTraining",
    "RunClaim",
    "RunFailed",
    "RunFinished",
    "RunIdTaken",
    "RunInterrupted",
    "RunNotFound",
    "RunPlanned",
    "RunResult",
    "RunSpec",
    "RunWaiting",
    "SeasonSetting",
    "Seasonality",
    "SettingsError",
    "SinkUnavailable",
    "Slice",
    "StoreUnavailable",
    "StoresAhead",
    "Task",
    "TellsVersions",
    "TooLittleData",
    "Trained",
    "TrainingRun",
    "UnitCounts",
    "UnitFailed",
    "UnitFinished",
    "UnitOutcome",
    "UnitResult",
    "Values",
    "VariableBacktest",
    "VariableBatches",
    "VariableForecast",
    "VariableNotFound",
    "VariableScores",
    "VariableSummary",
    "WorkUnit",
    "Write",
    "__version__",
    "reading",
    "storing",
]

_EXPORTS: Final = {
    "pulse_core.data.observations": ("Moments", "Observations"),
    "pulse_core.data.seasons": ("Seasonality",),
    "pulse_core.errors": ("BackendUnavailable", "DataError", "ForecasterFailed", "HistoryChanged", "InvalidSpec",
        "KernelUnavailable", "MalformedData", "NotRecorded", "PulseError", "RunFailed", "RunIdTaken",
        "RunInterrupted", "RunNotFound", "SettingsError", "SinkUnavailable", "StoreUnavailable", "TooLittleData",
        "UnitFailed", "VariableNotFound"),
    "pulse_core.events": ("DataCaution", "Event", "ForecasterCaution", "Observer", "RunFinished", "RunPlanned",
        "RunWaiting", "UnitFinished"),
    "pulse_core.forecasters.base": ("FittedForecaster", "Forecaster", "Histories", "PointForecaster", "Positions",
        "QuantileForecaster", "Values"),
    "pulse_core.forecasters.per_origin": ("PerOriginForecaster",),
    "pulse_core.forecasters.registry": ("BUILT_IN",),
    "pulse_core.levels": ("LEVELS",),
    "pulse_core.plan": ("Batch", "Slice", "WorkUnit"),
    "pulse_core.ports": ("ComputeBackend", "DataStore", "Done", "Failed", "PartWriter", "ReadsAhead", "Recall",
        "ResultSink", "RunClaim", "StoresAhead", "Task", "TellsVersions", "TrainingRun", "UnitOutcome", "Write",
        "reading", "storing"),
    "pulse_core.results": ("STATISTICS", "TRUST", "DataFacts", "DataSnapshot", "Failure",
        "PerOriginRecord", "Record", "RunResult", "UnitCounts", "UnitResult", "VariableBacktest", "VariableBatches",
        "VariableScores", "VariableSummary"),
    "pulse_core.runs.forecasting": ("Forecasting", "Forecasts", "Trained", "VariableForecast"),
    "pulse_core.runs.training": ("Clock", "RetrodictionTraining"),
    "pulse_core.scores.measures": ("MEASURES",),
    "pulse_core.scores.reliability": ("Reliability", "ReliabilityBin"),
    "pulse_core.scores.sums": ("SUMS", "BatchSums"),
    "pulse_core.scores.verdict": ("VERDICTS",),
    "pulse_core.season": ("SeasonSetting",),
    "pulse_core.spec": ("RunSpec",),
    "pulse_core.tables": ("Column", "Columns", "Labels", "PartFacts"),
}  # fmt: skip
"""The public names of each module. The block for type checkers above says the same."""

_MODULES: Final = {name: module for module, names in _EXPORTS.items() for name in names}


if not TYPE_CHECKING:  # or a type checker would take any name for a public one

    def __getattr__(name: str) -> object:
        """Return a public name, and load the module that defines the name. Raises AttributeError for any other name."""
        if name not in _MODULES:
            raise AttributeError(f"module 'pulse_core' has no public name '{name}'")
        value = getattr(import_module(_MODULES[name]), name)
        globals()[name] = value  # the next use finds the name without this function
        return value


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
