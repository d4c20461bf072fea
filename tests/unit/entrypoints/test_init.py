"""`pulse init`: a file with every option, that can be taken as it is or line by line."""

from __future__ import annotations

import re
import tomllib

from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.commands import COMMANDS
from pulse_entrypoints.cli.layers import read_settings
from pulse_entrypoints.cli.options import options_of
from pulse_entrypoints.commands.init import JOB_COMMAND, configuration
from pulse_entrypoints.settings.train import TrainSettings

_OPTION = re.compile(r"^#([a-z][a-z0-9_]*) = ", re.MULTILINE)


def test_the_file_sets_nothing_by_itself(pulse) -> None:
    assert pulse("init").status == 0
    assert tomllib.loads((pulse.folder / "pulse.toml").read_text()) == {}
    read = read_settings(CommandLine({"config": ["pulse.toml"]}), {}, TrainSettings)
    assert (read.problems, read.settings) == ((), TrainSettings(config=read.settings.config))


def test_every_option_that_a_file_may_hold_is_there_once() -> None:
    typed = [option for one in COMMANDS if one.name != JOB_COMMAND for option in one.options]
    wanted = {option.name for option in typed if not option.operand and not option.required} - {"config"}
    assert sorted(_OPTION.findall(configuration("x.toml"))) == sorted(wanted)


def test_every_line_can_be_taken_as_it_stands(tmp_path) -> None:
    path = tmp_path / "all.toml"
    path.write_text(_OPTION.sub(r"\1 = ", configuration("all.toml")))
    for command in [one for one in COMMANDS if any(option.name == "config" for option in one.options)]:
        read = read_settings(CommandLine({"config": [str(path)]}), {}, command.settings_class)
        told = [problem for problem in read.problems if "is missing" not in problem and "give one of" not in problem]
        assert told == []


def test_defaults_stand_as_they_are(tmp_path) -> None:
    document = tomllib.loads(_OPTION.sub(r"\1 = ", configuration("all.toml")))
    defaults = {option.name: option.default for option in options_of(TrainSettings)}
    told = {name: defaults[name] for name in document if isinstance(defaults.get(name), int | float | str)}
    assert {name: document[name] for name in told} == told | {"cache_max_size": "2GiB"}


def test_nothing_is_overwritten(pulse) -> None:
    (pulse.folder / "mine.toml").write_text("horizon = 3\n")
    done = pulse("init", "mine.toml")
    assert (done.status, "mine.toml exists already" in done.err) == (2, True)
    assert (pulse.folder / "mine.toml").read_text() == "horizon = 3\n"
