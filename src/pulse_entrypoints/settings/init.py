"""The settings of `pulse init`."""

from __future__ import annotations

from pathlib import Path

import attrs

from pulse_entrypoints.cli.kinds import PATH
from pulse_entrypoints.cli.options import option
from pulse_entrypoints.settings.groups import OPERANDS


@attrs.frozen(kw_only=True, slots=False)
class InitSettings:
    """The settings of `pulse init`."""

    file: Path = option(
        attrs.evolve(PATH, metavar="FILE"), OPERANDS, "The file to write.", Path("pulse.toml"), operand=True
    )
