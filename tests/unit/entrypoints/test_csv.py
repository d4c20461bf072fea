"""CSV outputs: texts that a spreadsheet would run as formulas are texts, and numbers are numbers."""

from __future__ import annotations

import csv
import io

import pytest

from pulse_entrypoints.cli.output import as_text, write_csv

FORMULAS = ("=cmd|' /C calc'!A0", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1")


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_that_starts_as_a_formula_gets_an_apostrophe(text) -> None:
    assert as_text(text) == f"'{text}"


@pytest.mark.parametrize("cell", ["sales", "a=b", "2020-01-01", "", "'=1", 1, -1.5, None, -0.0, True])
def test_other_cells_stay_as_they_are(cell) -> None:
    assert as_text(cell) is cell


def test_negative_numbers_are_read_as_numbers(capsys) -> None:
    write_csv(("name", "value"), [{"name": "=1", "value": -1.5, "more": 0}, {"name": "b"}])
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows == [["name", "value"], ["'=1", "-1.5"], ["b", ""]]


def test_the_name_of_a_variable_is_no_formula_in_the_outputs(pulse) -> None:
    (pulse.folder / "data/a.csv").rename(pulse.folder / "data/=1+1.csv")
    pulse.train("r")
    for words in (("runs", "show", "r"), ("forecast", "r"), ("data", "list")):
        rows = list(csv.DictReader(io.StringIO(pulse(*words, "--format", "csv").out)))
        assert {row["variable"] for row in rows} == {"'=1+1", "b"}
