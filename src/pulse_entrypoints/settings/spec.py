"""The settings of a RunSpec: what to train, how to forecast, how to score."""

from __future__ import annotations

from datetime import date
from typing import Final

import attrs

from pulse_core.season import SeasonSetting
from pulse_entrypoints.cli.kinds import AUTO_OR_POSITIVE, DAY, NAMES, NUMBER, SEASON, TEXT, WHOLE, choice
from pulse_entrypoints.cli.options import option
from pulse_entrypoints.settings.groups import HOW, WHAT

DEFAULT_VARIABLES: Final = ("spx_close", "us_10y_yield")
DEFAULT_START: Final = date(2022, 1, 1)
ALL_BUILT_IN: Final = "all built in"


@attrs.frozen(kw_only=True, slots=False)
class SpecSettings:
    """The options of a RunSpec; None where the default depends on the data or the day."""

    variables: tuple[str, ...] | None = option(
        NAMES,
        WHAT,
        "The variables to train: names, patterns ('us_*', in quotes), '!pattern' for those to leave out, @file for a "
        "file of names, one a line.",
        default_text=f"{' '.join(DEFAULT_VARIABLES)} where the data hold them, else all",
    )
    start_date: date | None = option(
        DAY,
        WHAT,
        "First day of the period.",
        default_text=f"{DEFAULT_START} where the data allow it, else a 1st of January ten years before their end, or "
        "later",
    )
    end_date: date | None = option(
        DAY,
        WHAT,
        "Last day of the period. Nothing that became known later is used.",
        default_text="today (UTC); with --data sample, its last day",
    )
    batch_size_days: int = option(WHOLE, WHAT, "Length of a batch; batches tile the period.", 30)
    batch_limit: int | None = option(WHOLE, WHAT, "Train the first N batches only.")

    horizon: int = option(WHOLE, HOW, "Steps ahead to forecast: 1 to N.", 5)
    forecasters: tuple[str, ...] | None = option(
        NAMES,
        HOW,
        "The forecasters to compare. Seasonal ones have each variable's season, 'holt-winters(12)' (in quotes) one of "
        "12. statsforecast:AutoETS and sklearn:Ridge are models of those libraries. A class of your own is "
        "module:Name; it needs forecast(history, horizon), or fit(history) and predict(fitted, history, horizon).",
        default_text=ALL_BUILT_IN,
    )
    benchmark: str = option(
        attrs.evolve(TEXT, metavar="NAME"),
        HOW,
        "The forecaster that the others are compared with; auto takes, for each variable, the simple forecaster that "
        "lost least before the period: naive, drift, with a season seasonal-naive, of changes the mean.",
        "naive",
    )
    min_history: int | None = option(
        AUTO_OR_POSITIVE,
        HOW,
        "Observations that must be known before the first forecast; auto: 8, or two of the shortest seasons that the "
        "calendar proposes and 4, at most 100.",
        default_text="auto",
    )
    trust_half_life: float = option(
        attrs.evolve(NUMBER, metavar="N"), HOW, "After N origins a difference in loss counts half for trust.", 500.0
    )
    trust_span: int | None = option(
        attrs.evolve(WHOLE, metavar="K"),
        HOW,
        "Trust is the probability of a lower mean loss over the next K origins.",
        default_text="about a year, by each variable's calendar",
    )
    season: SeasonSetting = option(
        SEASON,
        HOW,
        "Steps in a season: auto finds each variable's, by its calendar and a test; none; or given, such as 12 or "
        "24,168. In the file also a table by variable, '*' for all others.",
        SeasonSetting(),
        default_text="auto",
    )
    predictors: tuple[str, ...] | None = option(
        NAMES,
        HOW,
        "Up to eight variables that the forecaster ridge may learn from, as far as they are known; adds ridge.",
        default_text="none",
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
        "Where quantiles come from: conformal learns from what past ones covered, and by day or faster from "
        "volatility; empirical takes those of all past errors.",
        "conformal",
    )
    trust_loss: str = option(
        choice("absolute", "crps", metavar="LOSS"),
        HOW,
        "The loss that trust, evidence and verdict compare: absolute error, or CRPS of the quantiles.",
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
