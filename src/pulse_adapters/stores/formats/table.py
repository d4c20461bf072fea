"""Table: the typed columns, row numbers and faults of a source in any format; and its conversion to Observations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_adapters.stores.formats.memory import ALWAYS, file_limit
from pulse_adapters.stores.formats.reading import Reading
from pulse_core.arrays import moment_text, normal_form
from pulse_core.data.observations import Moments, Observations, Values, retractions
from pulse_core.errors import MalformedData

FAULTS_READ = 10_000
"""The number of faults after which reading stops."""

HINT = (
    "Dates are to be like 1990-12-31 (UTC unless they bear an offset), numbers decimal, absent ones blank; how to read "
    "others say --columns, --date-format, --decimal, --thousands and --time-zone"
)

UNPACKED_LIMIT = 2 * 2**30
"""The limit in bytes of an unpacked file, where memory does not set a lower one."""

FORM = "Unicode normal form (an accent within the letter, or after it)"
"""How two names that look alike can differ."""

Rows = NDArray[np.int64]

_REPEATS = "repeats the "
_EARLY_HOURS = 4
_SUMMER_TIME = (
    "It looks like the hour that clocks show twice at the end of summer time: say whose clocks they are, such as "
    "--time-zone Europe/Berlin, or give the times their offsets"
)


@attrs.frozen
class Source:
    """A source of rows: the context of its errors, whether it holds many variables, and its limit in bytes unpacked.

    Without a limit it is UNPACKED_LIMIT, or a quarter of the memory that there is. `reading` is what the user says of
    how it is to be read.
    """

    context: str
    by_variable: bool = False
    limit: int | None = None
    reading: Reading = attrs.field(factory=Reading)

    def refuse_above_limit(self, size: int, message: str) -> None:
        """Raise MalformedData, with a message and the limit, for a file of more bytes unpacked than the limit."""
        if size <= ALWAYS and self.limit is None:
            return
        memory = UNPACKED_LIMIT if self.limit is not None else file_limit()
        limit = self.limit if self.limit is not None else min(UNPACKED_LIMIT, memory)
        if size > limit:
            reason = ", a quarter of the memory available here" if memory == limit and self.limit is None else ""
            raise refuse(f"{message}; at most {limit} bytes can be read{reason}", self)


@attrs.frozen
class Fault:
    """A fault: its row (0: the source itself), its message, and the variable of the row, if that can be read."""

    row: int
    message: str
    variable: str | None = None

    def __str__(self) -> str:
        return f"row {self.row}: {self.message}" if self.row else self.message


@attrs.frozen
class Faults:
    """The faults of one source. Raises MalformedData when they become too many to read on."""

    context: str
    faults: list[Fault] = attrs.field(factory=list)

    def add(self, row: int, message: str, variable: str | None = None) -> None:
        """Add a fault."""
        self.faults.append(Fault(row, message, variable))
        if len(self.faults) >= FAULTS_READ:
            raise malformed([*ordered(self.faults), Fault(0, "reading stopped there")], self.context)


@attrs.frozen(eq=False)
class Table:
    """A source's rows: arrays (row,), NaT and NaN where a cell is faulty, NaN where a value is absent.

    `numbers` are the numbers of the rows in the source, from 1. `groups` holds the positions of each variable's rows in
    a source of many variables, None in a source of one. A fault without a variable concerns all variables. `caution`
    says what is doubtful about the source, '' where nothing is; `understood` what its columns were taken for, '' where
    they are Pulse's own; `column` is the column of the values of one variable.
    """

    timestamps: Moments
    values: Values
    known_at: Moments | None
    numbers: Rows
    faults: Sequence[Fault] = ()
    groups: Mapping[str, Rows] | None = None
    caution: str = ""
    understood: str = ""
    column: str = "value"

    def of(self, variable: str) -> Table:
        """Return the rows of one variable; KeyError where it has none."""
        if self.groups is None:
            return self
        at = self.groups[variable]
        return Table(
            self.timestamps[at],
            self.values[at],
            None if self.known_at is None else self.known_at[at],
            self.numbers[at],
            [fault for fault in self.faults if fault.variable in (None, variable)],
            caution=self.caution,
            understood=self.understood,
        )


def malformed(faults: Iterable[Fault], context: str, hint: str = "") -> MalformedData:
    """Return the error of a source with these faults; without a hint of its own it says what files are to look like."""
    return MalformedData.from_faults([str(fault) for fault in faults], context, hint or HINT)


def undecided(faults: Iterable[Fault], context: str, hint: str) -> Undecided:
    """Return the error of a source with several readings, of which an option in the hint chooses one."""
    return Undecided.from_faults([str(fault) for fault in faults], context, hint)


def refuse(message: str, source: Source) -> MalformedData:
    """Return the error of a source that cannot be read at all."""
    return malformed([Fault(0, message)], source.context)


def ordered(faults: Iterable[Fault]) -> list[Fault]:
    """Return faults in the order of their rows."""
    return sorted(faults, key=lambda fault: fault.row)


class Undecided(MalformedData):
    """A file has several readings; the hint names the option that decides."""


class SeveralVariables(MalformedData):
    """A file is read as one of one variable, and its column `variable` names several."""


class NoVariableColumn(MalformedData):
    """A file is read as one of many variables, and has no column `variable`."""


def several_variables(names: Sequence[object], context: str) -> SeveralVariables:
    """Return the error of a file that is read as one of one variable and holds several."""
    shown = ", ".join(repr("" if name is None else str(name)[:40]) for name in names[:3])
    message = f"holds several variables ({shown}{', ...' if len(names) > 3 else ''})"
    hint = "Name these variables, or the file itself as the data; in a folder of many files, make it a file a variable"
    return SeveralVariables(message, context, hint)


def needed_columns(present: Sequence[str], source: Source) -> tuple[str, ...]:
    """Return which of our columns to read. Raises MalformedData for missing and repeated ones.

    A column `variable` is read in a source of one variable too: it must not name several.
    """
    required = ("timestamp", "value", *(("variable",) if source.by_variable else ()))
    columns = (*required, *(name for name in ("known_at", "variable") if name in present and name not in required))
    missing = [name for name in required if name not in present]
    if missing == ["variable"]:
        raise NoVariableColumn("no column 'variable'", source.context, HINT)
    faults = [Fault(0, f"no column '{name}'") for name in missing]
    faults += [Fault(0, f"column '{name}' is there twice") for name in columns if present.count(name) > 1]
    if missing:
        faults.append(Fault(0, f"its columns are {_listed(present)}"))
    if faults:
        raise malformed(faults, source.context)
    return columns


def normal_names(names: Sequence[str], context: str) -> list[str]:
    """Return the names of a source's variables in normal form. Raises MalformedData where two differ in it alone."""
    normal = [normal_form(name) for name in names]
    if len(set(normal)) < len(normal):
        twice = next(name for name in normal if normal.count(name) > 1)
        raise malformed([Fault(0, f"variable {twice!r} is there under names that differ in {FORM} alone")], context)
    return normal


def grouped(names: Sequence[str], codes: NDArray[np.integer]) -> dict[str, Rows]:
    """Return the positions of each name's rows; `codes` (row,) index `names`, negative codes have no name."""
    order = np.argsort(codes, kind="stable")
    edges = np.searchsorted(codes[order], np.arange(len(names) + 1))
    return {
        name: order[start:stop] for name, start, stop in zip(names, edges[:-1], edges[1:], strict=True) if stop > start
    }


def observations(table: Table, variable: str, context: str, version: str = "") -> Observations:
    """Return the rows of one variable with values, and its retractions, with the count of other blank rows.

    `version` is that of the source. Raises MalformedData with every fault of the rows and of the source, and where no
    observation is left.
    """
    rows = table.of(variable)
    present = ~np.isnan(rows.values)
    faults = [*rows.faults, *_known_too_early(rows), *_repeated(rows, present)]
    if not faults and not present.any():
        faults = [Fault(0, "every value is absent" if len(present) else "no rows")]
    if faults:
        raise malformed(ordered(faults), context, _SUMMER_TIME if _may_be_summer_time(rows, faults) else "")
    kept = present if present.all() else present | _retractions(rows)
    return Observations(
        variable,
        rows.timestamps[kept],
        rows.values[kept],
        None if rows.known_at is None else rows.known_at[kept],
        absent=int(np.count_nonzero(~kept)),
        source=context,
        version=version,
        caution=table.caution,
        understood=table.understood,
    )


def _may_be_summer_time(rows: Table, faults: Sequence[Fault]) -> bool:
    """Whether all faults are timestamps that repeat, in the first hours of days some months apart."""
    numbers = {fault.row for fault in faults if fault.message.startswith(_REPEATS)}
    if len(numbers) < len(faults) or len(faults) >= FAULTS_READ:
        return False
    stamps = rows.timestamps[np.isin(rows.numbers, list(numbers))]
    days = np.unique(stamps.astype("datetime64[D]"))
    is_early = bool((stamps - stamps.astype("datetime64[D]") < np.timedelta64(_EARLY_HOURS, "h")).all())
    is_day_alone = bool((stamps == stamps.astype("datetime64[D]")).all())
    return is_early and not is_day_alone and bool((np.diff(days) > np.timedelta64(150, "D")).all())


def _retractions(rows: Table) -> NDArray[np.bool_]:
    """Return which blank rows retract a value, each retraction once."""
    retracts = retractions(rows.timestamps, rows.values, rows.known_at)
    at = np.flatnonzero(retracts)
    if rows.known_at is not None and len(at):
        keys = np.stack([rows.timestamps[at].view(np.int64), rows.known_at[at].view(np.int64)])
        _, first = np.unique(keys, axis=1, return_index=True)
        retracts[:] = False
        retracts[at[first]] = True
    return retracts


def _known_too_early(rows: Table) -> list[Fault]:
    if rows.known_at is None:
        return []
    columns = (rows.numbers, rows.known_at, rows.timestamps)
    early = np.flatnonzero(rows.known_at < rows.timestamps)[:FAULTS_READ]
    return [
        Fault(int(number), f"known_at {moment_text(known)} is before timestamp {moment_text(stamp)}")
        for number, known, stamp in zip(*(column[early] for column in columns), strict=True)
    ]


def _repeated(rows: Table, present: NDArray[np.bool_]) -> list[Fault]:
    """Return a fault for each row whose (timestamp, known_at) an earlier one has, unless both are blank.

    Without `known_at` blank rows retract nothing, so only those with a value count.
    """
    counts = present if rows.known_at is None else np.ones_like(present)
    at = np.flatnonzero(counts & ~np.isnat(rows.timestamps))
    keys = [rows.timestamps[at].view(np.int64)]
    if rows.known_at is not None:
        at = at[~np.isnat(rows.known_at[at])]
        keys = [rows.timestamps[at].view(np.int64), rows.known_at[at].view(np.int64)]
    elif (keys[0][1:] > keys[0][:-1]).all():
        return []
    at = at[np.lexsort(keys)]
    same = rows.timestamps[at[1:]] == rows.timestamps[at[:-1]]
    if rows.known_at is not None:
        same &= rows.known_at[at[1:]] == rows.known_at[at[:-1]]
        same &= present[at[1:]] | present[at[:-1]]
    key = "timestamp" if rows.known_at is None else "timestamp, known_at"
    return [
        Fault(int(rows.numbers[at[i + 1]]), f"{_REPEATS}({key}) of row {rows.numbers[at[i]]}")
        for i in np.flatnonzero(same)[:FAULTS_READ]
    ]


def _listed(names: Sequence[str]) -> str:
    text = ", ".join(repr(name[:40]) for name in names[:10])
    return f"{text} and {len(names) - 10} more" if len(names) > 10 else text or "none"
