"""`pulse data`: what is there, what is odd, copies as Parquet, the sample."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from pulse_adapters.stores.folder import FolderStore
from tests.unit.entrypoints.commands import walk


def test_the_list_fits_80_columns(pulse) -> None:
    done = pulse("data", "list")
    assert done.status == 0
    assert max(map(len, done.out.splitlines())) <= 80
    assert [line.split()[0] for line in done.out.splitlines()] == ["variable", "a", "b"]


def test_the_list_says_what_there_is_of_the_variables_named(pulse) -> None:
    (row,) = pulse("data", "list", "a", "--format", "json").document["variables"]
    assert row == {
        "variable": "a",
        "observations": 220,
        "absent": 0,
        "first": "2020-01-01",
        "last": "2020-08-07",
        "calendar": "days",
        "vintages": False,
    }


def test_a_file_that_cannot_be_read_is_told_beside_the_others(pulse) -> None:
    (pulse.folder / "data" / "c.csv").write_text("timestamp,value\n2020-01-01,x\n")
    done = pulse("data", "list", "--format", "csv")
    assert (done.status, [row["variable"] for row in csv.DictReader(io.StringIO(done.out))]) == (1, ["a", "b"])
    assert "c: data/c.csv: row 2" in done.err


def test_what_is_odd_is_told_and_strict_ends_with_1(pulse) -> None:
    values = walk(0)
    values[100] += 200
    pulse.write("a", values)
    done = pulse("data", "check")
    assert (done.status, done.err) == (0, "")
    assert "outlier" in done.out
    assert "1 of 2 variables have nothing odd about them" in done.out
    assert pulse("data", "check", "--strict").status == 1
    assert pulse("data", "check", "b", "--strict").status == 0
    told = pulse("data", "check", "--format", "json").document["findings"]
    assert [one["variable"] for one in told if one["kind"] == "season"] == ["a", "b"]
    (finding,) = (one for one in told if one["kind"] != "season")
    assert (finding["variable"], finding["kind"], finding["first"]) == ("a", "outlier", "2020-04-10")


def test_copies_as_parquet_hold_the_same_rows_and_twice_is_once(pulse) -> None:
    (pulse.folder / "data" / "v.csv").write_text(
        "timestamp,value,known_at\n2020-01-01,1,2020-02-01\n2020-01-01,2,2020-03-01\n"
    )
    done = pulse("data", "convert", "--to", "copy")
    assert (done.status, done.err) == (0, "pulse: 3 files written to copy\n")
    old, new = FolderStore(pulse.folder / "data"), FolderStore(pulse.folder / "copy")
    assert list(new.names()) == ["a", "b", "v"]
    assert [new.read(name) for name in "abv"] == [old.read(name) for name in "abv"]
    assert "0 files written to copy; 3 existed already" in pulse("data", "convert", "--to", "copy").err


def test_other_rows_are_not_overwritten_unless_asked(pulse) -> None:
    pulse("data", "convert", "--to", "copy")
    pulse.write("a", walk(5))
    refused = pulse("data", "convert", "a", "--to", "copy")
    assert (refused.status, "copy/a.parquet: holds other rows than the data" in refused.err) == (1, True)
    assert pulse("data", "convert", "a", "--to", "copy", "--overwrite").status == 0
    assert FolderStore(pulse.folder / "copy").read("a") == FolderStore(pulse.folder / "data").read("a")


def test_a_second_file_for_one_variable_is_not_made(pulse) -> None:
    done = pulse("data", "convert", "--to", "data")
    assert done.status == 1
    assert "variable 'a' exists already as a.csv" in done.err
    assert not list((pulse.folder / "data").glob("*.parquet"))


def test_a_name_that_leads_out_of_the_place_is_no_files(pulse) -> None:
    (pulse.folder / "long.csv").write_text("variable,timestamp,value\n../up,2020-01-01,1\n")
    done = pulse("data", "convert", "--data", "long.csv", "--to", "copy")
    assert (done.status, "no file can be named after variable '../up'" in done.err) == (1, True)
    assert not (pulse.folder / "up.parquet").exists()


def test_the_sample_is_copied_with_its_terms_over_nothing(pulse) -> None:
    done = pulse("data", "sample", "mine")
    assert (done.status, "5 files written to mine" in done.err) == (0, True)
    assert (pulse.folder / "mine" / "PROVENANCE.md").exists()
    (pulse.folder / "mine" / "spx_close.csv").write_text("timestamp,value\n")
    refused = pulse("data", "sample", "mine")
    assert refused.status == 1
    assert (pulse.folder / "mine" / "spx_close.csv").read_text() == "timestamp,value\n"


@pytest.mark.parametrize("words", [("convert", "--to", "gs://x/y"), ("sample", "gs://x/y")])
def test_a_place_that_nothing_serves_is_refused(pulse, words) -> None:
    done = pulse("data", *words)
    assert (done.status, "gs://x/y: no adapter for gs://" in done.err) == (2, True)


def test_a_run_on_the_copy_has_the_same_digest(pulse) -> None:
    pulse("data", "convert", "--to", "copy")
    pulse.train("one")
    pulse.train("two", "--data", "copy", "--results", "others")
    texts = [(pulse.folder / place / "result.json").read_text() for place in ("results/one", "others/two")]
    assert len({np.array(text.split('"digest": "')[1][:71]).item() for text in texts}) == 1
