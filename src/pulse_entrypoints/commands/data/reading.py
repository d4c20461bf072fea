"""Reading of many variables, one after another or, in a large folder, by as many processes as there are cores."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final, TypeVar

from pulse_adapters.backends.host.cores import usable_cores
from pulse_adapters.stores.folder import FolderStore
from pulse_core.data.observations import Observations
from pulse_core.errors import PulseError, UnitFailed
from pulse_core.ports import DataStore, reading
from pulse_core.results import Failure

Outcome = TypeVar("Outcome")

MANY: Final = 2_000
"""Variables from which starting processes takes less time than they save."""

_TAKEN_AT_ONCE: Final = 250


def outcomes(
    store: DataStore, names: Sequence[str], examine: Callable[[Observations], Outcome]
) -> Iterator[Outcome | Failure]:
    """Yield what `examine` returns of each variable's rows, or the failure to read them, in order, as they come.

    Both can be pickled. Raises UnitFailed where a process is killed.
    """
    read = _by_processes if _are_many(store, names) else _alone
    with _Count(len(names)) as count:
        for outcome in read(store, names, examine):
            count(1)
            yield outcome


def _are_many(store: DataStore, names: Sequence[str]) -> bool:
    """Whether the variables are worth several processes: files of a folder, each read on its own."""
    is_folder = isinstance(store, FolderStore) and not store.names_need_rows()
    return is_folder and len(names) >= MANY and usable_cores() > 1


def _alone(
    store: DataStore, names: Sequence[str], examine: Callable[[Observations], Outcome]
) -> Iterator[Outcome | Failure]:
    with reading(store, names) as ready:
        for name in names:
            yield _outcome(ready, examine, name)


def _outcome(store: DataStore, examine: Callable[[Observations], Outcome], name: str) -> Outcome | Failure:
    try:
        return examine(store.read(name))
    except PulseError as error:
        return Failure.of(name, error)


def _outcomes(store: DataStore, examine: Callable[[Observations], Outcome], names: Sequence[str]) -> list[Any]:
    return [_outcome(store, examine, name) for name in names]


def _by_processes(
    store: DataStore, names: Sequence[str], examine: Callable[[Observations], Outcome]
) -> Iterator[Outcome | Failure]:
    from concurrent.futures import ProcessPoolExecutor  # 30 ms that only many variables need
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    pool = ProcessPoolExecutor(usable_cores(), mp_context=get_context("forkserver"))
    try:
        shares = [names[start : start + _TAKEN_AT_ONCE] for start in range(0, len(names), _TAKEN_AT_ONCE)]
        for share in pool.map(partial(_outcomes, store, examine), shares):
            yield from share
    except BrokenProcessPool as error:
        hint = "Was there too little memory? Name fewer variables at a time"
        raise UnitFailed("a process that read data was killed", "", hint) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class _Count:
    """A bar on stderr of how many variables were read, where people wait for a file or a program to be fed."""

    def __init__(self, total: int) -> None:
        self._bar: Any = None
        if total >= MANY and sys.stderr.isatty() and not sys.stdout.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=total, desc="Reading", unit=" variables", leave=False, file=sys.stderr)

    def __enter__(self) -> Callable[[int], object]:
        return (lambda _: None) if self._bar is None else self._bar.update

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()
