"""Forecasters of other libraries: found by name, refitted as told, the same wherever they run."""

from __future__ import annotations

import pickle
import subprocess
import sys
import warnings
from pathlib import Path

import attrs
import numpy as np
import pytest
from threadpoolctl import threadpool_info

from pulse_adapters.forecasters import libraries
from pulse_adapters.forecasters.libraries import calm, is_library_name, library_forecaster
from pulse_core.errors import ForecasterFailed, SettingsError
from pulse_core.forecasters.registry import resolve
from tests.unit.forecasters import counting
from tests.unit.forecasters.walks import histories, in_units, walk

REAL = ("statsforecast:AutoETS", "statsforecast:SimpleExponentialSmoothingOptimized", "sklearn:Ridge")


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lengths of the histories that the library `counting` was fitted to."""
    monkeypatch.setitem(libraries.LIBRARIES, "counting", counting.LIBRARY)
    counting.FITS.clear()
    return counting.FITS


def test_only_the_names_of_libraries_ask_for_one() -> None:
    assert is_library_name("statsforecast:AutoARIMA")
    assert is_library_name("sklearn:Ridge")
    assert not is_library_name("my_models:Best")
    assert not is_library_name("sklearn.linear_model:Ridge")
    assert not is_library_name("sklearn")


def test_the_name_in_results_is_the_one_that_was_given() -> None:
    forecasters = [library_forecaster(name) for name in REAL]
    assert resolve(["naive", *REAL], forecasters).names == ("naive", *REAL)


def test_the_work_is_spread_over_batches() -> None:
    forecaster = library_forecaster("sklearn:Ridge")
    assert resolve(["naive", "sklearn:Ridge"], [forecaster]).per_origin == (forecaster,)


def test_every_library_comes_with_an_extra() -> None:
    assert {name: library.extra for name, library in libraries.LIBRARIES.items()} == {
        "statsforecast": "models",
        "sklearn": "models",
        "sktime": "sktime",
    }


def test_a_missing_library_is_told_with_the_command_that_installs_it(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "statsforecast", None)
    with pytest.raises(SettingsError) as caught:
        library_forecaster("statsforecast:Naive", season=99)
    assert caught.value.problems == (
        "forecaster 'statsforecast:Naive': 'statsforecast' is not installed; in the clone: pip install '.[models]'",
    )


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("statsforecast:autoarima", "did you mean AutoARIMA"),
        ("sklearn:Rigde", "did you mean Ridge"),
        ("sklearn:Zzzz", "it has ARDRegression, AdaBoostRegressor"),
        ("sklearn:", "the library has no ''"),
    ],
)
def test_an_unknown_class_is_refused_with_what_there_is(name, hint) -> None:
    with pytest.raises(SettingsError) as caught:
        library_forecaster(name)
    (problem,) = caught.value.problems
    assert problem.startswith(f"forecaster '{name}': the library has no ")
    assert hint in problem


@pytest.mark.parametrize(
    ("name", "needed"), [("statsforecast:AutoMFLES", "test_size"), ("sklearn:StackingRegressor", "estimators")]
)
def test_a_class_that_needs_more_than_a_name_is_refused(name, needed) -> None:
    with pytest.raises(SettingsError, match=f"it needs {needed}; construct it in a class of yours"):
        library_forecaster(name)


def test_a_model_is_fitted_at_the_first_and_every_kth_origin(fits) -> None:
    forecasts = library_forecaster("counting:Model", refit_every=3).hindcast(histories(walk(37), first=30), 1)
    assert fits == [30, 33, 36]
    assert in_units(forecasts[:, 0]).tolist() == [30, 30, 30, 33, 33, 33, 36, 36]


def test_every_path_starts_with_a_fit_of_its_own(fits) -> None:
    forecasts = library_forecaster("counting:Model", refit_every=4).hindcast(histories(walk(34), walk(31), first=29), 1)
    assert fits == [29, 33, 29]
    assert in_units(forecasts[:, 0]).tolist() == [29, 29, 29, 29, 33, 33, 29, 29, 29]


@pytest.mark.parametrize("name", REAL)
def test_forecasts_do_not_depend_on_what_shares_the_unit(name) -> None:
    forecaster = library_forecaster(name, refit_every=4)
    first, second = walk(39, seed=1), walk(36, seed=2)
    together = forecaster.hindcast(histories(first, second), 3)
    alone = [forecaster.hindcast(histories(path), 3) for path in (second, first)]
    assert np.array_equal(together, np.concatenate(alone[::-1]))


@pytest.mark.parametrize("name", REAL)
def test_what_comes_after_an_origin_moves_nothing(name) -> None:
    forecaster = library_forecaster(name, refit_every=4)
    series = walk(42)
    changed = np.append(series[:36], 1e6 - series[36:])
    everything, other = (forecaster.hindcast(histories(path), 3)[:7] for path in (series, changed))
    cut = forecaster.hindcast(histories(series[:36]), 3)
    assert np.array_equal(everything, other)
    assert np.array_equal(everything, cut)
    assert np.isfinite(cut).all()


@pytest.mark.parametrize("name", REAL)
def test_a_model_remembers_nothing_but_its_fit(name) -> None:
    series = walk(40)
    model = libraries._model(name, None)
    with calm(model.harmless):
        fitted = model.fit(series[:34])
        forwards = [model.predict(fitted, series[:length], 2).tolist() for length in range(34, 41)]
        model.fit(walk(50, seed=9))
        backwards = [model.predict(fitted, series[:length], 2).tolist() for length in range(40, 33, -1)]
    assert forwards == backwards[::-1]


def test_what_a_library_raises_is_a_failure_of_the_forecaster() -> None:
    with pytest.raises(ForecasterFailed, match="'statsforecast:Theta' with a history of 3: NotImplementedError: tiny"):
        library_forecaster("statsforecast:Theta").hindcast(histories(walk(3), first=3), 1)


def test_a_forecast_that_is_nan_stays_nan() -> None:
    assert np.isnan(library_forecaster("statsforecast:NaNModel").hindcast(histories(walk(31)), 2)).all()


def test_the_version_holds_all_that_the_numbers_depend_on() -> None:
    assert library_forecaster("statsforecast:AutoETS", 12, 5).version.endswith(", season_length=12, refit_every=5")
    assert library_forecaster("sklearn:Ridge", 12, 5).version.endswith(", lags=12, refit_every=5")


def test_another_version_than_the_run_began_with_is_refused(fits) -> None:
    forecaster = attrs.evolve(library_forecaster("counting:Model"), version="1: counting 0.9")
    with pytest.raises(ForecasterFailed, match=r"the run began with 1: counting 0\.9, here is 1: counting 1\.0"):
        forecaster.hindcast(histories(walk(31)), 1)


def test_a_worker_without_the_library_says_so(monkeypatch) -> None:
    forecaster = library_forecaster("statsforecast:Naive", season=98)
    libraries._model.cache_clear()
    monkeypatch.setitem(sys.modules, "statsforecast", None)
    with pytest.raises(ForecasterFailed, match="'statsforecast' is not installed"):
        forecaster.hindcast(histories(walk(31)), 1)


def test_only_harmless_warnings_are_silenced() -> None:
    with calm(((UserWarning, "still searching"),)):
        warnings.warn("still searching, step 7", UserWarning, stacklevel=1)
        with pytest.raises(UserWarning, match="lost"):
            warnings.warn("lost", UserWarning, stacklevel=1)


def test_libraries_compute_with_one_thread() -> None:
    libraries._model("sklearn:Ridge", None)
    with calm(()):
        assert {pool["num_threads"] for pool in threadpool_info()} == {1}


def test_a_process_that_knows_nothing_makes_the_same_forecasts_and_loads_libraries_late(tmp_path: Path) -> None:
    forecaster = library_forecaster("sklearn:Ridge", refit_every=2)
    (tmp_path / "task").write_bytes(pickle.dumps((forecaster, histories(walk(33)))))
    program = (
        "import pathlib, pickle, sys; f, h = pickle.loads(pathlib.Path(sys.argv[1]).read_bytes());"
        "import pulse_adapters.forecasters.sklearn_models, pulse_adapters.forecasters.statsforecast_models;"
        "print([name for name in ('sklearn', 'statsforecast', 'threadpoolctl') if name in sys.modules]);"
        "print(f.hindcast(h, 2).tolist())"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "task")]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=True)
    loaded, forecasts = done.stdout.splitlines()
    assert loaded == "[]"
    assert forecasts == str(forecaster.hindcast(histories(walk(33)), 2).tolist())
