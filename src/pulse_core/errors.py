"""Errors of Pulse: each has a message (what is wrong), a context (where) and a hint (how to correct it).

Adapters translate the exceptions of their technology into these errors at the port, and keep the cause.
Every error survives pickling, because units fail in other processes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pulse_core.results import Failure, RunResult

MAX_FAULTS = 20
"""The number of faults that a message spells out."""
NOT_RECORDED = "nobody has recorded its result"
HINT_NOT_RECORDED = "Run the slice that it belongs to (again), or train without --slice to compute what is missing"


class PulseError(Exception):
    """An error that Pulse explains: `message` says what is wrong, `context` where, `hint` how to correct it."""

    def __init__(self, message: str, context: str = "", hint: str = "") -> None:
        super().__init__(message, context, hint)
        self.message = message
        self.context = context
        self.hint = hint

    def __str__(self) -> str:
        sentence = f"{self.context}: {self.message}" if self.context else self.message
        return f"{sentence}. {self.hint}" if self.hint else sentence


class SettingsError(PulseError):
    """Wrong usage or settings (exit status 2); `problems` lists all of them."""

    def __init__(self, problems: Sequence[str]) -> None:
        Exception.__init__(self, tuple(problems))
        self.problems = tuple(problems)
        self.message = "; ".join(self.problems)
        self.context = self.hint = ""


class InvalidSpec(SettingsError):
    """A RunSpec that cannot be run; `problems` lists all that is wrong with it."""


class DataError(PulseError):
    """Data that a run cannot use (exit status 1)."""


class VariableNotFound(DataError):
    """The store has no such variable."""


class MalformedData(DataError):
    """Data that break the rules of their format; the message spells out the first 20 faults and counts the others."""

    @classmethod
    def from_faults(cls, faults: Sequence[str], context: str, hint: str) -> Self:
        """Return an error that reports all faults of a source."""
        count = f"{len(faults)} faults: " if len(faults) > 1 else ""
        surplus = len(faults) - MAX_FAULTS
        ending = f"; and {surplus} more" if surplus > 0 else ""
        return cls(f"{count}{'; '.join(faults[:MAX_FAULTS])}{ending}", context, hint)


class TooLittleData(DataError):
    """A variable with no forecast origin in the period, or a horizon that its data cannot fill."""


class HistoryChanged(DataError):
    """The rows known by a run's end are no longer those that the run was trained on."""


class StoreUnavailable(PulseError):
    """The location of the data cannot be read."""


class SinkUnavailable(PulseError):
    """The location of the results cannot be written or read."""


class RunNotFound(PulseError):
    """The location of the results has no such run, or the run has no such file."""


class RunIdTaken(SettingsError):
    """The run id already belongs to the result of another spec."""


class NotRecorded(PulseError):
    """A run that only collects recorded results needs a result that has not been recorded."""


class ForecasterFailed(PulseError):
    """A forecaster raised an exception, or did not return a forecast."""


class UnitFailed(PulseError):
    """A work unit ended with an error that is no PulseError, or its process died."""


class BackendUnavailable(PulseError):
    """The compute backend cannot be reached or started."""


class KernelUnavailable(PulseError):
    """The compiled kernel is missing, was built from other sources, or cannot be loaded on this machine."""


class RunInterrupted(PulseError):
    """The run was stopped, or lost its backend, before all units were finished; finished units are recorded."""


class RunFailed(PulseError):
    """The run ended, but some variables failed, and nothing was published.

    The other variables are recorded, so the same command, run again, computes only those that failed.
    """

    def __init__(self, failures: Sequence[Failure], result: RunResult) -> None:
        Exception.__init__(self, tuple(failures), result)
        self.failures = tuple(failures)
        self.result = result
        self.message = f"{len(self.failures)} of {result.units.planned} variables failed"
        self.context = ""
        correction = "Correct the failed variables"
        self.hint = f"{correction}, or publish the others with keep_going" if result.variables else correction
