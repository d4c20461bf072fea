"""`pulse train --dry-run`: the plan and estimates, and nothing is done."""

from __future__ import annotations

from datetime import date

import pytest

from pulse_core.plan import Workload, work_units
from pulse_core.spec import RunSpec
from pulse_entrypoints.commands.train.estimates import BYTES_A_PROCESS, estimate, rows_in

TRAIN = ("train", "--dry-run", "--start-date", "2020-03-01", "--end-date", "2020-06-30")


def test_nothing_is_done(pulse) -> None:
    done = pulse(*TRAIN, "--variables", "a", "b", "--run-id", "r")
    assert (done.status, done.err) == (0, "")
    assert sorted(path.name for path in pulse.folder.iterdir()) == ["data"]


def test_the_plan_fits_80_columns_and_names_what_matters(pulse) -> None:
    done = pulse(*TRAIN, "--variables", "a", "b", "--slice", "0/2", "--unit-size", 1, "--backend", "serial")
    assert max(map(len, done.out.splitlines())) <= 80
    for told in ("5 of 30 days", "2: a, b", "1 of up to 1 variable, serial (slice 0/2)", "in 2 files", "memory"):
        assert told in done.out


def test_bytes_are_those_of_the_files(pulse) -> None:
    size = (pulse.folder / "data" / "a.csv").stat().st_size
    document = pulse(*TRAIN, "--variables", "a", "--json").document
    assert (document["bytes_to_read"], document["batches"], document["horizon"]) == (size, 5, 5)
    assert document["rows"] == pytest.approx(220, rel=0.2)


def test_a_variable_that_is_not_there_ends_with_1(pulse) -> None:
    done = pulse(*TRAIN, "--variables", "a", "aa")
    assert (done.status, "'aa'; near: a" in done.err) == (1, True)


def test_predictors_are_read_too(pulse) -> None:
    document = pulse(*TRAIN, "--variables", "a", "--predictors", "b", "--json").document
    assert document["bytes_to_read"] == sum(path.stat().st_size for path in (pulse.folder / "data").iterdir())


LOAD = Workload(1e-6)


def spec(count: int, **fields) -> RunSpec:
    return RunSpec(variables=[f"v{n}" for n in range(count)], start=date(2020, 1, 1), end=date(2021, 1, 1), **fields)


def test_more_work_takes_longer_and_more_workers_less() -> None:
    few, many = spec(10), spec(100)
    alone = estimate(many, 0, work_units(many, LOAD), 100_000, 1)
    assert estimate(few, 0, work_units(few, LOAD), 10_000, 1).seconds < alone.seconds
    assert estimate(many, 0, work_units(many, LOAD), 100_000, 4).seconds < alone.seconds
    assert estimate(many, 1, work_units(many, LOAD), 100_000, 1).seconds > alone.seconds
    assert alone.memory > BYTES_A_PROCESS


def test_no_more_are_at_work_than_there_are_units() -> None:
    one = spec(1)
    assert estimate(one, 0, work_units(one, LOAD), 1000, 8).workers == 1


def test_rows_follow_from_the_kind_of_file() -> None:
    assert rows_in({"a.csv": 2200, "b.csv.gz": 700}) == 200
