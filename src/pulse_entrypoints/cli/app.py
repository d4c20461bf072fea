"""The command `pulse`: its commands, options and help. What a command needs is imported when it runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, Final

from cyclopts import App
from cyclopts.argument import ArgumentCollection
from cyclopts.exceptions import CycloptsError

from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.commands import COMMANDS, Command
from pulse_entrypoints.cli.help import GROUP_HELP
from pulse_entrypoints.cli.printing import finish_output, write_stderr, write_text
from pulse_entrypoints.cli.signals import current, interruptible, name_of

FAILED: Final = 1
USAGE_ERROR: Final = 2
INTERRUPTED: Final = 75

_HELP: Final = (
    "Pulse replays history: at every past day it forecasts from what was known then, scores the forecasts by "
    "the actuals, and learns how far each forecaster can be trusted."
)
_COMPLETION: Final = "--install-completion"
_LONG_RUN: Final = 100
_BETWEEN: Final = "\0"
"""Stands between values that are one word: no word of a command line holds it."""
_COMMAND_OF: Final = {command.words: command for command in COMMANDS}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        if list(words) == ["--version"]:  # without cyclopts, which loads rich to print it
            write_text(_version())
            return 0
        return _run(words)
    except CycloptsError as error:
        write_stderr(f"pulse: {error}\nAll options: pulse --help")
        return USAGE_ERROR
    except Exception as error:
        from pulse_entrypoints.cli.exits import OutputUnavailable  # with the core, which only a failure loads

        if not isinstance(error, OutputUnavailable):
            raise
        write_stderr(f"pulse: {error}")
        return FAILED
    except KeyboardInterrupt as interruption:
        write_stderr(f"pulse: interrupted by {name_of(interruption)}; nothing had begun")
        return INTERRUPTED


def _run(words: Sequence[str]) -> int:
    app = application(words)
    with interruptible():
        status = app(_with_joined_runs(words), exit_on_error=False, print_error=False, result_action="return_value")
    if isinstance(status, int):
        return status
    finish_output()  # of help
    return 0


def _with_joined_runs(words: Sequence[str]) -> list[str]:
    """Return the words, with each long run of values as one word, which the collector takes apart again.

    cyclopts compares each value of an option with all others: with 10,000 variables that takes ten seconds.
    """
    joined: list[str] = []
    for are_options, run in groupby(words, lambda word: word.startswith("-")):
        values = list(run)
        is_long = bool(joined) and not are_options and len(values) > _LONG_RUN
        joined += [_BETWEEN.join(values)] if is_long else values
    return joined


def application(arguments: Sequence[str]) -> App:
    """Build the app for these arguments. The app collects the command line as it stands; `layers` reads its values."""
    command_line = CommandLine()
    app = App(
        name="pulse",
        help=_HELP,
        help_format="plaintext",
        version=_version,
        config=_Collector(command_line),
        suppress_keyboard_interrupt=False,
    )
    groups: dict[str, App] = {}
    for command in COMMANDS:
        *path, name = command.words
        parent = app
        for word in path:
            if word not in groups:
                groups[word] = App(name=word, help=GROUP_HELP[word])
                app.command(groups[word])
            parent = groups[word]
        action = _action(command, command_line)
        usage = None
        if _shows_options(command, arguments):
            from pulse_entrypoints.cli.declaration import declare  # the kinds of values, which only options need

            declare(action, command.options)
            usage = f"Usage: {command.usage} [OPTIONS]"
        parent.command(action, name=name, help=command.help, usage=usage, help_epilogue=command.epilogue)
    app.register_install_completion_command(name=_COMPLETION, help="Install completion for your shell, and exit.")
    return app


def _shows_options(command: Command, arguments: Sequence[str]) -> bool:
    """Whether a command's options are needed: where the arguments name it, and where a shell learns all there are.

    The options of all commands would cost half of the time of `pulse --help`, which shows none of them.
    """
    return tuple(arguments[: len(command.words)]) == command.words or _COMPLETION in arguments


def _action(command: Command, command_line: CommandLine) -> Callable[..., int]:
    """Return the function that cyclopts calls for a command."""

    def action(*words: str, **values: Any) -> int:
        del words, values
        status = command.load()(command_line, os.environ)  # imports here: help must not wait for numpy
        current().decide(status)
        return status

    return action


class _Collector:
    """Collects the words of each option before cyclopts converts them, which would stop at the first mistake."""

    def __init__(self, command_line: CommandLine) -> None:
        self._command_line = command_line

    def __call__(self, app: App, commands: Sequence[str], arguments: ArgumentCollection) -> None:
        del app
        command = _COMMAND_OF.get(tuple(commands))
        if command is None:
            return
        self._command_line.command = command.name
        for argument in arguments:
            for token in argument.tokens:
                self._collect(argument.field_info.name, argument.names, token)
            argument.tokens.clear()

    def _collect(self, name: str, spellings: tuple[str, ...], token: Any) -> None:
        words = self._command_line.words
        if token.keyword is None:
            words += token.value.split(_BETWEEN)
        elif token.keyword not in spellings:
            words.append(f"{token.keyword}={token.value}")
        else:
            values = self._command_line.values.setdefault(name, [])
            if isinstance(token.implicit_value, bool):
                values.append(str(token.implicit_value).lower())
            elif token.value or token.implicit_value != []:
                values += token.value.split(_BETWEEN)


def _version() -> str:
    from importlib.metadata import version  # 30 ms that only this costs

    return version("pulse-retrodiction")  # of the installed package: to import the core would load numpy
