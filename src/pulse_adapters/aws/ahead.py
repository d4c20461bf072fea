"""Fetch things by name ahead of their use, where fetching is mostly waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import Generic, TypeVar

import attrs

Thing = TypeVar("Thing")

_UNDER_WAY = 2
"""Things fetched ahead for each thread: the next is there when one is done with, and memory stays bounded."""


@attrs.define(eq=False)
class Ahead(Generic[Thing]):
    """The next things are under way while one is made use of; others are fetched when asked for."""

    _fetch: Callable[[str], Thing]
    _threads: ThreadPoolExecutor
    _next: Iterator[str]
    _most: int
    _under_way: dict[str, Future[Thing]] = attrs.field(factory=dict)

    def get(self, name: str) -> Thing:
        """Return what fetching the thing of this name gives, or raise what it raises."""
        for each in islice(self._next, self._most - len(self._under_way)):
            self._under_way[each] = self._threads.submit(self._fetch, each)
        fetched = self._under_way.pop(name, None)
        return self._fetch(name) if fetched is None else fetched.result()


@contextmanager
def ahead(fetch: Callable[[str], Thing], names: Iterable[str], threads: int) -> Iterator[Ahead[Thing]]:
    """Fetch these, in order, by so many threads, while earlier ones are made use of."""
    pool = ThreadPoolExecutor(threads, thread_name_prefix="pulse-s3")
    try:
        yield Ahead(fetch, pool, iter(dict.fromkeys(names)), _UNDER_WAY * threads)
    finally:
        pool.shutdown(cancel_futures=True)
