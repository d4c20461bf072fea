"""A storage that fails, or whose process dies, at the n-th of its operations."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import IO, Final, TypeVar

import attrs

from pulse_adapters.storage.port import Draft, Entry, Read, Storage
from pulse_core.errors import SinkUnavailable

FAIL, LOSE_ANSWER, DIE = "fails", "answer lost", "dies after"
FAULTS: Final = (FAIL, LOSE_ANSWER, DIE)


Value = TypeVar("Value")


class Died(BaseException):
    """The process has ended: no storage hears of it any more."""


@attrs.define(eq=False)
class Plan:
    """What happens at which operation: nothing at `number` 0. `count` is the number of operations so far.

    For DIE only those count that change something: whoever dies after a look might have died before.
    """

    fault: str = FAIL
    number: int = 0
    count: int = 0
    dead: bool = False
    hit: str = ""
    _lock: threading.Lock = attrs.field(factory=threading.Lock)

    def look(self, name: str, operation: Callable[[], Value]) -> Value:
        """Do an operation that changes nothing, or what is planned for it."""
        return self.perform(name, operation, counts=self.fault != DIE)

    def perform(self, name: str, operation: Callable[[], Value], *, counts: bool = True) -> Value:
        """Do an operation, or what is planned for it."""
        with self._lock:
            self._refuse_when_dead()
            self.count += counts
            planned = counts and self.count == self.number
            if planned:
                self.hit = name
        if planned and self.fault == FAIL:
            raise self._error()
        value = operation()
        self.dead = self.dead or (planned and self.fault == DIE)
        if planned:
            raise self._error()
        return value

    def _refuse_when_dead(self) -> None:
        if self.dead:
            raise self._error()

    def _error(self) -> BaseException:
        if self.dead and threading.current_thread() is threading.main_thread():
            return Died()
        return SinkUnavailable("it was planned", "fault")


@attrs.frozen
class FaultyStorage:
    """A Storage over another one, with faults by plan. What opens or lists is an operation; what it yields is not."""

    storage: Storage
    plan: Plan

    @property
    def requests_at_once(self) -> int:
        return self.storage.requests_at_once

    def read(self, name: str) -> bytes | None:
        return self.plan.look(f"read {name}", lambda: self.storage.read(name))

    def read_range(self, name: str, start: int, length: int) -> bytes | None:
        return self.plan.look(f"read range of {name}", lambda: self.storage.read_range(name, start, length))

    @contextmanager
    def reading(self, names: Sequence[str]) -> Iterator[Read]:
        del names
        yield self.read

    def create(self, name: str, content: bytes) -> bool:
        return self.plan.perform(f"create {name}", lambda: self.storage.create(name, content))

    def replace(self, name: str, content: bytes) -> None:
        self.plan.perform(f"replace {name}", lambda: self.storage.replace(name, content))

    def exchange(self, name: str, before: bytes | None, after: bytes | None) -> bool:
        return self.plan.perform(f"exchange {name}", lambda: self.storage.exchange(name, before, after))

    def rescue(self, name: str, content: bytes, error: SinkUnavailable) -> SinkUnavailable:
        return self.plan.perform(f"rescue {name}", lambda: self.storage.rescue(name, content, error))

    def fits(self, name: str, size: int, sha256: str) -> bool:
        return self.plan.look(f"check {name}", lambda: self.storage.fits(name, size, sha256))

    def durable(self) -> None:
        self.plan.perform("flush", self.storage.durable)

    def draft(self, name: str) -> _FaultyDraft:
        self.plan.look(f"draft {name}", lambda: None)
        return _FaultyDraft(self.storage.draft(name), self.plan)

    def folders(self) -> Iterator[str]:
        yield from self.plan.look("list folders", lambda: list(self.storage.folders()))

    def entries(self, folder: str) -> Iterator[Entry]:
        yield from self.plan.look(f"list {folder}", lambda: list(self.storage.entries(folder)))

    def names(self, prefix: str) -> Iterator[str]:
        yield from self.plan.look(f"list {prefix}", lambda: list(self.storage.names(prefix)))

    def remove(self, name: str) -> None:
        self.plan.perform(f"remove {name}", lambda: self.storage.remove(name))

    def remove_all(self, names: Iterable[str]) -> None:
        for name in names:
            self.plan.perform(f"remove {name}", partial(self.storage.remove_all, [name]))

    def remove_folder(self, folder: str) -> None:
        self.plan.perform(f"remove folder {folder}", lambda: self.storage.remove_folder(folder))

    def set_aside(self, name: str, damaged: bytes) -> str | None:
        return self.plan.perform(f"set aside {name}", lambda: self.storage.set_aside(name, damaged))

    def clear(self, name: str) -> str | None:
        return self.plan.perform(f"clear {name}", lambda: self.storage.clear(name))

    def sweep(self, *names: str) -> None:
        self.plan.perform(f"sweep {' '.join(names)}", lambda: self.storage.sweep(*names))

    def abandoned(self, name: str) -> Iterator[str]:
        yield from self.plan.look(f"look for leftovers in {name}", lambda: list(self.storage.abandoned(name)))

    def address(self, name: str) -> str:
        return self.storage.address(name)


@attrs.frozen
class _FaultyDraft:
    """A draft whose end is an operation."""

    _draft: Draft
    _plan: Plan

    @property
    def file(self) -> IO[bytes]:
        return self._draft.file

    @property
    def address(self) -> str:
        return self._draft.address

    def finish(self, name: str | None = None) -> None:
        self._plan.perform(f"finish {self.address}", lambda: self._draft.finish(name))

    def discard(self) -> None:
        self._draft.discard()  # what a dead process leaves is seen where processes are killed
