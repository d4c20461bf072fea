"""Published runs to report on: small, synthetic, trained once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from pulse_adapters.backends.serial import SerialBackend
from pulse_adapters.sinks.folder import FolderSink
from pulse_adapters.stores.frames import FrameStore
from pulse_core import RetrodictionTraining, RunSpec

FIRST_DAY = np.datetime64("2020-01-01")


def walk(seed: int, days: int = 260) -> np.ndarray:
    return 100.0 + np.cumsum(np.random.default_rng(seed).normal(size=days))


def climb(seed: int, days: int = 260) -> np.ndarray:
    return 100.0 + np.arange(days) + 0.2 * np.random.default_rng(seed).normal(size=days)


def frame(values: np.ndarray) -> Any:
    import pandas as pd

    moments = FIRST_DAY + np.arange(len(values))
    return pd.DataFrame({"timestamp": moments.astype("datetime64[ns]"), "value": values})


def trained(folder: Path, series: Mapping[str, np.ndarray], *, hindcasts: bool = True, **changes: Any) -> FolderSink:
    """Train the series and publish the run `r`."""
    values: dict[str, Any] = {
        "variables": tuple(series),
        "start": date(2020, 3, 1),
        "end": date(2020, 9, 10),
        "horizon": 2,
        "forecasters": ("naive", "drift", "ses", "ensemble"),
    }
    options = {name: changes.pop(name) for name in ("keep_going",) if name in changes}
    sink = FolderSink(folder)
    store = FrameStore({name: frame(values) for name, values in series.items()})
    training = RetrodictionTraining(
        store=store, backend=SerialBackend(), sink=sink, run_id="r", hindcasts=hindcasts, **options
    )
    training.execute(RunSpec(**{**values, **changes}))
    return sink
