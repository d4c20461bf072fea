"""Stores of files tell the bytes that reading variables reads, without reading them."""

from __future__ import annotations

import pytest

from pulse.testing.data_store import sample
from pulse_core.errors import VariableNotFound
from pulse_entrypoints.commands.train.dry_run import SizedStore
from tests.contracts.data_files import one_file
from tests.contracts.stores import STORES

IN_FILES = ("folder, *.csv", "folder, *.parquet", "s3 in moto, *.csv")
LONG = ("folder, long.csv", "s3 in SeaweedFS, long.csv")


@pytest.mark.parametrize("name", IN_FILES)
def test_the_files_of_the_variables_named_count(name):
    held = sample("a", "b", "c")
    suffix = name.rpartition("*")[2]
    with STORES[name].open(held) as store:
        assert isinstance(store, SizedStore)
        sizes = store.sizes(["a", "c"])
    assert sorted(key.rpartition("/")[2] for key in sizes) == [f"a{suffix}", f"c{suffix}"]
    assert sum(sizes.values()) == sum(len(one_file(held[each], suffix)) for each in "ac")


@pytest.mark.parametrize("name", LONG)
def test_a_long_file_counts_once(name):
    with STORES[name].open(sample("a", "b")) as store:
        assert isinstance(store, SizedStore)
        assert store.sizes(["a"]) == store.sizes(["a", "b"])
        assert len(store.sizes(["a"])) == 1


@pytest.mark.parametrize("name", IN_FILES)
def test_a_variable_without_a_file_is_refused(name):
    with STORES[name].open(sample("a")) as store:
        assert isinstance(store, SizedStore)
        with pytest.raises(VariableNotFound):
            store.sizes(["z"])
