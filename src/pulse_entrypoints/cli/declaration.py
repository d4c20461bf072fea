"""The options of a command as the signature of a function, from which cyclopts reads them."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Annotated, Any

from cyclopts import Group, Parameter

from pulse_entrypoints.cli.options import Option, is_flag
from pulse_entrypoints.settings.groups import GROUPS


def declare(action: Any, options: Iterable[Option]) -> None:
    """Give a function these options as its signature."""
    words = inspect.Parameter(
        "words",
        inspect.Parameter.VAR_POSITIONAL,
        annotation=Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    )
    groups = {name: Group(name, sort_key=number) for number, name in enumerate(GROUPS)}
    signature = inspect.Signature([words, *(_parameter(option, groups[option.group]) for option in options)])
    action.__signature__ = signature
    action.__annotations__ = {name: parameter.annotation for name, parameter in signature.parameters.items()}


def _parameter(option: Option, group: Group) -> inspect.Parameter:
    """Describe an option to cyclopts, which takes any number of values, so that `layers` reports too many."""
    description = Parameter(
        name=option.flag,
        help=option.help,
        group=group,
        metavar=option.kind.metavar,
        show_default=option.default_text or False,
        choices=option.kind.choices or None,
        consume_multiple=True,
        negative=None if is_flag(option) else (),
        allow_repeating=True,
    )
    kind: Any = bool if is_flag(option) else list[str]
    return inspect.Parameter(
        option.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, description]
    )
