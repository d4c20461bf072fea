# ruff: noqa: RUF009 - option() declares an attrs field and is meant to be called once, here
"""Every setting of a run: name, kind, default, environment variable, TOML key, help; here and nowhere else.

The option of a field `some_name` is `--some-name`, its TOML key `some_name`, its environment variable
`PULSE_SOME_NAME` unless the field names another.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Final

import attrs

from pulse_entrypoints.options import (
    DAY,
    FLAG,
    NAMES,
    NUMBER,
    PATH,
    POSITIVE,
    RUN_ID,
    SHARE,
    TEXT,
    WHOLE,
    Option,
    choice,
    option,
    options_of,
)

SAMPLE: Final = "sample"
DEFAULT_VARIABLES: Final = ("spx_close", "us_10y_yield")
DEFAULT_START: Final = date(2022, 1, 1)
ALL_BUILT_IN: Final = "all built in"

WHAT: Final = "What to train"
HOW: Final = "How to forecast and judge"
WHERE: Final = "Where data come from and results go"
WORK: Final = "How the work is done"
LOGS: Final = "Logs and configuration"
GROUPS: Final = (WHAT, HOW, WHERE, WORK, LOGS)


@attrs.frozen(kw_only=True)
class Settings:
    """The settings of one run. None where the default depends on the data or the day."""

    variables: tuple[str, ...] | None = option(
        NAMES,
        WHAT,
        "The variables to train, one after another.",
        shown=f"{' '.join(DEFAULT_VARIABLES)}; with --data sample, all of it",
    )
    start_date: date | None = option(
        DAY,
        WHAT,
        "First day of the period.",
        shown=f"{DEFAULT_START}; with --data sample, ten years before its end",
    )
    end_date: date | None = option(
        DAY,
        WHAT,
        "Last day of the period. Nothing that became known later is used.",
        shown="today (UTC); with --data sample, its last day",
    )
    batch_size_days: int = option(WHOLE, WHAT, "Length of a batch; batches tile the period.", 30)
    batch_limit: int | None = option(WHOLE, WHAT, "Train the first N batches only.")

    horizon: int = option(WHOLE, HOW, "Steps ahead to forecast: 1 to N.", 5)
    forecasters: tuple[str, ...] | None = option(
        NAMES,
        HOW,
        "The forecasters to compare. 'seasonal-naive(12)' and 'holt-winters(12)', in quotes, have a season of 12; "
        "statsforecast:AutoETS and sklearn:Ridge are models of those libraries. A class of your own is module:Name; it "
        "needs forecast(history, horizon), or fit(history) and predict(fitted, history, horizon).",
        shown=ALL_BUILT_IN,
    )
    benchmark: str = option(
        attrs.evolve(TEXT, metavar="NAME"), HOW, "The forecaster that the others are compared with.", "naive"
    )
    min_history: int = option(WHOLE, HOW, "Observations that must be known before the first forecast.", 30)
    trust_decay: float = option(
        NUMBER, HOW, "What is left of the evidence for trust after 30 days, above 0 and at most 1.", 0.99
    )
    season: int | None = option(
        WHOLE, HOW, "Observations in a season, e.g. 12 for monthly data; adds the seasonal forecasters.", shown="none"
    )
    predictors: tuple[str, ...] | None = option(
        NAMES,
        HOW,
        "Up to eight variables that the forecaster ridge may learn from, as far as they are known; adds ridge.",
        shown="none",
    )
    refit_every: int = option(
        attrs.evolve(WHOLE, metavar="K"),
        HOW,
        "Fit libraries' models and classes of your own at every K-th origin only.",
        1,
    )
    calibration: str = option(
        choice("conformal", "empirical", metavar="METHOD"),
        HOW,
        "Where quantiles come from: conformal tracks coverage; empirical takes those of all past errors.",
        "conformal",
    )
    trust_loss: str = option(
        choice("absolute", "crps", metavar="LOSS"),
        HOW,
        "The loss on which a forecast beats the benchmark's: absolute error, or CRPS of its quantiles.",
        "absolute",
    )
    known_at: str = option(
        attrs.evolve(TEXT, metavar="RULE"),
        HOW,
        "When a row became known: auto (by its known_at column, else from the dates), timestamp, period-end, "
        "or +Nd for N days after its timestamp.",
        "auto",
    )
    actuals: str = option(
        choice("first", "latest", metavar="RELEASE"),
        HOW,
        "The release of a revised value that counts.",
        "first",
    )
    target: str = option(
        choice("level", "change", "log-change", metavar="TARGET"),
        HOW,
        "What of a variable to forecast.",
        "level",
    )

    data: str = option(
        attrs.evolve(TEXT, metavar="PLACE"),
        WHERE,
        "A folder with one file a variable (CSV, Parquet or JSON Lines), one long file with a variable "
        "column, or 'sample' for the series that come with Pulse.",
        "data",
    )
    results: str = option(
        attrs.evolve(TEXT, metavar="PLACE"),
        WHERE,
        "The folder for results. Made where it is missing.",
        "results",
    )
    output_file: Path | None = option(PATH, WHERE, "Write the result, as JSON, to this file as well.")
    hindcasts: bool = option(
        FLAG, WHERE, "Write every forecast that would have been made, with quantiles, as Parquet.", default=False
    )
    run_id: str | None = option(RUN_ID, WHERE, "The run's name in the results.", shown="from what is trained")

    backend: str = option(
        choice("serial", "processes", metavar="NAME"),
        WORK,
        "What computes; the numbers are the same.",
        "processes",
    )
    max_workers: int | None = option(POSITIVE, WORK, "Worker processes at most.", shown="all usable cores")
    unit_size: int | None = option(POSITIVE, WORK, "Variables a worker takes at a time.", shown="from their number")
    slice: tuple[int, int] | None = option(
        SHARE,
        WORK,
        "Do share I of N (from 0) and publish nothing. Once all shares are done, the same command without "
        "--slice collects them.",
    )
    keep_going: bool = option(
        FLAG, WORK, "Publish the others where some variables fail (exit status 3).", default=False
    )

    config: Path | None = option(attrs.evolve(PATH, metavar="FILE"), LOGS, "A TOML file with any of these options.")
    log_level: str = option(
        choice("DEBUG", "INFO", "WARNING", "ERROR", metavar="LEVEL"),
        LOGS,
        "The least serious events to log.",
        "INFO",
        environment="LOG_LEVEL",
    )
    log_format: str = option(
        choice("auto", "console", "json", metavar="FORMAT"),
        LOGS,
        "console: lines for people on stderr; json: JSON lines on stdout; auto: a progress bar and a table "
        "on a terminal, json elsewhere.",
        "auto",
        environment="LOG_FORMAT",
    )
    log_dir: Path = option(
        attrs.evolve(PATH, metavar="FOLDER"),
        LOGS,
        "The folder of the log file, retrodiction_training.log.",
        Path("logs"),
        environment="LOG_DIR",
    )


OPTIONS: Final[tuple[Option, ...]] = options_of(Settings)
