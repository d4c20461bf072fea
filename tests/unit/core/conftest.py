"""Fixtures of the core's tests."""

from __future__ import annotations

import pytest

from pulse_core.runs.per_origin_hindcasts import PerOriginHindcasts


@pytest.fixture
def asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asks a model twice whether it repeats itself, of which test_forecaster_cautions.py tells."""
    monkeypatch.setattr(PerOriginHindcasts, "_ask_again", lambda *arguments: None)
