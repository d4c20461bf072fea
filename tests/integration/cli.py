"""The real command in a process of its own, on small data."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

PULSE = Path(sys.executable).with_name("pulse")
FIRST_DAY = np.datetime64("2020-01-01")
FEW = ("--forecasters", "naive", "drift", "ses")
PERIOD = ("--start-date", "2020-03-01", "--end-date", "2020-05-31", "--horizon", "2")


def environment(**more: str) -> dict[str, str]:
    """Only what a process needs: no setting of whoever runs the tests."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return kept | {"PYTHONWARNINGS": "error"} | more


def write_series(folder: Path, name: str, level: float, days: int = 160) -> None:
    """Write a daily random walk."""
    values = level + np.cumsum(np.random.default_rng(len(name)).normal(size=days))
    rows = [f"{FIRST_DAY + day},{value:.6f}" for day, value in enumerate(values)]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.csv").write_text("\n".join(["timestamp,value", *rows, ""]))


def command(*arguments: object) -> list[str]:
    return [str(PULSE), *(str(argument) for argument in arguments)]


def pulse(folder: Path, *arguments: object, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run to the end; stdout and stderr are no terminals."""
    return subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment(**(env or {})),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def train(folder: Path, *arguments: object, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Train the two series of the fixture over the usual period, with few forecasters unless others are named."""
    few = () if "--forecasters" in arguments else FEW
    return pulse(folder, "train", "--variables", "a", "b", *PERIOD, *few, *arguments, env=env)


def events(text: str) -> list[dict[str, Any]]:
    """Parse JSON lines."""
    return [json.loads(line) for line in text.splitlines()]


def event(done: subprocess.CompletedProcess[str], name: str) -> dict[str, Any]:
    """Return the one event of a name."""
    (found,) = [event for event in events(done.stdout) if event["event"] == name]
    return found


def digest(done: subprocess.CompletedProcess[str]) -> str:
    """Return the digest of a run that was published."""
    assert done.returncode == 0, done.stderr
    return str(event(done, "run_finished")["digest"])


def bullets(done: subprocess.CompletedProcess[str]) -> Sequence[str]:
    """Return the problems that a report tells."""
    return [line.removeprefix("  - ") for line in done.stderr.splitlines() if line.startswith("  - ")]
