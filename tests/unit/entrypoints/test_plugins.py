"""What installed packages add by entry points is found by name, listed, and used."""

from __future__ import annotations

import pickle
import sys

import pytest

from pulse_adapters.forecasters.plugged import PluggedForecaster
from pulse_entrypoints.wiring.entry_points import BACKENDS, GROUPS, plugins

MODULE = """
import numpy as np
from pulse_adapters.backends.serial import SerialBackend
from pulse_adapters.storage.folder import FolderStorage
from pulse_core import Observations

class Last:
    def forecast(self, history, horizon):
        return [history[-1]] * horizon

class Store:
    def __init__(self, location, settings):
        self.source = str(location)
    def names(self):
        yield "x"
    def read(self, variable):
        days = np.arange("2020-01-01", "2020-07-01", dtype="datetime64[D]").astype("datetime64[us]")
        return Observations(variable, days, np.arange(182.0) % 7, source=self.source)

def open_storage(location, settings):
    if location.path.startswith("closed"):
        raise RuntimeError(f"closed to {settings.s3_max_workers} workers")
    return FolderStorage(f"plugged/{location.path}")

def engine(max_workers):
    return SerialBackend()
"""
ENTRY_POINTS = """
[pulse.forecasters]
demo-last = pulse_demo_package:Last
{more}
[pulse.stores]
demo = pulse_demo_package:Store
[pulse.storages]
demo = pulse_demo_package:open_storage
[pulse.backends]
demo-engine = pulse_demo_package:engine
"""
PERIOD = ("--start-date", "2020-03-01", "--end-date", "2020-06-30", "--horizon", 2)


@pytest.fixture
def install(tmp_path_factory, monkeypatch):
    """Lets a package with these entry points be installed."""

    def installed(more: str = "") -> None:
        place = tmp_path_factory.mktemp("site")
        (place / "pulse_demo_package.py").write_text(MODULE)
        facts = place / "pulse_demo_package-1.2.dist-info"
        facts.mkdir()
        (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: pulse-demo-package\nVersion: 1.2\n")
        (facts / "entry_points.txt").write_text(ENTRY_POINTS.format(more=more))
        monkeypatch.syspath_prepend(place)
        monkeypatch.delitem(sys.modules, "pulse_demo_package", raising=False)

    return installed


def test_nothing_is_added_without_packages_and_the_groups_are_named(pulse) -> None:
    done = pulse("plugins")
    assert done.status == 0
    assert all(group in done.out for group in GROUPS)


def test_what_a_package_adds_is_listed(pulse, install) -> None:
    install()
    done = pulse("plugins", "--format", "json")
    assert done.status == 0
    listed = {(row["kind"], row["name"], row["state"]) for row in done.document["plugins"]}
    assert listed == {
        ("forecaster", "demo-last", "ready"),
        ("store", "demo", "ready"),
        ("storage", "demo", "ready"),
        ("backend", "demo-engine", "ready"),
    }
    assert {row["package"] for row in done.document["plugins"]} == {"pulse-demo-package 1.2"}
    assert max(map(len, pulse("plugins").out.splitlines())) <= 80


def test_what_cannot_be_loaded_or_has_a_built_in_name_is_told(pulse, install) -> None:
    install("broken = pulse_demo_nowhere:Gone\nnaive = pulse_demo_package:Last")
    done = pulse("plugins")
    assert done.status == 1
    assert (
        "forecaster broken: 'broken' of pulse-demo-package 1.2 (pulse_demo_nowhere:Gone) cannot be loaded" in done.err
    )
    assert "forecaster naive: Pulse has one of this name, which goes first" in done.err


def test_forecaster_store_and_backend_of_a_package_run(pulse, install) -> None:
    install("naive = pulse_demo_package:Last")
    engine = ("--backend", "demo-engine", "--data", "demo://anywhere")
    done = pulse("train", "--variables", "x", *PERIOD, *engine, "--forecasters", "naive", "demo-last", "--run-id", "r")
    assert done.status == 0, done.err
    made = pulse("forecast", "r", "--data", "demo://anywhere", "--by", "all", "--format", "json").document
    points = {(row["forecaster"], row["point"]) for row in made["forecasts"] if row["horizon"] == 1}
    assert points == {("naive", 6.0), ("demo-last", 6.0)}


def test_a_storage_of_a_package_holds_results_outputs_and_data(pulse, install) -> None:
    install()
    results, output = ("--results", "demo://results"), ("--output-file", "demo://elsewhere/r.json")
    pulse.train("r", *results, *output)
    stored = pulse.folder / "plugged/results/r/result.json"
    assert (pulse.folder / "plugged/elsewhere/r.json").read_bytes() == stored.read_bytes()
    assert not (pulse.folder / "results").exists()
    for words in (("forecast", "r"), ("compare", "r", "r"), ("runs", "show", "r"), ("report", "r")):
        assert pulse(*words, *results).status == 0
    assert pulse("data", "convert", "--to", "demo://copy").status == 0
    assert sorted(path.name for path in (pulse.folder / "plugged/copy").iterdir()) == ["a.parquet", "b.parquet"]


def test_a_storage_that_cannot_be_opened_is_refused_with_its_option_and_package(pulse, install) -> None:
    install()
    locations = ("--results", "demo://closed", "--output-file", "demo://closed/r.json")
    done = pulse("train", "--variables", "a", *PERIOD, *locations)
    assert done.status == 2
    reason = "'demo' of pulse-demo-package 1.2 (pulse_demo_package:open_storage) cannot be opened: RuntimeError: closed"
    assert f"--results: demo://closed: {reason} to 4 workers" in done.err
    assert f"--output-file: demo://closed: {reason} to 4 workers" in done.err


def test_a_forecaster_of_a_package_travels_to_workers(pulse, install) -> None:
    install()
    plugin = plugins("pulse.forecasters")["demo-last"]
    from pulse_adapters.forecasters.plugged import plugged_in

    made = plugged_in(plugin.name, plugin.target, plugin.folder, plugin.package)
    assert isinstance(pickle.loads(pickle.dumps(made)), PluggedForecaster)
    assert made.origin_by_origin
    assert made.version.startswith("pulse-demo-package 1.2, sha256:")


def test_a_forecaster_that_is_no_class_is_refused_with_its_package(pulse, install) -> None:
    install("odd = pulse_demo_package:engine")
    done = pulse("train", "--variables", "x", *PERIOD, "--data", "demo://x", "--forecasters", "naive", "odd")
    assert done.status == 2
    assert "forecaster 'odd' of pulse-demo-package 1.2" in done.err


def test_an_unknown_backend_is_refused_with_those_there_are(pulse) -> None:
    done = pulse("train", "--backend", "demo-engine")
    assert (done.status, "expected one of serial, processes" in done.err) == (2, True)
    assert plugins(BACKENDS) == {}
