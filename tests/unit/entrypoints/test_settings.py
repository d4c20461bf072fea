"""Every option is declared once and whole."""

from __future__ import annotations

import attrs
import pytest

from pulse_core.spec import ACTUALS, CALIBRATIONS, TARGETS, TRUST_LOSSES, RunSpec
from pulse_entrypoints.cli.commands import COMMANDS, all_options
from pulse_entrypoints.cli.help import GROUP_HELP
from pulse_entrypoints.cli.options import options_of
from pulse_entrypoints.settings.groups import GROUPS
from pulse_entrypoints.settings.train import TrainSettings
from pulse_entrypoints.wiring import composition

SPEC_DEFAULTS = {field.name: field.default for field in attrs.fields(RunSpec)}
OPTIONS = [(command.name, option) for command in COMMANDS for option in command.options]


@pytest.mark.parametrize(("command", "option"), OPTIONS, ids=lambda value: getattr(value, "name", value))
def test_an_option_says_what_it_is_for_and_where_it_belongs(command, option) -> None:
    assert option.help.endswith(".")
    assert option.group in GROUPS


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_no_two_options_of_a_command_share_a_variable_of_the_environment(command) -> None:
    variables = [option.environment for option in command.options]
    assert len(set(variables)) == len(variables)


@pytest.mark.parametrize(("command", "option"), OPTIONS, ids=lambda value: getattr(value, "name", value))
def test_a_name_means_the_same_kind_of_value_in_every_command(command, option) -> None:
    # one configuration file and one environment serve all commands
    other = all_options()[option.name]
    assert (option.kind.metavar, option.environment) == (other.kind.metavar, other.environment)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_what_runs_a_command_is_there(command) -> None:
    assert callable(command.load())


def test_every_group_of_commands_says_what_it_is() -> None:
    assert {command.words[0] for command in COMMANDS if len(command.words) > 1} == set(GROUP_HELP)


@pytest.mark.parametrize("name", [field.name for field in attrs.fields(TrainSettings) if field.name in SPEC_DEFAULTS])
def test_the_defaults_are_those_of_a_spec(name) -> None:
    default = getattr(TrainSettings(), name)
    if default is not None:
        assert default == SPEC_DEFAULTS[name]


def test_every_field_of_a_spec_can_be_set() -> None:
    renamed = {"start": "start_date", "end": "end_date"}
    assert {renamed.get(name, name) for name in SPEC_DEFAULTS} <= {option.name for option in options_of(TrainSettings)}


def test_the_choices_are_those_of_a_spec_and_of_the_adapters() -> None:
    choices = {option.name: option.kind.choices for option in options_of(TrainSettings)}
    assert choices["actuals"] == ACTUALS
    assert choices["target"] == TARGETS
    assert choices["calibration"] == CALIBRATIONS
    assert choices["trust_loss"] == TRUST_LOSSES
    assert choices["backend"] == tuple(composition.BACKENDS)
