"""The peer: statsforecast's cross-validation, refitted at every origin, in an environment of its own.

The newest statsforecast wants an older pandas than Pulse's tests use, so it lives under build/peers, which is made
when it is not there; its side of a comparison runs there as a subprocess, within the same run as ours.
"""

from __future__ import annotations

import pickle
import subprocess
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import attrs
import numpy as np
from _synthetic import HORIZON
from numpy.typing import NDArray

Array = NDArray[np.float64]
Lengths = NDArray[np.int64]

ENVIRONMENT: Final = Path(__file__).parents[1] / "build" / "peers"
PYTHON: Final = ENVIRONMENT / "bin" / "python"
REQUIREMENT: Final = "statsforecast>=2.1,<3"


@attrs.frozen
class Windows:
    """Origins of a cross-validation: `count` of them, `step` apart, the last HORIZON values before the end."""

    count: int
    step: int

    def lengths(self, points: int) -> Lengths:
        """Return how many values each origin knows."""
        return points - HORIZON - self.step * np.arange(self.count - 1, -1, -1)

    @classmethod
    def spread(cls, count: int, points: int, shortest: int) -> Windows:
        """Return at most `count` windows, evenly over all origins from `shortest` values on."""
        origins = points - HORIZON - shortest + 1
        return cls(min(count, origins), max(1, (origins - 1) // max(count - 1, 1)))


@attrs.frozen(eq=False)
class Job:
    """A model of the peer by the name of its class, the series (time, variable) it takes, and the origins."""

    model: str
    values: Array
    windows: Windows
    parameters: Mapping[str, Any] = attrs.field(factory=dict)
    repeats: int = 1

    @property
    def origins(self) -> int:
        """How many (variable x origin) it does."""
        return self.values.shape[1] * self.windows.count

    def document(self) -> dict[str, Any]:
        """Return it as the peer's script reads it."""
        return {
            "model": self.model,
            "values": self.values,
            "parameters": dict(self.parameters),
            "count": self.windows.count,
            "step": self.windows.step,
            "horizon": HORIZON,
            "repeats": self.repeats,
        }


@attrs.frozen(eq=False)
class Answer:
    """CPU seconds of a job, the least of its repeats, and its forecasts (variable, origin, horizon)."""

    seconds: float
    forecasts: Array


def run_peer(jobs: Sequence[Job]) -> tuple[str, list[Answer]]:
    """Return the versions on the peer's side, and what its jobs gave."""
    prepare()
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("jobs", "answers")]
        paths[0].write_bytes(pickle.dumps([job.document() for job in jobs]))
        script = Path(__file__).with_name("_peer_side.py")
        subprocess.run([PYTHON, script, *paths], check=True)
        versions, answers = pickle.loads(paths[1].read_bytes())  # noqa: S301  written by our own script
    return versions, [Answer(seconds, np.asarray(forecasts)) for seconds, forecasts in answers]


def prepare() -> None:
    """Make the peer's environment where it is not there yet."""
    ready = ENVIRONMENT / "ready"
    if ready.exists():
        return
    print(f"making an environment with {REQUIREMENT} in build/{ENVIRONMENT.name}", flush=True)
    venv.create(ENVIRONMENT, with_pip=True, clear=True)
    subprocess.run([PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", REQUIREMENT], check=True)
    ready.touch()
