"""What a submission settles, and what a job makes of it."""

from __future__ import annotations

import tomllib
from datetime import date
from typing import Any

import attrs
import pytest

from pulse_adapters.aws_batch.environment import ArrayChild, BatchJob
from pulse_adapters.sinks.folder import FolderSink
from pulse_core.errors import SettingsError
from pulse_core.plan import WorkUnit
from pulse_entrypoints.batch.plan import children
from pulse_entrypoints.batch.run import job_request
from pulse_entrypoints.batch.stored_settings import (
    for_jobs,
    refuse_other_spec,
    store_settings,
    to_toml,
    with_stored_settings,
)
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.layers import Layered, read_settings
from pulse_entrypoints.commands.train.command import validated
from pulse_entrypoints.commands.train.marks import count_finished
from pulse_entrypoints.settings.batch import RunJobSettings, SubmitSettings

JOB = BatchJob(id="abc", name="abc", attempt=1, queue="q", compute_environment="c")
CHILD = attrs.evolve(JOB, id="abc:1", child=ArrayChild(1, 2))
WHAT = {"variables": ["spx_close", "wti_price"], "data": ["sample"], "forecasters": ["naive", "ses"]}


def read(**values: list[str]) -> Layered[RunJobSettings]:
    return read_settings(CommandLine(WHAT | values), {}, RunJobSettings)


def units(count: int, seconds: float) -> list[WorkUnit]:
    return [WorkUnit(index, (f"v{index}",), seconds) for index in range(count)]


@pytest.mark.parametrize(
    ("count", "seconds", "settings", "size"),
    [
        (1, 4.0, {}, 1),
        (75, 4.0, {}, 1),
        (76, 4.0, {}, 2),
        (1000, 0.001, {}, 10),
        (10, 900.0, {}, 10),
        (10, 4.0, {"units_per_child": 3}, 4),
        (10, 4.0, {"array_size": 5}, 5),
        (10, 4.0, {"array_size": 5, "units_per_child": 2}, 5),
    ],
)
def test_the_size_of_an_array_follows_from_the_plan(count, seconds, settings, size) -> None:
    assert children(units(count, seconds), SubmitSettings(**settings)) == size


@pytest.mark.parametrize(
    ("count", "settings"),
    [
        (10_001, {"units_per_child": 1}),
        (20_000, {"array_size": 10_001}),
        (3, {"array_size": 4}),
        (10, {"array_size": 2, "units_per_child": 4}),
    ],
)
def test_an_array_that_cannot_be_is_refused(count, settings) -> None:
    with pytest.raises(SettingsError):
        children(units(count, 4.0), SubmitSettings(**settings))


def test_what_is_stored_is_what_a_job_reads_whatever_was_said(tmp_path) -> None:
    values = WHAT | {
        "start_date": ["2018-01-01"],
        "season": ["5"],
        "trust_half_life": ["250"],
        "trust_span": ["100"],
        "benchmark": ["auto"],
        "hindcasts": ["true"],
        "use_dask": ["true"],
        "dask_local": ["true"],
        "dask_adaptive": ["1", "4"],
        "grace_seconds": ["3"],
        "run_id": ["mine"],
        "keep_going": ["true"],
        "log_level": ["debug"],
        "output_file": ["here.json"],
        "cache_max_size": ["500MB"],
    }
    typed = read_settings(CommandLine(values), {}, SubmitSettings)
    assert typed.problems == ()
    order = validated(attrs.evolve(typed, settings=attrs.evolve(typed.settings, log_dir=tmp_path)))
    sink: Any = FolderSink(tmp_path / "results")
    stored = store_settings(sink, "mine", order.spec.run_id, to_toml(for_jobs(typed, order.spec)))
    told = CommandLine({"stored_settings": [stored], "data": ["sample"]})
    with with_stored_settings(told, sink, stored) as line:
        job = read_settings(line, {}, RunJobSettings)
    assert job.problems == ()
    assert validated(job).spec == order.spec
    same = ("hindcasts", "dask_adaptive", "grace_seconds", "run_id", "keep_going", "log_level")
    assert {name: getattr(job.settings, name) for name in same} == {
        name: getattr(typed.settings, name) for name in same
    }
    assert job.settings.output_file is None
    assert "cache_max_size" not in job.sources
    refuse_other_spec(stored, order.spec)
    with pytest.raises(SettingsError, match="another training"):
        refuse_other_spec(stored, attrs.evolve(order.spec, horizon=9))


@pytest.mark.parametrize(
    "season", ["auto", None, 12, (24, 168), {"*": "none", 'sa"les': 7, "x": "auto", "y": (24, 168)}], ids=str
)
def test_a_season_survives_being_stored(season, tmp_path) -> None:
    order = validated(read_settings(CommandLine(WHAT | {"start_date": ["2018-01-01"]}), {}, SubmitSettings))
    spec = attrs.evolve(order.spec, season=season)
    path = tmp_path / "stored.toml"
    path.write_bytes(to_toml({"season": spec.season}))
    read_back = read_settings(CommandLine({"config": [str(path)]}), {}, SubmitSettings)
    assert read_back.problems == ()
    assert read_back.settings.season == spec.season


def test_names_of_any_kind_survive_being_stored() -> None:
    names = ('a"b', "back\\slash", "ünï", "汉字", "🙂", "[x]", "#no")
    assert tomllib.loads(to_toml({"variables": names, "end_date": date(2020, 2, 29)}).decode()) == {
        "variables": list(names),
        "end_date": date(2020, 2, 29),
    }


def test_a_child_is_its_slice_and_publishes_nothing() -> None:
    order = job_request(read(), CHILD)
    assert order.settings.slice == (1, 2)
    assert (order.settings.output_file, order.settings.s3_output_file) == (None, None)
    assert order.job == {"job": "abc", "attempt": 1, "index": 1}


def test_a_child_of_failed_ones_does_the_share_it_was_given() -> None:
    order = job_request(read(children=["3", "17"], shares=["40"]), CHILD)
    assert order.settings.slice == (17, 40)
    alone = job_request(read(children=["3"], shares=["40"]), JOB)
    assert alone.settings.slice == (3, 40)


def test_the_job_that_collects_after_failed_ones_takes_the_whole() -> None:
    order = job_request(read(children=["3", "17"], shares=["40"], collect=["true"]), JOB)
    assert (order.settings.slice, order.recorded_only) == (None, True)


def test_a_whole_job_publishes_under_its_name_here_and_in_the_results_bucket() -> None:
    order = job_request(read(s3_results_bucket=["my-results"]), JOB)
    assert order.settings.output_file == "results/batch_abc.json"
    assert order.settings.s3_output_file == ("my-results", "results/batch_abc.json")
    said = job_request(read(output_file=["x.json"], s3_output_file=["s3://other/y.json"], results=["here"]), JOB)
    assert said.settings.output_file == "x.json"
    assert said.settings.s3_output_file == ("other", "y.json")


@pytest.mark.parametrize(
    ("values", "job", "told"),
    [
        ({"slice": ["0/2"]}, CHILD, "--slice"),
        ({"collect": ["true"]}, CHILD, "--collect"),
        ({"children": ["1", "2"]}, CHILD, "--shares"),
        ({"children": ["1"], "shares": ["4"]}, CHILD, "1 shares for 2 jobs"),
        ({"children": ["1", "4"], "shares": ["4"]}, CHILD, "no share 4 of 4"),
        ({"data": ["data"]}, CHILD, "--end-date"),
        ({"data": ["data"], "collect": ["true"]}, JOB, "--end-date"),
    ],
)
def test_what_does_not_fit_together_is_refused(values, job, told) -> None:
    with pytest.raises(SettingsError) as refused:
        job_request(read(**values), job)
    assert any(told in problem for problem in refused.value.problems)


def test_marks_of_another_cut_do_not_count() -> None:
    marks = ["unit-00000-of-00002", "unit-00001-of-00002", "unit-00000-of-00004", "other"]
    assert (count_finished(marks, 2), count_finished(marks, 4), count_finished([], 2)) == (2, 1, 0)
