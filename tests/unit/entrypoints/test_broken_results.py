"""A result that cannot be read is refused in the same words by every command, and the hint works."""

from __future__ import annotations

import json

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
        ('{"schema_version": 1}', "results/r/result.json: its schema version is 1; this version of Pulse reads 4"),
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


def bit_flipped(content: bytes) -> bytes:
    return content[:60] + bytes([content[60] ^ 1]) + content[61:]


DAMAGES = {
    "a bit": bit_flipped,
    "cut short": lambda content: content[: len(content) // 2],
    "missing": lambda content: None,
}


def damage(path, kind: str) -> None:
    content = DAMAGES[kind](path.read_bytes())
    path.unlink() if content is None else path.write_bytes(content)


@pytest.mark.parametrize("kind", DAMAGES)
@pytest.mark.parametrize("words", [("compare", "r", "s"), ("report", "r")], ids=" ".join)
def test_a_damaged_table_is_named_and_the_same_training_writes_it_anew(pulse, result, words, kind):
    pulse.train("s", "--min-history", 10)
    (part,) = (result.parent / "batches").iterdir()
    sound = part.read_bytes()
    damage(part, kind)
    done = pulse(*words)
    assert (done.status, done.out) == (1, "")
    assert f"results/r/batches/{part.name}" in done.err
    assert "Run the same training again" in done.err
    pulse.train("r")
    assert part.read_bytes() == sound
    assert pulse(*words).status == 0


def test_an_edited_result_is_refused_and_moving_it_away_works(pulse, result):
    content = result.read_text()
    number = json.loads(content)["variables"]["a"]["forecasters"]["naive"]["horizons"]["1"]["mae"]
    result.write_text(content.replace(str(number), "0.5"))
    for words in COMMANDS.values():
        done = pulse(*words)
        assert (done.status, done.out) == (1, "")
        assert "results/r/result.json: it has changed since it was written" in done.err
        assert "Move the file away and run the same training again" in done.err
    result.rename(pulse.folder / "away.json")
    pulse.train("r")
    assert json.loads(result.read_text())["variables"] == json.loads(content)["variables"]


def test_the_result_of_another_run_is_refused(pulse, result):
    pulse.train("s")
    result.write_bytes((result.parent.parent / "s/result.json").read_bytes())
    for words in COMMANDS.values():
        done = pulse(*words)
        assert (done.status, "it is the result of another run, 's'" in done.err) == (1, True)
