"""`pulse` as a user runs it."""

from __future__ import annotations

import itertools
import json
import os
import pty
import re
import subprocess
import sys
import termios
from pathlib import Path

import pyarrow.parquet
import pytest

from pulse_core.tables import is_part_of
from tests.integration.cli import FEW, bullets, command, digest, environment, event, events, pulse, train, write_series

pytestmark = pytest.mark.integration

OWN = """
class Last:
    def forecast(self, history, horizon):
        return [history[-1]] * horizon

class Picky(Last):
    def forecast(self, history, horizon):
        if history[0] > 500:
            raise ValueError("too large for me")
        return super().forecast(history, horizon)
"""
HEAVY = ("pandas", "pyarrow", "boto3", "distributed", "scipy", "numpy", "structlog", "tqdm")


@pytest.fixture
def place(tmp_path):
    write_series(tmp_path / "data", "a", 100.0)
    write_series(tmp_path / "data", "b", 1000.0)
    (tmp_path / "own.py").write_text(OWN)
    return tmp_path


def on_terminal(place, *arguments: object, width: int = 80, env: dict[str, str] | None = None) -> tuple[int, str]:
    """Run with a terminal for stdout and stderr; return the status and what was shown."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (50, width))
    variables = environment(**{"TERM": "xterm", **(env or {})})
    process = subprocess.Popen(
        command("train", *arguments), cwd=place, env=variables, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux: the other end is closed
            break
        shown += part
    os.close(ours)
    return process.wait(timeout=60), shown.decode().replace("\r\n", "\n")


def test_a_run_ends_with_0_and_its_result_where_it_says(place) -> None:
    done = train(place, "--output-file", "out/deep/r.json")
    assert (done.returncode, done.stderr) == (0, "")
    published = event(done, "run_finished")["published"]
    document = json.loads((place / "out" / "deep" / "r.json").read_text())
    assert [json.loads(Path(path).read_text()) for path in published] == [document, document]
    assert document["digest"] == digest(done)


def test_stdout_holds_json_lines_that_bear_the_run_id(place) -> None:
    done = train(place, "--unit-size", 1)
    names = [event["event"] for event in events(done.stdout)]
    assert names == ["train_started", "unit_finished", "unit_finished", "run_finished"]
    (run,) = {event["run_id"] for event in events(done.stdout)}
    assert (place / "results" / run / "result.json").exists()
    counts = [(event["computed"], event["finished"]) for event in events(done.stdout)[1:3]]
    assert counts == [(1, 1), (1, 2)]
    assert set(event(done, "run_finished")["summary"]) == {"a", "b"}


def test_the_log_file_and_the_runs_own_log_have_what_stdout_has(place) -> None:
    done = train(place)
    run = event(done, "run_finished")["run_id"]
    assert (place / "logs" / "retrodiction_training.log").read_text() == done.stdout
    assert (place / "results" / run / "run.log").read_text() == done.stdout


def test_log_dir_and_log_level_are_heeded(place) -> None:
    done = train(place, env={"LOG_DIR": "some/folder", "LOG_LEVEL": "warning"})
    assert (done.returncode, done.stdout) == (0, "")
    assert (place / "some" / "folder" / "retrodiction_training.log").read_text() == ""
    assert not (place / "logs").exists()


def test_a_second_run_recalls(place) -> None:
    first, second = train(place), train(place)
    assert digest(first) == digest(second)
    assert event(second, "run_finished")["recalled"] == 2


@pytest.mark.parametrize("backend", [("serial",), ("processes", "--max-workers", 2)])
def test_a_forecaster_of_the_users_own_runs_on_every_backend(place, backend) -> None:
    done = train(place, "--forecasters", "own:Last", "drift", "--unit-size", 1, "--backend", *backend)
    assert digest(done)
    result = json.loads((place / "results" / event(done, "run_finished")["run_id"] / "result.json").read_text())
    scores = result["variables"]["a"]["forecasters"]
    assert scores["own:Last"]["horizons"]["1"]["mae"] == scores["naive"]["horizons"]["1"]["mae"]


def test_backends_agree_on_a_forecaster_of_the_users_own(place) -> None:
    how = ("--forecasters", "own:Last", "drift", "--unit-size", 1)
    serial = train(place, *how, "--backend", "serial", "--results", "one")
    processes = train(place, *how, "--backend", "processes", "--results", "two")
    assert digest(serial) == digest(processes)


def test_the_scores_of_every_batch_are_beside_the_result(place) -> None:
    done = train(place, "--unit-size", 1)
    folder = place / "results" / event(done, "run_finished")["run_id"]
    parts = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.parquet"))
    units = [f"{table}/part-{number:05}-of-00002" for table in ("batches", "scores") for number in (0, 1)]
    assert [is_part_of(unit, part.removesuffix(".parquet")) for unit, part in zip(units, parts, strict=True)] == [
        True
    ] * 4
    rows = pyarrow.parquet.read_table(folder / "batches").to_pylist()
    assert {(row["variable"], row["forecaster"], row["horizon"]) for row in rows} == set(
        itertools.product("ab", ("naive", "drift", "ses"), (1, 2))
    )
    document = json.loads((folder / "result.json").read_text())
    for variable in "ab":
        scored = sum(row["n"] for row in rows if (row["variable"], row["forecaster"]) == (variable, "ses"))
        horizons = document["variables"][variable]["forecasters"]["ses"]["horizons"].values()
        assert scored == sum(horizon["n"] for horizon in horizons)


def test_hindcasts_are_written_on_request_and_gone_when_they_are_not_asked_for(place) -> None:
    first = train(place, "--hindcasts")
    folder = place / "results" / event(first, "run_finished")["run_id"]
    rows = pyarrow.parquet.read_table(folder / "hindcasts").to_pylist()
    assert {row["variable"] for row in rows} == {"a", "b"}
    assert all(row["q0.025"] <= row["q0.5"] <= row["q0.975"] for row in rows if row["q0.5"] is not None)
    second = train(place, "--no-hindcasts")
    assert digest(first) == digest(second)
    assert not list(folder.glob("hindcasts/*"))


def test_a_library_model_and_a_class_with_fit_and_predict_run_like_any_other(place) -> None:
    (place / "own.py").write_text(
        "class Drifting:\n"
        "    def fit(self, history):\n        return (history[-1] - history[0]) / (len(history) - 1)\n"
        "    def predict(self, step, history, horizon):\n"
        "        return [history[-1] + step * ahead for ahead in range(1, horizon + 1)]\n"
    )
    names = ("--forecasters", "naive", "drift", "own:Drifting", "sklearn:LinearRegression")
    done = train(place, *names, "--backend", "serial", "--batch-size-days", 60)
    assert digest(done)
    result = json.loads((place / "results" / event(done, "run_finished")["run_id"] / "result.json").read_text())
    scores = {name: of["horizons"]["1"]["mae"] for name, of in result["variables"]["a"]["forecasters"].items()}
    assert scores["own:Drifting"] == pytest.approx(scores["drift"], rel=1e-9)
    assert scores["sklearn:LinearRegression"] is not None


def test_slices_and_then_the_plain_run_give_the_digest_of_one_run(place) -> None:
    whole = train(place, "--results", "whole")
    for index in (0, 1):
        done = train(place, "--unit-size", 1, "--slice", f"{index}/2")
        assert done.returncode == 0
        assert "nothing is published" in done.stderr
        assert "without --slice" in done.stderr
        assert event(done, "run_finished")["published"] == []
        assert [path.name for path in (place / "results").iterdir()] == ["records"]
    collected = train(place, "--unit-size", 1)
    assert digest(collected) == digest(whole)
    assert event(collected, "run_finished")["recalled"] == 2


def test_variables_that_fail_end_the_run_with_1_and_publish_nothing(place) -> None:
    done = train(place, "--forecasters", "own:Picky")
    assert done.returncode == 1
    (bullet,) = bullets(done)
    assert bullet.startswith("b: forecaster 'own:Picky'")
    assert "too large for me" in bullet
    assert event(done, "run_failed")["kind"] == "RunFailed"
    assert not list((place / "results").rglob("result.json"))


def test_with_keep_going_the_others_are_published_with_3(place) -> None:
    done = train(place, "--forecasters", "own:Picky", "--keep-going")
    assert done.returncode == 3
    assert bullets(done)[0].startswith("b: ")
    result = json.loads((place / "results" / event(done, "run_finished")["run_id"] / "result.json").read_text())
    assert list(result["variables"]) == ["a"]
    assert [failure["variable"] for failure in result["failures"]] == ["b"]


def test_when_nothing_is_left_keep_going_ends_with_1(place) -> None:
    assert pulse(place, "train", "--variables", "x", "y", "--keep-going").returncode == 1


def test_an_unknown_variable_ends_with_1_and_names_near_ones(place) -> None:
    done = pulse(place, "train", "--variables", "aa", *("--start-date", "2020-03-01"))
    assert done.returncode == 1
    assert "aa" in bullets(done)[0]
    assert "Traceback" not in done.stderr


def test_a_horizon_that_the_data_cannot_fill_is_null_with_a_reason(place) -> None:
    assert train(place, "--horizon", 99, "--benchmark", "naive").returncode == 2  # two values for --horizon
    done = pulse(place, "train", "--variables", "a", "--start-date", "2020-05-01", "--horizon", 99)
    assert done.returncode == 0
    result = json.loads((place / "results" / event(done, "run_finished")["run_id"] / "result.json").read_text())
    variable = result["variables"]["a"]
    assert (variable["best"]["1"] is None, variable["best"]["99"]) == (False, None)
    assert variable["nulls"]["best"].startswith("no origin had both")


def test_a_folder_without_data_ends_with_1(place) -> None:
    done = train(place, "--data", "nowhere")
    assert done.returncode == 1
    assert len(bullets(done)) == 1
    assert "nowhere" in done.stderr


def test_a_run_id_that_holds_another_spec_ends_with_2(place) -> None:
    assert train(place, "--run-id", "mine").returncode == 0
    done = train(place, "--run-id", "mine", "--min-history", 31)
    assert done.returncode == 2
    assert "mine" in bullets(done)[0]


def test_all_problems_of_all_layers_are_told_together_with_2(place) -> None:
    (place / "pulse.toml").write_text('horizn = 3\nmin_history = "x"\n')
    arguments = ("--variables", "a", "a", "--start-date", "2021-01-01", "--end-date", "2020-01-01", "--slce", "1/2")
    forecasters = ("--forecasters", "nave", "own:Best", "gone:Best", "--data", "ftp://bucket/x")
    variables = {"PULSE_RESULTS": "", "LOG_LEVEL": "loud", "PULSE_CONFIG": "pulse.toml"}
    done = pulse(place, "train", *arguments, *forecasters, "--max-workers", "-2", env=variables)
    assert done.returncode == 2
    assert done.stdout == ""
    expected = [
        "--slce: no such option; did you mean --slice?",
        "--max-workers: expected a whole number of at least 1",
        "PULSE_RESULTS in the environment: no value is given",
        "LOG_LEVEL in the environment: expected one of",
        "pulse.toml: horizn: no such key; did you mean horizon?",
        "pulse.toml: min_history: expected auto or a whole number of at least 1, got 'x'",
        "--variables: 'a' is named twice",
        "--start-date 2021-01-01 is after --end-date 2020-01-01",
        "--forecasters: 'nave'",
        "--forecasters: forecaster 'own:Best': module 'own'",
        "--forecasters: forecaster 'gone:Best': there is no module 'gone'",
        "--data: ftp://bucket/x: no adapter",
    ]
    told = bullets(done)
    assert sorted(expected) == sorted(start for start in expected for bullet in told if bullet.startswith(start))
    assert len(told) == len(expected)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--batch_size_days", "3"], "--batch_size_days: no such option; did you mean --batch-size-days?"),
        (["--batch-size-days=3", "--batch-size-days", "4"], "--batch-size-days: takes one value, got 2: 3 4"),
        (["--data"], "--data: no value is given"),
        (["--data="], "--data: no value is given"),
        (["--config", "none.toml"], "--config: there is no file none.toml"),
        (["--output-file", "data"], "--output-file: data is a folder; name a file in it"),
        (["--log-dir", "own.py/x"], "--log-dir: "),
        (["surplus"], "'surplus': belongs to no option"),
    ],
)
def test_wrong_usage_ends_with_2_and_leaves_no_trace(place, arguments, told) -> None:
    before = sorted(place.rglob("*"))
    done = pulse(place, "train", *arguments)
    assert done.returncode == 2
    assert any(bullet.startswith(told) for bullet in bullets(done)), done.stderr
    assert sorted(path for path in place.rglob("*") if "__pycache__" not in path.parts) == before


@pytest.mark.parametrize("arguments", [["trian"], ["train", "--keep-going=maybe"], ["--horizon", "3"]])
def test_what_cyclopts_refuses_ends_with_2_in_one_line(place, arguments) -> None:
    done = pulse(place, *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("pulse: ")
    assert "Traceback" not in done.stderr


def test_options_may_come_from_environment_and_file(place) -> None:
    names = ("naive", "ridge", "seasonal-naive(5)")
    method = ("--season", 5, "--calibration", "empirical", "--trust-loss", "crps", "--refit-every", 3)
    plain = train(place, "--forecasters", *names, "--predictors", "a", "b", *method, "--hindcasts")
    (place / "pulse.toml").write_text(
        'variables = ["a", "b"]\nstart_date = 2020-03-01\nhorizon = 2\nseason = 5\npredictors = ["a", "b"]\n'
        "refit_every = 3\nhindcasts = true\n"
    )
    there = {
        "PULSE_CONFIG": "pulse.toml",
        "PULSE_END_DATE": "2020-05-31",
        "PULSE_FORECASTERS": " ".join(names),
        "PULSE_CALIBRATION": "empirical",
        "PULSE_TRUST_LOSS": "crps",
    }
    done = pulse(place, "train", env=there)
    assert digest(done) == digest(plain)
    assert event(done, "run_finished")["run_id"] == event(plain, "run_finished")["run_id"]


def test_an_unexpected_error_is_one_line_and_its_traceback_is_in_the_log(place) -> None:
    (place / "sitecustomize.py").write_text(
        "import pulse_entrypoints.wiring.composition as composition\n"
        "def broken():\n    raise ZeroDivisionError('no luck')\n"
        "composition.software = broken\n"
    )
    done = train(place, env={"PYTHONPATH": str(place)})
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "ZeroDivisionError: no luck" in line
    assert "logs/retrodiction_training.log" in line
    assert "Traceback (most recent call last)" in (place / "logs" / "retrodiction_training.log").read_text()


def test_no_secret_reaches_log_result_or_screen(place) -> None:
    secrets = {"AWS_SECRET_ACCESS_KEY": "hush/hush+hush", "AWS_SESSION_TOKEN": "token-of-mine"}
    done = train(place, env=secrets)
    refused = train(place, "--results", "s3://me:hush@bucket/hush/hush+hush", env=secrets)
    assert (done.returncode, refused.returncode) == (0, 2)
    texts = [done.stdout, done.stderr, refused.stderr]
    texts += [path.read_bytes().decode(errors="replace") for path in place.rglob("*") if path.is_file()]
    assert not [text for text in texts if "hush/hush" in text or "token-of-mine" in text or "me:hush" in text]


def test_a_terminal_shows_a_bar_a_table_and_where_the_files_are(place) -> None:
    status, shown = on_terminal(place, "--variables", "a", "b", *("--start-date", "2020-03-01"), *FEW)
    assert status == 0
    for words in ("Replaying", "variable", "trust", "Result", "Log", "sha256:"):
        assert words in shown
    assert "train_started" not in shown


def test_the_table_fits_a_terminal_of_80_columns(place) -> None:
    write_series(place / "data", "a_variable_with_quite_a_long_name_indeed", 5.0)
    names = ("--variables", "a", "a_variable_with_quite_a_long_name_indeed")
    _, shown = on_terminal(place, *names, *("--start-date", "2020-03-01"), *FEW)
    after_the_bar = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", shown).rpartition("\r")[2]
    assert "a_variable_with" in after_the_bar
    assert max(map(len, after_the_bar.splitlines())) <= 80


@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_no_color_is_respected(place, variables, coloured) -> None:
    (place / "own.py").write_text("class Far:\n    def forecast(self, y, h):\n        return [y[-1] + 9e9] * h\n")
    arguments = ("--variables", "a", "--start-date", "2020-03-01", "--horizon", 1, "--benchmark", "own:Far")
    _, shown = on_terminal(place, *arguments, env=variables)
    assert bool(re.search(r"\x1b\[[0-9;]*3[0-7]m", shown)) is coloured


def test_the_console_format_writes_lines_for_people_to_stderr(place) -> None:
    done = train(place, "--log-format", "console")
    assert done.stdout == ""
    assert "train_started" in done.stderr
    assert "\x1b" not in done.stderr


def test_help_names_every_option_and_how_it_ends() -> None:
    from pulse_entrypoints.cli.options import options_of
    from pulse_entrypoints.settings.train import TrainSettings

    done = subprocess.run(command("train", "--help"), env=environment(), capture_output=True, text=True, check=True)
    assert not [option.flag for option in options_of(TrainSettings) if option.flag not in done.stdout]
    for words in ("pulse train --data sample", "Exit status", "PULSE_BATCH_SIZE_DAYS"):
        assert words in done.stdout


def test_version_is_the_packages_own(place) -> None:
    from pulse_core.version import __version__

    assert pulse(place, "--version").stdout.strip() == __version__


def test_completion_installs_where_the_shell_looks(place) -> None:
    done = pulse(place, "--install-completion", "--shell", "bash", env={"HOME": str(place)})
    assert done.returncode == 0
    script = (place / ".local/share/bash-completion/completions/pulse").read_text()
    assert "--batch-size-days" in script


def test_help_waits_for_no_heavy_library() -> None:
    program = f"import sys, pulse_entrypoints.cli.app; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
