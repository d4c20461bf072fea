"""The data tools, forecast and compare with data and results in a bucket: the same as in folders."""

from __future__ import annotations

import pytest

from tests.servers.s3 import BUCKET
from tests.unit.entrypoints.commands import Pulse, walk

pytestmark = pytest.mark.integration
PERIOD = ("--start-date", "2020-03-01", "--end-date", "2020-06-30", "--horizon", 2, "--backend", "serial")
FEW = ("--forecasters", "naive", "mean", "ensemble")


def test_a_bucket_serves_as_a_folder_does(tmp_path, monkeypatch, capsys, in_seaweedfs) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    pulse = Pulse(tmp_path, capsys)
    for seed, name in enumerate(("a", "b")):
        pulse.write(name, walk(seed))
    data, results = (f"s3://{BUCKET}/{in_seaweedfs.corner()}{name}/" for name in ("data", "results"))

    assert pulse("data", "convert", "--to", data).err == f"pulse: 2 files written to {data}\n"
    listed = [pulse("data", "list", "--data", place, "--format", "csv").out for place in ("data", data)]
    assert listed[0] == listed[1]
    planned = pulse("train", "--variables", "a", *PERIOD, "--data", data, "--dry-run", "--json").document
    assert planned["bytes_to_read"] > 0

    for place, context in (("data", "results"), (data, results)):
        for run_id in ("one", "two"):
            how = ("--data", place, "--results", context, "--run-id", run_id, "--hindcasts")
            assert pulse("train", "--variables", "a", "b", *PERIOD, *FEW, *how, "--quiet").status == 0
    made = [
        pulse("forecast", "one", "--data", place, "--results", context, "--format", "csv").out
        for place, context in (("data", "results"), (data, results))
    ]
    assert made[0] == made[1] != ""
    compared = pulse("compare", "one", "two", "--results", results, "--format", "json").document
    assert (compared["same_digest"], compared["same_variables"], compared["changes"]) == (True, 2, [])
