"""Every option is declared once and whole."""

from __future__ import annotations

import attrs
import pytest

from pulse_core.spec import ACTUALS, CALIBRATIONS, TARGETS, TRUST_LOSSES, RunSpec
from pulse_entrypoints import wiring
from pulse_entrypoints.settings import GROUPS, OPTIONS, Settings

SPEC_DEFAULTS = {field.name: field.default for field in attrs.fields(RunSpec)}


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_an_option_says_what_it_is_for_and_where_it_belongs(option) -> None:
    assert option.help.endswith(".")
    assert option.group in GROUPS


def test_no_two_options_share_a_variable_of_the_environment() -> None:
    variables = [option.environment for option in OPTIONS]
    assert len(set(variables)) == len(variables)


@pytest.mark.parametrize("name", [field.name for field in attrs.fields(Settings) if field.name in SPEC_DEFAULTS])
def test_the_defaults_are_those_of_a_spec(name) -> None:
    default = getattr(Settings(), name)
    if default is not None:
        assert default == SPEC_DEFAULTS[name]


def test_every_field_of_a_spec_can_be_set() -> None:
    renamed = {"start": "start_date", "end": "end_date"}
    assert {renamed.get(name, name) for name in SPEC_DEFAULTS} <= {option.name for option in OPTIONS}


def test_the_choices_are_those_of_a_spec_and_of_the_adapters() -> None:
    choices = {option.name: option.kind.choices for option in OPTIONS}
    assert choices["actuals"] == ACTUALS
    assert choices["target"] == TARGETS
    assert choices["calibration"] == CALIBRATIONS
    assert choices["trust_loss"] == TRUST_LOSSES
    assert choices["backend"] == tuple(wiring.BACKENDS)
