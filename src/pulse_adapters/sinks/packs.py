"""Packed records of a group in a storage."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import attrs
import msgspec

from pulse_adapters.sinks.layout import pack_name
from pulse_adapters.sinks.records import decode_record, encode_record
from pulse_adapters.storage.port import Storage
from pulse_core.ports import Recall
from pulse_core.results import Record


@attrs.frozen
class StoragePacks:
    """The packed records of all groups in a storage."""

    storage: Storage

    def pack(self, group: str, records: Mapping[str, Record]) -> None:
        """Store records of a group as one object. Raises SinkUnavailable."""
        content = msgspec.msgpack.encode(
            [time.time_ns(), {key: encode_record(record) for key, record in records.items()}]
        )
        self.storage.create(pack_name(group, hashlib.sha256(content).hexdigest()[:32]), content)

    @contextmanager
    def recalling(self, group: str, keys: Sequence[str]) -> Iterator[Recall]:
        """Open a group for recalling these keys. Raises SinkUnavailable."""
        found: dict[str, tuple[int, bytes]] = {}
        for entry in self.storage.entries(pack_name(group, "")[:-1]):
            written, records = msgspec.msgpack.decode(self.storage.read(entry.name) or b"")
            for key, content in records.items():
                if written > found.get(key, (0, b""))[0]:
                    found[key] = written, content
        yield lambda key: decode_record(found[key][1]) if key in found else None
