"""Serialisation of records: the same bits back, a DamagedRecord, or an OutdatedRecord."""

from __future__ import annotations

import hashlib
import struct
from typing import Any, cast

import attrs
import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pulse.testing.results import FACTS, per_origin_record, variable_batches
from pulse.testing.results import records as any_record
from pulse_adapters.sinks import records
from pulse_adapters.sinks.records import MAGIC, DamagedRecord, OutdatedRecord, decode_record, encode_record
from pulse_core.arrays import floats, moments
from pulse_core.data.seasons import Seasonality
from pulse_core.errors import SinkUnavailable
from pulse_core.results import DataFacts, VariableScores

KEY = "ab" * 32
NONE = np.zeros((0, 1, 1))
SMALL = VariableScores(
    variable="a",
    forecasters=("naive",),
    benchmark="naive",
    span=250,
    seasonality=Seasonality(),
    min_history=8,
    scores=[[[0.5]]],
    trust=[[[1.0]]],
    statistics=[[[0.5]]],
    verdicts=[[0]],
    reliability=[[[2.0]]],
    simple=("naive", "drift"),
    simple_skill=[[[3.0]], [[4.0]]],
    trends=[1],
    batches=[],
    origins=[],
    weights=[[1]],
    regret=[0],
    bound=[2],
    beyond_reason=[[3]],
)


def sealed(content: bytes) -> bytes:
    """A record with a right checksum, whatever is in it."""
    packed = len(content).to_bytes(8, "little") + pa.compress(content, codec="zstd", asbytes=True)
    return b"".join([MAGIC, hashlib.sha256(packed).digest(), packed])


def contents(result: VariableScores) -> tuple[dict, bytes]:
    """The fields in a record's header and the bytes of its arrays."""
    packed = encode_record(KEY, result)[len(MAGIC) + 32 :]
    length = int.from_bytes(packed[:8], "little")
    content = pa.decompress(packed[8:], length, codec="zstd", asbytes=True)
    end = 8 + int.from_bytes(content[:8], "little")
    key, name, fields = msgspec.msgpack.decode(content[8:end])
    assert (key, name) == (KEY, type(result).__name__)
    return fields, content[end:]


def assembled(fields: object, body: bytes, name: object = "VariableScores") -> bytes:
    encoded = msgspec.msgpack.encode([KEY, name, fields])
    return sealed(len(encoded).to_bytes(8, "little") + encoded + body)


@given(any_record())
def test_the_same_bits_come_back(result):
    back = decode_record(KEY, encode_record(KEY, result))
    assert type(back) is type(result)
    for field in attrs.fields(type(result)):
        value, there = getattr(result, field.name), getattr(back, field.name)
        assert there.tobytes() == value.tobytes() if isinstance(value, np.ndarray) else there == value


@given(any_record())
def test_one_result_has_one_form(result):
    assert encode_record(KEY, result) == encode_record(KEY, decode_record(KEY, encode_record(KEY, result)))


def test_what_comes_back_is_read_only():
    with pytest.raises(ValueError, match="read-only"):
        cast("VariableScores", decode_record(KEY, encode_record(KEY, variable_batches()))).trust[0] = 1.0


def test_the_record_of_another_key_is_damaged():
    with pytest.raises(DamagedRecord, match=f"the record of the key {KEY}"):
        decode_record("cd" * 32, encode_record(KEY, SMALL))


def test_every_flipped_byte_is_detected():
    record, version = encode_record(KEY, SMALL), MAGIC.index(b"2")
    for position in range(len(record)):
        for flip in (0x01, 0x80, 0xFF):
            damaged = bytearray(record)
            damaged[position] ^= flip
            outdated = position == version and chr(damaged[position]).isdecimal()
            with pytest.raises(OutdatedRecord if outdated else DamagedRecord):
                decode_record(KEY, bytes(damaged))


@given(st.data())
def test_a_record_cut_off_or_continued_is_detected(data):
    record = encode_record(KEY, SMALL)
    length = data.draw(st.integers(0, len(record) - 1))
    for damaged in (record[:length], record + data.draw(st.binary(min_size=1, max_size=9))):
        with pytest.raises(DamagedRecord):
            decode_record(KEY, damaged)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"schema_version": 1}',
        b"pulse-record one\n",
        MAGIC,
    ],
    ids=["empty", "foreign", "no version", "the magic alone"],
)
def test_foreign_content_is_damaged(content):
    with pytest.raises(DamagedRecord):
        decode_record(KEY, content)


@pytest.mark.parametrize("version", [b"0", b"1", b"17"])
def test_a_record_of_another_layout_is_out_of_date(version):
    with pytest.raises(OutdatedRecord, match=f"it has layout {int(version)}"):
        decode_record(KEY, encode_record(KEY, SMALL).replace(b"record 2", b"record " + version))


@pytest.mark.parametrize(
    "content",
    [
        sealed(b""),
        sealed(b"\xff" * 8),
        sealed(struct.pack("<Q", 3) + b"\xc1\xc1\xc1"),
        sealed(struct.pack("<Q", 1) + msgspec.msgpack.encode({})),
        MAGIC + hashlib.sha256(b"no packed stream").digest() + b"no packed stream",
    ],
    ids=["nothing", "no header", "no msgpack", "no list", "no stream"],
)
def test_other_content_under_a_right_checksum_is_out_of_date(content):
    with pytest.raises(OutdatedRecord):
        decode_record(KEY, content)


@pytest.mark.parametrize(
    "change",
    [
        {"variable": 3},
        {"span": "0"},
        {"span": None},
        {"forecasters": "naive"},
        {"scores": None},
        {"more": 1},
        {"trust": {"dtype": "|O", "shape": [0]}},
        {"trust": {"dtype": "<i8", "shape": [0]}},
        {"trends": {"dtype": "<f8", "shape": [0]}},
        {"trends": {"dtype": "<u8", "shape": [0]}},
        {"trends": 3},
        {"benchmark": None},
        {"benchmark": ["naive"]},
        {"span": 250.0},
        {"span": True},
        {"simple": "naive"},
        {"simple": [3]},
        {"trust": {"dtype": "<f8", "shape": [-1]}},
        {"trust": {"dtype": "<f8", "shape": [1 << 62, 1 << 62]}},
        {"trust": {"dtype": "<f8", "shape": [2]}},
        {"trust": {"dtype": "<f8", "shape": {}}},
        {"trust": {"dtype": "<f8", "shape": [0.0]}},
        {"trust": {"dtype": "<f8", "shape": [0] * 65}},
        {"trust": {"dtype": "<f8", "shape": [0, 1 << 62, 1 << 62]}},
        {"trust": {"dtype": "no type", "shape": [0]}},
        {"trust": {"dtype": None, "shape": [0]}},
        {"trust": {"dtype": "<f8"}},
    ],
    ids=str,
)
def test_a_header_that_does_not_fit_is_out_of_date(change):
    header, body = contents(SMALL)
    with pytest.raises(OutdatedRecord):
        decode_record(KEY, assembled({**header, **change}, body))


def test_a_header_that_lacks_a_field_is_out_of_date():
    header, body = contents(SMALL)
    del header["span"]
    with pytest.raises(OutdatedRecord, match="other fields than VariableScores"):
        decode_record(KEY, assembled(header, body))


@pytest.mark.parametrize("name", ["RunResult", "Foreign", "", 3, None, ["VariableScores"]])
def test_a_class_that_is_no_record_is_not_created(name):
    with pytest.raises(OutdatedRecord):
        decode_record(KEY, assembled(*contents(SMALL), name))


def test_a_record_of_one_class_is_not_taken_for_another():
    fields, body = contents(SMALL)
    with pytest.raises(OutdatedRecord, match="other fields than PerOriginRecord"):
        decode_record(KEY, assembled(fields, body, "PerOriginRecord"))
    assert decode_record(KEY, encode_record(KEY, per_origin_record())) == per_origin_record()


def test_bytes_that_the_header_does_not_name_are_refused():
    header, body = contents(SMALL)
    with pytest.raises(OutdatedRecord, match="more than"):
        decode_record(KEY, assembled(header, body + b"\0"))


def test_a_stream_that_unpacks_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(records, "LARGEST", 100_000)
    with pytest.raises(OutdatedRecord, match="too long"):
        decode_record(KEY, sealed(bytes(200_000)))


def test_a_record_too_large_to_be_read_again_is_not_made(monkeypatch):
    monkeypatch.setattr(records, "LARGEST", 100)
    with pytest.raises(SinkUnavailable, match="longer batches"):
        encode_record(KEY, variable_batches())


def test_a_damaged_record_has_a_hint():
    with pytest.raises(DamagedRecord, match="computed again"):
        decode_record(KEY, b"")


@attrs.frozen(eq=False)
class Nested:
    moments: NDArray[np.datetime64] = attrs.field(converter=moments)
    facts: DataFacts
    maybe: DataFacts | None
    array: NDArray[np.float64] | None = None


@attrs.frozen(eq=False)
class Extended:
    """A result as a later version may have it."""

    several: tuple[Nested, ...]
    flags: NDArray[np.bool_]
    point: NDArray[np.float64] = attrs.field(converter=floats)
    share: float
    sure: bool
    _hidden: int = 0


def test_fields_of_a_later_version_need_no_change_here(monkeypatch):
    monkeypatch.setitem(records.KINDS, "Extended", Extended)
    nested = [
        Nested(["2020-01-01", "NaT"], FACTS, maybe, array) for maybe, array in [(None, np.ones(2)), (FACTS, None)]
    ]
    whole = Extended(tuple(nested), np.array([[True], [False]]), np.array(-0.0), float("inf"), True, hidden=7)
    back: Any = decode_record(KEY, encode_record(KEY, cast("VariableScores", whole)))
    assert [(one.facts, one.maybe) for one in back.several] == [(FACTS, None), (FACTS, FACTS)]
    assert back.several[1].array is None
    assert back.several[0].array.tolist() == [1.0, 1.0]
    assert back.several[0].moments.tobytes() == nested[0].moments.tobytes()
    assert (back.flags.tolist(), back.flags.dtype) == ([[True], [False]], np.bool_)
    assert (back.point.shape, back.point.tobytes()) == ((), np.float64(-0.0).tobytes())
    assert (back.share, back.sure, back._hidden) == (float("inf"), True, 7)


@attrs.frozen
class Foreign:
    variable: object


@pytest.mark.parametrize("value", [{"a": 1}, object(), np.float64(1.0), np.array([None])], ids=repr)
def test_what_has_no_form_is_refused_when_it_is_encoded(monkeypatch, value):
    monkeypatch.setitem(records.KINDS, "Foreign", Foreign)
    with pytest.raises(TypeError, match="cannot hold"):
        encode_record(KEY, cast("VariableScores", Foreign(value)))


def test_what_is_no_record_is_refused_when_it_is_encoded():
    with pytest.raises(TypeError, match="Foreign cannot be recorded"):
        encode_record(KEY, cast("VariableScores", Foreign("a")))
