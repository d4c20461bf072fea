"""The backend that the settings name, its arguments, and options that contradict each other."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

from pulse_adapters.backends.dask.cluster import LocalWorkers, Scheduler, Tls
from pulse_adapters.backends.host.cores import usable_cores
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.layers import Layered, read_settings
from pulse_entrypoints.settings.train import TrainSettings
from pulse_entrypoints.wiring.backends import BACKENDS, announce_nothing, backend_name, backend_problems, worker_count
from tests.certificates import write_certificate


def read(options: Mapping[str, str], environment: Mapping[str, str] = MappingProxyType({})) -> Layered[TrainSettings]:
    values = {name: value.split() for name, value in options.items()}
    layered = read_settings(CommandLine(values=values), environment, TrainSettings)
    assert layered.problems == ()
    return layered


def arguments(options: Mapping[str, str]) -> dict[str, Any]:
    settings = read(options).settings
    return BACKENDS[backend_name(settings)].arguments(settings, announce_nothing)


def test_processes_get_their_number_and_retries() -> None:
    assert arguments({"max_workers": "3", "unit_retries": "0"}) == {
        "max_workers": 3,
        "unit_retries": 0,
        "unit_timeout": None,
    }


@pytest.mark.parametrize("options", [{"use_dask": "true"}, {"backend": "dask"}])
def test_dask_asks_the_scheduler_of_the_address(options):
    assert backend_name(read(options).settings) == "dask"
    assert arguments(options)["cluster"] == Scheduler("tcp://127.0.0.1:8786")
    assert arguments({**options, "dask_scheduler_address": "host:1"})["cluster"] == Scheduler("tcp://host:1")


def test_dask_with_certificates(tmp_path) -> None:
    paths = [tmp_path / name for name in ("ca", "cert", "key")]
    write_certificate(paths[1], paths[2])
    paths[0].write_bytes(paths[1].read_bytes())
    options = {f"dask_tls_{path.name}": str(path) for path in paths}
    options |= {"use_dask": "true", "dask_scheduler_address": "tls://host:1"}
    assert backend_problems(read(options)) == []
    assert arguments(options)["cluster"] == Scheduler("tls://host:1", Tls(*paths))


def test_a_cluster_of_our_own() -> None:
    options = {"use_dask": "true", "dask_local": "true", "dask_adaptive": "1 4", "dask_memory_limit": "2GiB"}
    assert backend_problems(read(options)) == []
    assert arguments(options)["cluster"] == LocalWorkers(
        adaptive=(1, 4), memory_limit="2GiB", dashboard_port=8787, deaths_allowed=2
    )


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"use_dask": "true", "backend": "serial"}, "--backend: serial and --use-dask exclude each other"),
        ({"dask_local": "true"}, "--dask-local: means nothing without Dask; add --use-dask"),
        ({"dask_workers": "2"}, "--dask-workers: means nothing without Dask"),
        ({"use_dask": "true", "dask_workers": "2"}, "--dask-workers: is for a cluster of our own; add --dask-local"),
        (
            {"use_dask": "true", "dask_local": "true", "dask_scheduler_address": "h:1"},
            "--dask-scheduler-address: is for a scheduler that runs already",
        ),
        ({"use_dask": "true", "dask_scheduler_address": "nowhere"}, "'nowhere' is no scheduler's address"),
        ({"use_dask": "true", "dask_scheduler_address": "tls://h:1"}, "certificates and tls:// go together"),
        ({"use_dask": "true", "dask_tls_ca": "ca.pem"}, "tls needs all three"),
        ({"use_dask": "true", "dask_local": "true", "dask_adaptive": "4 1"}, "the least is more than the most"),
        (
            {"use_dask": "true", "dask_local": "true", "dask_adaptive": "1 4", "dask_workers": "2"},
            "--dask-adaptive: excludes --dask-workers",
        ),
    ],
)
def test_options_that_contradict_each_other_are_problems(options, problem):
    (message,) = backend_problems(read(options))
    assert problem in message


@pytest.mark.parametrize(
    ("options", "count"),
    [({"backend": "serial", "max_workers": "3"}, 1), ({"max_workers": "3"}, 3), ({"use_dask": "true"}, usable_cores())],
)
def test_the_number_of_workers_is_that_of_the_backend(options, count):
    assert worker_count(read(options).settings) == count


def test_the_predecessors_command_line_is_understood() -> None:
    options = {"use_dask": "true", "dask_dashboard_port": "8787", "dask_threads_per_worker": "1"}
    assert backend_problems(read(options)) == []


def test_an_environment_may_hold_options_of_dask_for_runs_without_it() -> None:
    assert backend_problems(read({}, {"PULSE_DASK_WORKERS": "2"})) == []
