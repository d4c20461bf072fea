"""Indexes of packs: which pack of a group may hold which key. They save reading the heads of many packs, no more.

    pulse-index 1 <newline>     the format, and the version of its layout
    32 bytes                    SHA-256 of all that follows
    content                     in MessagePack, for each pack: its name, when it was packed, its size, where its front
                                ends, and the first 8 bytes of each key (little-endian)

An index that is missing, old or damaged costs time only: a reader lists the packs, and reads the heads of those that no
index covers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

import attrs
import msgspec
import numpy as np
from numpy.typing import NDArray

from pulse_adapters.sinks.packs import PackHead

MAGIC: Final = b"pulse-index 1\n"
LARGEST: Final = 1 << 18
"""Keys that an index covers, some 2 MiB; more are in several indexes."""

_DIGEST: Final = hashlib.sha256().digest_size


@attrs.frozen(eq=False)
class PackEntry:
    """A pack in an index: its name, when it was packed, its size and the end of its front, the prefixes of its keys."""

    name: str
    packed_at: int
    size: int
    front_end: int
    prefixes: NDArray[np.uint64]

    @classmethod
    def of(cls, name: str, head: PackHead) -> PackEntry:
        """Return the entry of a pack with this head."""
        return cls(name, head.packed_at, head.size, head.front[1], head.prefixes)


def encode_index(entries: Iterable[PackEntry]) -> bytes:
    """Return the bytes of an index of these packs."""
    plain = [
        [entry.name, entry.packed_at, entry.size, entry.front_end, entry.prefixes.astype("<u8").tobytes()]
        for entry in entries
    ]
    content = msgspec.msgpack.encode(plain)
    return b"".join([MAGIC, hashlib.sha256(content).digest(), content])


def decode_index(content: bytes) -> tuple[PackEntry, ...]:
    """Return the packs of an index; none where it is damaged or of another version."""
    start = len(MAGIC) + _DIGEST
    checked = content[start:]
    if not content.startswith(MAGIC) or hashlib.sha256(checked).digest() != content[len(MAGIC) : start]:
        return ()
    try:
        return tuple(
            PackEntry(name, packed_at, size, front_end, np.frombuffer(prefixes, "<u8").astype(np.uint64))
            for name, packed_at, size, front_end, prefixes in msgspec.msgpack.decode(checked)
        )
    except (ValueError, TypeError, msgspec.MsgspecError):
        return ()


@attrs.frozen(eq=False)
class KeyTable:
    """Which packs may hold a key, by its first 8 bytes."""

    packs: Sequence[PackEntry]
    _prefixes: NDArray[np.uint64]
    _owners: NDArray[np.int64]

    @classmethod
    def of(cls, entries: Iterable[PackEntry]) -> KeyTable:
        """Return the table of these packs."""
        packs = sorted(entries, key=lambda entry: (entry.packed_at, entry.name))
        prefixes = np.concatenate([entry.prefixes for entry in packs] or [np.empty(0, dtype=np.uint64)])
        owners = np.repeat(np.arange(len(packs)), [len(entry.prefixes) for entry in packs])
        order = np.argsort(prefixes, kind="stable")  # of equal keys, the pack that hides the others is last
        return cls(packs, prefixes[order], owners[order])

    def candidates(self, key: str) -> list[PackEntry]:
        """Return the packs that may hold a key, the last packed first."""
        prefix = np.uint64(int(key[:16], 16))
        first, stop = np.searchsorted(self._prefixes, prefix, "left"), np.searchsorted(self._prefixes, prefix, "right")
        return [self.packs[owner] for owner in self._owners[first:stop][::-1].tolist()]


def to_merge(new: int, indexes: Sequence[tuple[str, int]]) -> list[str]:
    """Return the names of the indexes that are merged with `new` keys; `indexes` are names and numbers of keys.

    Those no larger than what they are merged with, the smallest first: so the sizes of indexes at least double from one
    to the next, and their number grows with the logarithm of the keys up to LARGEST, and one by one beyond.
    """
    merged: list[str] = []
    for name, keys in sorted(indexes, key=lambda index: (index[1], index[0])):
        if keys > new or new + keys > LARGEST:
            break
        merged.append(name)
        new += keys
    return merged
