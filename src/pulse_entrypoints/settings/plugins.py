"""The settings of `pulse plugins`."""

from __future__ import annotations

import attrs

from pulse_entrypoints.settings.answers import AnswerSettings


@attrs.frozen(kw_only=True, slots=False)
class PluginSettings(AnswerSettings):
    """The settings of `pulse plugins`."""
