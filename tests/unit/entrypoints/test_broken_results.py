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
def result(pulse):
    pulse.train("r")
    return pulse.folder / "results/r/result.json"


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{}", "results/r/result.json: is no result of a run: "),
        ('{"schema_version": 1}', "results/r/result.json: its schema version is 1; this version of Pulse reads 2"),
    ],
    ids=["malformed", "older"],
)
def test_every_command_refuses_it_in_the_same_words(pulse, result, words, content, message):
    result.write_text(content)
    done = pulse(*words)
    assert done.status == 1
    assert message in done.err
    assert "run the same training again" in done.err


def test_a_list_of_runs_shows_it_as_unreadable(pulse, result):
    result.write_text('{"schema_version": 1}')
    (line,) = pulse("runs", "list", "--format", "json").document["runs"]
    assert line["state"] == "unreadable"


def test_the_hint_works(pulse, result):
    result.write_text("{}")
    result.rename(pulse.folder / "away.json")
    pulse.train("r")
    assert pulse("forecast", "r").status == 0


def test_a_damaged_table_is_written_anew_as_its_hint_says(pulse, result):
    (part,) = (result.parent / "scores").iterdir()
    part.write_bytes(b"PAR1 not")
    done = pulse("compare", "r", "r")
    assert (done.status, "again with --fresh" in done.err) == (1, True)
    pulse.train("r", "--fresh")
    assert pulse("compare", "r", "r").status == 0
