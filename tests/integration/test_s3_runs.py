"""`pulse train` with data and results in S3: the same numbers as on local files, whatever the network does."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import attrs
import numpy as np
import pytest

from pulse_adapters.published.document import SCHEMA_VERSION
from tests.integration.cli import bullets, digest, event, pulse
from tests.servers.faults import CutBody, Reset, SlowDown
from tests.servers.s3 import BUCKET, S3Server

pytestmark = pytest.mark.integration

Done = subprocess.CompletedProcess[str]
SEED_CALL = (
    *("train", "--variables", "spx_close", "us_10y_yield"),
    *("--start-date", "2023-01-01", "--end-date", "2023-12-31", "--output-file", "local_results.json"),
)
QUICK = ("--forecasters", "naive", "drift", "ses", "--backend", "serial")


def series() -> dict[str, bytes]:
    days = np.arange(np.datetime64("2022-01-03"), np.datetime64("2024-01-01"))
    days = days[np.is_busday(days)]
    files = {}
    for name, level in (("spx_close", 4_000.0), ("us_10y_yield", 4.0)):
        values = level + np.cumsum(np.random.default_rng(len(name)).normal(size=len(days))) * level / 100
        rows = (f"{day},{value:.6f}" for day, value in zip(days, values, strict=True))
        files[f"{name}.csv"] = "\n".join(["timestamp,value", *rows, ""]).encode()
    return files


@pytest.fixture(scope="module")
def local_digest(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("local")
    (folder / "data").mkdir()
    for name, content in series().items():
        (folder / "data" / name).write_bytes(content)
    return digest(pulse(folder, *SEED_CALL, *QUICK))


def environment(server: S3Server, folder: Path, corner: str) -> dict[str, str]:
    return server.environment | {
        "XDG_CACHE_HOME": str(folder / "cache"),
        "S3_DATA_PREFIX": f"{corner}datasets/",
        "S3_RESULTS_PREFIX": f"{corner}results/",
    }


def in_buckets(server: S3Server, folder: Path, *more: object, corner: str = "") -> tuple[str, Done]:
    """The seed call with endpoint and credentials; returns the corner of the bucket it used, and how it ended."""
    if not corner:
        corner = server.corner()
        server.put(f"{corner}datasets/", series())
    buckets = ("--s3-data-bucket", BUCKET, "--s3-results-bucket", BUCKET)
    return corner, pulse(folder, *SEED_CALL, *buckets, *QUICK, *more, env=environment(server, folder, corner))


@pytest.fixture(params=["seaweedfs_server", "moto_server"])
def server(request: pytest.FixtureRequest) -> S3Server:
    asked: S3Server = request.getfixturevalue(request.param)
    return asked


def test_the_same_digest_as_on_local_files(server, tmp_path, local_digest):
    corner, done = in_buckets(server, tmp_path, "--s3-output-file", f"s3://{BUCKET}/{server.corner()}out/r.json")
    assert digest(done) == local_digest
    assert json.loads((tmp_path / "local_results.json").read_bytes())["digest"] == local_digest
    keys = server.keys(f"{corner}results/")
    run_id = event(done, "run_finished")["run_id"]
    assert {f"{run_id}/result.json", f"{run_id}/run.log"} < set(keys)
    # one object with all that is recorded of the unit, and the index that knows it
    records = [key.rpartition("/")[2] for key in keys if key.startswith(("records/", "units/"))]
    assert sorted(name.partition("-")[0] for name in records if name.startswith("index")) == ["index"]
    assert len(records) == 2
    published = event(done, "run_finished")["published"]
    assert published[0] == f"s3://{BUCKET}/{corner}results/{run_id}/result.json"
    assert [place.rpartition("/")[2] for place in published] == ["result.json", "local_results.json", "r.json"]
    assert not (tmp_path / "results").exists()
    assert "SKTEST" not in done.stdout + done.stderr + (tmp_path / "logs/retrodiction_training.log").read_text()


def test_the_same_by_worker_processes_from_a_long_file_to_a_place_by_its_name(seaweedfs_server, tmp_path, local_digest):
    corner = seaweedfs_server.corner()
    lines = ["variable,timestamp,value"]
    for name, content in series().items():
        lines += [f"{name.removesuffix('.csv')},{row}" for row in content.decode().splitlines()[1:]]
    seaweedfs_server.put(corner, {"long.csv": "\n".join([*lines, ""]).encode()})
    places = ("--data", f"s3://{BUCKET}/{corner}long.csv", "--results", f"s3://{BUCKET}/{corner}r")
    env = seaweedfs_server.environment | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = pulse(tmp_path, *SEED_CALL, *places, *QUICK[:4], "--backend", "processes", "--unit-size", "1", env=env)
    assert digest(done) == local_digest
    assert any(key.endswith("/result.json") for key in seaweedfs_server.keys(f"{corner}r/"))


def test_the_same_through_a_network_that_breaks(seaweedfs_server, fault_proxy, tmp_path, local_digest):
    corner = seaweedfs_server.corner()
    seaweedfs_server.put(f"{corner}datasets/", series())
    fault_proxy.every(3, [Reset(), CutBody(1_000), SlowDown()])
    through = attrs.evolve(seaweedfs_server, endpoint=fault_proxy.endpoint)
    _, done = in_buckets(through, tmp_path, "--s3-retry-attempts", "5", corner=corner)
    assert digest(done) == local_digest
    assert sum(1 for seen in fault_proxy.seen if seen.fault) > 4


def test_a_second_run_recalls_everything_and_fetches_no_data(seaweedfs_server, fault_proxy, tmp_path, local_digest):
    through = attrs.evolve(seaweedfs_server, endpoint=fault_proxy.endpoint)
    corner, _ = in_buckets(through, tmp_path)
    shutil.rmtree(tmp_path / "cache")  # so that it would have to be fetched
    fault_proxy.plan()
    _, again = in_buckets(through, tmp_path, corner=corner)
    assert digest(again) == local_digest
    assert event(again, "run_finished")["recalled"] == 2
    fetched = [seen.path for seen in fault_proxy.seen if seen.method == "GET" and "/datasets/" in seen.path]
    assert not [path for path in fetched if path.endswith(".csv")]


def test_a_run_under_another_name_takes_the_tables_over_in_the_bucket(server, tmp_path):
    corner, first = in_buckets(server, tmp_path, "--run-id", "one")
    _, second = in_buckets(server, tmp_path, "--run-id", "two", corner=corner)
    assert digest(first) == digest(second)
    keys = server.keys(f"{corner}results/")
    parts = [[key.split("/", 1)[1] for key in keys if key.startswith(f"{run}/scores/")] for run in ("one", "two")]
    assert parts[0] == parts[1] != []


def test_an_object_that_was_replaced_is_read_and_trained(server, tmp_path):
    corner, first = in_buckets(server, tmp_path)
    changed = series()["spx_close.csv"].rstrip().rpartition(b"\n")[0] + b"\n"
    server.put(f"{corner}datasets/", {"spx_close.csv": changed})
    _, second = in_buckets(server, tmp_path, corner=corner)
    assert (event(second, "run_finished")["recalled"], event(second, "run_finished")["computed"]) == (1, 1)
    assert digest(first) != digest(second)


def test_an_upload_that_fails_fails_the_run_and_keeps_the_local_copy(seaweedfs_server, fault_proxy, tmp_path):
    fault_proxy.choose(lambda seen: SlowDown() if seen.method == "PUT" and seen.path.endswith("/result.json") else None)
    through = attrs.evolve(seaweedfs_server, endpoint=fault_proxy.endpoint)
    _, done = in_buckets(through, tmp_path, "--s3-retry-attempts", "2")
    assert done.returncode == 1
    (kept,) = (tmp_path / "results").glob("*/result.json")
    assert "too many requests, and still so after 2 attempts" in done.stderr
    assert f"It is kept in {kept}" in done.stderr
    assert json.loads(kept.read_bytes())["schema_version"] == SCHEMA_VERSION
    assert (tmp_path / "local_results.json").read_bytes() == kept.read_bytes()


def test_a_bucket_and_a_place_in_the_same_layer_are_refused(tmp_path):
    done = pulse(tmp_path, *SEED_CALL, "--data", "d", "--s3-data-bucket", "bucket")
    assert done.returncode == 2
    assert bullets(done) == ["--s3-data-bucket: replaces --data; give one of them"]


def checks(done: Done) -> dict[str, list[tuple[bool, str]]]:
    found: dict[str, list[tuple[bool, str]]] = {}
    for each in json.loads(done.stdout)["checks"]:
        found.setdefault(each["check"], []).append(
            (each["passed"], f"{each['context']}: {each['message']} {each['hint']}")
        )
    return found


def check(server: S3Server, folder: Path, *more: object, files: Sequence[str] = (), **changed: str) -> Done:
    corner = server.corner()
    contents = list(series().values())
    server.put(f"{corner}datasets/", dict(zip(files or list(series()), contents, strict=True)))
    buckets = ("--s3-data-bucket", BUCKET, "--s3-results-bucket", BUCKET)
    return pulse(folder, "check", *SEED_CALL[1:], *buckets, *more, env=environment(server, folder, corner) | changed)


def test_a_check_of_what_is_well_says_so_and_leaves_nothing(seaweedfs_server, tmp_path):
    done = check(seaweedfs_server, tmp_path)
    assert done.returncode == 0, done.stderr
    found = checks(done)
    assert set(found) == {"settings", "credentials", "kernel", "data", "variables", "results"}
    assert found["credentials"] == [(True, ": from env ")]
    assert "2 variables" in found["data"][0][1]
    assert not (tmp_path / "local_results.json").exists()
    assert not (tmp_path / "logs").exists()
    (context, _) = (json.loads(done.stdout)["checks"][-2]["context"], None)
    assert seaweedfs_server.keys(context.removeprefix(f"s3://{BUCKET}/")) == []


def test_a_check_tells_all_that_is_wrong_at_once(seaweedfs_server, tmp_path):
    readonly = {"AWS_ACCESS_KEY_ID": "AKREADER", "AWS_SECRET_ACCESS_KEY": "SKREADER"}
    files = ("spx_closed.csv", "us_10y_yield.csv")
    done = check(seaweedfs_server, tmp_path, "--horizon", "0", files=files, **readonly)
    assert done.returncode == 2
    found = checks(done)
    assert not found["settings"][0][0]
    assert "horizon" in found["settings"][0][1]
    assert "no variable 'spx_close'; there are 2 Near: spx_closed" in found["variables"][0][1]
    denied = [told for sound, told in found["results"] if not sound]
    assert len(denied) == 1
    assert f"access is denied: s3:PutObject on arn:aws:s3:::{BUCKET}/" in denied[0]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"S3_DATA_BUCKET": "no-such-bucket"}, "there is no such bucket"),
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "the secret key does not belong to the access key"),
        ({"AWS_ACCESS_KEY_ID": ""}, "there are no credentials"),
        ({"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"}, "cannot be reached"),
    ],
)
def test_a_run_that_cannot_begin_says_why_before_it_computes(seaweedfs_server, tmp_path, changed, expected):
    corner = seaweedfs_server.corner()
    env = environment(seaweedfs_server, tmp_path, corner) | {"S3_DATA_BUCKET": BUCKET} | changed
    if not changed.get("AWS_ACCESS_KEY_ID", "x"):
        del env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"]
    done = pulse(tmp_path, *SEED_CALL, *QUICK, "--s3-retry-attempts", "1", env=env)
    assert done.returncode == 1
    assert expected in done.stderr
    assert seaweedfs_server.keys(f"{corner}results/") == []
