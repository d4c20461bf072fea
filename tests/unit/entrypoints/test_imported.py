"""A user's own forecaster: found by name, told apart by version, refused with what happened."""

from __future__ import annotations

import itertools
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pulse_adapters.forecasters.imported import imported, is_import_name
from pulse_core.errors import ForecasterFailed, SettingsError
from pulse_core.forecasters.base import Histories
from pulse_core.forecasters.registry import resolve

_numbers = itertools.count()

LAST = """
class Last:
    def forecast(self, history, horizon):
        return [history[-1]] * horizon
"""
HISTORIES = Histories((np.array([1.0, 2.0, 4.0]),), np.array([0, 0]), np.array([2, 3]), exponent=1)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


def module(folder: Path, text: str) -> str:
    """Write a module under a name of its own: Python keeps what it has imported."""
    name = f"own_models_{next(_numbers)}"
    (folder / f"{name}.py").write_text(text)
    return name


def refusal(name: str, folder: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        imported(name, folder)
    (problem,) = caught.value.problems
    assert name in problem
    return problem


def test_a_colon_asks_for_an_import() -> None:
    assert is_import_name("models:Best")
    assert not is_import_name("naive")


def test_a_class_with_forecast_is_called_origin_by_origin(folder) -> None:
    forecaster = imported(f"{module(folder, LAST)}:Last", folder)
    assert forecaster.hindcast(HISTORIES, 2).tolist() == [[2.0, 2.0], [4.0, 4.0]]


def test_a_class_with_quantiles_brings_them(folder) -> None:
    text = (
        LAST
        + """
    def quantiles(self, history, horizon):
        return [[history[-1] + level] * horizon for level in range(9)]
"""
    )
    forecaster = pickle.loads(pickle.dumps(imported(f"{module(folder, text)}:Last", folder)))
    assert forecaster.brings_quantiles
    assert forecaster.hindcast_quantiles(HISTORIES, 1)[:, 1, 0].tolist() == [
        4.0,
        *(4.0 + level / 2 for level in range(9)),
    ]
    assert not imported(f"{module(folder, LAST)}:Last", folder).brings_quantiles


def test_a_class_that_makes_all_origins_at_once_brings_none(folder) -> None:
    text = (
        "class All:\n    def hindcast(self, histories, horizon): ...\n    def quantiles(self, history, horizon): ...\n"
    )
    forecaster = imported(f"{module(folder, text)}:All", folder)
    assert not forecaster.brings_quantiles
    with pytest.raises(ForecasterFailed, match="not called origin by origin"):
        forecaster.hindcast_quantiles(HISTORIES, 1)


FITTED = """
class Fitted:
    fits = 0
    def fit(self, history):
        self.fits += 1
        return self.fits
    def predict(self, fitted, history, horizon):
        return [fitted * 100.0 + history[-1]] * horizon
"""


@pytest.mark.parametrize(("refit_every", "forecasts"), [(1, [[52.0], [104.0]]), (2, [[52.0], [54.0]])])
def test_a_class_with_fit_and_predict_is_fitted_at_every_kth_origin(folder, refit_every, forecasts) -> None:
    forecaster = imported(f"{module(folder, FITTED)}:Fitted", folder, refit_every)
    assert forecaster.hindcast(HISTORIES, 1).tolist() == forecasts


def test_a_class_with_forecast_alone_gives_nothing_between_refits(folder) -> None:
    forecaster = imported(f"{module(folder, LAST)}:Last", folder, 2)
    assert np.isnan(forecaster.hindcast(HISTORIES, 1)).tolist() == [[False], [True]]


def test_a_class_is_slow_unless_it_has_hindcast(folder) -> None:
    made = {}
    for text in (LAST, FITTED, "class All:\n    def hindcast(self, histories, horizon): ...\n"):
        kind = text.split()[1].rstrip(":")
        forecaster = imported(f"{module(folder, text)}:{kind}", folder)
        made[kind] = resolve([forecaster.name], [forecaster]).per_origin == (forecaster,)
    assert made == {"Last": True, "Fitted": True, "All": False}


def test_a_class_with_hindcast_is_called_once(folder) -> None:
    text = """
import numpy as np

class Flat:
    def hindcast(self, histories, horizon):
        return np.full((len(histories.origin_path), horizon), 7.0)
"""
    assert imported(f"{module(folder, text)}:Flat", folder).hindcast(HISTORIES, 1).tolist() == [[7.0], [7.0]]


def test_the_version_is_the_hash_of_the_source_behind_the_class_attribute(folder) -> None:
    said = imported(f"{module(folder, LAST + '    version = 3')}:Last", folder)
    hashed = imported(f"{module(folder, LAST)}:Last", folder)
    other = imported(f"{module(folder, LAST + '# other')}:Last", folder)
    assert said.version.startswith("3, sha256:")
    assert hashed.version.startswith("sha256:")
    assert hashed.version != other.version


def test_it_survives_pickling_into_a_process_that_knows_nothing(folder) -> None:
    forecaster = imported(f"{module(folder, LAST)}:Last", folder)
    (folder / "task").write_bytes(pickle.dumps((forecaster, HISTORIES)))
    program = (
        "import pathlib, pickle, sys; f, h = pickle.loads(pathlib.Path(sys.argv[1]).read_bytes());"
        "print(f.hindcast(h, 1).tolist())"
    )
    command = [sys.executable, "-c", program, str(folder / "task")]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[[2.0], [4.0]]"


def test_a_source_that_changed_since_the_run_began_is_refused(folder) -> None:
    name = f"{module(folder, LAST)}:Last"
    forecaster = imported(name, folder)
    changed = type(forecaster)(name, "sha256:another", str(folder))
    with pytest.raises(ForecasterFailed, match="its source has changed"):
        changed.hindcast(HISTORIES, 1)


def test_each_unit_gets_an_instance_of_its_own(folder) -> None:
    text = """
class Counting:
    calls = 0
    def forecast(self, history, horizon):
        self.calls += 1
        return [float(self.calls)] * horizon
"""
    forecaster = imported(f"{module(folder, text)}:Counting", folder)
    first, second = (forecaster.hindcast(HISTORIES, 1).tolist() for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise RuntimeError('no such model')", "RuntimeError: no such model"),
        ("return [1.0]", "shape (1,), expected (2,)"),
        ("return [float('inf')] * 2", "infinite"),
    ],
)
def test_a_forecast_that_is_none_is_a_failure_of_the_forecaster(folder, body, message) -> None:
    text = f"class Bad:\n    def forecast(self, history, horizon):\n        {body}\n"
    with pytest.raises(ForecasterFailed) as caught:
        imported(f"{module(folder, text)}:Bad", folder).hindcast(HISTORIES, 2)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise RuntimeError('no such model')", "RuntimeError: no such model"),
        ("return [[1.0]]", "shape (1, 1), expected (2, 1)"),
        ("return [[float('inf')]] * 2", "infinite"),
        ("return [['x']] * 2", "could not convert string to float"),
    ],
)
def test_a_hindcast_that_is_none_is_a_failure_of_the_forecaster(folder, body, message) -> None:
    text = f"class Bad:\n    def hindcast(self, histories, horizon):\n        {body}\n"
    with pytest.raises(ForecasterFailed) as caught:
        imported(f"{module(folder, text)}:Bad", folder).hindcast(HISTORIES, 1)
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["a:", ":b", "a:b:c", "a b:c", "a/b:c", "1a:b", "a..b:c"])
def test_what_is_no_name_of_a_class_is_refused(folder, name) -> None:
    assert "expected module:Name" in refusal(name, folder)


def test_a_module_that_is_not_there_is_refused(folder) -> None:
    assert "there is no module 'not_there'" in refusal("not_there:Best", folder)


def test_a_module_that_needs_another_library_is_refused(folder) -> None:
    name = module(folder, "import not_installed_anywhere")
    assert f"module '{name}' needs 'not_installed_anywhere'" in refusal(f"{name}:Best", folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 / 0", "raised ZeroDivisionError: division by zero at"),
        ("def", "raised SyntaxError: invalid syntax"),
        ("raise SystemExit(4)", "raised SystemExit: 4"),
    ],
)
def test_a_module_that_cannot_be_imported_is_refused_with_the_line(folder, text, message) -> None:
    name = module(folder, text)
    problem = refusal(f"{name}:Best", folder)
    assert message in problem
    assert f"{name}.py:1" in problem


def test_a_name_that_the_module_lacks_is_refused_with_those_it_has(folder) -> None:
    assert "has no 'Best'; it has Last" in refusal(f"{module(folder, LAST)}:Best", folder)


def test_what_is_no_class_is_refused(folder) -> None:
    assert "is no class" in refusal(f"{module(folder, 'def best(): pass')}:best", folder)


@pytest.mark.parametrize("body", ["pass", "fit = print", "predict = print", "predict = 3; fit = 4"])
def test_a_class_that_cannot_forecast_is_refused(folder, body) -> None:
    assert "has no method forecast" in refusal(f"{module(folder, f'class Best: {body}')}:Best", folder)


def test_a_class_that_needs_arguments_is_refused(folder) -> None:
    text = LAST + "    def __init__(self, size):\n        pass\n"
    assert "'Last()' without arguments raised TypeError" in refusal(f"{module(folder, text)}:Last", folder)


def test_a_version_that_is_no_text_is_refused(folder) -> None:
    text = LAST + "    version = ['x']\n"
    assert "its attribute 'version' must be text" in refusal(f"{module(folder, text)}:Last", folder)
