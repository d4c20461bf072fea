"""A result that cannot be read is refused in the same words by every command, and the hint works."""

from __future__ import annotations

import pytest

COMMANDS = {
    "forecast": ("forecast", "r"),
    "compare": ("compare", "r", "r"),
    "report": ("report", "r"),
    "show": ("runs", "show", "r"),
}


@pytest.fixture
def result(ask):
    ask.train("r")
    return ask.folder / "results/r/result.json"


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{}", "results/r/result.json: is no result of a run: "),
        ('{"schema_version": 1}', "results/r/result.json: its schema version is 1; this version of Pulse reads 2"),
    ],
    ids=["malformed", "older"],
)
def test_every_command_refuses_it_in_the_same_words(ask, result, words, content, message):
    result.write_text(content)
    done = ask(*words)
    assert done.status == 1
    assert message in done.err
    assert "run the same training again" in done.err


def test_a_list_of_runs_shows_it_as_unreadable(ask, result):
    result.write_text('{"schema_version": 1}')
    (line,) = ask("runs", "list", "--format", "json").document["runs"]
    assert line["state"] == "unreadable"


def test_the_hint_works(ask, result):
    result.write_text("{}")
    result.rename(ask.folder / "away.json")
    ask.train("r")
    assert ask("forecast", "r").status == 0


def test_a_damaged_table_is_written_anew_as_its_hint_says(ask, result):
    (part,) = (result.parent / "scores").iterdir()
    part.write_bytes(b"PAR1 not")
    done = ask("compare", "r", "r")
    assert (done.status, "again with --fresh" in done.err) == (1, True)
    ask.train("r", "--fresh")
    assert ask("compare", "r", "r").status == 0
