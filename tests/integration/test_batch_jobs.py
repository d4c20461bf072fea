"""`pulse batch` from the shell, against jobs that are real processes: retries, faults, collecting, watching."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest

from tests.integration.cli import FEW, PERIOD, command, digest, environment, pulse, write_series
from tests.servers.batch_api import serving
from tests.servers.batch_jobs import KILLED, NODE_LOST, SIGTERM, TWICE, Launcher
from tests.servers.dask_cluster import free_port
from tests.servers.s3 import BUCKET, S3Server

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

VARIABLES = tuple("abcdefghij")
WHAT = ("--variables", *VARIABLES, *PERIOD, *FEW, "--unit-size", "1")


@attrs.frozen
class Account:
    """An account of AWS, and a folder that its containers share with this machine."""

    folder: Path
    launcher: Launcher
    variables: dict[str, str]
    places: tuple[str, ...]

    def batch(self, *words: object) -> subprocess.CompletedProcess[str]:
        """Run to the end, however busy the machine is: a watch that is cut off tells nothing."""
        return subprocess.run(
            command("batch", *words),
            cwd=self.folder,
            env=environment(**self.variables),
            capture_output=True,
            text=True,
            check=False,
        )

    def submit(self, *words: object) -> subprocess.CompletedProcess[str]:
        return self.batch("submit", "--queue", "spot", "--definition", "pulse", *WHAT, *self.places, *words)

    def serial(self) -> str:
        """The digest of the same training here, in one process, in a place of its own."""
        here = ("--data", str(self.folder / "data"), "--results", "elsewhere", "--backend", "serial")
        return digest(pulse(self.folder, "train", *WHAT, *here))

    def results(self) -> Iterator[dict[str, Any]]:
        for path in (self.folder / "results").glob("*/result.json"):
            yield json.loads(path.read_text())

    def account(self) -> dict[str, Any]:
        (path,) = (self.folder / "results").glob("*/batch.json")
        told: dict[str, Any] = json.loads(path.read_text())
        return told


@pytest.fixture
def account(tmp_path) -> Iterator[Account]:
    for number, name in enumerate(VARIABLES):
        write_series(tmp_path / "data", name, 100.0 * (number + 1))
    (tmp_path / "containers").mkdir()
    launcher = Launcher(tmp_path / "containers", environment())
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    with serving(launcher) as endpoints:
        places = ("--data", str(tmp_path / "data"), "--results", str(tmp_path / "results"))
        yield Account(tmp_path, launcher, endpoints | keys, places)


@pytest.fixture
def in_bucket(account, seaweedfs_server) -> Account:
    """The same account with data and results in a real server that speaks S3."""
    corner = seaweedfs_server.corner()
    files = {path.name: path.read_bytes() for path in (account.folder / "data").iterdir()}
    seaweedfs_server.put(f"{corner}data/", files)
    account.launcher.environment = {**account.launcher.environment, **seaweedfs_server.environment}
    data = ("--s3-data-bucket", BUCKET, "--s3-data-prefix", f"{corner}data/")
    results = ("--s3-results-bucket", BUCKET, "--s3-results-prefix", f"{corner}results/")
    variables = account.variables | seaweedfs_server.environment
    return Account(account.folder, account.launcher, variables, (*data, *results))


def documents(done: subprocess.CompletedProcess[str]) -> Sequence[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_an_array_with_every_fault_and_its_collecting_job_say_what_a_serial_run_says(
    in_bucket, seaweedfs_server
) -> None:
    account, launcher = in_bucket, in_bucket.launcher
    launcher.faults.update({1: [TWICE], 2: [KILLED], 3: [SIGTERM]})
    done = account.submit("--array-size", 5, "--watch", "--price-per-vcpu-hour", 0.04)
    assert done.returncode == 0, done.stderr + done.stdout
    told = documents(done)
    place = account.places[-1]
    run_id, collect_job = told[1]["run_id"], told[0]["collect_job"]
    files = {name: json.loads(content) for name, content in objects(seaweedfs_server, place).items()}
    assert set(files) == {f"{run_id}/result.json", f"batch_{collect_job}.json", f"{run_id}/batch.json"}
    assert files[f"{run_id}/result.json"] == files[f"batch_{collect_job}.json"]
    assert files[f"{run_id}/result.json"]["digest"] == account.serial()
    array = launcher.jobs[told[0]["job"]]
    codes = [[attempt["container"]["exitCode"] for attempt in child.attempts] for child in array.children]
    assert codes == [[0], [0], [-9, 0], [75, 0], [0]]
    assert told[-2]["units_finished"] == told[-2]["units"] == 10
    counted = [each["units_finished"] for each in told[1:-1]]
    assert counted == sorted(counted)
    assert told[-1]["attempts"] == 8
    assert told[-1]["status"] == 0
    assert told[-1]["estimated_cost"] == pytest.approx(told[-1]["vcpu_hours"] * 0.04, abs=1e-5)
    assert files[f"{run_id}/batch.json"]["submissions"][0]["jobs"] == [array.id, collect_job]


def objects(server: S3Server, prefix: str) -> dict[str, bytes]:
    """Every JSON file below a prefix."""
    client = server.client()
    names = [name for name in server.keys(prefix) if name.endswith(".json")]
    return {name: client.get_object(Bucket=BUCKET, Key=f"{prefix}{name}")["Body"].read() for name in names}


def test_the_next_attempt_repeats_nothing_and_every_event_names_job_attempt_and_child(account) -> None:
    account.launcher.faults[0] = [SIGTERM]
    done = account.submit("--array-size", 2, "--watch", "--no-collect-job")
    assert done.returncode == 0, done.stderr + done.stdout
    array = documents(done)[0]["job"]
    first, second = (events(account, f"{array}:0-{attempt}-0") for attempt in (1, 2))
    assert {(each["job"], each["attempt"], each["index"]) for each in second} == {(array, 2, 0)}
    assert {each["run_id"] for each in (*first, *second)} == {documents(done)[1]["run_id"]}
    finished = [each for each in first if each["event"] == "unit_finished"]
    assert all("unit" in each for each in finished)
    (end,) = [each for each in second if each["event"] == "run_finished"]
    assert (end["recalled"], end["computed"]) == (len(finished), 5 - len(finished))
    assert end["published"] == []
    assert not list(account.results())


def events(account: Account, stream: str) -> list[dict[str, Any]]:
    lines = account.launcher.streams[f"pulse/default/{stream}"].read_text().splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def test_a_single_job_publishes_also_under_its_own_name(account) -> None:
    done = account.submit("--array-size", 1, "--watch")
    assert done.returncode == 0, done.stderr
    job = documents(done)[0]["job"]
    assert documents(done)[0]["collect_job"] is None
    (result,) = account.results()
    (local,) = account.launcher.root.glob(f"{job}-1-0/results/batch_{job}.json")
    assert json.loads(local.read_text()) == result


def test_failed_children_are_submitted_again_alone_and_then_all_is_collected(account) -> None:
    broken = account.folder / "data" / "d.csv"
    sound = broken.read_text()
    broken.write_text("timestamp,value\n2020-01-01,soon\n")
    done = account.submit("--array-size", 5, "--watch")
    assert done.returncode == 1
    array = documents(done)[0]["job"]
    assert documents(done)[-2]["jobs"][1]["reason"] == "Dependent Job failed"
    said = account.batch("logs", array)
    assert "variable_failed" in said.stdout
    assert f"{array}:3 attempt 1" in said.stdout

    broken.write_text(sound)
    early = account.batch("collect", array)
    assert (early.returncode, list(account.results())) == (1, [])
    assert "d: variable 'd': nobody has recorded its result" in early.stderr
    again = account.batch("submit", "--failed-only", array, "--watch")
    assert again.returncode == 0, again.stderr + again.stdout
    new = account.launcher.jobs[documents(again)[0]["job"]]
    (finished,) = [each for each in events(account, f"{new.id}-1-0") if each["event"] == "run_finished"]
    assert finished["planned"] == 2
    assert (new.size, len(new.attempts)) == (None, 1)
    (result,) = account.results()
    assert result["digest"] == account.serial()
    assert [entry["jobs"][0] for entry in account.account()["submissions"]] == [array, new.id]


def test_collecting_from_the_shell_gives_the_whole(account) -> None:
    done = account.submit("--array-size", 2, "--no-collect-job", "--watch")
    array = documents(done)[0]["job"]
    collected = account.batch("collect", f"{array}:1")
    assert collected.returncode == 0, collected.stderr
    (result,) = account.results()
    assert result["digest"] == account.serial()
    assert result["run"]["units"]["computed"] == 0
    assert not list((account.folder / "results").glob("*/progress/*"))


def test_with_keep_going_the_collecting_job_names_what_failed_and_ends_with_3(account) -> None:
    (account.folder / "data" / "d.csv").write_text("timestamp,value\n2020-01-01,soon\n")
    done = account.submit("--array-size", 5, "--watch", "--keep-going")
    assert done.returncode == 3, done.stdout
    (result,) = account.results()
    assert [failure["variable"] for failure in result["failures"]] == ["d"]


def test_a_job_is_cancelled_listed_and_told(account) -> None:
    account.launcher.faults[None] = ["", ""]
    job = documents(account.submit("--array-size", 1, "--watch"))[0]["job"]
    (listed,) = documents(account.batch("list", "--queue", "spot"))
    (told,) = documents(account.batch("status", job, "--price-per-vcpu-hour", 1))
    cancelled = documents(account.batch("cancel", job))
    assert (listed["id"], listed["status"]) == (job, "SUCCEEDED")
    assert (told["run_id"], told["units_finished"]) == (listed["run_id"], 10)
    assert told["used"]["estimated_cost"] > 0
    assert cancelled == [{"job": job, "status": "SUCCEEDED", "ended": False}]


@pytest.mark.parametrize("lost", [False, True])
def test_nodes_share_the_work_of_one_run_and_the_loss_of_one_does_not_fail_it(account, lost) -> None:
    account.launcher.node_port = free_port()
    if lost:
        account.launcher.faults[None] = [NODE_LOST]
    done = account.submit("--nodes", 3, "--watch", "--max-workers", 1)
    assert done.returncode == 0, done.stderr + done.stdout
    job = documents(done)[0]["job"]
    gathered, *_ = events(account, f"{job}-1-0")
    assert (gathered["event"], gathered["nodes"], gathered["node"]) == ("nodes_gathered", 3, 0)
    (result,) = account.results()
    assert result["digest"] == account.serial()
    nodes = [[each["event"] for each in events(account, f"{job}-1-{node}")] for node in (1, 2)]
    assert nodes == [["node_started"] if lost else ["node_started", "node_finished"], ["node_started", "node_finished"]]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--array-size", "11"), "11 children for 10 units"),
        (("--array-size", "10001"), "10000"),
        (("--nodes", "1"), "one node is a single job"),
        (("--slice", "0/2"), "children have their shares"),
        (("--attempts", "11"), "more than 10"),
        (("--results", "here"), "jobs do not see the folder 'here'"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_submitted(account, words, told) -> None:
    done = account.batch(
        "submit",
        "--queue",
        "spot",
        "--definition",
        "pulse",
        *WHAT,
        *account.places[:2],
        *(words if "--results" in words else (*account.places[2:], *words)),
    )
    assert done.returncode == 2, done.stderr
    assert told in done.stderr
    assert not account.launcher.jobs
