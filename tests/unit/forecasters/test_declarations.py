"""What a custom forecaster declares of itself, by whichever name it is used."""

from __future__ import annotations

from pathlib import Path

import pytest

from pulse_adapters.forecasters.imported import imported
from pulse_adapters.forecasters.libraries import library_forecaster
from pulse_adapters.forecasters.plugins import plugin_forecaster
from pulse_core.errors import SettingsError
from pulse_core.forecasters.base import ONE_PASS_COST, PER_ORIGIN_COST, Forecaster

SLOW = """
class Slow:
    season = 12
    cost = 3.5
    in_combinations = False
    ignores_seasons = True

    def forecast(self, history, horizon):
        return [history[-1]] * horizon

    def quantiles(self, history, horizon):
        return [[history[-1]] * horizon] * 9


class Plain:
    def forecast(self, history, horizon):
        return [history[-1]] * horizon


class OnePass:
    def hindcast(self, histories, horizon):
        return None
"""


@pytest.fixture
def module(tmp_path, monkeypatch) -> str:
    name = f"declared_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(SLOW)
    monkeypatch.syspath_prepend(tmp_path)
    return name


def declarations(forecaster: Forecaster) -> tuple[bool, bool, int | None, float, bool, bool]:
    combined = forecaster.in_combinations, forecaster.ignores_seasons
    return forecaster.per_origin, forecaster.brings_quantiles, forecaster.season, forecaster.cost, *combined


def test_a_class_declares_the_same_as_a_plug_in_and_by_its_import_name(module, tmp_path):
    target = f"{module}:Slow"
    plugin = plugin_forecaster("slow-model", target, str(tmp_path), "a-package 1.0")
    assert declarations(plugin) == declarations(imported(target, tmp_path)) == (True, True, 12, 3.5, False, True)


def test_what_a_class_does_not_declare_has_defaults(module, tmp_path):
    assert declarations(imported(f"{module}:Plain", tmp_path)) == (True, False, None, PER_ORIGIN_COST, True, False)
    assert declarations(imported(f"{module}:OnePass", tmp_path)) == (False, False, None, ONE_PASS_COST, True, False)


def test_a_model_of_a_library_declares_the_season_that_it_was_made_with():
    assert declarations(library_forecaster("sklearn:Ridge", 7)) == (True, False, 7, PER_ORIGIN_COST, True, False)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("season = 0", "'season' must be a whole number of at least 1, got 0"),
        ("season = 'year'", "'season' must be a whole number of at least 1, got 'year'"),
        ("cost = 0", "'cost' must be seconds per origin, above 0, got 0"),
        ("in_combinations = 0", "'in_combinations' must be True or False, got 0"),
        ("cost = 'much'", "'cost' must be seconds per origin, above 0, got 'much'"),
    ],
)
def test_a_declaration_that_makes_no_sense_is_refused(tmp_path, monkeypatch, line, problem):
    name = f"refused_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(f"class Odd:\n    {line}\n    def forecast(self, history, horizon): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SettingsError, match=problem):
        imported(f"{name}:Odd", Path(tmp_path))
