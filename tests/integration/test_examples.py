"""The programs in examples/ are run as their readers would run them."""

import configparser
import json
import pickle
import re
import shutil
import subprocess
import sys
import threading
import tomllib
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from http.server import ThreadingHTTPServer

import custom_forecaster
import custom_store
import numpy as np
import pytest
import trust_service

from pulse_adapters.sample import FOLDER
from pulse_adapters.stores.folder import FolderStore
from pulse_core import MEASURES, StoreUnavailable, VariableNotFound
from tests.integration.cli import environment
from tests.integration.pages import ROOT

pytestmark = pytest.mark.integration

EXAMPLES = ROOT / "examples"
PLUGIN = EXAMPLES / "plugin"
PROGRAMS = sorted(path.name for path in EXAMPLES.glob("*.py"))
ENDLESS = "trust_service.py"


def run(folder, *words, **env):
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=environment(PYTHONDONTWRITEBYTECODE="1", **env),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name != ENDLESS])
def test_an_example_runs_to_its_end_and_leaves_nothing_behind(name, tmp_path):
    printed = run(tmp_path, EXAMPLES / name)
    assert printed
    assert not any(tmp_path.iterdir())
    if name == "sample_walk.py":
        assert printed.splitlines()[-1] == "UnitCounts(planned=2, recalled=2, computed=0, failed=0) True"


def test_the_custom_forecaster_is_judged_beside_the_built_in_ones():
    (prices,) = custom_forecaster.train().variables
    place = prices.forecasters.index("last-year")
    assert (prices.scores[place, :, MEASURES.index("skill_mae")] > 0.5).all()


def test_the_custom_forecaster_works_on_the_command_line_as_its_docstring_says(tmp_path):
    words = "pulse_entrypoints train --data sample --variables core_cpi --forecasters naive custom_forecaster:LastYear"
    run(EXAMPLES, "-m", *words.split(), "--batch-limit", "9", "--results", tmp_path, "--log-dir", tmp_path)


@pytest.fixture
def store(tmp_path):
    custom_store.fill(tmp_path / "data.sqlite")
    return pickle.loads(pickle.dumps(custom_store.SqliteStore(tmp_path / "data.sqlite")))


def test_the_custom_store_reads_what_was_written_to_it(store):
    read, written = store.read("core_cpi"), FolderStore(FOLDER).read("core_cpi")
    assert list(store.names()) == ["baa_yield", "core_cpi"]
    assert np.array_equal(read.values, written.values)
    assert np.array_equal(read.releases, written.timestamps + np.timedelta64(20, "D"))


def test_the_custom_store_names_what_is_near_to_a_variable_that_it_does_not_have(store):
    with pytest.raises(VariableNotFound, match=r"core_cpy.*core_cpi"):
        store.read("core_cpy")


def test_the_custom_store_says_where_no_database_is(tmp_path):
    with pytest.raises(StoreUnavailable, match=r"nowhere\.sqlite"):
        list(custom_store.SqliteStore(tmp_path / "nowhere.sqlite").names())


def test_the_plugin_keeps_the_contracts_of_its_ports(tmp_path):
    plugin = tmp_path / "plugin"
    shutil.copytree(PLUGIN, plugin)
    printed = run(plugin, "-m", "pytest", "-q", "-p", "no:cacheprovider", ".")
    (passed,) = re.findall(r"^(\d+) passed in", printed, flags=re.MULTILINE)
    assert int(passed) > 20


FILL = """
from pathlib import Path

from pulse_adapters.sample import FOLDER
from pulse_adapters.stores.folder import FolderStore
from pulse_archive.store import write

write(Path("data.npz"), [FolderStore(FOLDER).read("core_cpi")])
"""


@pytest.fixture
def installed(tmp_path):
    """An environment in which the plug-in is installed; `data.npz` in the folder is an archive of the plug-in."""
    site = tmp_path / "site"
    shutil.copytree(PLUGIN / "pulse_archive", site / "pulse_archive")
    facts = site / "pulse_archive-1.0.dist-info"
    facts.mkdir()
    project = tomllib.loads((PLUGIN / "pyproject.toml").read_text())["project"]
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = configparser.ConfigParser()
    points.read_dict(project["entry-points"])
    with (facts / "entry_points.txt").open("w") as file:
        points.write(file)
    run(tmp_path, "-c", FILL, PYTHONPATH=str(site))
    return {"PYTHONPATH": str(site)}


def test_the_plugin_is_found_by_its_entry_points_and_serves_a_run(tmp_path, installed):
    listed = run(tmp_path, "-m", "pulse_entrypoints", "plugins", "--format", "json", **installed)
    plugins = {(row["kind"], row["name"], row["state"]) for row in json.loads(listed)["plugins"]}
    assert plugins == {("store", "archive", "ready"), ("forecaster", "median-change", "ready")}
    words = "pulse_entrypoints train --data archive://data.npz --variables core_cpi --forecasters naive median-change"
    period = "--start-date 2016-01-01 --end-date 2017-12-31 --results results --run-id plugged"
    run(tmp_path, "-m", *words.split(), *period.split(), **installed)
    result = json.loads((tmp_path / "results/plugged/result.json").read_text())
    assert set(result["variables"]["core_cpi"]["forecasters"]) == {"naive", "median-change"}


@pytest.fixture(scope="module")
def port():
    class Quiet(trust_service.Handler):
        def log_message(self, *_):
            pass

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Quiet)) as chosen:
        yield chosen


@contextmanager
def serving(server):
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def asked(port, document):
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("POST", "/trust", json.dumps(document))
        response = connection.getresponse()
        return response.status, json.load(response)


def series(count):
    months = np.datetime64("2015-01") + np.arange(count)
    values = 100 + np.cumsum(0.5 + np.random.default_rng(3).normal(size=count))
    return {"timestamp": [f"{month}-15" for month in months], "value": values.tolist()}


SPEC = {"start": "2019-01-01", "end": "2022-12-31", "horizon": 2, "forecasters": ["naive", "drift", "ses"]}


def test_the_service_answers_with_trust_for_each_series_and_horizon(port):
    status, told = asked(port, {"series": {"sales": series(96), "stock": series(90)}, "spec": SPEC})
    assert status == 200
    assert set(told) == {"sales", "stock"}
    assert set(told["sales"]) == {"1", "2"}
    assert told["sales"]["1"]["best"] == "drift"
    assert 0 < told["sales"]["1"]["trust"]["probability"] < 1
    assert told["sales"]["1"]["verdict"] in {"better", "open"}


def test_the_service_says_all_that_is_wrong_with_a_spec(port):
    status, told = asked(port, {"series": {"sales": series(96)}, "spec": SPEC | {"horizon": 0, "min_history": -1}})
    assert status == 400
    assert len(told["problems"]) == 2


def test_the_service_names_the_series_that_cannot_serve(port):
    status, told = asked(port, {"series": {"sales": series(96), "short": series(5)}, "spec": SPEC})
    assert status == 422
    assert "short" in told["problems"][0]


@pytest.mark.parametrize("document", [[], {}, {"series": 1, "spec": SPEC}, {"series": {"a": [1]}, "spec": []}])
def test_the_service_refuses_what_is_no_request(document, port):
    status, told = asked(port, document)
    assert status == 400
    assert told["problems"]
