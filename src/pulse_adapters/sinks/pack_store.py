"""The packed records of a storage, group by group: written once, recalled by ranges, set aside where damaged."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Lock, RLock
from typing import Any, Final

import attrs
import numpy as np

from pulse_adapters.sinks.layout import index_name, index_number, is_pack, pack_name
from pulse_adapters.sinks.pack_index import KeyTable, PackEntry, decode_index, encode_index, to_merge
from pulse_adapters.sinks.packs import (
    LIKELY_HEAD,
    DamagedPack,
    OutdatedPack,
    PackHead,
    decode_head,
    encode_pack,
    head_end,
    pack_digits,
)
from pulse_adapters.sinks.records import DamagedRecord, OutdatedRecord
from pulse_adapters.storage.port import Storage
from pulse_adapters.storage.uploads import AT_ONCE, Uploads
from pulse_core.errors import SinkUnavailable
from pulse_core.ports import Recall
from pulse_core.results import Record

_log = logging.getLogger(__name__)

_KEPT_BYTES: Final = 64 * 2**20
"""Bytes of packs that stay in memory for what is recalled next."""

_THREADS: Final = 8
"""Heads of packs that are read side by side, where the storage does not say more."""


@attrs.define(eq=False)
class StoragePacks:
    """The packed records of all groups in a storage. Threads may share it.

    A group is known as it was when it was first opened, here or where this was pickled, and looked through again when a
    key is not found.
    """

    storage: Storage
    _groups: dict[str, PackGroup] = attrs.field(factory=dict, repr=False)
    _lock: Lock = attrs.field(init=False, factory=Lock, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        with self._lock:
            return type(self), (self.storage, dict(self._groups))

    def pack(self, group: str, records: Mapping[str, Record], uploads: Uploads = AT_ONCE) -> None:
        """Store records of a group as one object. Raises SinkUnavailable."""
        uploads.add(self._group(group).pack(records))

    @contextmanager
    def recalling(self, group: str, keys: Sequence[str], uploads: Uploads = AT_ONCE) -> Iterator[Recall]:
        """Open a group for recalling these keys. Raises SinkUnavailable."""
        opened = self._group(group)
        opened.look_for(keys)

        def recall(key: str) -> Record | None:
            uploads.finish()  # it may be among them
            return opened.recall(key)

        yield recall

    def index(self, group: str, *, packed: bool = True) -> None:
        """Index the packs that no index covers. Raises SinkUnavailable."""
        self._group(group).index(packed=packed)

    def _group(self, group: str) -> PackGroup:
        with self._lock:
            if group not in self._groups:
                self._groups[group] = PackGroup(self.storage, group)
            return self._groups[group]


@attrs.define
class _OpenPack:
    """A pack of which something is in memory."""

    head: PackHead
    front: bytes | None = None
    rest: bytes | None = None

    @property
    def bytes(self) -> int:
        return len(self.front or b"") + len(self.rest or b"")


@attrs.define(eq=False)
class PackGroup:
    """The packs of a group. Every method may raise SinkUnavailable.

    A pickled copy knows of those that this knows.
    """

    storage: Storage
    group: str
    _entries: dict[str, PackEntry] = attrs.field(factory=dict)
    """The packs that exist, by name."""
    _indexes: dict[str, tuple[PackEntry, ...]] = attrs.field(factory=dict)
    """What the indexes that exist cover, by name."""
    _is_listed: bool = False
    _newest: int = 0
    """When the newest pack was packed that is known, or was made here."""
    _table: KeyTable | None = attrs.field(init=False, default=None)
    """None where packs have come or gone since it was made."""
    _open: OrderedDict[str, _OpenPack] = attrs.field(init=False, factory=OrderedDict)
    """What is in memory, the pack that was used last at the end."""
    _lock: RLock = attrs.field(init=False, factory=RLock, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        with self._lock:
            state = (dict(self._entries), dict(self._indexes), self._is_listed, self._newest)
            return type(self), (self.storage, self.group, *state)

    def pack(self, records: Mapping[str, Record]) -> Callable[[], None]:
        """Return what stores records as one object."""
        with self._lock:
            if not self._is_listed:
                self._list()
            newest = max((entry.packed_at for entry in self._entries.values()), default=0)
            # later than all that it may hide, whatever the clocks of other machines say
            self._newest = max(time.time_ns(), self._newest + 1, newest + 1)
            content = encode_pack(records, self._newest)
        return partial(self._store, content)

    def _store(self, content: bytes) -> None:
        name = pack_digits(content)
        if not self.storage.create(pack_name(self.group, name), content):
            context = self.storage.address(pack_name(self.group, name))
            raise SinkUnavailable("a pack cannot be stored: its name is taken", context, "Remove what stands there")
        with self._lock:
            self._entries[name] = PackEntry.of(name, decode_head(content))
            self._table = None

    def look_for(self, keys: Sequence[str]) -> None:
        """List the packs unless it is known that there is one for each of these keys."""
        with self._lock:
            if not self._is_listed or not all(self._candidates(key) for key in keys):
                self._list()

    def recall(self, key: str) -> Record | None:
        """Return what was packed last under a key, and is sound; None without."""
        for entry in self._candidates(key):
            head = self._head_of(entry)
            if head is None or key not in head.places:
                continue  # gone, damaged, or the first bytes of another key
            section = self._section(entry, front=head.is_in_front(key))
            if section is None:
                continue
            try:
                return head.record(key, section)
            except OutdatedRecord as outdated:
                _log.info("%s: %s; computed again", self._address(entry.name), outdated.message)
            except DamagedRecord as damage:
                self._set_aside(entry.name, damage)
        return None

    def index(self, *, packed: bool) -> None:
        """Store an index of the packs that no index covers, merged with smaller ones, which are removed."""
        with self._lock:
            if packed or not self._is_listed:
                self._list()
            new = self._uncovered()
            unusable = [name for name, entries in self._indexes.items() if not entries]
            merged = to_merge(
                sum(len(entry.prefixes) for entry in new),
                [(name, sum(len(entry.prefixes) for entry in of)) for name, of in self._indexes.items() if of],
            )
            if new:
                of = {entry.name: entry for name in merged for entry in self._indexes[name]}
                standing = [entry for name, entry in of.items() if name in self._entries]
                self._store_index((*standing, *new))
                unusable += merged
            for name in unusable:
                self.storage.remove(pack_name(self.group, name))
                del self._indexes[name]

    def _uncovered(self) -> list[PackEntry]:
        """Return the packs that no index covers."""
        covered = {entry.name for entries in self._indexes.values() for entry in entries}
        return [entry for entry in self._entries.values() if entry.name not in covered and len(entry.prefixes)]

    def _store_index(self, entries: tuple[PackEntry, ...]) -> None:
        content = encode_index(entries)
        number = max((index_number(name) or 0 for name in self._indexes), default=0) + 1
        name = index_name(number, pack_digits(content))
        self.storage.create(pack_name(self.group, name), content)
        self._indexes[name] = entries

    def _candidates(self, key: str) -> list[PackEntry]:
        with self._lock:
            if self._table is None:
                self._table = KeyTable.of(self._entries.values())
            return self._table.candidates(key)

    def _list(self) -> None:
        """Learn which packs and indexes exist, and what those hold that are new."""
        names = {name.rpartition("/")[2] for name in self.storage.names(pack_name(self.group, ""))}
        indexes = sorted((name for name in names if index_number(name) is not None), reverse=True)
        self._indexes = {name: self._indexes.get(name, ()) for name in indexes}
        unread = [name for name in indexes if not self._indexes[name]]
        with self.storage.reading([pack_name(self.group, name) for name in unread]) as read:
            for name in unread:
                self._indexes[name] = decode_index(read(pack_name(self.group, name)) or b"")
        covered = {entry.name: entry for entries in self._indexes.values() for entry in entries}
        packs = {name for name in names if is_pack(name)}
        described = {**covered, **self._entries}
        entries = {name: described[name] for name in packs if name in described}
        entries |= self._read_entries(sorted(packs - described.keys()))
        if entries.keys() != self._entries.keys():
            self._entries, self._table = entries, None
        self._is_listed = True

    def _read_entries(self, names: Sequence[str]) -> dict[str, PackEntry]:
        """Return the entries of packs by their heads; threads read, and no more: the lock is held meanwhile."""
        if len(names) <= 1:
            starts = [self._read_start(name) for name in names]
        else:
            count = max(_THREADS, self.storage.requests_at_once)
            with ThreadPoolExecutor(count, thread_name_prefix="pulse-packs") as threads:
                starts = list(threads.map(self._read_start, names))
        entries = (self._entry_of(name, start) for name, start in zip(names, starts, strict=True))
        return {entry.name: entry for entry in entries if entry is not None}

    def _read_start(self, name: str) -> bytes | None:
        return self.storage.read_range(pack_name(self.group, name), 0, LIKELY_HEAD)

    def _entry_of(self, name: str, start: bytes | None) -> PackEntry | None:
        def head_of(content: bytes | None) -> PackHead | None:
            if content is not None and head_end(content) > len(content):
                content = self.storage.read_range(pack_name(self.group, name), 0, head_end(content))
            return None if content is None else decode_head(content)

        head = self._sound(name, lambda: head_of(start), decode_head)
        if isinstance(head, PackHead):
            return PackEntry.of(name, head)
        # of a pack in another layout nothing is known, and it is not read again
        return PackEntry(name, 0, 0, 0, np.empty(0, dtype=np.uint64)) if isinstance(head, OutdatedPack) else None

    def _head_of(self, entry: PackEntry) -> PackHead | None:
        with self._lock:
            if entry.name in self._open:
                return self._open[entry.name].head
        opened = self._read_front(entry)
        return None if opened is None else opened.head

    def _section(self, entry: PackEntry, *, front: bool) -> bytes | None:
        """Return the front of a pack, or the rest; None where it is gone or damaged."""
        with self._lock:
            opened = self._open.get(entry.name)
            if opened is not None:
                self._open.move_to_end(entry.name)
        if opened is None:
            opened = self._read_front(entry)
        if opened is None or front:
            return None if opened is None else opened.front
        if opened.rest is None:
            opened.rest = self._read_rest(entry, opened.head)
            self._keep(entry.name, opened)
        return opened.rest

    def _read_front(self, entry: PackEntry) -> _OpenPack | None:
        def read() -> _OpenPack | None:
            file = pack_name(self.group, entry.name)
            start = self.storage.read_range(file, 0, entry.front_end)
            return None if start is None else front_of(start)

        def front_of(content: bytes) -> _OpenPack:
            head = decode_head(content)
            front = content[head.front[0] : head.front[1]]
            head.check(front, front=True)
            return _OpenPack(head, front)

        opened = self._sound(entry.name, read, front_of)
        if not isinstance(opened, _OpenPack):
            return None
        self._keep(entry.name, opened)
        return opened

    def _read_rest(self, entry: PackEntry, head: PackHead) -> bytes | None:
        def read() -> bytes | None:
            file, start = pack_name(self.group, entry.name), head.front[1]
            rest = self.storage.read_range(file, start, head.size - start)
            if rest is not None:
                head.check(rest, front=False)
            return rest

        def rest_of(content: bytes) -> bytes:
            rest = content[head.front[1] :]
            head.check(rest, front=False)
            return rest

        rest = self._sound(entry.name, read, rest_of)
        return rest if isinstance(rest, bytes) else None

    def _sound(self, name: str, read: Callable[[], Any], whole: Callable[[bytes], Any]) -> Any:
        """Return what `read` reads of a pack; None where the pack is gone or damaged, which sets it aside.

        What looks damaged is read once more, all of it: it may have been damaged on its way only.
        """
        try:
            result = read()
        except OutdatedPack as outdated:
            return outdated
        except DamagedPack as damage:
            content = self.storage.read(pack_name(self.group, name))
            if content is not None and pack_digits(content) == name:
                return whole(content)
            self._set_aside(name, damage, content)
            return None
        if result is None:
            self._forget(name)
        return result

    def _set_aside(self, name: str, damage: SinkUnavailable, content: bytes | None = None) -> None:
        file = pack_name(self.group, name)
        if content is None:
            content = self.storage.read(file)
        aside = None if content is None else self.storage.set_aside(file, content)
        if aside is not None:
            _log.warning("%s: %s; set aside as %s", self._address(name), damage.message, aside)
        self._forget(name)

    def _forget(self, name: str) -> None:
        with self._lock:
            self._open.pop(name, None)
            if self._entries.pop(name, None) is not None:
                self._table = None

    def _keep(self, name: str, opened: _OpenPack) -> None:
        with self._lock:
            self._open[name] = opened
            self._open.move_to_end(name)
            while len(self._open) > 1 and sum(pack.bytes for pack in self._open.values()) > _KEPT_BYTES:
                self._open.popitem(last=False)

    def _address(self, name: str) -> str:
        return self.storage.address(pack_name(self.group, name))
