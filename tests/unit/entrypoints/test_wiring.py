"""Adapters are found by name; what is missing is told with the mend."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

import pulse
from pulse_adapters.backends.serial import SerialBackend
from pulse_adapters.forecasters import libraries
from pulse_adapters.forecasters.imported import imported
from pulse_adapters.forecasters.libraries import library_forecaster
from pulse_adapters.sinks.memory import MemorySink
from pulse_core import Forecaster, RetrodictionTraining, RunResult, RunSpec
from pulse_core.errors import InvalidSpec, SettingsError
from pulse_core.events import ignore
from pulse_core.plan import Slice
from pulse_core.scores.measures import MEASURES
from pulse_core.spec import DEFAULT_FORECASTERS
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.layers import read_settings
from pulse_entrypoints.settings.train import TrainSettings
from pulse_entrypoints.wiring import composition
from pulse_entrypoints.wiring.stores import sample_store


def read(**values: str):
    return read_settings(CommandLine({name: text.split() for name, text in values.items()}), {}, TrainSettings)


@pytest.mark.parametrize(
    "adapter",
    [
        *(adapter for table in (composition.STORES, composition.STORAGES) for adapter in table.built_in.values()),
        *(backend.adapter for backend in composition.BACKENDS.values()),
    ],
)
def test_every_adapter_that_is_named_is_there(adapter) -> None:
    assert callable(adapter.load())


def test_an_adapter_without_its_library_gives_the_install_hint(tmp_path, monkeypatch) -> None:
    (tmp_path / "needy_adapter.py").write_text("import not_installed_anywhere")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SettingsError) as caught:
        composition.Adapter("needy_adapter:Store", extra="aws").load()
    assert caught.value.problems == ("'not_installed_anywhere' is not installed; in the clone: pip install '.[aws]'",)


def test_a_place_that_no_adapter_serves_is_refused_without_its_password() -> None:
    assert composition.location_problems(read(data="s3://user:word@bucket/x", results="gs://bucket")) == [
        "--data: s3://bucket/x: expected s3://bucket/folder, the bucket of letters, digits, '.' and '-'",
        "--results: gs://bucket: no adapter for gs://; name a local folder, or s3://bucket/folder",
    ]


def test_an_output_file_that_is_a_folder_is_refused(tmp_path) -> None:
    (problem,) = composition.location_problems(read(output_file=str(tmp_path)))
    assert problem == f"--output-file: {tmp_path} is a folder; name a file in it"


def test_unknown_forecasters_are_refused_together_with_a_hint(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    _, problems = composition.custom_forecasters(read(forecasters="naiv drift nowhere:Best", benchmark="sess"))
    assert [problem.split(":")[0] for problem in problems] == ["--forecasters", "--forecasters", "--benchmark"]
    assert "did you mean 'naive'?" in problems[0]
    assert "there is no module 'nowhere'" in problems[1]
    assert "did you mean 'ses'?" in problems[2]


def test_names_of_the_core_need_nothing_of_their_own() -> None:
    names = " ".join((*DEFAULT_FORECASTERS, "seasonal-naive(12)", "holt-winters(12)"))
    assert composition.custom_forecasters(read(forecasters=names, benchmark="mean-of-all")) == ((), [])


def test_a_season_that_is_none_is_refused() -> None:
    _, (problem,) = composition.custom_forecasters(read(forecasters="seasonal-naive(x)"))
    assert problem.startswith("--forecasters: 'seasonal-naive(x)' is none of ")


def test_models_of_libraries_get_each_variable_s_season_and_the_runs_refits() -> None:
    names = "sklearn:Ridge statsforecast:SeasonalNaive"
    found, problems = composition.custom_forecasters(read(forecasters=names, season="7", refit_every="5"))
    assert problems == []
    assert found == tuple(library_forecaster(name, refit_every=5) for name in names.split())
    assert [forecaster.season for forecaster in found] == [None, None]


NAMED: dict[str, Any] = {"variables": ["core_cpi"], "start": date(2017, 1, 1), "end": date(2018, 12, 31), "horizon": 2}


def named(*forecasters: str) -> RunSpec:
    return RunSpec(**NAMED, refit_every=9, forecasters=forecasters)


def in_memory(spec: RunSpec, forecasters: Sequence[Forecaster]) -> RunResult:
    ports: dict[str, Any] = {"store": sample_store(), "backend": SerialBackend(), "sink": MemorySink()}
    return RetrodictionTraining(**ports, forecasters=tuple(forecasters)).execute(spec)


def test_python_finds_the_forecasters_that_a_spec_names_as_the_command_line_does() -> None:
    names = ("naive", "statsforecast:SeasonalNaive", "sklearn:Ridge", "mean-of-all")
    from_settings, problems = composition.custom_forecasters(read(forecasters=" ".join(names), refit_every="9"))
    assert (problems, pulse.forecasters_of(named(*names))) == ([], from_settings)


def test_models_of_libraries_are_trained_by_name_from_python() -> None:
    spec = named("naive", "statsforecast:SeasonalNaive", "sklearn:Ridge")
    summary = in_memory(spec, pulse.forecasters_of(spec)).variables[0]
    counts = summary.scores[:, 0, MEASURES.index("n")]
    assert dict(zip(summary.forecasters, counts, strict=True)).keys() >= set(spec.forecasters)
    assert (counts > 0).all()


def test_what_a_finished_run_named_is_found_again() -> None:
    spec = named("naive", "statsforecast:SeasonalNaive")
    trained = in_memory(spec, pulse.forecasters_of(spec)).spec
    assert trained.forecasters == (*spec.forecasters, "statsforecast:SeasonalNaive+quantiles")
    assert pulse.forecasters_of(trained) == pulse.forecasters_of(spec)


def test_a_name_that_nobody_brought_says_who_finds_it() -> None:
    with pytest.raises(InvalidSpec, match=r"'statsforecast:AutoETS' is not built in; .*pulse\.forecasters_of\(spec\)"):
        in_memory(named("naive", "statsforecast:AutoETS"), ())


def test_a_library_that_is_not_installed_is_named_with_its_extra(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "statsforecast", None)
    libraries._model.cache_clear()
    with pytest.raises(SettingsError) as raised:
        pulse.forecasters_of(named("naive", "statsforecast:AutoETS", "naiv"))
    assert "'statsforecast' is not installed; in the clone: pip install '.[models]'" in raised.value.problems[0]
    assert "did you mean 'naive'?" in raised.value.problems[1]


def test_names_that_nobody_knows_are_an_invalid_spec() -> None:
    with pytest.raises(InvalidSpec, match="did you mean 'drift'"):
        pulse.forecasters_of(named("naive", "drif"))


def test_a_model_that_its_library_lacks_is_refused_with_a_hint() -> None:
    _, (problem,) = composition.custom_forecasters(read(benchmark="sklearn:Rige"))
    assert problem.startswith("--benchmark: forecaster 'sklearn:Rige': the library has no 'Rige'; did you mean Ridge")


def test_a_class_of_the_users_own_gets_the_runs_refits(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "wired_models.py").write_text("class Own:\n    def forecast(self, history, horizon): ...\n")
    ((own,), _) = composition.custom_forecasters(read(forecasters="wired_models:Own", refit_every="3"))
    assert own == imported("wired_models:Own", tmp_path, 3)


def test_the_sample_ends_with_the_last_day_of_any_of_its_series() -> None:
    facts = composition.sample_facts()
    assert facts.variables == ("baa_yield", "core_cpi", "spx_close", "wti_price")
    assert facts.last_day == date(2019, 1, 3)


def test_a_training_is_wired_as_the_settings_say(tmp_path) -> None:
    settings = read(
        backend="serial",
        slice="1/3",
        unit_size="2",
        run_id="mine",
        keep_going="true",
        hindcasts="true",
        results=str(tmp_path),
    ).settings
    training = composition.training(settings, composition.sink_of(settings), (), ignore, composition.utc_now)
    assert isinstance(training.backend, SerialBackend)
    assert (training.slice, training.unit_size) == (Slice(1, 3), 2)
    assert (training.run_id, training.keep_going, training.hindcasts) == ("mine", True, True)
    assert pickle.loads(pickle.dumps(training.store)) == training.store


def test_the_result_will_say_what_computed_it() -> None:
    assert set(composition.software()) == {"pulse", "python", "numpy", "machine"}
