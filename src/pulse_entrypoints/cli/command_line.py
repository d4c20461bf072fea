"""The command line as it stands: words, and the values of options."""

from __future__ import annotations

import attrs


@attrs.define
class CommandLine:
    """The values of each option by its name, the words that belong to no known option, and the command's name."""

    values: dict[str, list[str]] = attrs.field(factory=dict)
    words: list[str] = attrs.field(factory=list)
    command: str = "pulse train"
