"""The peers' forecasts for accuracy.py, run by an interpreter that has statsforecast; it imports nothing of Pulse.

    python _peer_forecasts.py JOBS FORECASTS

JOBS is a JSON list of jobs: `set`, `series`, `key` (of the values), `model` (the name of a class of
`statsforecast.models`), `season`, `horizon`, `values`. For each one a line of JSON is appended to FORECASTS as soon as
it is there, so that what is done stays done: the job without its values, with `cpu_seconds` of one fit and forecast,
`mean`, `low` and `high` (the 95 % interval), or `error`.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from statsforecast import models

EVERY_SECONDS = 30.0
"""How often a line of progress is printed."""


def forecast(job: dict[str, Any]) -> dict[str, Any]:
    """Return one model's forecast of one series, and what it cost in CPU seconds."""
    values = np.array(job["values"], dtype=float)
    started = time.process_time()
    try:
        model = getattr(models, job["model"])(season_length=job["season"])
        answer = model.forecast(y=values, h=job["horizon"], level=[95])
    except Exception as error:  # noqa: BLE001  the line tells it; the other series go on
        return {"error": f"{type(error).__name__}: {error}", "cpu_seconds": time.process_time() - started}
    cpu_seconds = time.process_time() - started
    columns = {"mean": "mean", "low": "lo-95", "high": "hi-95"}
    return {"cpu_seconds": cpu_seconds, **{name: answer[key].tolist() for name, key in columns.items()}}


def run(jobs: list[dict[str, Any]], file: TextIO) -> None:
    last = time.monotonic()
    for number, job in enumerate(jobs):
        if (job["model"], job["season"]) not in {(other["model"], other["season"]) for other in jobs[:number]}:
            forecast(job)  # compiles or loads; not counted
        line = {name: value for name, value in job.items() if name != "values"} | forecast(job)
        print(json.dumps(line), file=file, flush=True)
        if time.monotonic() > last + EVERY_SECONDS:
            last = time.monotonic()
            print(f"peers: {number + 1} of {len(jobs)}, {job['set']} {job['model']}", file=sys.stderr, flush=True)


def main() -> None:
    jobs_file, forecasts_file = map(Path, sys.argv[1:])
    with warnings.catch_warnings(), forecasts_file.open("a") as file:
        warnings.simplefilter("ignore")  # optimisers that stop early say so; the forecasts are compared
        run(json.loads(jobs_file.read_text()), file)


if __name__ == "__main__":
    main()
