"""Bits that flip in any file of a results location: nobody reads other numbers, and the next run mends what it needs.

PULSE_BIT_FLIPS is how many are tried, 200 without it.
"""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

from pulse_adapters.backends.serial import SerialBackend
from pulse_adapters.published.document import RESULT
from pulse_adapters.published.result_reader import read_result
from pulse_adapters.published.table_reader import RunTable, joined
from pulse_adapters.published.table_writer import TABLES
from pulse_adapters.sinks.folder import FolderSink
from pulse_adapters.sinks.layout import RECORDS, UNITS, group_file, is_pack, key_of
from pulse_adapters.sinks.packs import decode_head
from pulse_adapters.sinks.records import MAGIC
from pulse_adapters.sinks.verification import Verification
from pulse_core import Forecaster, Observations, RetrodictionTraining, RunResult, RunSpec
from pulse_core.errors import MalformedData, RunIdTaken
from pulse_core.tables import Labels
from tests.fakes import FakeStore
from tests.unit.core.models import custom

RUN = "nightly"
FLIPS = int(os.environ.get("PULSE_BIT_FLIPS", "200"))
DAYS = np.datetime64("2020-01-01", "us") + np.arange(60) * np.timedelta64(1, "D")
SPEC = RunSpec(
    variables=("a", "b"),
    start=date(2020, 1, 1),
    end=date(2020, 2, 29),
    batch_size_days=10,
    horizon=2,
    min_history=5,
    forecasters=("naive", "drift", "ensemble", "tests:Own"),
)


class Last:
    """The last value, asked for origin by origin."""

    def forecast(self, history: Any, horizon: int) -> list[float]:
        return [float(history[-1])] * horizon


def trained(root: Path) -> RunResult:
    """Train, with every kind of file."""
    walks = {name: np.cumsum(np.random.default_rng(seed).normal(size=60)) for seed, name in enumerate("ab")}
    own: Forecaster = custom(Last(), "tests:Own")
    return RetrodictionTraining(
        store=FakeStore({name: Observations(name, DAYS, walk) for name, walk in walks.items()}),
        backend=SerialBackend(),
        sink=FolderSink(root),
        forecasters=(own,),
        run_id=RUN,
        hindcasts=True,
    ).execute(SPEC)


def files_by_kind(root: Path) -> dict[str, list[Path]]:
    """The files of the location by what they are."""
    kinds: dict[str, list[Path]] = {}
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        name = path.relative_to(root).as_posix()
        packed = group_file(name)
        if packed is not None:
            kind = "pack" if is_pack(packed[1]) else "index"
        else:
            kind = "record" if key_of(name) else name.split("/")[1]
        kinds.setdefault(kind, []).append(path)
    return kinds


def numbers(root: Path) -> Iterator[tuple[str, bytes]]:
    """Everything that readers of the run get, each on its own: an error for one is none for the others."""
    sink = FolderSink(root)
    run = read_result(sink, RUN)
    yield RESULT, run.content
    for table in TABLES:
        for part in run.parts(table):
            reader = RunTable(sink, RUN, (part,), ("variable", "forecaster", "horizon", *NUMBERS[table]))
            try:
                rows = joined(list(reader.row_groups(part)))
            except MalformedData as error:
                assert error.context == str(root / RUN / part.name)  # noqa: PT017  # it must name the file
                assert "Run the same training again" in error.hint  # noqa: PT017
                continue
            for name, column in rows.columns.items():
                values = column.codes if isinstance(column, Labels) else column
                names = column.names if isinstance(column, Labels) else ()
                yield f"{part.name} {name}", repr(names).encode() + np.ascontiguousarray(values).tobytes()


NUMBERS = {
    "scores": ("mae", "trust", "log10_e", "skill_over_simple", "weight"),
    "batches": ("n", "mae", "mase", "trust", "start"),
    "hindcasts": ("point", "actual", "q0.5", "trust", "known_at"),
}


def recorded(root: Path, sound: Path) -> Iterator[tuple[str, object]]:
    """What is recalled under every key that the sound location has."""
    sink = FolderSink(root)
    for path in files_by_kind(sound).get("record", []):
        yield path.name, sink.recall(path.name)
    for path in files_by_kind(sound).get("pack", []):
        keys = list(decode_head(path.read_bytes()).places)
        with sink.recalling(path.parent.name, keys) as recall:
            yield from ((key, recall(key)) for key in keys)


@attrs.frozen
class Location:
    """A sound location, what is read of it, and how the run ended."""

    root: Path
    numbers: dict[str, bytes]
    records: dict[str, object]
    result: RunResult


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Location:
    root = tmp_path_factory.mktemp("sound") / "results"
    result = trained(root)
    kinds = files_by_kind(root)
    assert kinds.keys() == {"pack", "index", "record", RESULT, *TABLES}
    records = dict(recorded(root, root))
    assert None not in records.values()
    return Location(root, dict(numbers(root)), records, result)


def flip(path: Path, bit: int) -> None:
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)


def is_of_another_version(path: Path) -> bool:
    """Whether the bit that flipped is one of the digit of a single record's layout: that is no damage to be told."""
    first = path.read_bytes().split(b"\n")[0]
    is_single = key_of(f"units/{path.parent.name}/{path.name}") is not None
    return is_single and re.fullmatch(rb"pulse-record \d", first) is not None and first != MAGIC.strip()


def findings(root: Path) -> list[str]:
    """What a verification finds damaged."""
    sink = FolderSink(root)
    verification = Verification(sink.storage, sink, repair=False)
    checked = [*verification.records(), *verification.run(RUN)]
    return [finding.address for one in checked for finding in one.findings if finding.state == "damaged"]


@pytest.mark.timeout(120 + FLIPS)
def test_a_bit_that_flips_is_never_read_as_other_numbers(sound: Location, tmp_path: Path) -> None:
    drawn = np.random.default_rng(14)
    told: Counter[str] = Counter()
    for number in range(FLIPS):
        root = tmp_path / str(number)
        shutil.copytree(sound.root, root)
        kinds = files_by_kind(root)
        kind = sorted(kinds)[number % len(kinds)]
        path = kinds[kind][drawn.integers(len(kinds[kind]))]
        flip(path, int(drawn.integers(8 * path.stat().st_size)))
        assert findings(root) == [str(path)] or is_of_another_version(path), f"flip {number} of {path}"
        try:
            read = dict(numbers(root))
        except MalformedData as error:
            assert (error.context, kind) == (str(path), RESULT)  # noqa: PT017  # it must name the file
            read = {}
        assert all(sound.numbers[name] == content for name, content in read.items()), f"flip {number} of {path}"
        told[kind] += len(read) < len(sound.numbers)
        mends_itself(sound, root, path, kind)
        shutil.rmtree(root)
    assert {kind: told[kind] for kind in (RESULT, *TABLES)} == {
        kind: sum(number % len(kinds) == sorted(kinds).index(kind) for number in range(FLIPS))
        for kind in (RESULT, *TABLES)
    }


def mends_itself(sound: Location, root: Path, path: Path, kind: str) -> None:
    """The same training gives the same numbers again, and leaves nothing damaged; a result is moved away first."""
    if kind == RESULT:
        with pytest.raises(RunIdTaken):
            trained(root)
        path.unlink()
    again = trained(root)
    assert (again.digest, again.variables) == (sound.result.digest, sound.result.variables)
    assert {name: content for name, content in numbers(root) if name != RESULT} == {
        name: content for name, content in sound.numbers.items() if name != RESULT
    }
    for key, record in recorded(root, sound.root):
        assert record is None or record == sound.records[key], f"record {key} after a flip in {path}"
    assert findings(root) == []


@pytest.mark.parametrize("folder", [RECORDS, UNITS, RUN])
def test_a_verification_of_a_sound_location_finds_nothing(sound: Location, folder: str) -> None:
    assert (sound.root / folder).is_dir()
    assert findings(sound.root) == []
