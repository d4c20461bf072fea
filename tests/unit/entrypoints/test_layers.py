"""Every layer is read, the stronger wins, and all problems come together, each naming its source."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.kinds import NAMES, TEXT, WHOLE
from pulse_entrypoints.cli.layers import Layered, read_settings
from pulse_entrypoints.cli.options import option, options_of
from pulse_entrypoints.settings.groups import OPERANDS
from pulse_entrypoints.settings.logs import ConfigSettings
from pulse_entrypoints.settings.train import TrainSettings

OPTIONS = options_of(TrainSettings)


def read(environment: dict[str, str] | None = None, **values: list[str]) -> Layered[TrainSettings]:
    return read_settings(CommandLine(values), environment or {}, TrainSettings)


def toml(tmp_path: Path, text: str, name: str = "pulse.toml") -> list[str]:
    path = tmp_path / name
    path.write_text(text)
    return [str(path)]


def test_without_anything_said_all_is_default() -> None:
    assert read() == Layered(TrainSettings(), {}, (), frozenset())


def test_the_command_line_beats_the_environment_which_beats_the_file(tmp_path: Path) -> None:
    config = toml(tmp_path, "horizon = 3\nmin_history = 33\nbatch_size_days = 333\n")
    environment = {"PULSE_HORIZON": "2", "PULSE_MIN_HISTORY": "22"}
    settings = read(environment, horizon=["1"], config=config).settings
    assert (settings.horizon, settings.min_history, settings.batch_size_days) == (1, 22, 333)


def test_the_config_file_may_be_named_by_the_environment(tmp_path: Path) -> None:
    (config,) = toml(tmp_path, "horizon = 3")
    assert read({"PULSE_CONFIG": config}).settings.horizon == 3


def test_a_file_gives_every_type_that_toml_has(tmp_path: Path) -> None:
    text = (
        'variables = ["a", "b"]\nstart_date = 2020-01-31\nend_date = "2020-02-29"\ntrust_half_life = 100\n'
        'keep_going = true\nslice = "0/2"\noutput_file = "out/r.json"\nlog_level = "debug"\n'
    )
    settings = read(config=toml(tmp_path, text)).settings
    assert settings.variables == ("a", "b")
    assert (settings.start_date, settings.end_date) == (date(2020, 1, 31), date(2020, 2, 29))
    assert (settings.trust_half_life, settings.keep_going, settings.slice) == (100.0, True, (0, 2))
    assert (settings.output_file, settings.log_level) == ("out/r.json", "DEBUG")


def test_names_in_the_environment_are_separated_by_blanks() -> None:
    assert read({"PULSE_VARIABLES": " a  b "}).settings.variables == ("a", "b")


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_an_empty_environment_variable_is_refused(option) -> None:
    found = read({option.environment: ""})
    assert found.problems == (f"{option.environment} in the environment: no value is given",)


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
@pytest.mark.parametrize("texts", [[], [""], ["  "]])
def test_an_option_without_a_value_is_refused(option, texts) -> None:
    found = read_settings(CommandLine({option.name: texts}), {}, TrainSettings)
    assert found.problems == (f"{option.flag}: no value is given",)
    assert found.broken == {option.name}


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("horizon", "x", "expected a whole number, got 'x'"),
        ("horizon", "1_0", "expected a whole number, got '1_0'"),
        ("horizon", "٣", "expected a whole number, got '٣'"),
        ("batch_size_days", "1.5", "expected a whole number, got '1.5'"),
        ("max_workers", "0", "expected a whole number of at least 1, got '0'"),
        ("unit_size", "-1", "expected a whole number of at least 1, got '-1'"),
        ("trust_half_life", "high", "expected a number, got 'high'"),
        ("trust_span", "a year", "expected a whole number, got 'a year'"),
        ("start_date", "2023-02-30", "expected a day such as 2022-01-31, got '2023-02-30'"),
        ("end_date", "tomorrow", "expected a day such as 2022-01-31, got 'tomorrow'"),
        ("keep_going", "maybe", "expected true or false, got 'maybe'"),
        ("slice", "2/2", "expected I/N with 0 <= I < N, such as 0/4, got '2/2'"),
        ("slice", "1", "expected I/N with 0 <= I < N, such as 0/4, got '1'"),
        ("backend", "threads", "expected one of serial, processes, dask, got 'threads'"),
        ("log_level", "loud", "expected one of DEBUG, INFO, WARNING, ERROR, got 'loud'"),
        ("log_format", "xml", "expected one of auto, console, json, got 'xml'"),
        ("target", "rate", "expected one of level, change, log-change, got 'rate'"),
        ("actuals", "last", "expected one of first, latest, got 'last'"),
        ("output_file", "a\0b", "expected a path, got 'a\\x00b' with a NUL character in it"),
    ],
)
def test_a_wrong_value_is_refused_in_its_layer(name, text, expected) -> None:
    option = next(option for option in OPTIONS if option.name == name)
    assert read_settings(CommandLine({name: [text]}), {}, TrainSettings).problems == (f"{option.flag}: {expected}",)
    source = f"{option.environment} in the environment"
    assert read({option.environment: text}).problems == (f"{source}: {expected}",)


@pytest.mark.parametrize("text", ["units", "../x", ".hidden", "a/b", "a b", "x" * 101])
def test_a_run_id_that_could_leave_its_place_is_refused(text) -> None:
    (problem,) = read(run_id=[text]).problems
    assert problem.startswith("--run-id: expected up to 100 letters")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('horizon = "5"', "horizon: expected a whole number, got '5'"),
        ("horizon = true", "horizon: expected a whole number, got True"),
        ("horizon = 1.5", "horizon: expected a whole number, got 1.5"),
        ('variables = "a b"', 'variables: expected a list of names such as ["a", "b"], got \'a b\''),
        ("variables = []", "variables: no value is given"),
        ("start_date = 2020-01-01T00:00:00Z", "start_date: expected a day such as 2022-01-31, got "),
        ('data = ""', "data: no value is given"),
        ("keep_going = 1", "keep_going: expected true or false, got 1"),
        ("horizn = 5", "horizn: no such key; did you mean horizon?"),
        ("batch-size-days = 5", "batch-size-days: no such key; did you mean batch_size_days?"),
        ('config = "other.toml"', "config: no such key"),
    ],
)
def test_a_wrong_line_of_the_file_is_refused(tmp_path: Path, line, problem) -> None:
    config = toml(tmp_path, line)
    (found,) = read(config=config).problems
    assert found.startswith(f"{config[0]}: {problem}")


def test_a_missing_config_file_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "none.toml"
    assert read(config=[str(missing)]).problems == (f"--config: there is no file {missing}",)
    assert read({"PULSE_CONFIG": str(missing)}).problems == (
        f"PULSE_CONFIG in the environment: there is no file {missing}",
    )


def test_a_config_that_is_no_toml_is_named_with_its_line(tmp_path: Path) -> None:
    (problem,) = read(config=toml(tmp_path, "horizon = 5\nhorizon 6\n")).problems
    assert "is not TOML" in problem
    assert "line 2" in problem


def test_a_config_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "pulse.toml"
    path.write_bytes(b"horizon = 5 # \xff")
    (problem,) = read(config=[str(path)]).problems
    assert "is not UTF-8 text" in problem


def test_a_folder_is_no_config(tmp_path: Path) -> None:
    (problem,) = read(config=[str(tmp_path)]).problems
    assert problem.startswith(f"--config: {tmp_path} cannot be read")


def test_problems_of_all_layers_come_together(tmp_path: Path) -> None:
    config = toml(tmp_path, 'horizn = 1\nmin_history = "x"\n')
    typed = CommandLine({"config": config, "slice": ["3/2"]}, ["--varables", "a", "b"])
    found = read_settings(typed, {"PULSE_DATA": "", "LOG_LEVEL": "loud"}, TrainSettings)
    sources = [problem.split(": ")[0] for problem in found.problems]
    assert sources == [
        "--varables",
        "'b'",
        "--slice",
        "PULSE_DATA in the environment",
        "LOG_LEVEL in the environment",
        config[0],
        config[0],
    ]


def test_a_mistake_that_a_stronger_layer_hides_is_still_told() -> None:
    found = read({"PULSE_HORIZON": "x"}, horizon=["3"])
    assert found.problems == ("PULSE_HORIZON in the environment: expected a whole number, got 'x'",)


def test_too_many_values_are_refused() -> None:
    assert read(horizon=["1", "2"]).problems == ("--horizon: takes one value, got 2: 1 2",)


@given(st.sampled_from(OPTIONS), st.data())
def test_an_option_with_one_letter_missing_is_recognised(option, data) -> None:
    name = option.flag
    cut = data.draw(st.integers(3, len(name) - 1))
    misspelt = name[:cut] + name[cut + 1 :]
    (problem,) = read_settings(CommandLine({}, [misspelt, "value"]), {}, TrainSettings).problems
    assert problem.startswith(f"{misspelt}: no such option; did you mean --")


@given(st.dictionaries(st.sampled_from([option.name for option in OPTIONS]), st.lists(st.text(), max_size=3)))
def test_whatever_is_typed_is_taken_or_refused_by_name(values) -> None:
    values.pop("config", None)
    found = read_settings(CommandLine(values), {}, TrainSettings)
    flags = {option.flag: option.name for option in OPTIONS}
    assert {flags[problem.split(": ")[0]] for problem in found.problems} == found.broken
    assert found.broken | found.sources.keys() == values.keys()


@attrs.frozen(kw_only=True)
class WithOperands:
    """A command with a required operand, one that takes the rest, and an option."""

    first: str | None = option(TEXT, OPERANDS, "The first.", operand=True, required=True)
    rest: tuple[str, ...] | None = option(NAMES, OPERANDS, "The others.", operand=True)
    horizon: int = option(WHOLE, OPERANDS, "Steps.", 5)


def operands(*words: str, environment: dict[str, str] | None = None, **values: list[str]) -> Layered[WithOperands]:
    return read_settings(CommandLine(values, list(words), "pulse some"), environment or {}, WithOperands)


def test_bare_words_are_operands_in_order() -> None:
    settings = operands("a", "b", "c").settings
    assert (settings.first, settings.rest) == ("a", ("b", "c"))


def test_an_operand_may_be_named_and_then_takes_no_bare_word() -> None:
    settings = operands("b", first=["a"]).settings
    assert (settings.first, settings.rest) == ("a", ("b",))


def test_an_operand_may_come_from_the_environment() -> None:
    assert operands(environment={"PULSE_FIRST": "a"}).settings.first == "a"


def test_a_required_operand_that_nobody_gives_is_missed() -> None:
    assert operands().problems == ("TEXT: is missing; pulse some --help explains it",)


def test_an_unknown_option_is_no_operand_nor_is_its_value() -> None:
    found = operands("a", "--horizn", "3")
    assert found.settings.rest is None
    assert found.problems == ("--horizn: no such option; did you mean --horizon?",)


def test_one_configuration_file_serves_all_commands(tmp_path: Path) -> None:
    found = read_settings(CommandLine({"config": toml(tmp_path, "horizon = 3\nunit_size = 2\n")}), {}, Few)
    assert found.problems == ()


@attrs.frozen(kw_only=True)
class Few(ConfigSettings):
    """A command that knows no horizon and no unit size."""


def test_what_took_the_place_of_an_option_is_named_in_every_layer(tmp_path: Path) -> None:
    config = toml(tmp_path, "trust_decay = 0.9")
    found = read_settings(
        CommandLine({"config": config}, ["--trust-decay", "0.9"]), {"PULSE_TRUST_DECAY": "0.9"}, TrainSettings
    )
    assert found.problems == (
        "--trust-decay: no such option any more; --trust-half-life takes its place",
        "PULSE_TRUST_DECAY in the environment: no such variable any more; PULSE_TRUST_HALF_LIFE takes its place",
        f"{config[0]}: trust_decay: no such key any more; trust_half_life takes its place",
    )
    assert read_settings(CommandLine({}), {"PULSE_TRUST_DECAY": "0.9"}, ConfigSettings).problems == ()
