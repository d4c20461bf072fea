"""Events reach the file, the run's own log, and people or programs; secrets reach nobody."""

from __future__ import annotations

import io
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_core.errors import SettingsError
from pulse_entrypoints.cli.logging import (
    CONSOLE,
    JSON,
    LOG_FILE,
    QUIET,
    RUN_FAILED,
    RunLog,
    log_folder_problem,
    open_log,
)
from pulse_entrypoints.cli.masking import Masker

NOTHING = Masker(())


@contextmanager
def opened(
    folder: Path, form: str = QUIET, level: str = "INFO", mask: Masker = NOTHING
) -> Iterator[tuple[RunLog, list[str]]]:
    shown: list[str] = []
    log = open_log(level, form, folder, mask, shown.append)
    try:
        yield log, shown
    finally:
        log.close()


def fail(local: str, message: str = "broken") -> None:
    """Raise with a local variable that no log may show."""
    raise ValueError(message)


def events(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_the_folder_is_made_and_the_file_keeps_earlier_runs(tmp_path) -> None:
    for number in (1, 2):
        with opened(tmp_path / "a" / "b") as (log, _):
            log.events.info("started", number=number)
    written = events((tmp_path / "a" / "b" / LOG_FILE).read_text())
    assert [event["number"] for event in written] == [1, 2]


def test_every_event_bears_what_was_bound_a_time_and_a_level(tmp_path) -> None:
    with opened(tmp_path) as (log, _):
        log.bind(run_id="abc")
        log.events.warning("odd", value=3)
        (event,) = events(log.of_run().decode())
    assert event.pop("timestamp").endswith("Z")
    assert event == {"level": "warning", "event": "odd", "run_id": "abc", "value": 3}


def test_the_runs_own_log_is_what_the_file_has(tmp_path) -> None:
    with opened(tmp_path) as (log, _):
        log.events.info("one")
        log.events.error("two")
        assert log.of_run() == (tmp_path / LOG_FILE).read_bytes()


def test_events_below_the_level_are_left_out(tmp_path) -> None:
    with opened(tmp_path, level="WARNING") as (log, _):
        log.events.info("small")
        log.events.warning("large")
        assert [event["event"] for event in events(log.of_run().decode())] == ["large"]


def test_json_goes_to_stdout(tmp_path, capsys) -> None:
    with opened(tmp_path, JSON) as (log, shown):
        log.events.info("one", name="ü")
    assert [event["name"] for event in events(capsys.readouterr().out)] == ["ü"]
    assert shown == []


def test_the_console_shows_every_event_and_stdout_none(tmp_path, capsys) -> None:
    with opened(tmp_path, CONSOLE) as (log, shown):
        log.events.info("one", value=3)
    assert len(shown) == 1
    assert "one" in shown[0]
    assert "value=3" in shown[0]
    assert capsys.readouterr().out == ""


def test_beside_a_progress_bar_only_warnings_are_shown_and_not_what_the_report_says(tmp_path) -> None:
    with opened(tmp_path, QUIET) as (log, shown):
        log.events.info("one")
        log.events.warning("two")
        log.events.error(RUN_FAILED)
    assert [line.split()[3] for line in shown] == ["two"]


def test_warnings_of_adapters_become_events_while_the_log_is_open(tmp_path) -> None:
    with opened(tmp_path) as (log, _):
        log.bind(run_id="abc")
        logging.getLogger("pulse_adapters.sinks").warning("%s is damaged", "record")
    logging.getLogger("pulse_adapters.sinks").warning("later")
    (event,) = events((tmp_path / LOG_FILE).read_text())
    assert (event["event"], event["level"], event["run_id"]) == ("record is damaged", "warning", "abc")


def test_a_traceback_is_logged_without_local_variables(tmp_path) -> None:
    with opened(tmp_path, CONSOLE) as (log, shown):
        try:
            fail("local value")
        except ValueError:
            log.events.error("broken", exc_info=True)
    text = (tmp_path / LOG_FILE).read_text() + shown[0]
    assert text.count("Traceback") == 2
    assert "local value" not in text.replace('fail("local value")', "").replace('fail(\\"local value\\")', "")


def test_a_reader_of_stdout_that_has_gone_does_not_end_the_run(tmp_path, monkeypatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with suppress(BrokenPipeError), os.fdopen(writing, "w") as stdout, opened(tmp_path, JSON) as (log, _):
        monkeypatch.setattr("sys.stdout", stdout)
        log.events.info("one")
        log.events.info("two")
    assert len(events((tmp_path / LOG_FILE).read_text())) == 2


def test_a_log_file_that_fails_is_told_once_and_does_not_end_the_run(tmp_path, capsys) -> None:
    class Full(io.StringIO):
        name = "full.log"

        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    with opened(tmp_path, JSON) as (log, _):
        pass
    (receiver,) = log.events.receivers
    receiver.file = Full()  # type: ignore[attr-defined]
    log.events.info("one")
    log.events.info("two")
    captured = capsys.readouterr()
    assert captured.err.count("No space left on device") == 1
    assert len(events(captured.out)) == 2


def test_a_folder_that_cannot_be_made_is_a_problem_of_the_settings(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match=r"log file .* cannot be written: Not a directory"):
        open_log("INFO", QUIET, tmp_path / "file" / "logs", NOTHING, print)
    assert log_folder_problem(tmp_path / "file" / "logs") == f"{tmp_path / 'file'} is a file, not a folder"


def test_a_folder_that_can_be_made_is_no_problem_and_is_not_made_yet(tmp_path) -> None:
    assert log_folder_problem(tmp_path / "a" / "b") is None
    assert not (tmp_path / "a").exists()


def test_a_folder_without_the_right_to_write_is_a_problem(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("os.access", lambda place, mode: False)  # root may write anywhere
    assert log_folder_problem(tmp_path / "logs") == f"{tmp_path} is not writable"


@given(
    st.sampled_from(["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "DB_PASSWORD", "MY_API_KEY", "AWS_ACCESS_KEY_ID"]),
    st.text(st.characters(min_codepoint=48, max_codepoint=122), min_size=6),
    st.text(max_size=5),
)
def test_a_secret_of_the_environment_is_masked(name, secret, around) -> None:
    assert secret not in Masker.of({name: secret})(f"{around}{secret}{around}")


def test_users_and_passwords_in_addresses_are_masked() -> None:
    assert Masker.of({})("read tcp://user:word@host:1/x") == "read tcp://***@host:1/x"


def test_secrets_reach_neither_file_nor_console_nor_stdout(tmp_path, capsys) -> None:
    mask = Masker.of({"AWS_SECRET_ACCESS_KEY": "hush-hush/very"})
    for form in (JSON, CONSOLE):
        with opened(tmp_path, form, mask=mask) as (log, shown):
            try:
                fail("", "hush-hush/very")
            except ValueError:
                log.events.error("failed", place="s3://hush-hush/very", exc_info=True)
        text = (tmp_path / LOG_FILE).read_text() + capsys.readouterr().out + "".join(shown)
        assert "hush" not in text
        assert "failed" in text
