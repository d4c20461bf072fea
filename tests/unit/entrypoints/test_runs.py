"""`pulse runs`: what there is, what one run found, and what goes when it is old."""

from __future__ import annotations

import errno
import json
import os
import time
from collections import Counter
from collections.abc import Iterator

import attrs
import pytest

from pulse.testing.results import per_origin_record, publish, run_result, spec
from pulse_adapters.sinks.folder import FolderSink
from pulse_adapters.sinks.leases import TRAIN, Claim, claimed
from pulse_adapters.storage.folder import FolderStorage
from pulse_adapters.storage.port import Entry
from pulse_core.errors import SinkUnavailable
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.commands.runs.command import list_runs, show_run
from pulse_entrypoints.commands.runs.prune import prune_runs
from pulse_entrypoints.commands.runs.verify import verify_runs

OLD, YOUNG = "aa" * 32, "bb" * 32
DAY = 86_400.0


@pytest.fixture
def place(tmp_path):
    """Two published runs, one that never was, and two records; the first of each is a hundred days old."""
    sink = FolderSink(tmp_path)
    for run_id in ("first", "second"):
        publish(sink, run_result(run_id=run_id, parts=()))
    sink.attach("third", "run.log", b"{}\n")
    for number, key in enumerate((OLD, YOUNG)):
        sink.record(key, per_origin_record(number))
    for path in (tmp_path / "first/result.json", tmp_path / "units/aa" / OLD):
        os.utime(path, (time.time() - 100 * DAY,) * 2)
    return tmp_path


def run(command, place, *words: str, **options: str) -> int:
    values = {name: [value] for name, value in options.items()}
    return int(command(CommandLine(values={"results": [str(place)], **values}, words=list(words)), {}))


def answered(capsys) -> dict:
    return dict(json.loads(capsys.readouterr().out))


def test_runs_are_listed_the_newest_first_with_how_they_fared(place, capsys) -> None:
    assert run(list_runs, place, format="json") == 0
    listed = answered(capsys)
    assert listed["runs"][-1]["run"] == "first"
    states = {line["run"]: line["state"] for line in listed["runs"]}
    assert states == {"first": "published", "second": "published", "third": "not published"}
    units = run_result().units
    assert {line["recalled"] for line in listed["runs"] if line["state"] == "published"} == {units.recalled}
    assert (listed["records"]["count"], listed["records"]["set_aside"]) == (2, 0)


def test_a_result_that_cannot_be_read_is_listed_as_that(place, capsys) -> None:
    (place / "second/result.json").write_text("{")
    assert run(list_runs, place, format="json") == 0
    assert {line["state"] for line in answered(capsys)["runs"] if line["run"] == "second"} == {"unreadable"}


def test_people_see_a_table(place, capsys) -> None:
    assert run(list_runs, place) == 0
    out = capsys.readouterr().out
    assert f"{spec().start} to {spec().end}" in out
    assert "Records: 2" in out


def test_an_empty_place_is_no_error(tmp_path, capsys) -> None:
    assert run(list_runs, tmp_path / "nothing") == 0
    assert "No runs in" in capsys.readouterr().out


def test_a_run_is_shown_as_its_document_is(place, capsys) -> None:
    assert run(show_run, place, "second", format="json") == 0
    assert answered(capsys) == json.loads((place / "second/result.json").read_text())


def test_a_run_is_shown_to_people(place, capsys) -> None:
    assert run(show_run, place, "second") == 0
    out = capsys.readouterr().out
    assert "second" in out
    assert "recalled" in out


def test_a_run_of_many_horizons_is_shown_in_80_columns_with_its_whole_digest(pulse) -> None:
    period = ("--start-date", "2020-03-01", "--end-date", "2020-04-30", "--horizon", 20, "--backend", "serial")
    assert pulse("train", "--variables", "a", *period, "--run-id", "far").status == 0
    shown = pulse("runs", "show", "far").out
    assert max(map(len, shown.splitlines())) <= 80
    assert "…" not in shown
    digest = pulse("runs", "show", "far", "--format", "json").document["digest"]
    assert digest in shown.replace(" ", "").replace("\n", "")


def test_a_run_is_shown_with_every_forecaster_that_ran_the_seasonal_ones_too(pulse) -> None:
    period = ("--start-date", "2020-03-01", "--end-date", "2020-04-30", "--horizon", 2, "--season", 5)
    assert pulse("train", "--variables", "a", *period, "--run-id", "weekly", "--backend", "serial").status == 0
    document = pulse("runs", "show", "weekly", "--format", "json").document
    names = document["run"]["spec"]["forecasters"]
    assert (
        {"seasonal-naive"} < {name for one in document["variables"].values() for name in one["forecasters"]} < {*names}
    )
    shown = pulse("runs", "show", "weekly").out
    assert f"forecasters{', '.join(names)}".replace(" ", "") in shown.replace(" ", "").replace("\n", "")


def test_a_run_that_is_not_there_is_an_error_with_near_ones(place, capsys) -> None:
    assert run(show_run, place, "secnd") == 1
    assert "There are: second" in capsys.readouterr().err


def test_what_is_old_is_pruned_and_the_rest_stays(place, capsys) -> None:
    assert run(prune_runs, place, older_than="90", format="json") == 0
    pruned = answered(capsys)
    assert (pruned["runs"], pruned["records"]) == (["first"], [f"units/aa/{OLD}"])
    sink = FolderSink(place)
    assert list(sink.run_ids()) == ["second", "third"]
    assert [record.name for record in sink.records()] == [f"units/bb/{YOUNG}"]


def test_a_dry_run_removes_nothing(place, capsys) -> None:
    assert run(prune_runs, place, older_than="90", dry_run="true") == 0
    assert "Would remove run first" in capsys.readouterr().out
    assert list(FolderSink(place).run_ids()) == ["first", "second", "third"]


@pytest.mark.parametrize(("what", "runs", "records"), [("runs", 2, 2), ("records", 3, 1)])
def test_pruning_can_keep_to_runs_or_records(place, what, runs, records, capsys) -> None:
    assert run(prune_runs, place, older_than="90", what=what) == 0
    sink = FolderSink(place)
    assert (len(list(sink.run_ids())), len(list(sink.records()))) == (runs, records)


def test_the_newest_runs_stay_however_old(place, capsys) -> None:
    assert run(prune_runs, place, older_than="90", keep="3", what="runs") == 0
    assert "first" in list(FolderSink(place).run_ids())


def test_a_record_that_was_set_aside_goes_with_no_young_one_beside_it(place, capsys) -> None:
    path = place / "units/bb" / YOUNG
    path.rename(path.with_name(f"{YOUNG}.damaged"))
    assert run(prune_runs, place, older_than="90", what="records") == 0
    assert list(FolderSink(place).records()) == []


def test_how_old_must_be_said(place, capsys) -> None:
    assert run(prune_runs, place) == 2
    assert "--older-than: is missing" in capsys.readouterr().err


def test_the_benchmarks_that_were_chosen_are_shown_with_how_many_variables_have_each(pulse) -> None:
    pulse.train("auto", "--benchmark", "auto")
    counts = Counter(
        variable["benchmark"]["name"]
        for variable in pulse("runs", "show", "auto", "--format", "json").document["variables"].values()
    )
    told = ", ".join(f"{name} ({count})" for name, count in counts.most_common())
    assert f"auto: {told}" in pulse("runs", "show", "auto").out


def test_folders_of_others_are_no_runs_and_stay_also_behind_a_link(place, tmp_path_factory, capsys) -> None:
    """Results may lie beside other folders, and hold links to them."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    others = [place / "data/sales.csv", place / "first/notes.txt", place / "first/mine/part.csv", elsewhere / "deep/a"]
    for path in others:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
        os.utime(path, (time.time() - 100 * DAY,) * 2)
    (place / "linked").symlink_to(elsewhere)
    assert run(list_runs, place, format="json") == 0
    assert {line["run"] for line in answered(capsys)["runs"]} == {"first", "second", "third"}
    assert run(prune_runs, place, older_than="90", keep="0", format="json") == 0
    assert answered(capsys)["runs"] == ["first"]
    assert not (place / "first/result.json").exists()
    assert all(path.exists() for path in others)


def test_a_run_under_way_is_listed_as_such_until_its_process_has_ended(place, capsys) -> None:
    held = Claim.of("third", TRAIN, "spec")
    with claimed(FolderSink(place).storage, "third/claim", held, print):
        run(list_runs, place, format="json")
        assert {line["state"] for line in answered(capsys)["runs"] if line["run"] == "third"} == {"under way"}
    ended = attrs.evolve(held, process=attrs.evolve(held.process, started=held.process.started - 1))
    (place / "third/claim").write_bytes(ended.encoded())
    run(list_runs, place, format="json")
    assert {line["state"] for line in answered(capsys)["runs"] if line["run"] == "third"} == {"not published"}


def test_a_folder_of_another_user_spoils_no_list_and_is_never_pruned(place, capsys, monkeypatch) -> None:
    entries = FolderStorage.entries

    def refuse(storage: FolderStorage, folder: str) -> Iterator[Entry]:
        if folder == "second":
            cause = PermissionError(errno.EACCES, "Permission denied", folder)
            raise SinkUnavailable("cannot list a folder", folder) from cause
        return entries(storage, folder)

    monkeypatch.setattr(FolderStorage, "entries", refuse)
    assert run(list_runs, place, format="json") == 0
    lines = {line["run"]: line for line in answered(capsys)["runs"]}
    assert (lines["second"]["state"], lines["second"]["written"]) == ("unreadable", None)
    assert lines["first"]["state"] == "published"
    assert run(list_runs, place) == 0
    assert "unreadable" in capsys.readouterr().out
    assert run(prune_runs, place, older_than="30") == 0
    assert (place / "second/result.json").exists()


def test_a_link_to_itself_spoils_no_list(place, capsys) -> None:
    for link in (place / "loop", place / "second/run.log"):
        link.symlink_to(link.name)
    assert run(list_runs, place, format="json") == 0
    assert {line["run"] for line in answered(capsys)["runs"]} == {"first", "second", "third"}


def test_a_folder_in_place_of_a_result_spoils_no_list_and_is_found(place, capsys) -> None:
    (place / "second/result.json").unlink()
    (place / "second/result.json").mkdir()
    (place / "second/run.log").touch()
    assert run(list_runs, place, format="json") == 0
    states = {line["run"]: line["state"] for line in answered(capsys)["runs"]}
    assert states == {"first": "published", "second": "unreadable", "third": "not published"}
    assert run(verify_runs, place) == 1
    assert "second/result.json" in capsys.readouterr().err.replace("\n", "")


@pytest.mark.parametrize("days", ["9999999999", "36501", "0", "-1"])
def test_an_age_that_no_result_can_have_is_a_problem_of_the_settings(place, days, capsys) -> None:
    assert run(prune_runs, place, older_than=days) == 2
    assert f"expected a whole number of days, 1 to 36500, got '{days}'" in capsys.readouterr().err


def test_a_run_that_is_removed_while_runs_are_listed_spoils_nothing(place, capsys, monkeypatch) -> None:
    ids = list(FolderSink(place).run_ids())
    monkeypatch.setattr(FolderSink, "run_ids", lambda _: iter(["gone", *ids]))
    assert run(list_runs, place, format="json") == 0
    assert {line["run"] for line in answered(capsys)["runs"]} == set(ids)


def test_a_run_that_is_under_way_is_not_pruned_and_not_named(place, capsys) -> None:
    sink = FolderSink(place)
    with sink.claim("first", spec(), print):
        os.utime(place / "first/claim", (time.time() - 100 * DAY,) * 2)  # as by another clock
        assert run(prune_runs, place, older_than="90", what="runs", format="json") == 0
        assert answered(capsys)["runs"] == []
    assert "first" in list(sink.run_ids())
