"""Prefetching: threads fetch the next items by name while earlier ones are used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import Generic, TypeVar

import attrs

Item = TypeVar("Item")

_PER_THREAD = 2
"""Items in flight for each thread: enough that the next is ready in time, few enough for the memory."""


@attrs.define(eq=False)
class Ahead(Generic[Item]):
    """Items on their way, in the order of their names; any other item is fetched when it is needed."""

    _fetch: Callable[[str], Item]
    _threads: ThreadPoolExecutor
    _next: Iterator[str]
    _limit: int
    _in_flight: dict[str, Future[Item]] = attrs.field(factory=dict)

    def get(self, name: str) -> Item:
        """Return the item of this name, or raise the error of its fetch."""
        for following in islice(self._next, self._limit - len(self._in_flight)):
            self._in_flight[following] = self._threads.submit(self._fetch, following)
        future = self._in_flight.pop(name, None)
        return self._fetch(name) if future is None else future.result()


@contextmanager
def ahead(fetch: Callable[[str], Item], names: Iterable[str], threads: int) -> Iterator[Ahead[Item]]:
    """Yield the items of these names; so many threads fetch them in order."""
    pool = ThreadPoolExecutor(threads, thread_name_prefix="pulse-s3")
    try:
        yield Ahead(fetch, pool, iter(dict.fromkeys(names)), _PER_THREAD * threads)
    finally:
        pool.shutdown(cancel_futures=True)
