"""The options of commands: how a settings class declares an option, and what the command line knows of it."""

from __future__ import annotations

from functools import cache
from typing import Any

import attrs

from pulse_entrypoints.cli.kinds import FLAG, Kind


@attrs.frozen(kw_only=True)
class Option:
    """An option: its name in every layer, its kind, its help."""

    name: str
    kind: Kind
    help: str
    group: str
    default_text: str
    environment: str
    default: object = None
    operand: bool = False
    required: bool = False
    instead_of: str = ""

    @property
    def flag(self) -> str:
        """The option on the command line."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def shape(self) -> str:
        """The operand in the line of usage."""
        return self.kind.metavar if self.required else f"[{self.kind.metavar}]"


def option(
    kind: Kind,
    group: str,
    text: str,
    default: object = None,
    *,
    default_text: str = "",
    environment: str = "",
    operand: bool = False,
    required: bool = False,
    instead_of: str = "",
) -> Any:
    """Declare an option as a field of an attrs class.

    `default_text` is the default in help, where the value itself would not do; `environment` is the
    variable where it is not PULSE_ and the option's name. An operand may be given as a bare word too; operands take
    the bare words in the order of their declaration, one of many values all that are left. A required option that
    no layer gives is a problem of the settings. An option `instead_of` another replaces it where both are given;
    the one in the stronger layer counts, and in the same layer they are a problem.
    """
    metadata = {"kind": kind, "group": group, "help": text, "default_text": default_text, "environment": environment}
    return attrs.field(
        default=default, metadata=metadata | {"operand": operand, "required": required, "instead_of": instead_of}
    )


@cache
def options_of(settings: type[attrs.AttrsInstance]) -> tuple[Option, ...]:
    """Return the options that a class of settings declares, in order."""
    return tuple(
        Option(
            name=field.name,
            kind=field.metadata["kind"],
            help=field.metadata["help"],
            group=field.metadata["group"],
            default_text=field.metadata["default_text"] or _text_of(field.default),
            environment=field.metadata["environment"] or f"PULSE_{field.name.upper()}",
            default=field.default,
            operand=field.metadata["operand"],
            required=field.metadata["required"],
            instead_of=field.metadata["instead_of"],
        )
        for field in attrs.fields(settings)
    )


def is_flag(option: Option) -> bool:
    """Whether an option stands on the command line without a value."""
    return option.kind is FLAG


def _text_of(default: object) -> str:
    if default is None or default is False:
        return ""
    return " ".join(default) if isinstance(default, tuple) else str(default)
