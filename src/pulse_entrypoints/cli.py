"""The command `pulse`: its commands, options and help. What a command needs is imported when it runs."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any, Final

from cyclopts import App, Group, Parameter
from cyclopts.argument import ArgumentCollection
from cyclopts.exceptions import CycloptsError

from pulse_entrypoints.layers import CommandLine, is_flag
from pulse_entrypoints.options import Option
from pulse_entrypoints.settings import GROUPS, OPTIONS
from pulse_entrypoints.signals import interruptible, name_of

USAGE_ERROR: Final = 2
INTERRUPTED: Final = 75

_HELP: Final = (
    "Pulse replays history: at every past day it forecasts from what was known then, scores the forecasts by "
    "what came, and says how far each forecaster can be trusted."
)

_TRAIN_HELP: Final = """\
Replay history and learn how far each forecaster can be trusted.

Try it on the series that come with Pulse:

    pulse train --data sample

Your own series: my_folder/sales.csv and my_folder/stock.csv, each with the
columns timestamp and value (and known_at, where values are revised):

    pulse train --data my_folder --variables sales stock --start-date 2020-01-01

A forecaster of your own, class Best in my_models.py of this folder:

    pulse train --data sample --forecasters naive ses my_models:Best

Interrupt it at any time: the same command resumes."""

_TRAIN_EPILOGUE: Final = (
    "Every option can also be set by an environment variable, PULSE_ and its name (PULSE_BATCH_SIZE_DAYS; "
    "for logs LOG_LEVEL, LOG_FORMAT, LOG_DIR), and in the TOML file of --config (batch_size_days = 30). The "
    "command line beats the environment, the environment the file.\n\n"
    "Exit status: 0 done, 1 failed, 2 wrong usage or settings, 3 finished without some variables, 75 "
    "interrupted (run the same command again)."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    app = application()
    try:
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

    def train(*words: str, **options: Any) -> int:
        del words, options
        with interruptible():
            from pulse_entrypoints.train import train as run  # help must not wait for numpy

            return run(typed, os.environ)

    _declare(train)
    app.command(train, help=_TRAIN_HELP, usage="Usage: pulse train [OPTIONS]", help_epilogue=_TRAIN_EPILOGUE)
    app.register_install_completion_command(help="Install completion for your shell, and exit.")
    return app


class _Take:
    """Takes the words of each option before cyclopts converts them, which would stop at the first mistake."""

    def __init__(self, typed: CommandLine) -> None:
        self._typed = typed

    def __call__(self, app: App, commands: Sequence[str], arguments: ArgumentCollection) -> None:
        del app
        if commands != ("train",):
            return
        for argument in arguments:
            for token in argument.tokens:
                self._take(argument.field_info.name, argument.names, token)
            argument.tokens.clear()

    def _take(self, name: str, spellings: tuple[str, ...], token: Any) -> None:
        if token.keyword is None:
            self._typed.unknown.append(token.value)
        elif token.keyword not in spellings:
            self._typed.unknown.append(f"{token.keyword}={token.value}")
        else:
            values = self._typed.values.setdefault(name, [])
            if isinstance(token.implicit_value, bool):
                values.append(str(token.implicit_value).lower())
            elif token.value or token.implicit_value != []:
                values.append(token.value)


def _declare(command: Any) -> None:
    """Give a command the options of the settings as its signature."""
    words = inspect.Parameter(
        "words",
        inspect.Parameter.VAR_POSITIONAL,
        annotation=Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    )
    groups = {name: Group(name, sort_key=number) for number, name in enumerate(GROUPS)}
    signature = inspect.Signature([words, *(_parameter(option, groups[option.group]) for option in OPTIONS)])
    command.__signature__ = signature
    command.__annotations__ = {name: each.annotation for name, each in signature.parameters.items()}


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


if __name__ == "__main__":
    sys.exit(main())
