"""The engine that the settings name, and what does not fit together."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

from pulse_adapters.backends.dask.cluster import LocalWorkers, Scheduler, Tls
from pulse_adapters.backends.stopping import Stop
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.layers import Layered, layered
from pulse_entrypoints.settings.train import TrainSettings
from pulse_entrypoints.wiring.backends import engine_of, engine_parts, engine_problems, say_nothing


def read(typed: Mapping[str, str], environment: Mapping[str, str] = MappingProxyType({})) -> Layered[TrainSettings]:
    values = {name: value.split() for name, value in typed.items()}
    found = layered(CommandLine(values=values), environment, TrainSettings)
    assert found.problems == ()
    return found


def parts(typed: Mapping[str, str]) -> dict[str, Any]:
    return engine_parts(read(typed).settings, Stop(), say_nothing)


def test_processes_get_their_number_and_retries() -> None:
    found = parts({"max_workers": "3", "unit_retries": "0"})
    assert (found["max_workers"], found["unit_retries"]) == (3, 0)


@pytest.mark.parametrize("typed", [{"use_dask": "true"}, {"backend": "dask"}])
def test_dask_asks_the_scheduler_of_the_address(typed):
    assert engine_of(read(typed).settings) == "dask"
    assert parts(typed)["cluster"] == Scheduler("tcp://127.0.0.1:8786")
    assert parts({**typed, "dask_scheduler_address": "host:1"})["cluster"] == Scheduler("tcp://host:1")


def test_dask_with_certificates(tmp_path) -> None:
    paths = [tmp_path / name for name in ("ca", "cert", "key")]
    for path in paths:
        path.touch()
    typed = {f"dask_tls_{path.name}": str(path) for path in paths}
    typed |= {"use_dask": "true", "dask_scheduler_address": "tls://host:1"}
    assert engine_problems(read(typed)) == []
    assert parts(typed)["cluster"] == Scheduler("tls://host:1", Tls(*paths))


def test_a_cluster_of_our_own() -> None:
    typed = {"use_dask": "true", "dask_local": "true", "dask_adaptive": "1 4", "dask_memory_limit": "2GiB"}
    assert engine_problems(read(typed)) == []
    assert parts(typed)["cluster"] == LocalWorkers(
        adaptive=(1, 4), memory_limit="2GiB", dashboard_port=8787, deaths_allowed=2
    )


@pytest.mark.parametrize(
    ("typed", "problem"),
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
def test_what_does_not_fit_together_is_told(typed, problem):
    (told,) = engine_problems(read(typed))
    assert problem in told


def test_the_predecessors_command_line_is_understood() -> None:
    typed = {"use_dask": "true", "dask_dashboard_port": "8787", "dask_threads_per_worker": "1"}
    assert engine_problems(read(typed)) == []


def test_an_environment_may_hold_options_of_dask_for_runs_without_it() -> None:
    assert engine_problems(read({}, {"PULSE_DASK_WORKERS": "2"})) == []
