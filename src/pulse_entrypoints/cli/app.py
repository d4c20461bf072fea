"""The command `pulse`: its commands, options and help. What a command needs is imported when it runs."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final

from cyclopts import App, Group, Parameter
from cyclopts.argument import ArgumentCollection
from cyclopts.exceptions import CycloptsError

from pulse_entrypoints.cli.commands import COMMANDS, GROUP_HELP, Command
from pulse_entrypoints.cli.layers import CommandLine
from pulse_entrypoints.cli.options import Option, is_flag, options_of
from pulse_entrypoints.cli.signals import interruptible, name_of
from pulse_entrypoints.settings.groups import GROUPS

USAGE_ERROR: Final = 2
INTERRUPTED: Final = 75

_HELP: Final = (
    "Pulse replays history: at every past day it forecasts from what was known then, scores the forecasts by "
    "what came, and says how far each forecaster can be trusted."
)
_BY_WORDS: Final = {command.words: command for command in COMMANDS}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    app = application()
    try:
        with interruptible():
            status = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        sys.stderr.write(f"pulse: {error}\nAll options: pulse --help\n")
        return USAGE_ERROR
    except KeyboardInterrupt as interruption:
        sys.stderr.write(f"pulse: interrupted by {name_of(interruption)}; nothing had begun\n")
        return INTERRUPTED
    return status if isinstance(status, int) else 0


def application() -> App:
    """Build the app. It takes in the command line as typed; `layers` reads what the words mean."""
    typed = CommandLine()
    app = App(
        name="pulse",
        help=_HELP,
        help_format="plaintext",
        version=_version,
        config=_Take(typed),
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
        parent.command(
            _action(command, typed),
            name=name,
            help=command.help,
            usage=f"Usage: {command.usage} [OPTIONS]",
            help_epilogue=command.epilogue,
        )
    app.register_install_completion_command(help="Install completion for your shell, and exit.")
    return app


def _action(command: Command, typed: CommandLine) -> Callable[..., int]:
    """Return what cyclopts calls: a function with the command's options as its signature."""

    def action(*words: str, **options: Any) -> int:
        del words, options
        return command.load()(typed, os.environ)  # imports here: help must not wait for numpy

    _declare(action, command)
    return action


class _Take:
    """Takes the words of each option before cyclopts converts them, which would stop at the first mistake."""

    def __init__(self, typed: CommandLine) -> None:
        self._typed = typed

    def __call__(self, app: App, commands: Sequence[str], arguments: ArgumentCollection) -> None:
        del app
        command = _BY_WORDS.get(tuple(commands))
        if command is None:
            return
        self._typed.command = command.name
        for argument in arguments:
            for token in argument.tokens:
                self._take(argument.field_info.name, argument.names, token)
            argument.tokens.clear()

    def _take(self, name: str, spellings: tuple[str, ...], token: Any) -> None:
        if token.keyword is None:
            self._typed.words.append(token.value)
        elif token.keyword not in spellings:
            self._typed.words.append(f"{token.keyword}={token.value}")
        else:
            values = self._typed.values.setdefault(name, [])
            if isinstance(token.implicit_value, bool):
                values.append(str(token.implicit_value).lower())
            elif token.value or token.implicit_value != []:
                values.append(token.value)


def _declare(action: Any, command: Command) -> None:
    """Give a function the options of a command's settings as its signature."""
    words = inspect.Parameter(
        "words",
        inspect.Parameter.VAR_POSITIONAL,
        annotation=Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    )
    groups = {name: Group(name, sort_key=number) for number, name in enumerate(GROUPS)}
    options = options_of(command.settings)
    signature = inspect.Signature([words, *(_parameter(option, groups[option.group]) for option in options)])
    action.__signature__ = signature
    action.__annotations__ = {name: each.annotation for name, each in signature.parameters.items()}


def _parameter(option: Option, group: Group) -> inspect.Parameter:
    """Describe an option to cyclopts, which takes any number of values, so that `layers` reports too many."""
    shown = Parameter(
        name=option.flag,
        help=option.help,
        group=group,
        metavar=option.kind.metavar,
        show_default=option.shown_default or False,
        choices=option.kind.choices or None,
        consume_multiple=True,
        negative=None if is_flag(option) else (),
        allow_repeating=True,
    )
    kind: Any = bool if is_flag(option) else list[str]
    return inspect.Parameter(
        option.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, shown]
    )


def _version() -> str:
    from pulse_core.version import __version__  # help must not wait for numpy

    return __version__
