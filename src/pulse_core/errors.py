"""What can go wrong, each with what is wrong, where, and the mend.

Adapters translate the exceptions of their technology into these once, at the port, and keep the cause.
Every error survives pickling, because units fail in other processes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pulse_core.results import Failure, RunResult

SHOWN_FAULTS = 20
NOT_RECORDED = "nobody has recorded its result"
HINT_NOT_RECORDED = "Run the slice that it belongs to (again), or train without --slice to compute what is missing"


class PulseError(Exception):
    """Something Pulse can name: what is wrong, where it is, and what to do about it."""

    def __init__(self, message: str, context: str = "", hint: str = "") -> None:
        super().__init__(message, context, hint)
        self.message = message
        self.context = context
        self.hint = hint

    def __str__(self) -> str:
        place = f"{self.context}: " if self.context else ""
        hint = f" {self.hint}" if self.hint else ""
        return f"{place}{self.message}.{hint}" if hint else f"{place}{self.message}"


class SettingsError(PulseError):
    """Wrong usage or settings (exit status 2). Every problem is in `problems`."""

    def __init__(self, problems: Sequence[str]) -> None:
        Exception.__init__(self, tuple(problems))
        self.problems = tuple(problems)
        self.message = "; ".join(self.problems)
        self.context = self.hint = ""


class InvalidSpec(SettingsError):
    """A RunSpec that cannot be run; all of its problems at once."""


class DataError(PulseError):
    """The data cannot serve the run (exit status 1)."""


class VariableNotFound(DataError):
    """The store has no such variable."""


class MalformedData(DataError):
    """Data that are not what they claim to be; `what` lists every fault, the first 20 spelled out."""

    @classmethod
    def from_faults(cls, faults: Sequence[str], context: str, hint: str) -> MalformedData:
        """Gather a source's faults into one report."""
        shown = "; ".join(faults[:SHOWN_FAULTS])
        more = len(faults) - SHOWN_FAULTS
        rest = f"; and {more} more" if more > 0 else ""
        count = f"{len(faults)} faults: " if len(faults) > 1 else ""
        return cls(f"{count}{shown}{rest}", context, hint)


class TooLittleData(DataError):
    """A variable with no forecast origin in the period, or a horizon that its data cannot fill."""


class HistoryChanged(DataError):
    """Rows that were known by a run's end are not those it was trained on."""


class StoreUnavailable(PulseError):
    """The place the data are in cannot be read."""


class SinkUnavailable(PulseError):
    """The place the results belong in cannot be written or read."""


class RunNotFound(PulseError):
    """The place of the results holds no such run, or the run no such file."""


class RunIdTaken(SettingsError):
    """The given run id already holds the result of another spec."""


class NotRecorded(PulseError):
    """A result that is only to be collected, and that nobody has recorded."""


class ForecasterFailed(PulseError):
    """A forecaster raised, or returned what is no forecast."""


class UnitFailed(PulseError):
    """A work unit ended with an error that is not one of ours, or its process died."""


class BackendUnavailable(PulseError):
    """The engine that should compute cannot be reached or started."""


class KernelUnavailable(PulseError):
    """The compiled kernel is missing, was built from other sources, or cannot be loaded on this machine."""


class RunInterrupted(PulseError):
    """The run was asked to stop, or lost its engine, before all was done; what was finished is recorded."""


class RunFailed(PulseError):
    """The run came to its end, but some variables failed; nothing was published.

    What succeeded is recorded, so running the same command again computes only the rest.
    """

    def __init__(self, failures: Sequence[Failure], result: RunResult) -> None:
        Exception.__init__(self, tuple(failures), result)
        self.failures = tuple(failures)
        self.result = result
        self.message = f"{len(self.failures)} of {result.units.planned} variables failed"
        self.context = ""
        self.hint = "Mend them, or publish the others with keep_going" if result.variables else "Mend them"
