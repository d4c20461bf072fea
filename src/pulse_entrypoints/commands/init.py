"""`pulse init`: a configuration file with every option in it, each explained and commented out."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from typing import Any, Final

from pulse_adapters.storage.disk import disk_faults
from pulse_adapters.storage.files import create
from pulse_core.errors import SettingsError
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.commands import COMMANDS
from pulse_entrypoints.cli.exits import Ending, Exit
from pulse_entrypoints.cli.layers import Layered
from pulse_entrypoints.cli.options import Option, options_of
from pulse_entrypoints.cli.output import run_command
from pulse_entrypoints.cli.printing import write_stderr
from pulse_entrypoints.settings.groups import GROUPS
from pulse_entrypoints.settings.init import InitSettings
from pulse_entrypoints.settings.train import TrainSettings

JOB_COMMAND: Final = "pulse batch run"
"""The command of jobs, not of people: `pulse batch submit` writes the options that only it takes."""

_WIDTH: Final = 100
_HEAD: Final = """\
# Settings of Pulse. Every option is here with its default, commented out: take the '#' away to set it.
# A value on the command line or in the environment beats this file. Used by: pulse train --config {name}
"""
_EXAMPLES: Final[Mapping[str, Any]] = {
    "forecasters": ["naive", "ses", "ensemble"],
    "max_loss": 0.02,
    "aws_region": "us-east-1",
    "NAME...": ["one", "another"],
    "ROLE=COLUMN...": ["timestamp=DATE", "value=GDP"],
    "FORMAT": "%d/%m/%Y",
    "ZONE": "Europe/Berlin",
    "DAY": "2022-01-31",
    "PATH": "some/file",
    "FILE": "some/file",
    "NAME": "name",
}
"""Examples of values, by the option's name or its placeholder in help."""

_FURTHER_EXAMPLES: Final[tuple[Any, ...]] = (
    10,
    0.5,
    "0/4",
    [1, 4],
    "2GiB",
    "s3://bucket/key",
    "http://127.0.0.1:8333",
    "name",
    ",",
)
"""For an option that is not among them: the first of these that it takes."""


def init(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """Write the file and return the exit status."""
    return run_command(command_line, environment, InitSettings, _init)


def _init(layered: Layered[InitSettings]) -> Ending:
    path = layered.settings.file
    with disk_faults("write a file", path):
        if not create(path, configuration(path.name).encode()):
            raise SettingsError([f"{path} exists already; name another file, or move it away"])
    write_stderr(f"pulse: {path} written; use it with: pulse train --config {path}")
    return Ending(Exit.DONE)


def configuration(name: str) -> str:
    """Return a TOML file of this name with every option that a file may hold."""
    parts = [_HEAD.format(name=name)]
    options = _options()
    for group in GROUPS:
        members = [(option, commands) for option, commands in options.values() if option.group == group]
        if members:
            parts.append(f"\n# {group} {'-' * (_WIDTH - len(group) - 3)}\n")
            parts.extend(f"\n{line}" for option, commands in members for line in [_entry(option, commands)])
    return "".join(parts)


def _options() -> dict[str, tuple[Option, list[str]]]:
    """Return every option that a file may hold with the commands that have it, those of train first."""
    options: dict[str, tuple[Option, list[str]]] = {option.name: (option, []) for option in options_of(TrainSettings)}
    for command in COMMANDS:
        for option in command.options:
            if not option.operand and not option.required:
                options.setdefault(option.name, (option, []))[1].append(command.name)
    options.pop("config", None)
    return {name: pair for name, pair in options.items() if pair[1] not in ([], [JOB_COMMAND])}


def _entry(option: Option, commands: list[str]) -> str:
    """Return an option's lines: its help, and its default or, where it has none, an example."""
    of = "" if "pulse train" in commands else f" ({', '.join(commands)})"
    default = f" Default: {option.default_text}." if _explains_default(option) else ""
    text = f"{option.help}{default}{of}"
    lines = textwrap.wrap(text, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)
    return "\n".join([*lines, f"#{option.name} = {_value(option)}", ""])


def _explains_default(option: Option) -> bool:
    """Whether the default is not the value that stands below."""
    return bool(option.default_text) and option.default is None


def _value(option: Option) -> str:
    """Return an option's default in TOML, or an example where it has none."""
    default = option.default
    if isinstance(default, tuple):
        default = list(default)
    elif not isinstance(default, bool | int | float | str | None):
        default = str(default)
    # as people write it, 2GiB, where a file may hold that
    text = None if default is None else option.default_text
    likely = (_EXAMPLES.get(option.name), _EXAMPLES.get(option.kind.metavar))
    candidates = (text, default, *option.kind.choices, *likely, *_FURTHER_EXAMPLES)
    # what JSON writes is a TOML value as well
    return json.dumps(next(value for value in candidates if value is not None and _takes(option, value)))


def _takes(option: Option, example: Any) -> bool:
    try:
        option.kind.of_toml(example)
    except ValueError:
        return False
    return True
