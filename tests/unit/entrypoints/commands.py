"""The command `pulse`, called in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

from pulse_entrypoints.cli.app import main

FIRST_DAY = np.datetime64("2020-01-01")
FEW = ("naive", "ses", "mean", "ensemble")


@attrs.frozen
class Output:
    """The exit status of a command and its output."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@attrs.frozen
class Pulse:
    """Calls `pulse` in a folder."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    def __call__(self, *words: object) -> Output:
        self.capture.readouterr()
        status = main([str(word) for word in words])
        return Output(status, *self.capture.readouterr())

    def train(self, run_id: str, *words: object, end: str = "2020-06-30", forecasters: tuple[str, ...] = FEW) -> None:
        """Train the variables of the folder `data`."""
        names = sorted(path.stem for path in (self.folder / "data").iterdir())
        period = ("--start-date", "2020-03-01", "--end-date", end, "--horizon", 2, "--backend", "serial")
        done = self("train", "--variables", *names, *period, "--run-id", run_id, "--forecasters", *forecasters, *words)
        assert done.status == 0, done.err

    def write(self, name: str, values: np.ndarray) -> None:
        """Write a daily series to the folder `data`."""
        folder = self.folder / "data"
        folder.mkdir(exist_ok=True)
        rows = [f"{FIRST_DAY + day},{value:.6f}" for day, value in enumerate(values)]
        (folder / f"{name}.csv").write_text("\n".join(["timestamp,value", *rows, ""]))


def walk(seed: int = 0, count: int = 220) -> np.ndarray:
    return np.asarray(100 + np.cumsum(np.random.default_rng(seed).normal(size=count)))
