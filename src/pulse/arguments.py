"""Arguments of a call: the options of the command line by the same names, read by the same layers of settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final

from pulse_adapters.stores.formats.reading import ROLES
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.layers import Layered, read_settings
from pulse_entrypoints.cli.options import options_of
from pulse_entrypoints.settings.train import TrainSettings

_OF_THE_COMMAND: Final = {
    "json": "the result is what the call returns",
    "table": "the run shows its table by itself",
    "dry_run": "the command line shows plans: pulse train --dry-run",
    "slice": "a share publishes nothing that could be returned: pulse train --slice",
    **dict.fromkeys(("log_level", "log_format", "log_dir"), "a call writes no log"),
}
"""Options of `pulse train` that say how the command behaves, and why a call has none of them."""


def read_arguments(arguments: Mapping[str, Any], call: str = "pulse.train") -> Layered[TrainSettings]:
    """Read the settings of a call: its arguments beat the environment, this the TOML file `config`, this the defaults.

    Raises TypeError for an argument that is no option; problems of values are in what is returned.
    """
    for name in arguments:
        _refuse_unknown(name, call)
    return read_settings(CommandLine(command=call, arguments=_plain(arguments)), os.environ, TrainSettings)


def _plain(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments with `columns`, where they are a dict by role, as the command line has them."""
    columns = arguments.get("columns")
    if not isinstance(columns, Mapping) or not set(columns) <= set(ROLES):
        return dict(arguments)
    names = [(role, [name] if isinstance(name, str) else list(name)) for role, name in columns.items()]
    return {**arguments, "columns": [f"{role}={name}" for role, listed in names for name in listed]}


def _refuse_unknown(name: str, call: str) -> None:
    if name in _OF_THE_COMMAND:
        raise TypeError(f"{call}() has no option '{name}': {_OF_THE_COMMAND[name]}")
    names = [option.name for option in options_of(TrainSettings) if option.name not in _OF_THE_COMMAND]
    if name in names:
        return
    near = get_close_matches(name.lower().replace("-", "_"), names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "pulse train --help lists the options"
    raise TypeError(f"{call}() has no option '{name}'; {hint}")
