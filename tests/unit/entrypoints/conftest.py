"""Fixtures of the entry points' tests."""

from __future__ import annotations

import pytest

from tests.unit.entrypoints.answers import Asker, walk


@pytest.fixture
def ask(tmp_path, monkeypatch, capsys) -> Asker:
    """`pulse` in a folder of its own, with two daily series in `data`."""
    monkeypatch.chdir(tmp_path)
    asker = Asker(tmp_path, capsys)
    for seed, name in enumerate(("a", "b")):
        asker.write(name, walk(seed))
    return asker
