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
from pulse_entrypoints.cli.output import answer, tell
from pulse_entrypoints.settings.groups import GROUPS
from pulse_entrypoints.settings.init import InitSettings
from pulse_entrypoints.settings.train import TrainSettings

OF_A_JOB: Final = "pulse batch run"
"""A command that no person types: what it alone takes is told to a job by `pulse batch submit`."""

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
    "DAY": "2022-01-31",
    "PATH": "some/file",
    "FILE": "some/file",
    "NAME": "name",
}
"""What a value may look like, by the option's name or the shape that help shows."""

_OTHERWISE: Final[tuple[Any, ...]] = (
    10,
    0.5,
    "0/4",
    [1, 4],
    "2GiB",
    "s3://bucket/key",
    "http://127.0.0.1:8333",
    "name",
)
"""Of an option that is not among them, the first that it takes is shown."""


def init(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """Write the file and return the exit status."""
    return answer(command_line, environment, InitSettings, _init)


def _init(read: Layered[InitSettings]) -> Ending:
    path = read.settings.file
    with disk_faults("write a file", path):
        if not create(path, configuration(path.name).encode()):
            raise SettingsError([f"{path} is there already; name another file, or move it away"])
    tell(f"pulse: {path} written; use it with: pulse train --config {path}")
    return Ending(Exit.DONE)


def configuration(name: str) -> str:
    """Return a TOML file of this name with every option that a file may hold."""
    parts = [_HEAD.format(name=name)]
    options = _options()
    for group in GROUPS:
        found = [(option, commands) for option, commands in options.values() if option.group == group]
        if found:
            parts.append(f"\n# {group} {'-' * (_WIDTH - len(group) - 3)}\n")
            parts.extend(f"\n{line}" for option, commands in found for line in [_told(option, commands)])
    return "".join(parts)


def _options() -> dict[str, tuple[Option, list[str]]]:
    """Return every option that a file may hold with the commands that have it, those of train first."""
    found: dict[str, tuple[Option, list[str]]] = {option.name: (option, []) for option in options_of(TrainSettings)}
    for command in COMMANDS:
        for option in command.options:
            if not option.operand and not option.required:
                found.setdefault(option.name, (option, []))[1].append(command.name)
    found.pop("config", None)
    return {name: pair for name, pair in found.items() if pair[1] not in ([], [OF_A_JOB])}


def _told(option: Option, commands: list[str]) -> str:
    """Return an option's lines: what it is, and its default or, where it has none, an example."""
    of = "" if "pulse train" in commands else f" ({', '.join(commands)})"
    default = f" Default: {option.shown_default}." if _says_more(option) else ""
    text = f"{option.help}{default}{of}"
    lines = textwrap.wrap(text, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)
    return "\n".join([*lines, f"#{option.name} = {_value(option)}", ""])


def _says_more(option: Option) -> bool:
    """Whether the default is not the value that stands below."""
    return bool(option.shown_default) and option.default is None


def _value(option: Option) -> str:
    """Return an option's default in TOML, or an example where it has none."""
    default = option.default
    if isinstance(default, tuple):
        default = list(default)
    elif not isinstance(default, bool | int | float | str | None):
        default = str(default)
    # as people write it, 2GiB, where a file may hold that
    shown = None if default is None else option.shown_default
    likely = (_EXAMPLES.get(option.name), _EXAMPLES.get(option.kind.metavar))
    candidates = (shown, default, *option.kind.choices, *likely, *_OTHERWISE)
    # what JSON writes is a TOML value as well
    return json.dumps(next(one for one in candidates if one is not None and _takes(option, one)))


def _takes(option: Option, example: Any) -> bool:
    try:
        option.kind.of_toml(example)
    except ValueError:
        return False
    return True
