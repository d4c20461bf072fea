"""What must be so before anything is computed: places that can be reached, variables that are there, room for results.

Each check is made whatever came of the others, so that one look shows all that is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Protocol, runtime_checkable

import attrs

from pulse_core.errors import PulseError, StoreUnavailable, VariableNotFound
from pulse_core.ports import DataStore
from pulse_entrypoints.cli.exits import Ending, Exit
from pulse_entrypoints.settings.train import TrainSettings
from pulse_entrypoints.wiring import composition
from pulse_entrypoints.wiring.location_checks import uses_aws
from pulse_entrypoints.wiring.results_archive import ResultsArchive

_TOLD: Final = 20


@runtime_checkable
class ListingStore(DataStore, Protocol):
    """A store that knows what listing its names costs."""

    def names_need_rows(self) -> bool:
        """Whether listing the names reads all rows, as in one long file."""


@attrs.frozen
class Check:
    """Something that was looked at: what, where, what was found; the error where it cannot be so."""

    subject: str
    context: str
    found: str
    error: PulseError | None = None

    @classmethod
    def failed(cls, subject: str, error: PulseError) -> Check:
        """Return a check that went wrong."""
        return cls(subject, error.context, error.message, error)


class NotReady(PulseError):
    """Several things are not as they must be before a run; `checks` has them all."""

    def __init__(self, checks: Sequence[Check]) -> None:
        Exception.__init__(self, tuple(checks))
        self.checks = tuple(checks)
        self.message = "; ".join(_line(check) for check in checks)
        self.context = self.hint = ""

    @property
    def ending(self) -> Ending:
        """How the command ends: with a bullet for each."""
        title = f"pulse: the run cannot begin, for {len(self.checks)} reasons"
        return Ending(Exit.FAILED, title, [_line(check) for check in self.checks], "Look again with pulse check")


def require(settings: TrainSettings, variables: Sequence[str], sink: ResultsArchive) -> None:
    """Make the checks that cost next to nothing beside the run. Raises what is wrong: NotReady where it is more.

    With keep_going a variable that is not there fails alone, later.
    """
    made = [*data_checks(settings, () if _costs_a_reading(settings) else variables), *results_checks(sink)]
    wrong = [check for check in made if check.error is not None]
    missing = [check for check in wrong if isinstance(check.error, VariableNotFound)]
    if settings.keep_going and len(missing) < len(variables):
        wrong = [check for check in wrong if check not in missing]
    if len(wrong) == 1 and wrong[0].error is not None:
        raise wrong[0].error
    if wrong:
        raise NotReady(wrong)


def credentials_checks(settings: TrainSettings) -> Iterator[Check]:
    """Say where the credentials for S3 come from, where it is used."""
    if not uses_aws(settings):
        return
    from pulse_adapters.aws.credentials import credentials_source

    try:
        yield Check("credentials", "", f"from {credentials_source(StoreUnavailable)}")
    except PulseError as error:
        yield Check.failed("credentials", error)


def data_checks(settings: TrainSettings, variables: Sequence[str]) -> Iterator[Check]:
    """Look whether the data can be listed and hold these variables; without any, only whether the place is there."""
    try:
        store = composition.store_of(settings)
        if not variables:
            return
        names = set(store.names())
    except PulseError as error:
        yield Check.failed("data", error)
        return
    yield Check("data", settings.data_place, f"{len(names)} {'variable' if len(names) == 1 else 'variables'}")
    yield from _variables_checks(store, [name for name in variables if name not in names], len(variables))


def results_checks(sink: ResultsArchive) -> Iterator[Check]:
    """Look whether results can be written wherever they belong."""
    for context, error in sink.probe():
        yield Check("results", context, "can be written") if error is None else Check.failed("results", error)


def _variables_checks(store: DataStore, missing: Sequence[str], count: int) -> Iterator[Check]:
    for variable in missing[:_TOLD]:
        try:
            store.read(variable)
        except PulseError as error:
            yield Check.failed("variables", error)
    if len(missing) > _TOLD:
        message = f"{len(missing) - _TOLD} more variables are not there"
        yield Check.failed("variables", VariableNotFound(message))
    if not missing:
        yield Check("variables", "", f"all {count} are there")


def _costs_a_reading(settings: TrainSettings) -> bool:
    """Whether the names cannot be had without reading all data, as those in one long file."""
    store = composition.store_of(settings)
    return not isinstance(store, ListingStore) or store.names_need_rows()


def _line(check: Check) -> str:
    context = f"{check.context}: " if check.context else ""
    hint = f" {check.error.hint}." if check.error is not None and check.error.hint else ""
    return f"{context}{check.found}.{hint}"
