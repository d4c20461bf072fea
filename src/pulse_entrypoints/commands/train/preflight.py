"""Checks before a run: the kernel can be loaded, the data read, the results written, and the variables exist.

Every check is made whatever the others yield, so that one run of them shows every problem.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Protocol, runtime_checkable

import attrs

from pulse_core.errors import KernelUnavailable, PulseError, StoreUnavailable, VariableNotFound
from pulse_core.kernel.bindings import library
from pulse_core.ports import DataStore
from pulse_entrypoints.cli.exits import Ending, Exit
from pulse_entrypoints.settings.train import TrainSettings
from pulse_entrypoints.wiring import composition
from pulse_entrypoints.wiring.location_checks import uses_aws
from pulse_entrypoints.wiring.results_archive import ResultsArchive

_MAX_MISSING: Final = 20


@runtime_checkable
class ListingStore(DataStore, Protocol):
    """A store that knows what listing its names costs."""

    def names_need_rows(self) -> bool:
        """Whether listing the names reads all rows, as in one long file."""


@runtime_checkable
class FileStore(DataStore, Protocol):
    """A store of files, of which most hold the variable of their name."""

    def file_names(self) -> Iterable[str]:
        """Return the variables that files are named after, whatever they hold; no file is looked into."""


@attrs.frozen
class Check:
    """A check and its outcome: the subject, its context, a message, and the error where the check failed."""

    subject: str
    context: str
    message: str
    error: PulseError | None = None

    @classmethod
    def failed(cls, subject: str, error: PulseError) -> Check:
        """Return a check that failed with this error."""
        return cls(subject, error.context, error.message, error)


class NotReady(PulseError):
    """Several checks before a run have failed; `checks` are these."""

    def __init__(self, checks: Sequence[Check]) -> None:
        Exception.__init__(self, tuple(checks))
        self.checks = tuple(checks)
        self.message = "; ".join(_line(check) for check in checks)
        self.context = self.hint = ""

    @property
    def ending(self) -> Ending:
        """The ending of the command, with a bullet a check."""
        title = f"pulse: the run cannot begin, for {len(self.checks)} reasons"
        return Ending(Exit.FAILED, title, [_line(check) for check in self.checks], "Try again with pulse check")


def require_ready(
    settings: TrainSettings, variables: Sequence[str], sink: ResultsArchive, store: DataStore | None = None
) -> None:
    """Make the checks that are cheap beside the run. Raises the error of the failed one, or NotReady for several.

    With keep_going a variable that does not exist fails alone, later. A caller in Python may have the `store` itself.
    """
    if store is not None:
        data = _variables_checks(store, [name for name in variables if name not in set(store.names())], len(variables))
    else:
        data = data_checks(settings, () if _listing_reads_all(settings) else variables, by_files=True)
    checks = [*kernel_checks(), *data, *results_checks(sink)]
    failed = [check for check in checks if check.error is not None]
    missing = [check for check in failed if isinstance(check.error, VariableNotFound)]
    if settings.keep_going and len(missing) < len(variables):
        failed = [check for check in failed if check not in missing]
    if len(failed) == 1 and failed[0].error is not None:
        raise failed[0].error
    if failed:
        raise NotReady(failed)


def kernel_checks() -> Iterator[Check]:
    """Check that the compiled kernel can be loaded, and is of the present sources."""
    try:
        library()
    except KernelUnavailable as error:
        yield Check.failed("kernel", error)
    else:
        yield Check("kernel", "", "can be loaded")


def credentials_checks(settings: TrainSettings) -> Iterator[Check]:
    """Check the credentials where S3 is used; the message says where they come from."""
    if not uses_aws(settings):
        return
    from pulse_adapters.aws.credentials import credentials_source

    try:
        yield Check("credentials", "", f"from {credentials_source(StoreUnavailable)}")
    except PulseError as error:
        yield Check.failed("credentials", error)


def data_checks(settings: TrainSettings, variables: Sequence[str], *, by_files: bool = False) -> Iterator[Check]:
    """Check that the data can be listed and hold these variables; without any, that the data can be opened.

    Where `by_files` is true, no file is looked into as long as each variable has one of its name.
    """
    try:
        store = composition.store_of(settings)
        if not variables:
            return
        names = set(store.file_names()) if by_files and isinstance(store, FileStore) else set(store.names())
        if not names.issuperset(variables):
            names = set(store.names())
    except PulseError as error:
        yield Check.failed("data", error)
        return
    yield Check("data", settings.data_location, f"{len(names)} {'variable' if len(names) == 1 else 'variables'}")
    yield from _variables_checks(store, [name for name in variables if name not in names], len(variables))


def results_checks(sink: ResultsArchive) -> Iterator[Check]:
    """Check that results can be written to each of their locations."""
    for context, error in sink.probe():
        yield Check("results", context, "can be written") if error is None else Check.failed("results", error)


def _variables_checks(store: DataStore, missing: Sequence[str], count: int) -> Iterator[Check]:
    for variable in missing[:_MAX_MISSING]:
        try:
            store.read(variable)
        except PulseError as error:
            yield Check.failed("variables", error)
    if len(missing) > _MAX_MISSING:
        message = f"{len(missing) - _MAX_MISSING} more variables do not exist"
        yield Check.failed("variables", VariableNotFound(message))
    if not missing:
        yield Check("variables", "", f"all {count} exist")


def _listing_reads_all(settings: TrainSettings) -> bool:
    """Whether only reading all data yields the names of the variables, as in one long file."""
    store = composition.store_of(settings)
    return not isinstance(store, ListingStore) or store.names_need_rows()


def _line(check: Check) -> str:
    context = f"{check.context}: " if check.context else ""
    hint = f" {check.error.hint}." if check.error is not None and check.error.hint else ""
    return f"{context}{check.message}.{hint}"
