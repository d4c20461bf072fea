"""The command line, or the call in Python, as it stands: words, and the values of options."""

from __future__ import annotations

from typing import Any

import attrs


@attrs.define
class CommandLine:
    """The values of each option by its name, the words that belong to no known option, and the command's name.

    A call in Python has `arguments` in place of `values`: objects of Python by the names of options.
    """

    values: dict[str, list[str]] = attrs.field(factory=dict)
    words: list[str] = attrs.field(factory=list)
    command: str = "pulse train"
    arguments: dict[str, Any] | None = None

    def name_of(self, option: str) -> str:
        """Return an option's name as whoever gave it writes it."""
        return option if self.arguments is not None else f"--{option.replace('_', '-')}"
