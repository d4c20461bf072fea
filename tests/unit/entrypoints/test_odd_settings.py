"""Settings that nobody means: each is a problem with a message of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from pulse_adapters.backends.dask.cluster import Tls
from pulse_adapters.storage.disk import disk_faults
from pulse_core.errors import SinkUnavailable
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.layers import Layered, read_settings
from pulse_entrypoints.settings.train import TrainSettings
from tests.certificates import write_certificate


def read(folder: Path, toml: bytes | str, **environment: str) -> Layered[TrainSettings]:
    (folder / "pulse.toml").write_bytes(toml if isinstance(toml, bytes) else toml.encode())
    line = CommandLine({"config": [str(folder / "pulse.toml")]})
    return read_settings(line, environment, TrainSettings)


def problem(layered: Layered[TrainSettings]) -> str:
    (only,) = layered.problems
    return only


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("PULSE_HORIZN", "PULSE_HORIZON"),
        ("PULSE_HORIZONS", "PULSE_HORIZON"),
        ("pulse_horizon", "PULSE_HORIZON"),
        ("PULSE_UNIT_TIMEOUTS", "PULSE_UNIT_TIMEOUT"),
    ],
)
def test_a_misspelt_variable_of_the_environment_is_a_problem(tmp_path, name, near) -> None:
    message = f"{name} in the environment: no such variable; did you mean {near}?"
    assert problem(read(tmp_path, "", **{name: "3"})) == message


@pytest.mark.parametrize("name", ["PULSE_SERVER", "PULSE_SINK", "PULSE_COOKIE", "PULSE_XYZ", "HORIZN", "PULSE_JOB"])
def test_variables_of_others_are_none(tmp_path, name) -> None:
    assert not read(tmp_path, "", **{name: "3"}).problems


def test_a_variable_of_another_command_is_none(tmp_path) -> None:
    assert not read(tmp_path, "", PULSE_JOB_QUEUE="q", PULSE_MAX_LOSS="0.1").problems


@pytest.mark.parametrize("where", ["file", "environment"])
def test_a_number_of_23_digits_has_a_message(tmp_path, where) -> None:
    number = "9" * 23
    layered = read(tmp_path, f"horizon = {number}") if where == "file" else read(tmp_path, "", PULSE_HORIZON=number)
    assert problem(layered).endswith(": expected a whole number, of at most 18 digits, got 23")


@pytest.mark.parametrize("key", ["results", "data", "log_dir", "output_file", "cache_dir", "s3_data_prefix"])
def test_a_nul_in_a_path_is_a_problem_of_the_settings(tmp_path, key) -> None:
    message = problem(read(tmp_path, f'{key} = "x\\u0000y"'))
    assert f"{key}: expected " in message
    assert "NUL" in message


def test_a_nul_in_a_list_is_one_too(tmp_path) -> None:
    assert "NUL" in problem(read(tmp_path, 'variables = ["a", "x\\u0000y"]'))


def test_a_byte_order_mark_is_no_mistake(tmp_path) -> None:
    layered = read(tmp_path, b"\xef\xbb\xbfhorizon = 3\n")
    assert (layered.problems, layered.settings.horizon) == ((), 3)


def test_limits_are_read_from_all_layers(tmp_path) -> None:
    layered = read(tmp_path, "unit_timeout = 30\n", PULSE_S3_TRANSFER_TIMEOUT="12.5")
    assert (layered.settings.unit_timeout, layered.settings.s3_transfer_timeout) == (30.0, 12.5)
    assert "expected seconds" in problem(read(tmp_path, "unit_timeout = -1\n"))


@pytest.mark.parametrize(("action", "verb"), [("read a file", "read"), ("list a folder", "read"), ("write", "write")])
def test_a_hint_is_about_what_was_refused(action, verb) -> None:
    with pytest.raises(SinkUnavailable) as caught, disk_faults(action, "results"):
        raise PermissionError(13, "Permission denied")
    assert caught.value.hint == f"Let this user {verb} there, or choose another --results"


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    for name, phrase in (("plain", ""), ("locked", "secret"), ("other", "")):
        write_certificate(tmp_path / f"{name}.pem", tmp_path / f"{name}.key", phrase)
    return tmp_path


@pytest.mark.parametrize(
    ("cert", "key", "message"),
    [
        ("plain.pem", "plain.key", ""),
        ("locked.pem", "locked.key", "is encrypted"),
        ("plain.pem", "other.key", "does not fit"),
        ("plain.pem", "plain.pem", "does not fit"),
    ],
)
def test_a_key_that_is_encrypted_or_anothers_is_told_and_asks_for_no_phrase(keys, cert, key, message) -> None:
    problem = Tls(keys / "plain.pem", keys / cert, keys / key).problem()
    assert (message in problem) if message else not problem
