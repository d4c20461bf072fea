"""Long command lines: their values arrive in order, and take time in proportion to their number."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest

from pulse_entrypoints.cli import app
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.commands import Command


@pytest.fixture
def read(monkeypatch):
    """Return what reads words as a command would."""
    lines: list[CommandLine] = []

    def keep(line: CommandLine, environment: Mapping[str, str]) -> int:
        del environment
        lines.append(line)
        return 0

    def load(command):
        del command
        return keep

    monkeypatch.setattr(Command, "load", load)

    def line_of(*words: str) -> CommandLine:
        assert app.main(list(words)) == 0
        return lines.pop()

    return line_of


@pytest.mark.parametrize("count", [3, 1_000])
def test_values_and_words_are_those_of_the_command_line(read, count) -> None:
    names = [f"v{number}" for number in range(count)]
    line = read("train", "--quiet", *names, "--variables", *names, "--variables=w", *names, "--horizon", "5")
    assert line.words == names
    assert line.values == {"quiet": ["true"], "variables": [*names, "w", *names], "horizon": ["5"]}


def test_many_values_take_no_longer_each_than_few(read) -> None:
    names = [f"v{number}" for number in range(20_000)]
    started = time.process_time()
    assert read("train", "--variables", *names).values["variables"] == names
    assert time.process_time() - started < 4.0  # 0.1; comparing each with all others takes half a minute
