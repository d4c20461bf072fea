"""Packs: the records of a unit in one file, found by key.

    pulse-pack 1 <newline>      the format, and the version of its layout
    32 bytes                    SHA-256 of all up to the end of the head
    4 bytes                     length of the head (little-endian)
    head                        in MessagePack: when it was packed (nanoseconds since 1970, larger than in any pack that
                                it hides), the keys, the lengths of the records, how many of them are in the front, and
                                the SHA-256 of the front and of the rest
    records                     one after another, in the order of the keys: first those of the front (snapshots and
                                scores, which a repeated run reads), then the rest (batches)

A record is encoded as records.py says, and repeats its key under its own checksum. A pack is named by the hash of its
bytes, created once and never changed. What was packed last under a key hides what was packed earlier.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from itertools import accumulate
from typing import Any, Final

import attrs
import msgspec
import numpy as np
from numpy.typing import NDArray

from pulse_adapters.sinks.records import decode_record, encode_record
from pulse_core.errors import SinkUnavailable
from pulse_core.results import Record, VariableBatches

MAGIC: Final = b"pulse-pack 1\n"
LIKELY_HEAD: Final = 32 * 1024
"""Bytes in which the head of a pack of the usual size is."""

_LAYOUT: Final = re.compile(rb"pulse-pack (\d{1,9})\n")
_DIGEST: Final = hashlib.sha256().digest_size
_LENGTH: Final = 4
_START: Final = len(MAGIC) + _DIGEST + _LENGTH
_KEY: Final = re.compile(r"[0-9a-f]{64}")
_KEY_BYTES: Final = 32


class DamagedPack(SinkUnavailable):
    """Content that is no pack, or a pack that has changed since it was written."""


class OutdatedPack(SinkUnavailable):
    """A pack in the layout of another version of Pulse."""


@attrs.frozen
class PackHead:
    """The head of a pack: when it was packed, and where each record is: its first byte and its length, by key."""

    packed_at: int
    places: Mapping[str, tuple[int, int]]
    front: tuple[int, int]
    """The first byte of the front, and the first after it, where the rest starts."""
    size: int
    digests: tuple[bytes, bytes]

    @property
    def prefixes(self) -> NDArray[np.uint64]:
        """The first 8 bytes of each key."""
        return np.array([int(key[:16], 16) for key in self.places], dtype=np.uint64)

    def is_in_front(self, key: str) -> bool:
        """Whether the record of a key is in the front."""
        return self.places[key][0] < self.front[1]

    def check(self, section: bytes, *, front: bool) -> None:
        """Raise DamagedPack where these bytes are not those of the front, or of the rest."""
        if hashlib.sha256(section).digest() != self.digests[0 if front else 1]:
            raise _damaged("its checksum does not fit")

    def record(self, key: str, section: bytes) -> Record:
        """Return the record of a key, from the section it is in. Raises DamagedRecord, OutdatedRecord."""
        start, length = self.places[key]
        offset = start - self.front[0 if self.is_in_front(key) else 1]
        return decode_record(key, memoryview(section)[offset : offset + length])


def encode_pack(records: Mapping[str, Record], packed_at: int) -> bytes:
    """Return the bytes of a pack. Raises SinkUnavailable for a record that is too large, ValueError for another key."""
    for key in records:
        if not _KEY.fullmatch(key):
            raise ValueError(f"'{key}' is no key of a packed record: expected 64 lower-case hexadecimal digits")
    keys = sorted(records, key=lambda key: isinstance(records[key], VariableBatches))  # stable: the front comes first
    in_front = sum(not isinstance(record, VariableBatches) for record in records.values())
    encoded = [encode_record(key, records[key]) for key in keys]
    front, rest = b"".join(encoded[:in_front]), b"".join(encoded[in_front:])
    lengths = [len(content) for content in encoded]
    digests = [hashlib.sha256(section).digest() for section in (front, rest)]
    head = msgspec.msgpack.encode([packed_at, bytes.fromhex("".join(keys)), lengths, in_front, *digests])
    sized = len(head).to_bytes(_LENGTH, "little") + head
    return b"".join([MAGIC, hashlib.sha256(sized).digest(), sized, front, rest])


def head_end(start: bytes) -> int:
    """Return where the head of a pack ends, from its first bytes. Raises DamagedPack, OutdatedPack."""
    layout = _LAYOUT.match(start)
    if layout is None:
        raise _damaged("it does not start as a pack does")
    if layout[0] != MAGIC:
        raise OutdatedPack(f"the pack is of another version of Pulse: it has layout {int(layout[1])}")
    return _START + int.from_bytes(start[_START - _LENGTH : _START], "little")


def decode_head(start: bytes) -> PackHead:
    """Return the head of a pack from its first bytes, its head among them. Raises DamagedPack, OutdatedPack."""
    end = head_end(start)
    if hashlib.sha256(start[_START - _LENGTH : end]).digest() != start[len(MAGIC) : len(MAGIC) + _DIGEST]:
        raise _damaged("the checksum of its head does not fit")
    try:
        return _head(msgspec.msgpack.decode(start[_START:end]), end)
    except (ValueError, TypeError, msgspec.MsgspecError) as error:
        raise OutdatedPack(f"the pack is of another version of Pulse: {error}") from error


def pack_digits(content: bytes) -> str:
    """Return the name of a pack with these bytes: 32 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()[:32]


def _head(plain: Any, end: int) -> PackHead:
    packed_at, joined, lengths, in_front, *digests = plain
    keys = [joined[first : first + _KEY_BYTES].hex() for first in range(0, len(joined), _KEY_BYTES)]
    ends = list(accumulate(lengths, initial=end))
    places = dict(zip(keys, zip(ends, lengths, strict=False), strict=True))
    return PackHead(packed_at, places, (end, ends[in_front]), ends[-1], tuple(digests))


def _damaged(reason: str) -> DamagedPack:
    return DamagedPack(f"the pack is damaged: {reason}", hint="What it held is computed again")
