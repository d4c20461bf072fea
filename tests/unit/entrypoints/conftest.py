"""Fixtures of the entry points' tests."""

from __future__ import annotations

import pytest

from tests.unit.entrypoints.commands import Pulse, walk


@pytest.fixture
def pulse(tmp_path, monkeypatch, capsys) -> Pulse:
    """`pulse` in a folder of its own, with two daily series in `data`."""
    monkeypatch.chdir(tmp_path)
    pulse = Pulse(tmp_path, capsys)
    for seed, name in enumerate(("a", "b")):
        pulse.write(name, walk(seed))
    return pulse
