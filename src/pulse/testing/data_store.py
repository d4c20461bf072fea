"""The contract of DataStore: variables come back bit by bit, under their names alone, as the store's versions say."""

from __future__ import annotations

import pickle
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Final

import attrs
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pulse_core import DataError, DataStore, MalformedData, Observations, TellsVersions, VariableNotFound, reading

Variables = Mapping[str, Observations]

NAMES: Final = (
    "x", "X", "spx_close", "us_10y_yield", "brk.b", "a.csv", "a", "-1", "NA", "café", "日経 225", "a%2eb", "q?#&=+",
    "'single'", "n" * 100,
)  # fmt: skip
"""Names that a store must take."""

HOSTILE_NAMES: Final = (
    "", ".", "..", "../x", "x/../x", "/etc/passwd", "a/b", "a\\b", ".hidden", "x\0", "x\n", "~", "C:x", "x.csv/",
    "\udc80", "n" * 1_000, "%2e%2e%2fx", " x", "x ", "*", "x*",
)  # fmt: skip
"""Names that no store may take for one of its own."""


class DataStoreContract(ABC):
    """Subclass it, and say in `open` how a store with given variables comes to be.

    A store that tells versions (TellsVersions) or reads ahead (ReadsAhead) is held to these abilities as well.
    """

    examples: int = 20
    """How many contents each property is tried with; fewer where opening a store is slow."""
    phases: tuple[Phase, ...] = tuple(Phase)
    """What hypothesis does with them; without `Phase.shrink` a failure is shown sooner, and larger."""

    @abstractmethod
    def open(self, variables: Variables) -> AbstractContextManager[DataStore]:
        """Open a new store that holds these variables and no other; the context's end removes it.

        All of them have `known_at`, or none has. `absent` rows are rows without a value. A store of one version of
        the rows must be another one than a store of other rows.
        """

    @contextmanager
    def opened(self, variables: Variables) -> Iterator[DataStore]:
        """Open a store, send it through pickle, as to a worker, and hand out the copy that arrives."""
        with self.open(variables) as store:
            yield pickle.loads(pickle.dumps(store))

    def for_all_contents(self, check: Callable[[Variables, DataStore], None]) -> None:
        """Check stores with any contents."""

        def property_holds(variables: Variables) -> None:
            with self.opened(variables) as store:
                check(variables, store)

        self._settings()(given(contents())(property_holds))()

    def _settings(self) -> settings:
        return settings(
            max_examples=self.examples,
            phases=self.phases,
            report_multiple_bugs=False,
            database=None,
            deadline=None,  # a store may be at the end of a network
            suppress_health_check=[HealthCheck.too_slow],
        )

    def test_every_name_is_listed_once_and_sorted(self) -> None:
        def check(variables: Variables, store: DataStore) -> None:
            assert list(store.names()) == sorted(variables)
            assert list(store.names()) == sorted(variables)

        self.for_all_contents(check)

    def test_every_bit_is_read(self) -> None:
        def check(variables: Variables, store: DataStore) -> None:
            for name, observations in variables.items():
                assert bits(store.read(name)) == bits(observations)

        self.for_all_contents(check)

    def test_the_same_is_read_again(self) -> None:
        def check(variables: Variables, store: DataStore) -> None:
            first = {name: bits(store.read(name)) for name in variables}
            again = {name: bits(store.read(name)) for name in reversed(list(variables))}
            assert first == again

        self.for_all_contents(check)

    def test_the_same_is_read_ahead(self) -> None:
        def check(variables: Variables, store: DataStore) -> None:
            alone = {name: bits(store.read(name)) for name in variables}
            with reading(store, [*variables, *variables]) as ahead:
                assert {name: bits(ahead.read(name)) for name in variables} == alone
            with reading(store, list(variables)) as ahead:  # in another order than was said, one of them twice
                assert {name: bits(ahead.read(name)) for name in [*reversed(list(variables)), *variables]} == alone

        self.for_all_contents(check)

    def test_reading_ahead_fails_for_the_variable_that_fails(self) -> None:
        with self.opened(sample("a", "b")) as store, reading(store, ["a", "missing", "b"]) as ahead:
            assert ahead.read("a").variable == "a"
            with pytest.raises(VariableNotFound, match="missing"):
                ahead.read("missing")
            assert ahead.read("b").variable == "b"

    def test_arrays_are_read_only(self) -> None:
        def check(variables: Variables, store: DataStore) -> None:
            for name in variables:
                observations = store.read(name)
                known_at = [] if observations.known_at is None else [observations.known_at]
                arrays = [observations.timestamps, observations.values, *known_at]
                assert not any(array.flags.writeable for array in arrays)

        self.for_all_contents(check)

    def test_observations_bear_the_version_that_the_store_tells(self) -> None:
        def check(variables: Variables, store: DataStore) -> None:
            for name in variables:
                version = store.version(name) if isinstance(store, TellsVersions) else ""
                assert store.read(name).version == version
                with reading(store, list(variables)) as ahead:
                    assert ahead.read(name).version == version

        self.for_all_contents(check)

    def test_other_rows_have_another_version(self) -> None:
        def property_holds(pair: tuple[Observations, Observations]) -> None:
            versions = []
            for observations in pair:
                with self.opened({observations.variable: observations}) as store:
                    version = store.version(observations.variable) if isinstance(store, TellsVersions) else None
                    versions.append(version)
            assert versions[0] != versions[1] or versions == [None, None] or bits(pair[0]) == bits(pair[1])

        self._settings()(given(pairs())(property_holds))()

    def test_a_name_is_found_in_any_unicode_normal_form(self) -> None:
        composed, decomposed = "caf\u00e9", "cafe\u0301"
        with self.opened(sample(composed, "b")) as store:
            assert store.read(decomposed).values.tolist() == store.read(composed).values.tolist()
            with reading(store, [decomposed]) as ahead:
                assert ahead.read(decomposed).variable == decomposed

    def test_an_unknown_variable_is_refused_with_near_names(self) -> None:
        with self.opened(sample("spx_close", "us_10y_yield")) as store:
            with pytest.raises(VariableNotFound) as refused:
                store.read("spx_clos")
            assert "'spx_clos'" in refused.value.message
            assert "spx_close" in refused.value.hint
            assert "us_10y_yield" not in str(refused.value)

    def test_an_empty_store_has_no_variable(self) -> None:
        with self.opened({}) as store:
            # a long file without a row may be refused as what it is
            with suppress(MalformedData):
                assert list(store.names()) == []
            with pytest.raises(DataError):
                store.read("x")

    def test_no_hostile_name_is_taken(self) -> None:
        with self.opened(sample("x", "b")) as store:
            for name in HOSTILE_NAMES:
                with pytest.raises(VariableNotFound):
                    store.read(name)


def sample(*names: str) -> Variables:
    """Return variables of these names, with two days each."""
    days = np.array(["2020-01-01", "2020-01-02"], "M8[us]")
    return {name: Observations(name, days, [1.0, 2.5]) for name in names}


def bits(observations: Observations) -> tuple[object, ...]:
    """Return all that must come back from a store, to the bit."""
    known_at = None if observations.known_at is None else observations.known_at.tobytes()
    columns = (observations.timestamps.tobytes(), observations.values.tobytes(), known_at)
    return observations.variable, *columns, observations.absent


@st.composite
def contents(draw: st.DrawFn) -> Variables:
    """One to four variables, all with known_at or all without."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    vintages = draw(st.booleans())
    return {name: draw(rows(name, vintages=vintages)) for name in names}


@st.composite
def rows(draw: st.DrawFn, name: str, *, vintages: bool) -> Observations:
    """Moments to the microsecond in the years 1 to 2300, delays up to two years, and the awkwardest floats.

    With vintages some rows retract what an earlier one said of their timestamp: their value is NaN.
    """
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
    if vintages and draw(st.booleans()):
        first = draw(st.integers(0, len(keys) - 1))
        stamps, delays = np.append(stamps, stamps[first]), np.append(delays, delays[first] + 750 * 86_400 * second)
        values, known_at = [*values, np.nan], (stamps + delays).view("datetime64[us]")
    return Observations(name, stamps.view("datetime64[us]"), values, known_at, absent=draw(st.integers(0, 2)))


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Observations, Observations]:
    """A variable twice; the second time with one value another, or with other rows altogether."""
    first = draw(rows("x", vintages=draw(st.booleans())))
    if draw(st.booleans()):
        return first, draw(rows("x", vintages=draw(st.booleans())))
    values = first.values.copy()
    values[draw(st.integers(0, len(values) - 1))] = draw(st.floats(allow_nan=False, allow_infinity=False))
    return first, attrs.evolve(first, values=values)
