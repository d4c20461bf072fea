"""The contract of the port DataStore, and the stores that are held to it."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs
import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pulse_adapters.aws.clients import AwsSettings
from pulse_adapters.stores.folder import FolderStore
from pulse_adapters.stores.formats.registry import SUFFIXES
from pulse_adapters.stores.frames import FrameStore
from pulse_adapters.stores.object_cache import ObjectCache
from pulse_adapters.stores.s3 import S3Store
from pulse_adapters.stores.s3_long import S3LongStore
from pulse_core.data.observations import Observations
from pulse_core.errors import DataError, MalformedData, VariableNotFound
from pulse_core.ports import DataStore, TellsVersions, reading
from tests.contracts.data_files import columns_of, long_file, one_file, rows_of
from tests.fakes import FakeStore, VersionedStore
from tests.servers.moto_server import moto
from tests.servers.s3 import BUCKET, S3Server, environment_of
from tests.servers.seaweedfs import seaweedfs

Variables = Mapping[str, Observations]
Opener = Callable[[Variables], AbstractContextManager[DataStore]]
Rule = Callable[["Adapter"], None]

NAMES = (
    "x", "X", "spx_close", "us_10y_yield", "brk.b", "a.csv", "a", "-1", "NA", "café", "日経 225", "a%2eb", "q?#&=+",
    "'single'", "n" * 100,
)  # fmt: skip

HOSTILE_NAMES = (
    "", ".", "..", "../x", "x/../x", "/etc/passwd", "a/b", "a\\b", ".hidden", "x\0", "x\n", "~", "C:x", "x.csv/",
    "\udc80", "n" * 1_000, "%2e%2e%2fx", " x", "x ", "*", "x*",
)  # fmt: skip


@attrs.frozen
class Adapter:
    """How to open a fresh store that holds given variables, and how many examples it is worth."""

    open: Opener
    examples: int = 20
    phases: tuple[Phase, ...] = tuple(Phase)

    @contextmanager
    def holding(self, variables: Variables) -> Iterator[DataStore]:
        """Open a store, send it through pickle, as to a worker, and hand out what arrives there."""
        with self.open(variables) as store:
            yield pickle.loads(pickle.dumps(store))

    def always(self, check: Callable[[Variables, DataStore], None]) -> None:
        """Check stores with any contents."""

        @settings(max_examples=self.examples, phases=self.phases, report_multiple_bugs=False, database=None)
        @given(contents())
        def property_holds(variables: Variables) -> None:
            with self.holding(variables) as store:
                check(variables, store)

        property_holds()


@st.composite
def contents(draw: st.DrawFn) -> Variables:
    """One to four variables, all with known_at or all without."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    vintages = draw(st.booleans())
    return {name: draw(_observations(name, vintages)) for name in names}


@st.composite
def _observations(draw: st.DrawFn, name: str, vintages: bool) -> Observations:
    """Moments to the microsecond in the years 1 to 2300, delays up to two years, and the awkwardest floats."""
    second = 1_000_000
    first, last = (int(np.datetime64(day, "us").astype(np.int64)) for day in ("0001-01-01", "2290-01-01"))
    day = st.integers(first // (86_400 * second), last // (86_400 * second)).map(lambda days: days * 86_400 * second)
    moment = st.one_of(day, st.integers(first, last))
    delay = st.one_of(st.just(0), st.integers(0, 730 * 86_400 * second)) if vintages else st.just(0)
    keys = draw(st.lists(st.tuples(moment, delay), min_size=1, max_size=12, unique=True))
    if not vintages:
        keys = sorted(set(keys))
    values = draw(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=len(keys), max_size=len(keys)))
    stamps, delays = (np.array(column, dtype=np.int64) for column in zip(*keys, strict=True))
    known_at = (stamps + delays).view("datetime64[us]") if vintages else None
    return Observations(name, stamps.view("datetime64[us]"), values, known_at, absent=draw(st.integers(0, 2)))


@st.composite
def _pairs(draw: st.DrawFn) -> tuple[Observations, Observations]:
    """A variable twice; the second time with one value another, or with other rows altogether."""
    first = draw(_observations("x", draw(st.booleans())))
    if draw(st.booleans()):
        return first, draw(_observations("x", draw(st.booleans())))
    values = first.values.copy()
    values[draw(st.integers(0, len(values) - 1))] = draw(st.floats(allow_nan=False, allow_infinity=False))
    return first, attrs.evolve(first, values=values)


def lists_every_name_once_sorted(adapter: Adapter) -> None:
    def check(variables: Variables, store: DataStore) -> None:
        assert list(store.names()) == sorted(variables)
        assert list(store.names()) == sorted(variables)

    adapter.always(check)


def reads_every_bit(adapter: Adapter) -> None:
    def check(variables: Variables, store: DataStore) -> None:
        for name, held in variables.items():
            assert _bits(store.read(name)) == _bits(held)

    adapter.always(check)


def reads_the_same_again(adapter: Adapter) -> None:
    def check(variables: Variables, store: DataStore) -> None:
        first = {name: _bits(store.read(name)) for name in variables}
        again = {name: _bits(store.read(name)) for name in reversed(list(variables))}
        assert first == again

    adapter.always(check)


def reads_the_same_ahead(adapter: Adapter) -> None:
    def check(variables: Variables, store: DataStore) -> None:
        alone = {name: _bits(store.read(name)) for name in variables}
        with reading(store, [*variables, *variables]) as ahead:
            assert {name: _bits(ahead.read(name)) for name in variables} == alone
        with reading(store, list(variables)) as ahead:  # in another order than was said, one of them twice
            assert {name: _bits(ahead.read(name)) for name in [*reversed(list(variables)), *variables]} == alone

    adapter.always(check)


def fails_ahead_for_the_variable_that_fails(adapter: Adapter) -> None:
    with adapter.holding(sample("a", "b")) as store, reading(store, ["a", "missing", "b"]) as ahead:
        assert ahead.read("a").variable == "a"
        with pytest.raises(VariableNotFound, match="missing"):
            ahead.read("missing")
        assert ahead.read("b").variable == "b"


def hands_out_read_only_arrays(adapter: Adapter) -> None:
    def check(variables: Variables, store: DataStore) -> None:
        for name in variables:
            read = store.read(name)
            arrays = [read.timestamps, read.values, *([] if read.known_at is None else [read.known_at])]
            assert not any(array.flags.writeable for array in arrays)

    adapter.always(check)


def bears_the_version_that_it_tells(adapter: Adapter) -> None:
    def check(variables: Variables, store: DataStore) -> None:
        for name in variables:
            told = store.version(name) if isinstance(store, TellsVersions) else ""
            assert store.read(name).version == told
            with reading(store, list(variables)) as ahead:
                assert ahead.read(name).version == told

    adapter.always(check)


def tells_other_rows_by_another_version(adapter: Adapter) -> None:
    @settings(max_examples=adapter.examples, phases=adapter.phases, report_multiple_bugs=False, database=None)
    @given(_pairs())
    def property_holds(pair: tuple[Observations, Observations]) -> None:
        told = []
        for held in pair:
            with adapter.holding({held.variable: held}) as store:
                told.append(store.version(held.variable) if isinstance(store, TellsVersions) else None)
        assert told[0] != told[1] or told == [None, None] or _bits(pair[0]) == _bits(pair[1])

    property_holds()


def refuses_an_unknown_variable_with_near_names(adapter: Adapter) -> None:
    with adapter.holding(sample("spx_close", "us_10y_yield")) as store:
        with pytest.raises(VariableNotFound) as refused:
            store.read("spx_clos")
        assert "'spx_clos'" in refused.value.message
        assert "spx_close" in refused.value.hint
        assert "us_10y_yield" not in str(refused.value)


def knows_no_variable_when_empty(adapter: Adapter) -> None:
    with adapter.holding({}) as store:
        # a long file without a row may be refused as what it is
        with suppress(MalformedData):
            assert list(store.names()) == []
        with pytest.raises(DataError):
            store.read("x")


def takes_no_hostile_name(adapter: Adapter) -> None:
    with adapter.holding(sample("x", "b")) as store:
        for name in HOSTILE_NAMES:
            with pytest.raises(VariableNotFound):
                store.read(name)


RULES: tuple[Rule, ...] = (
    lists_every_name_once_sorted,
    reads_every_bit,
    reads_the_same_again,
    reads_the_same_ahead,
    fails_ahead_for_the_variable_that_fails,
    hands_out_read_only_arrays,
    bears_the_version_that_it_tells,
    tells_other_rows_by_another_version,
    refuses_an_unknown_variable_with_near_names,
    knows_no_variable_when_empty,
    takes_no_hostile_name,
)


def sample(*names: str) -> Variables:
    return {name: Observations(name, np.array(["2020-01-01", "2020-01-02"], "M8[us]"), [1.0, 2.5]) for name in names}


def _bits(read: Observations) -> tuple[object, ...]:
    known_at = None if read.known_at is None else read.known_at.tobytes()
    return read.variable, read.timestamps.tobytes(), read.values.tobytes(), known_at, read.absent


@contextmanager
def _fake(variables: Variables) -> Iterator[DataStore]:
    yield FakeStore(dict(variables))


@contextmanager
def _versioned(variables: Variables) -> Iterator[DataStore]:
    yield VersionedStore(dict(variables))


@contextmanager
def _folder(suffix: str, variables: Variables) -> Iterator[DataStore]:
    with TemporaryDirectory() as folder:
        for name, held in variables.items():
            (Path(folder) / f"{name}{suffix}").write_bytes(one_file(held, suffix))
        yield FolderStore(folder)


@contextmanager
def _long(suffix: str, variables: Variables) -> Iterator[DataStore]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"long{suffix}"
        path.write_bytes(long_file(variables, suffix))
        yield FolderStore(path)


@contextmanager
def _bucket(server: Callable[[], S3Server], suffix: str, variables: Variables) -> Iterator[DataStore]:
    corner = server().corner()
    server().put(corner, {f"{name}{suffix}": one_file(held, suffix) for name, held in variables.items()})
    with TemporaryDirectory() as folder, environment_of(server()):
        yield S3Store(BUCKET, corner, AwsSettings(endpoint_url=server().endpoint), ObjectCache(folder, 2**20))


@contextmanager
def _long_object(server: Callable[[], S3Server], suffix: str, variables: Variables) -> Iterator[DataStore]:
    corner = server().corner()
    server().put(corner, {f"long{suffix}": long_file(variables, suffix)})
    with environment_of(server()):
        yield S3LongStore(BUCKET, f"{corner}long{suffix}", AwsSettings(endpoint_url=server().endpoint))


@contextmanager
def _frames(variables: Variables) -> Iterator[DataStore]:
    columns = columns_of(variables)
    yield FrameStore({name: pd.DataFrame(list(rows_of(held)))[columns] for name, held in variables.items()})


STORES: dict[str, Adapter] = {
    "fake": Adapter(_fake),
    "fake, with versions": Adapter(_versioned),
    "frames": Adapter(_frames),
    **{f"filesystem, *{suffix}": Adapter(partial(_folder, suffix)) for suffix in SUFFIXES},
    **{f"filesystem, long{suffix}": Adapter(partial(_long, suffix)) for suffix in SUFFIXES},
    "s3 in moto, *.csv": Adapter(partial(_bucket, moto, ".csv"), examples=3),
    "s3 in moto, *.jsonl.gz": Adapter(partial(_bucket, moto, ".jsonl.gz"), examples=3),
    "s3 in SeaweedFS, *.parquet": Adapter(partial(_bucket, seaweedfs, ".parquet"), examples=5),
    "s3 in SeaweedFS, *.csv.gz": Adapter(partial(_bucket, seaweedfs, ".csv.gz"), examples=3),
    "s3 in SeaweedFS, long.csv": Adapter(partial(_long_object, seaweedfs, ".csv"), examples=3),
}
"""Every adapter. One more is one more line."""
