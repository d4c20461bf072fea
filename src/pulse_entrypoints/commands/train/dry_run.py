"""`pulse train --dry-run`: the plan, an estimate, and the bytes to read, without reading or computing anything."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final, Protocol, runtime_checkable

from pulse_core.forecasters.base import Forecaster
from pulse_core.forecasters.registry import ForecasterSet, resolve
from pulse_core.plan import Slice, WorkUnit, batches, take, work_units
from pulse_core.ports import DataStore
from pulse_core.runs.training import shared_units
from pulse_core.runs.units import workload
from pulse_core.spec import RunSpec
from pulse_entrypoints.cli.exits import Ending, Exit
from pulse_entrypoints.cli.output import show, write_json
from pulse_entrypoints.commands.train.estimates import Estimate, estimate, rows_in
from pulse_entrypoints.settings.train import TrainSettings
from pulse_entrypoints.wiring import composition
from pulse_entrypoints.wiring.backends import backend_name, worker_count

_NAMES_SHOWN: Final = 8


@runtime_checkable
class SizedStore(DataStore, Protocol):
    """A store that knows the sizes of its files without reading them."""

    def sizes(self, variables: Sequence[str]) -> Mapping[str, int]:
        """Return the bytes of each file that reading these variables reads, by the file's name."""


def dry_run(settings: TrainSettings, spec: RunSpec, forecasters: Sequence[Forecaster]) -> Ending:
    """Show the plan of a run. Ends with 1 where variables do not exist. Raises StoreUnavailable, MalformedData."""
    store = composition.store_of(settings)
    existing = set(store.names())
    names = sorted({*spec.variables, *spec.predictors})
    sizes = store.sizes([name for name in names if name in existing]) if isinstance(store, SizedStore) else None
    resolved = resolve(spec.forecasters, forecasters)
    per_origin = len(resolved.per_origin)
    units = _units(settings, spec, resolved)
    expected = None
    if sizes is not None:
        expected = estimate(spec, per_origin, units, rows_in(sizes), worker_count(settings))
    facts = _facts(settings, spec, units, sizes, expected)
    if settings.json:
        write_json({name.replace(" ", "_"): value for name, (value, _) in facts.items()})
    else:
        show(_table({name: text for name, (_, text) in facts.items()}))
    missing = [name for name in names if name not in existing]
    problems = [_missing(name, existing) for name in missing]
    return Ending(Exit.FAILED, "pulse: variables that do not exist", problems) if missing else Ending(Exit.DONE)


def _units(settings: TrainSettings, spec: RunSpec, forecasters: ForecasterSet) -> tuple[WorkUnit, ...]:
    """Return the units of this run or slice, as RetrodictionTraining plans them."""
    shared = shared_units(spec, forecasters, settings.unit_size)
    if settings.slice is not None:
        return take(shared, Slice(*settings.slice))
    return (*shared, *work_units(spec, workload(forecasters), settings.unit_size)) if forecasters.per_origin else shared


def _facts(
    settings: TrainSettings,
    spec: RunSpec,
    units: Sequence[WorkUnit],
    sizes: Mapping[str, int] | None,
    expected: Estimate | None,
) -> dict[str, tuple[Any, str]]:
    """Return each fact as a value for programs and as a text for people."""
    windows, variables = len(batches(spec)), spec.variables
    facts: dict[str, tuple[Any, str]] = {
        "run id": (settings.run_id or spec.run_id,) * 2,
        "period": ([spec.start.isoformat(), spec.last_day.isoformat()], f"{spec.start} to {spec.last_day}"),
        "batches": (windows, f"{windows} of {spec.batch_size_days} days"),
        "variables": (list(variables), f"{len(variables)}: {_listed(variables)}"),
        "forecasters": (list(spec.forecasters), f"{len(spec.forecasters)}: {', '.join(spec.forecasters)}"),
        "horizon": (spec.horizon, f"1 to {spec.horizon} steps ahead"),
        "units": (len(units), _units_in_words(settings, units)),
        "data": (settings.data,) * 2,
        "results": (settings.results,) * 2,
    }
    if sizes is not None and expected is not None:
        workers = "1 worker" if expected.workers == 1 else f"each of {expected.workers} workers"
        total = sum(sizes.values())
        facts["bytes to read"] = (total, f"{_in_bytes(total)} in {len(sizes)} {'file' if len(sizes) == 1 else 'files'}")
        facts["rows"] = (expected.rows, f"about {_rounded(expected.rows):,}")
        facts["seconds"] = (
            round(expected.seconds, 1),
            f"about {_in_time(expected.seconds)}, if nothing can be recalled",
        )
        facts["memory"] = (
            expected.memory,
            f"about {_in_bytes(expected.memory)} for {workers}",
        )
    return facts


def _units_in_words(settings: TrainSettings, units: Sequence[WorkUnit]) -> str:
    largest = max((len(unit.variables) for unit in units), default=0)
    share = "" if settings.slice is None else " (slice {}/{})".format(*settings.slice)
    noun = "variable" if largest == 1 else "variables"
    return f"{len(units)} of up to {largest} {noun}, {backend_name(settings)}{share}"


def _missing(name: str, existing: set[str]) -> str:
    near = get_close_matches(name, existing, n=3)
    listed = sorted(existing)
    return f"'{name}'; {'near: ' + ', '.join(near) if near else 'the data have: ' + (_listed(listed) or 'none')}"


def _listed(names: Sequence[str]) -> str:
    hidden = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {hidden} more" if hidden > 0 else "")


def _rounded(count: int) -> int:
    """Return a number with two digits: an estimate has no more."""
    return int(float(f"{count:.2g}"))


def _in_bytes(size: float) -> str:
    power = min(int(math.log2(max(size, 1)) // 10), 4)
    value = size / 1024**power
    unit = ("bytes", "KiB", "MiB", "GiB", "TiB")[power]
    return f"{value:.0f} {unit}" if value >= 10 or not power else f"{value:.1f} {unit}"


def _in_time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _table(facts: Mapping[str, str]) -> Any:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in facts.items():
        grid.add_row({"seconds": "time"}.get(name, name), Text(value))
    return grid
