"""The table of settings: every option of every command in each of its spellings."""

from __future__ import annotations

from collections.abc import Iterable

from pulse_entrypoints.cli.commands import Command
from pulse_entrypoints.cli.options import Option
from pulse_entrypoints.settings.groups import GROUPS
from pulse_reference.markdown import plain, table


def settings_page(commands: Iterable[Command]) -> str:
    """Return a section a group; a row an option: command line, environment, TOML key, kind, commands that take it."""
    used: dict[str, list[str]] = {}
    options: dict[str, Option] = {}
    for command in commands:
        for option in command.options:
            options.setdefault(option.name, option)
            used.setdefault(option.name, []).append(" ".join(command.words))
    return "\n\n".join(
        f"## {group}\n\n{_rows([option for option in options.values() if option.group == group], used)}"
        for group in GROUPS
        if any(option.group == group for option in options.values())
    )


def _rows(options: list[Option], used: dict[str, list[str]]) -> str:
    head = ("command line", "environment", "TOML key", "value", "taken by")
    return table(head, [(*_spellings(option), ", ".join(used[option.name])) for option in options])


def _spellings(option: Option) -> tuple[str, str, str, str]:
    return f"`{option.flag}`", f"`{option.environment}`", f"`{option.name}`", plain(option.kind.expected)
