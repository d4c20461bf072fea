"""The reference of the command line, from the table of commands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from pulse_entrypoints.cli.commands import Command
from pulse_entrypoints.cli.options import Option, is_flag
from pulse_entrypoints.settings.groups import GROUPS
from pulse_reference.markdown import fenced, plain, prose, table


def commands_page(commands: Iterable[Command]) -> str:
    """Return a section a command: usage, help, and its options by group."""
    return "\n\n".join("\n\n".join(_section(command)) for command in commands)


def _section(command: Command) -> Iterator[str]:
    yield f"## {command.name}"
    yield fenced(f"{command.usage} [OPTIONS]")
    yield prose(command.help)
    options = sorted(command.options, key=lambda option: GROUPS.index(option.group))
    for group, members in groupby(options, key=lambda option: option.group):
        yield f"**{group}**"
        yield _options(list(members))
    if command.epilogue:
        yield prose(command.epilogue)


def _options(options: Sequence[Option]) -> str:
    rows = [(_spelled(option), plain(option.help), _default(option)) for option in options]
    return table(("option", "what it says", "default"), rows)


def _spelled(option: Option) -> str:
    operand = f"`{option.shape}` or " if option.operand else ""
    metavar = "" if is_flag(option) else f" {option.kind.metavar}"
    return f"{operand}`{option.flag}{metavar}`{_choices(option)}"


def _choices(option: Option) -> str:
    return "".join(("<br>", ", ".join(f"`{choice}`" for choice in option.kind.choices))) if option.kind.choices else ""


def _default(option: Option) -> str:
    if option.required:
        return "none: it must be given"
    return plain(option.default_text)
