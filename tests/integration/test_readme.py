"""README is a promise: its commands and its Python are run as they are written."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [line for line in TEXT.splitlines() if line.startswith(".venv/bin/pulse ")]
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
MY_FOLDER = {"sales": 100.0, "stock": 50.0}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("readme")
    (folder / "my_folder").mkdir()
    for name, level in MY_FOLDER.items():
        rows = "\n".join(f"{2018 + month // 12}-{month % 12 + 1:02}-15,{level + month % 7}" for month in range(72))
        (folder / "my_folder" / f"{name}.csv").write_text(f"timestamp,value\n{rows}\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def commands(place):
    """The outcome of each command, run one after the other as a reader would."""
    words = {command: [sys.executable, "-m", "pulse_entrypoints", *shlex.split(command)[1:]] for command in COMMANDS}
    return {command: run(said, place) for command, said in words.items()}


def run(words, folder):
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_succeeds(command, commands):
    assert commands[command].returncode == 0, commands[command].stderr + commands[command].stdout


@pytest.mark.parametrize("place_in_text", range(len(EXAMPLES)))
def test_an_example_of_the_readme_runs_after_its_commands(place_in_text, commands, place):
    shutil.copytree(ROOT / "src/pulse_adapters/sample", place / "src/pulse_adapters/sample", dirs_exist_ok=True)
    done = run([sys.executable, "-c", EXAMPLES[place_in_text]], place)
    assert done.returncode == 0, done.stderr


def test_engines_and_slices_of_the_readme_give_one_digest(commands):
    whole_sample = [
        done.stdout
        for command, done in commands.items()
        if "--data sample" in command and "--slice" not in command and "--run-id" not in command
    ]
    digests = {re.findall(r"sha256:[0-9a-f]{64}", output)[-1] for output in whole_sample}
    assert len(whole_sample) == 3
    assert len(digests) == 1
