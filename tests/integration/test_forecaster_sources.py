"""A forecaster of a user's own on the command line: computed anew when what it is made of changes, recalled else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FILES = {
    "mine.py": "from base import Base\nclass Mine(Base):\n    pass\n",
    "base.py": "import near\nclass Base:\n    def forecast(self, history, horizon):\n"
    "        return [history[-1] * near.far.FACTOR] * horizon\n",
    "near.py": "import far\n",
    "far.py": "FACTOR = 1.0\n",
    "unrelated.py": "",
}
PERIOD = ("--start-date", "2015-01-01", "--end-date", "2016-06-30", "--batch-size-days", "300")


def train(folder: Path) -> dict[str, Any]:
    """The last event of a run."""
    command = [
        sys.executable,
        "-m",
        "pulse_entrypoints",
        "train",
        "--data",
        "sample",
        "--variables",
        "core_cpi",
        *PERIOD,
    ]
    more = ["--forecasters", "naive", "mine:Mine", "--run-id", "r", "--backend", "serial"]
    done = subprocess.run([*command, *more], cwd=folder, capture_output=True, text=True, check=True)
    lines = (json.loads(line) for line in (done.stdout + done.stderr).splitlines() if line.startswith("{"))
    finished: list[dict[str, Any]] = [line for line in lines if line["event"] == "run_finished"]
    return finished[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_change_of_any_module_on_the_way_computes_anew(folder) -> None:
    digests = [train(folder)["digest"]]
    (folder / "unrelated.py").write_text("CHANGED = True\n")
    again = train(folder)
    assert (again["recalled"], again["digest"]) == (1, digests[0])
    for name, text in (
        ("far.py", "FACTOR = 1.01\n"),
        ("base.py", FILES["base.py"].replace("history[-1]", "history[-2]")),
        (
            "mine.py",
            "from base import Base\nclass Mine(Base):\n    def forecast(self, h, n):\n        return [h[0]] * n\n",
        ),
    ):
        (folder / name).write_text(text)
        changed = train(folder)
        assert changed["computed"] == 1
        digests.append(changed["digest"])
    assert len(set(digests)) == 4
