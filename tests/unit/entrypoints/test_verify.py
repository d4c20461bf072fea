"""`pulse runs verify`: what it finds, what it repairs, and how it ends."""

from __future__ import annotations

import csv
import io
import os
import time
from pathlib import Path

import attrs
import pytest

from pulse_adapters.sinks.leases import LAPSE_SECONDS, TRAIN, Claim
from pulse_entrypoints.commands.runs import verify
from tests.unit.entrypoints.commands import Pulse


@pytest.fixture
def results(pulse: Pulse) -> Path:
    pulse.train("r", "--hindcasts")
    pulse.train("s", "--min-history", 10)
    return pulse.folder / "results"


def flip(path: Path, at: int = 60) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def only(folder: Path, pattern: str = "*") -> Path:
    return min(folder.glob(pattern))


def test_sound_results_have_no_findings(pulse, results) -> None:
    done = pulse("runs", "verify", "--format", "json")
    assert (done.status, done.err) == (0, "")
    files = [path for path in results.rglob("*") if path.is_file() and path.name != "run.log"]
    assert done.document["files"] == len(files)
    assert done.document["bytes"] == sum(path.stat().st_size for path in files)
    assert [done.document[name] for name in ("damaged", "repaired", "leftover", "findings")] == [0, 0, 0, []]
    assert "0 damaged, 0 repaired, 0 left over" in pulse("runs", "verify").out


@pytest.mark.parametrize("table", ["scores", "batches", "hindcasts"])
def test_a_damaged_part_is_named_with_the_run_that_writes_it_anew(pulse, results, table) -> None:
    part = only(results / "r" / table)
    flip(part)
    for words in ((), ("--repair",), ("r",)):
        done = pulse("runs", "verify", *words, "--format", "json")
        assert done.status == 1
        (finding,) = done.document["findings"]
        assert (finding["kind"], finding["address"], finding["run"], finding["state"]) == (
            *("part", str(part), "r", "damaged"),
        )
        assert "run the same training again, with --run-id r" in finding["remedy"]
        assert str(part) in done.err
    assert pulse("runs", "verify", "s").status == 0
    pulse.train("r", "--hindcasts")
    assert pulse("runs", "verify").status == 0


@pytest.mark.parametrize("what", ["folder", "pipe", "loop"])
def test_what_stands_in_the_place_of_a_part_is_named_and_set_aside(pulse, results, what) -> None:
    part = only(results / "r/scores")
    part.unlink()
    if what == "folder":
        (part / "inner").mkdir(parents=True)
    elif what == "pipe":
        os.mkfifo(part)
    else:
        part.symlink_to(part.name)
    done = pulse("runs", "verify", "--format", "json")
    (finding,) = done.document["findings"]
    assert (done.status, finding["kind"], finding["address"]) == (1, "part", str(part))
    assert "is no file" in finding["problem"]
    assert finding["remedy"].startswith("--repair sets it aside; then run the same training again")
    done = pulse("runs", "verify", "--repair", "--format", "json")
    aside = part.with_name(f"{part.name}.damaged")
    assert (done.status, os.path.lexists(part), os.path.lexists(aside)) == (1, False, True)
    assert str(aside) in done.document["findings"][0]["remedy"]
    pulse.train("r", "--hindcasts")
    assert pulse("runs", "verify").status == 0
    assert pulse("compare", "r", "s").status == 0


def test_a_damaged_result_is_named_and_its_parts_stay(pulse, results) -> None:
    flip(results / "r/result.json", 40)
    done = pulse("runs", "verify", "--repair", "--format", "json")
    (finding,) = done.document["findings"]
    assert (done.status, finding["kind"], finding["run"]) == (1, "result", "r")
    assert "Move the file away and run the same training again" in finding["remedy"]
    assert only(results / "r/scores").exists()


def test_a_damaged_pack_is_set_aside_and_computed_again(pulse, results) -> None:
    pack = max(results.glob("records/*/*"), key=lambda path: path.stat().st_size)
    flip(pack)
    done = pulse("runs", "verify")
    assert (done.status, "--repair sets it aside" in " ".join(done.out.split())) == (1, True)
    done = pulse("runs", "verify", "--repair", "--format", "json")
    assert (done.status, done.document["repaired"], pack.exists()) == (0, 1, False)
    done = pulse("runs", "verify", "--format", "json")
    assert (done.status, [finding["state"] for finding in done.document["findings"]]) == (0, ["leftover"])
    assert pulse("runs", "verify", "--repair").status == 0
    assert pulse("runs", "verify", "--format", "json").document["findings"] == []
    for run_id, words in {"r": ("--hindcasts",), "s": ("--min-history", 10)}.items():
        pulse.train(run_id, *words)
    assert pulse("runs", "verify").status == 0


def test_what_killed_writers_left_is_told_and_removed(pulse, results) -> None:
    temporary = results / "r/scores" / f".part-00000-of-00001.parquet.{'0f' * 8}.tmp"
    temporary.write_bytes(b"half")
    part = results / "r/scores/part-00000-of-00001-0a0a.parquet"
    part.write_bytes(b"named by no result")
    done = pulse("runs", "verify", "--format", "json")
    assert done.status == 0
    assert {finding["address"]: finding["state"] for finding in done.document["findings"]} == {
        str(temporary): "leftover",
        str(part): "leftover",
    }
    assert pulse("runs", "verify", "--repair", "--format", "json").document["repaired"] == 2
    assert not temporary.exists()
    assert not part.exists()
    assert pulse("compare", "r", "s").status == 0


def test_while_a_process_works_on_a_run_its_parts_stay_and_once_it_is_dead_they_go(pulse, results) -> None:
    part = results / "r/scores/part-00000-of-00001-0a0a.parquet"
    part.write_bytes(b"under way")
    path, held = results / "r/claim", Claim.of("r", TRAIN, "spec")
    path.write_bytes(held.encoded())
    done = pulse("runs", "verify", "--repair", "--format", "json")
    assert (done.status, done.document["findings"], part.exists()) == (0, [], True)
    ended = attrs.evolve(held.process, started=held.process.started - 1)
    path.write_bytes(attrs.evolve(held, process=ended).encoded())
    done = pulse("runs", "verify", "--repair", "--format", "json")
    assert {finding["kind"] for finding in done.document["findings"]} == {"part", "claim"}
    assert (done.document["repaired"], part.exists(), path.exists()) == (2, False, False)


def test_a_claim_of_another_machine_is_observed_by_our_own_clock_before_it_is_removed(
    pulse, results, monkeypatch
) -> None:
    """The clock of the storage says that the claim is old; its holder renews it all the same."""
    path, held = results / "r/claim", Claim.of("r", TRAIN, "spec")
    held = attrs.evolve(held, process=attrs.evolve(held.process, boot="another machine"))

    def write(claim: Claim) -> None:
        path.write_bytes(claim.encoded())
        os.utime(path, (time.time() - 3600,) * 2)

    waited = []

    def renewed_meanwhile(seconds: float) -> None:
        waited.append(seconds)
        write(held.renewed(()))

    part = results / "r/scores/part-00000-of-00001-0a0a.parquet"
    part.write_bytes(b"under way")
    write(held)
    monkeypatch.setattr(verify, "observe", renewed_meanwhile)
    done = pulse("runs", "verify", "--repair", "--format", "json")
    assert (done.status, done.document["findings"], part.exists(), path.exists()) == (0, [], True, True)
    assert waited == [LAPSE_SECONDS]
    monkeypatch.setattr(verify, "observe", waited.append)
    done = pulse("runs", "verify", "--repair", "--format", "json")
    assert (done.status, done.document["repaired"], part.exists(), path.exists()) == (0, 2, False, False)


def test_a_damaged_claim_is_removed_once_it_has_stood_still(pulse, results, monkeypatch) -> None:
    monkeypatch.setattr(verify, "observe", lambda seconds: None)
    path = results / "r/claim"
    path.write_bytes(b"no claim")
    done = pulse("runs", "verify", "--repair", "--format", "json")
    assert (done.status, [finding["kind"] for finding in done.document["findings"]]) == (1, ["claim"])
    os.utime(path, (time.time() - 3600,) * 2)
    done = pulse("runs", "verify", "--repair", "--format", "json")
    assert (done.status, done.document["repaired"], path.exists()) == (0, 1, False)


def test_a_file_that_cannot_be_read_is_a_finding_and_the_rest_is_checked(pulse, results) -> None:
    (results / "r/result.json").unlink()
    (results / "r/result.json").mkdir()
    (results / "r/result.json/file").write_bytes(b"")
    flip(only(results / "s/scores"))
    done = pulse("runs", "verify", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert done.status == 1
    assert {row["run"] for row in rows if row["state"] == "damaged"} >= {"s"}


def test_a_run_that_is_not_there_is_an_error(pulse, results) -> None:
    done = pulse("runs", "verify", "nothing")
    assert (done.status, "no run 'nothing'" in done.err) == (1, True)


def test_nothing_to_check_is_no_error(pulse) -> None:
    done = pulse("runs", "verify")
    assert (done.status, "Checked 0 files" in done.out) == (0, True)


def test_leftovers_of_one_folder_are_one_line_for_people(pulse, results) -> None:
    for digit in "ab":
        (results / "r/scores" / f"part-00000-of-00001-{digit * 32}.parquet").write_bytes(b"")
    done = pulse("runs", "verify")
    assert "2 parts in r/scores" in " ".join(done.out.split())
    assert "2 left over" in done.out
    assert len(pulse("runs", "verify", "--format", "json").document["findings"]) == 2
    assert "2 parts in r/scores" in " ".join(pulse("runs", "verify", "--repair").out.split())
