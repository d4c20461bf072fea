"""The settings of `pulse plugins`."""

from __future__ import annotations

import attrs

from pulse_entrypoints.settings.output import FormatSettings


@attrs.frozen(kw_only=True, slots=False)
class PluginSettings(FormatSettings):
    """The settings of `pulse plugins`."""
