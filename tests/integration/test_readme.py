"""README is a promise: its commands and its Python are run as they are written."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [line for line in TEXT.splitlines() if line.startswith(".venv/bin/pulse ")]
MY_FOLDER = {"sales": 100.0, "stock": 50.0}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("readme")
    (folder / "my_folder").mkdir()
    for name, level in MY_FOLDER.items():
        rows = "\n".join(f"{2018 + month // 12}-{month % 12 + 1:02}-15,{level + month % 7}" for month in range(72))
        (folder / "my_folder" / f"{name}.csv").write_text(f"timestamp,value\n{rows}\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_succeeds(command, place):
    words = [sys.executable, "-m", "pulse_entrypoints", *shlex.split(command)[1:]]
    done = subprocess.run(words, cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout


def test_the_readmes_library_example_prints_a_digest():
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("sha256:"), done.stderr
