"""Serialisation of records: one form of bytes, the same in every sink.

    pulse-record 2 <newline>    the format, and the version of its layout
    32 bytes                    SHA-256 of all that follows
    8 bytes                     length of the content that the frame unpacks to (little-endian)
    zstd frame                  of: 8 bytes length of the header (little-endian), the header in MessagePack,
                                then the bytes of each array, in the order of the header

The bytes of an array are its elements in Fortran order, little-endian: the first byte of every element, then the
second of every element, and so on. So a sum's batches stand side by side, and similar bytes too, which packs better.

The header is the key of the record, the name of a class and its fields, with dtype and shape in place of an array. Only
the classes of `KINDS` are created from it. Writer and reader follow the fields and types of the attrs classes: a new
field needs no change here. Without pickle, reading runs no foreign code.

A record whose checksum fits but which has another layout, version, class or fields was written by another version of
Pulse: it is out of date. Any other content that is no record is damaged.

A real record of 725 kB becomes 382 kB in 0.6 ms. Without that order of bytes it would be 450 kB in 2.1 ms, and with
zlib at its quickest 478 kB in 11 ms: a third of the time that computing the variable takes.
"""

from __future__ import annotations

import hashlib
import re
import types
import typing
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import attrs
import msgspec
import numpy as np
from numpy.typing import NDArray

from pulse_core.errors import SinkUnavailable
from pulse_core.results import Record

MAGIC: Final = b"pulse-record 2\n"
LARGEST: Final = 1 << 30
"""Bytes that a record may unpack to; 30 years in daily batches with twelve forecasters take a sixth of them."""

KINDS: Final[dict[str, Any]] = {kind.__name__: kind for kind in typing.get_args(Record)}
"""The classes of records by their names in the header."""

_LAYOUT: Final = re.compile(rb"pulse-record (\d{1,9})\n")

_DIGEST: Final = hashlib.sha256().digest_size
_LENGTH: Final = 8
_NUMBERS: Final = "biufM"
_BYTE: Final = np.dtype(np.uint8)


class DamagedRecord(SinkUnavailable):
    """Content that is no record, or a record that has changed since it was written."""


class OutdatedRecord(SinkUnavailable):
    """A record in the layout of another version of Pulse."""


def encode_record(key: str, result: Record) -> bytes:
    """Return the bytes of a record, bound to its key.

    Raises SinkUnavailable where they are more than can be read again.
    """
    name = type(result).__name__
    if KINDS.get(name) is not type(result):
        raise TypeError(f"{name} cannot be recorded")
    arrays: list[bytes] = []
    header = msgspec.msgpack.encode([key, name, _plain(result, arrays)])
    content = b"".join([len(header).to_bytes(_LENGTH, "little"), header, *arrays])
    if len(content) > LARGEST:
        message = f"a record of {len(content)} bytes is larger than the {LARGEST} that can be kept"
        raise SinkUnavailable(message, f"variable '{result.variable}'", "Use longer batches")
    packed = len(content).to_bytes(_LENGTH, "little") + _codec().compress(content, asbytes=True)
    return b"".join([MAGIC, hashlib.sha256(packed).digest(), packed])


def decode_record(key: str, content: bytes | memoryview) -> Record:
    """Return the record of a key in its bytes, bit for bit as it was encoded.

    Raises DamagedRecord, also for the record of another key, and OutdatedRecord.
    """
    packed = _checked_content(content)
    try:
        return _decoded(key, packed)
    except (ValueError, TypeError, KeyError, OverflowError, OSError, msgspec.MsgspecError) as error:
        raise _outdated(str(error)) from error


def _checked_content(content: bytes | memoryview) -> bytes | memoryview:
    """Return what follows the checksum of a record of this layout. Raises DamagedRecord, OutdatedRecord."""
    layout = _LAYOUT.match(content)
    if layout is None:
        raise _damaged("it does not start as a record does")
    if layout[0] != MAGIC:
        raise _outdated(f"it has layout {int(layout[1])}")
    start = len(MAGIC) + _DIGEST
    packed = content[start:]
    if hashlib.sha256(packed).digest() != content[len(MAGIC) : start]:
        raise _damaged("its checksum does not fit")
    return packed


def _damaged(reason: str) -> DamagedRecord:
    return DamagedRecord(f"the record is damaged: {reason}", hint="It will be computed again")


def _outdated(reason: str) -> OutdatedRecord:
    return OutdatedRecord(f"the record is of another version of Pulse: {reason}", hint="It will be computed again")


def _decoded(key: str, packed: bytes | memoryview) -> Record:
    """Return the record of a checked content; what does not fit raises ValueError, TypeError and the like.

    Raises DamagedRecord where it is the record of another key.
    """
    body = _Body(memoryview(_unpacked(packed)))
    own_key, name, fields = _checked(msgspec.msgpack.decode(body.header()), list)
    if own_key != key:
        raise _damaged(f"it is the record of the key {own_key}")
    if name not in KINDS:
        raise ValueError(f"it holds {name!r}, which is no kind of record")
    result: Record = _reader(KINDS[name])(fields, body)
    body.expect_end()
    return result


def _unpacked(packed: bytes | memoryview) -> bytes:
    length = int.from_bytes(packed[:_LENGTH], "little")
    if length > LARGEST:
        raise ValueError("its content is too long")
    content: bytes = _codec().decompress(packed[_LENGTH:], length, asbytes=True)
    return content


def _codec() -> Any:
    import pyarrow as pa  # heavy, and only records need it

    return pa.Codec("zstd")


def _plain(value: Any, arrays: list[bytes]) -> Any:
    """Return the plain form of a value for MessagePack; the bytes of its arrays are appended to `arrays`."""
    if value is None or type(value) in _SCALARS:
        return value
    if isinstance(value, np.ndarray):
        little = value.astype(value.dtype.newbyteorder("<"), copy=False)
        if little.dtype.kind not in _NUMBERS:
            raise TypeError(f"a record cannot hold an array of {value.dtype}")
        arrays.append(_bytes_side_by_side(little))
        return {"dtype": little.dtype.str, "shape": list(little.shape)}
    if isinstance(value, tuple):
        return [_plain(item, arrays) for item in value]
    if attrs.has(type(value)):
        return {field.name: _plain(getattr(value, field.name), arrays) for field in attrs.fields(type(value))}
    raise TypeError(f"a record cannot hold {type(value).__name__}")


def _bytes_side_by_side(array: NDArray[Any]) -> bytes:
    """Return the first byte of every element in Fortran order, then the second bytes, and so on."""
    elements = np.ascontiguousarray(array.T).reshape(-1).view(np.uint8)
    return elements.reshape(-1, array.dtype.itemsize).T.tobytes()


_SCALARS: Final = (str, int, float, bool)


@lru_cache
def _reader(kind: Any) -> Callable[[Any, _Body], Any]:
    """Return the function that rebuilds a value of a type from its plain form and the next arrays of the body.

    The cache inspects each type once: inspecting it for every record takes longer than the reading.
    """
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is np.ndarray:
        (scalar,) = typing.get_args(arguments[1])
        return lambda plain, body: body.array(plain, scalar)
    if attrs.has(kind):
        return _class_reader(kind)
    if origin is tuple:
        item = _reader(arguments[0])
        return lambda plain, body: tuple([item(element, body) for element in _checked(plain, list)])
    if origin in (typing.Union, types.UnionType):
        (inner,) = (_reader(argument) for argument in arguments if argument is not types.NoneType)
        return lambda plain, body: None if plain is None else inner(plain, body)
    return lambda plain, _body: _checked(plain, kind)


def _class_reader(kind: Any) -> Callable[[Any, _Body], Any]:
    fields, hints = attrs.fields(kind), typing.get_type_hints(kind)
    names = [field.name for field in fields]
    readers = [(field.name, field.alias, _reader(hints[field.name])) for field in fields]

    def read(plain: Any, body: _Body) -> Any:
        if list(_checked(plain, dict)) != names:
            raise ValueError(f"it has other fields than {kind.__name__}")
        return kind(**{alias: reader(plain[name], body) for name, alias, reader in readers})

    return read


def _checked(plain: Any, kind: type) -> Any:
    if type(plain) is not kind:
        raise TypeError(f"expected {kind.__name__}, not {type(plain).__name__}")
    return plain


@lru_cache
def _dtype(text: str, scalar: Any) -> np.dtype[Any]:
    dtype = np.dtype(text)
    if dtype.kind not in _NUMBERS or not np.issubdtype(dtype, scalar):
        raise ValueError(f"it holds {dtype} where {scalar.__name__} belongs")
    return dtype


def _size(shape: list[Any]) -> int:
    """Return the number of elements of an array of this shape."""
    count = 1
    for size in _checked(shape, list):
        if _checked(size, int) < 0:
            raise ValueError("an array has a negative size")
        count *= size
    return count


@attrs.define
class _Body:
    """The unpacked content of a record, read from start to end."""

    content: memoryview
    position: int = 0

    def header(self) -> memoryview:
        return self._take(int.from_bytes(self._take(_LENGTH), "little"))

    def array(self, plain: Any, scalar: Any) -> NDArray[Any]:
        dtype = _dtype(_checked(_checked(plain, dict)["dtype"], str), scalar)
        count = _size(plain["shape"])
        side_by_side = np.ndarray((dtype.itemsize, count), _BYTE, self._take(count * dtype.itemsize))
        return np.ndarray(tuple(plain["shape"]), dtype, side_by_side.T.tobytes(), order="F")

    def expect_end(self) -> None:
        if self.position != len(self.content):
            raise ValueError("it holds more than its header says")

    def _take(self, size: int) -> memoryview:
        piece = self.content[self.position : self.position + size]
        if len(piece) != size:
            raise ValueError("it holds less than its header says")
        self.position += size
        return piece
