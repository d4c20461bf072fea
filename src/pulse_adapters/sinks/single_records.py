"""Single records in a storage: one file a record, for what is recorded before its unit is done."""

from __future__ import annotations

import logging

import attrs

from pulse_adapters.sinks.layout import record_name
from pulse_adapters.sinks.records import DamagedRecord, OutdatedRecord, decode_record, encode_record
from pulse_adapters.storage.port import Storage
from pulse_core.results import Record

_log = logging.getLogger(__name__)


@attrs.frozen
class SingleRecords:
    """The single records in a storage. Every method may raise SinkUnavailable."""

    storage: Storage

    def recall(self, key: str) -> Record | None:
        """Return the record of a key, or None; an outdated record is removed, a damaged one set aside."""
        name = record_name(key)
        content = self.storage.read(name)
        if content is None:
            return None
        try:
            return decode_record(key, content)
        except OutdatedRecord as outdated:
            self._remove_outdated(name, content, outdated)
        except DamagedRecord as damage:
            self._set_aside(name, content, damage)
        return None

    def record(self, key: str, result: Record) -> None:
        """Store a record unless the key has one."""
        self.storage.create(record_name(key), encode_record(key, result))

    def _remove_outdated(self, name: str, content: bytes, outdated: OutdatedRecord) -> None:
        """Make room for the record that is computed in its stead: a record is created, never replaced."""
        if self.storage.exchange(name, content, None):
            _log.info("%s: %s; computed again", self.storage.address(name), outdated.message)

    def _set_aside(self, name: str, content: bytes, damage: DamagedRecord) -> None:
        aside = self.storage.set_aside(name, content)
        if aside is not None:
            address = self.storage.address(name)
            _log.warning("%s: %s; set aside as %s and computed again", address, damage.message, aside)
