"""The golden runs: what they train, and the digests of each piece of what that gives.

`digests.json` was recorded by the old code, at commit 57881d2, before its numeric core became a compiled kernel. It is
never edited by hand. `python -m tests.golden.runs --compare` says what of point forecasts has moved since, and
`--record-anew` records the present code: what follows from quantiles and trust may have changed by intention, and it
refuses where anything of point forecasts has moved a bit. All that knows the names of the code is in
tests/golden/seam.py.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import sys
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import attrs
import numpy as np

from tests.golden import models
from tests.golden import series as data
from tests.golden.differences import SPECIAL_PIECES, Document, differences
from tests.golden.models import OwnForecaster
from tests.golden.seam import Array, RunPieces, train
from tests.golden.series import Make, Rows, daily, day, monthly, sample

DIGESTS: Final = Path(__file__).with_name("digests.json")


@attrs.frozen
class Run:
    """What is trained: each variable's rows, the fields of the spec but `variables`, forecasters of a user's own.

    Variables among the spec's `predictors` are trained only where they are `trained_predictors`.
    """

    rows: Mapping[str, Make]
    spec: Mapping[str, Any]
    forecasters: tuple[OwnForecaster, ...] = ()
    hindcasts: bool = False
    trained_predictors: tuple[str, ...] = ()

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that are trained."""
        trained = set(self.rows) - set(self.spec.get("predictors", ())) | set(self.trained_predictors)
        return tuple(name for name in self.rows if name in trained)


def _walk(seed: int, count: int, **shape: Any) -> Make:
    return partial(_daily_walk, seed, count, shape)


def _daily_walk(seed: int, count: int, shape: Mapping[str, Any]) -> Rows:
    return daily(data.walk(seed, count, **shape))


def _period(first: int, last: int) -> dict[str, date]:
    """The period from one day to another, both counted from the first of the synthetic series."""
    return {"start": day(first), "end": day(last)}


def _years(first: int, last: int) -> dict[str, date]:
    return {"start": date(first, 1, 1), "end": date(last, 12, 31)}


SMALL: Final = ("naive", "drift", "ses", "ensemble")
FEW: Final = ("naive", "drift", "mean", "ses", "holt", "mean-of-all", "median-of-all", "ensemble")
LEADERS: Final = tuple(f"leader_{number}" for number in range(8))

REAL: Final[dict[str, Run]] = {
    "real-spx": Run(
        {"spx_close": partial(sample, "spx_close", 3000, 700)},
        {"start": date(2011, 12, 1), "end": date(2013, 9, 17)},
        hindcasts=True,
    ),
    "real-spx-log-change-crps": Run(
        {"spx_close": partial(sample, "spx_close", 4000, 300)},
        {"start": date(2015, 3, 2), "end": date(2016, 2, 4), "target": "log-change", "trust_loss": "crps"},
    ),
    "real-wti-2000-points": Run(
        {"wti_price": partial(sample, "wti_price", 2000, 2000)},
        {"start": date(1996, 1, 1), "end": date(2001, 10, 16), "horizon": 1, "batch_size_days": 365},
    ),
    "real-wti-change-empirical": Run(
        {"wti_price": partial(sample, "wti_price", 5000, 500)},
        {"start": date(2006, 3, 1), "end": date(2007, 10, 17), "target": "change", "calibration": "empirical"},
        hindcasts=True,
    ),
    "real-cpi-season-12": Run(
        {"core_cpi": partial(sample, "core_cpi", 300, 400)},
        {**_years(1995, 2014), "season": 12, "horizon": 12, "batch_size_days": 365, "target": "change"},
        hindcasts=True,
    ),
    "real-cpi-log-change-timestamp": Run(
        {"core_cpi": partial(sample, "core_cpi", 0, 300)},
        {**_years(1965, 1981), "known_at": "timestamp", "target": "log-change", "horizon": 4, "trust_half_life": 50},
    ),
    "real-baa-crps": Run(
        {"baa_yield": partial(sample, "baa_yield", 600, 500)},
        {**_years(1980, 2009), "trust_loss": "crps", "batch_size_days": 365, "trust_half_life": 1e6},
    ),
    "real-baa-three-days-late": Run(
        {"baa_yield": partial(sample, "baa_yield", 0, 250)},
        {**_years(1921, 1939), "known_at": "+3d", "horizon": 3, "batch_size_days": 30, "forecasters": FEW},
    ),
    "real-four-lengths": Run(
        {
            "spx_close": partial(sample, "spx_close", 3000, 260),
            "wti_price": partial(sample, "wti_price", 6100, 480),
            "core_cpi": partial(sample, "core_cpi", 0, 740),
            "baa_yield": partial(sample, "baa_yield", 300, 896),
        },
        {"start": date(2011, 1, 3), "end": date(2011, 12, 30), "horizon": 2},
    ),
    "real-ridge-monthly": Run(
        {"core_cpi": partial(sample, "core_cpi", 300, 300), "baa_yield": partial(sample, "baa_yield", 700, 400)},
        {**_years(1990, 2005), "predictors": ("baa_yield",), "horizon": 3, "batch_size_days": 365},
        hindcasts=True,
    ),
    "real-rules-period-end": Run(
        {"baa_yield": partial(sample, "baa_yield", 900, 200), "quarter": lambda: monthly(data.walk(91, 150), 1985, 3)},
        {**_years(2000, 2008), "known_at": "period-end", "forecasters": FEW, "min_history": 5},
    ),
}

SYNTHETIC: Final[dict[str, Run]] = {
    "walk": Run({"x": _walk(1, 400)}, _period(100, 399), hindcasts=True),
    "walk-of-2000": Run({"x": _walk(2, 2000, drift=0.02)}, {**_period(1200, 1999), "horizon": 2}),
    "autoregression": Run(
        {
            "first": lambda: daily(data.autoregression(3, 400)),
            "second": lambda: daily(data.autoregression(4, 330, (1.2, -0.5))),
            "negative": lambda: daily(data.autoregression(5, 250, (-0.8,), level=0.0)),
        },
        {**_period(60, 399), "batch_size_days": 7},
        hindcasts=True,
    ),
    "ties": Run(
        {"two": lambda: daily(data.ties(6, 300, 2)), "five": lambda: daily(data.ties(7, 300, 5))},
        {**_period(50, 299), "horizon": 3, "batch_size_days": 7},
        hindcasts=True,
    ),
    "ties-crps": Run(
        {"two": lambda: daily(data.ties(8, 250, 2)), "rounded": lambda: daily(data.rounded(data.walk(9, 250), 0.5))},
        {**_period(40, 249), "trust_loss": "crps", "calibration": "empirical", "horizon": 2},
    ),
    "constants": Run(
        {
            "zero": lambda: daily([0.0] * 200),
            "seven": lambda: daily([7.0] * 180),
            "tenth": lambda: daily([0.1] * 160),
            "minus": lambda: daily([-3.25] * 170),
        },
        {**_period(40, 199), "horizon": 2},
    ),
    "constants-change": Run(
        {"seven": lambda: daily([7.0] * 160), "x": _walk(10, 160)},
        {**_period(40, 159), "target": "change", "season": 4},
    ),
    "mostly-still": Run(
        {"x": lambda: daily(data.mostly_still(11, 500)), "y": lambda: daily(data.mostly_still(12, 300, 0.01))},
        {**_period(60, 499), "batch_size_days": 7},
        hindcasts=True,
    ),
    "mostly-still-change": Run(
        {"x": lambda: daily(data.mostly_still(13, 400, 0.1))}, {**_period(60, 399), "target": "change", "horizon": 3}
    ),
    "pegged": Run(
        {"late": lambda: daily(data.pegged(14, 400, 300)), "early": lambda: daily(data.pegged(15, 300, 60))},
        {**_period(50, 399), "horizon": 3},
        hindcasts=True,
    ),
    "pegged-at-zero-crps": Run(
        {"x": lambda: daily(data.pegged(16, 300, 200, level=0.0))},
        {**_period(50, 299), "horizon": 2, "trust_loss": "crps", "calibration": "empirical"},
    ),
    "scale-1e300": Run(
        {"x": lambda: daily(data.scaled(data.walk(17, 300), 1e300)), "y": lambda: daily(data.ties(18, 200, 3))},
        {**_period(50, 299), "horizon": 3},
        hindcasts=True,
    ),
    "scale-1e-300": Run(
        {
            "x": lambda: daily(data.scaled(data.walk(19, 300), 1e-300)),
            "season": lambda: daily(data.scaled(data.seasonal(20, 300, 7), 1e-300)),
        },
        {**_period(50, 299), "horizon": 3, "season": 7},
        hindcasts=True,
    ),
    "scales-log-change": Run(
        {
            "large": lambda: daily(data.scaled(data.raised(data.walk(21, 250)), 1e300)),
            "small": lambda: daily(data.scaled(data.raised(data.walk(22, 250)), 1e-300)),
        },
        {**_period(60, 249), "target": "log-change", "horizon": 2},
    ),
    "jumps": Run(
        {
            "far": lambda: daily(data.jumping(23, 300, 37, (1e150, -1e160, 1e200))),
            "farther": lambda: daily(data.jumping(24, 250, 60, (1e300, -1.7e308, 1.7e308))),
            "near": lambda: daily(data.jumping(25, 300, 23, (40.0, -25.0, 1e6))),
        },
        {**_period(40, 299), "horizon": 3},
        hindcasts=True,
    ),
    "jumps-change-crps": Run(
        {"x": lambda: daily(data.jumping(26, 250, 60, (1.7e308, -1.7e308)))},
        {**_period(40, 249), "target": "change", "horizon": 2, "trust_loss": "crps"},
    ),
    "explosion": Run(
        {
            "mild": lambda: daily(data.explosion(27, 400, 1.05)),
            "wild": lambda: daily(data.explosion(28, 280, 10.0)),
            "fading": lambda: daily(data.explosion(29, 300, 0.05)),
        },
        {**_period(40, 399), "horizon": 3},
        hindcasts=True,
    ),
    "explosion-log-change": Run(
        {"x": lambda: daily(data.explosion(30, 300, 1.5))},
        {**_period(40, 299), "target": "log-change", "horizon": 5, "season": 4},
    ),
    "minus-zeros": Run(
        {"x": lambda: daily([-0.0 if value == 1.0 else value for value in data.ties(31, 200, 3)])},
        {**_period(30, 199), "horizon": 2},
    ),
    "hourly": Run(
        {"x": lambda: daily(data.walk(32, 600), step=timedelta(hours=1))},
        {**_period(5, 24), "batch_size_days": 1, "horizon": 12, "forecasters": FEW},
    ),
}

SEASONS: Final[dict[str, Run]] = {
    "season-7": Run(
        {"x": lambda: daily(data.seasonal(33, 350, 7)), "y": lambda: daily(data.seasonal(34, 200, 7, noise=0.0))},
        {**_period(50, 349), "season": 7, "horizon": 8},
        hindcasts=True,
    ),
    "season-4-quarterly": Run(
        {"x": lambda: monthly(data.seasonal(35, 160, 4), 1980, 3)},
        {**_years(1990, 2019), "season": 4, "horizon": 4, "batch_size_days": 365, "target": "change"},
    ),
    "season-12-too-short": Run(
        {"x": lambda: monthly(data.seasonal(36, 150, 12))},
        {**_years(2001, 2011), "season": 12, "horizon": 12, "min_history": 6, "batch_size_days": 365},
    ),
    "seasonal-alone": Run(
        {"x": lambda: daily(data.seasonal(37, 250, 4))},
        {
            **_period(20, 249),
            "forecasters": ("holt-winters(4)", "seasonal-naive(4)", "seasonal-naive(1)", "holt-winters(7)", "ensemble"),
            "benchmark": "seasonal-naive(4)",
            "min_history": 2,
        },
        hindcasts=True,
    ),
}


def _monthly_walk(seed: int, count: int) -> Rows:
    return monthly(data.walk(seed, count))


VINTAGES: Final[dict[str, Run]] = {
    "vintages-revised": Run(
        {
            "x": lambda: data.revised(_monthly_walk(38, 200), 1),
            "y": lambda: data.revised(monthly(data.seasonal(39, 160, 12)), 2),
        },
        {**_years(2004, 2015), "horizon": 3},
        hindcasts=True,
    ),
    "vintages-revised-latest": Run(
        {
            "x": lambda: data.revised(_monthly_walk(38, 200), 1),
            "y": lambda: data.revised(_monthly_walk(40, 150), 3, size=0.1),
        },
        {**_years(2004, 2015), "horizon": 3, "actuals": "latest", "batch_size_days": 365},
    ),
    "vintages-revised-change": Run(
        {"x": lambda: data.revised(_monthly_walk(41, 160), 4)},
        {**_years(2004, 2012), "horizon": 4, "target": "change", "season": 12, "actuals": "latest"},
        hindcasts=True,
    ),
    "vintages-log-change-crps": Run(
        {"x": lambda: data.revised(monthly(data.raised(data.walk(42, 150))), 5)},
        {**_years(2004, 2011), "horizon": 2, "target": "log-change", "trust_loss": "crps"},
    ),
    "vintages-filled-in": Run(
        {
            "x": lambda: data.filled_in(daily(data.walk(43, 250)), 1),
            "y": lambda: data.filled_in(daily(data.autoregression(44, 200)), 2, 0.5),
        },
        {**_period(60, 255), "horizon": 3, "batch_size_days": 7},
        hindcasts=True,
    ),
    "vintages-filled-in-change-latest": Run(
        {"x": lambda: data.filled_in(daily(data.walk(45, 220)), 3, 0.3)},
        {**_period(60, 225), "horizon": 2, "target": "change", "actuals": "latest"},
    ),
    "vintages-together": Run(
        {
            "threes": lambda: data.together(daily(data.walk(46, 300)), 3),
            "tens": lambda: data.together(daily(data.walk(47, 300)), 10, lag=2),
            "sixties": lambda: data.together(daily(data.walk(48, 300)), 60),
        },
        {**_period(60, 305), "batch_size_days": 7, "horizon": 5},
        hindcasts=True,
    ),
    # the period begins on the day of a release, and so does every batch
    "vintages-together-at-the-first-origin-of-a-batch": Run(
        {
            "x": lambda: data.together(daily(data.walk(49, 280)), 7),
            "y": lambda: data.together(daily(data.autoregression(50, 280)), 7),
        },
        {**_period(69, 279), "batch_size_days": 7, "horizon": 3, "trust_half_life": 20},
        hindcasts=True,
    ),
    "vintages-loaded-at-once": Run(
        {"x": lambda: data.together(daily(data.walk(51, 300)), 200), "y": _walk(52, 300)},
        {**_period(150, 299), "horizon": 2, "forecasters": FEW},
    ),
    "vintages-delayed": Run(
        {
            "x": lambda: data.delayed(daily(data.walk(53, 260)), 1, 10),
            "y": lambda: data.delayed(daily(data.ties(54, 200, 4)), 2, 60),
        },
        {**_period(60, 320), "horizon": 3, "batch_size_days": 7},
        hindcasts=True,
    ),
    "vintages-delayed-change-crps": Run(
        {"x": lambda: data.delayed(daily(data.walk(55, 250)), 3, 20)},
        {**_period(60, 270), "horizon": 2, "target": "change", "trust_loss": "crps", "calibration": "empirical"},
    ),
    "vintages-rebased": Run(
        {"x": lambda: data.rebased(_monthly_walk(56, 140), 24, 1.5)},
        {**_years(2004, 2011), "horizon": 3, "batch_size_days": 30, "actuals": "latest"},
    ),
    "vintages-column-set-aside": Run(
        {"x": lambda: daily(data.walk(57, 200)), "y": lambda: data.together(daily(data.walk(58, 200)), 4)},
        {**_period(50, 199), "known_at": "timestamp", "horizon": 2, "forecasters": FEW},
    ),
}


def _followers(count: int, seed: int, length: int) -> dict[str, Make]:
    leaders = {name: _walk(seed + number, length) for number, name in enumerate(LEADERS[:count])}
    return {"x": lambda: daily(data.following(data.walk(seed, length), seed + 50, 2)), **leaders}


PREDICTORS: Final[dict[str, Run]] = {
    "ridge-1": Run(
        _followers(1, 100, 300), {**_period(60, 299), "predictors": LEADERS[:1], "horizon": 3}, hindcasts=True
    ),
    "ridge-2-each-other": Run(
        _followers(2, 110, 250),
        {**_period(60, 249), "predictors": LEADERS[:2], "forecasters": ("naive", "ridge", "ensemble")},
        trained_predictors=LEADERS[:2],
    ),
    "ridge-8": Run(
        _followers(8, 120, 260), {**_period(60, 259), "predictors": LEADERS, "horizon": 2, "target": "change"}
    ),
    "ridge-2-vintages": Run(
        {
            "x": lambda: data.revised(monthly(data.following(data.walk(130, 150), 131, 1)), 6),
            "leader_0": lambda: data.revised(_monthly_walk(130, 150), 7),
            "leader_1": lambda: data.filled_in(_monthly_walk(132, 150), 8),
        },
        {**_years(2004, 2011), "predictors": LEADERS[:2], "horizon": 3},
        hindcasts=True,
    ),
    "ridge-8-vintages": Run(
        {
            "x": lambda: data.delayed(daily(data.following(data.walk(140, 200), 141, 1)), 9, 5),
            **{
                name: partial(lambda seed: data.delayed(daily(data.walk(seed, 220)), seed, 15), 140 + number)
                for number, name in enumerate(LEADERS)
            },
        },
        {**_period(60, 204), "predictors": LEADERS, "horizon": 2, "forecasters": ("naive", "drift", "ridge", "mean")},
    ),
    "ridge-scales": Run(
        {
            "x": lambda: daily(data.scaled(data.following(data.walk(150, 200), 151, 1), 1e300)),
            "leader_0": lambda: daily(data.scaled(data.walk(150, 200), 1e-300)),
            "leader_1": lambda: daily([4.0] * 200),
        },
        {**_period(60, 199), "predictors": LEADERS[:2], "horizon": 2, "forecasters": ("ridge", "ensemble", "ari")},
    ),
}

OWN: Final[dict[str, Run]] = {
    "own-forecast-only": Run(
        {"x": _walk(60, 200), "y": lambda: daily(data.ties(61, 150, 4))},
        {**_period(40, 199), "forecasters": ("naive", "golden:MeanOfFive", "ses", "ensemble"), "horizon": 3},
        forecasters=(models.MEAN_OF_FIVE,),
        hindcasts=True,
    ),
    "own-forecast-every-third": Run(
        {"x": _walk(62, 200)},
        {**_period(40, 199), "forecasters": ("naive", "golden:MeanOfFive", "mean-of-all"), "refit_every": 3},
        forecasters=(models.MEAN_BY_THREE,),
    ),
    "own-fitted": Run(
        {"x": _walk(63, 220)},
        {**_period(40, 219), "forecasters": ("naive", "golden:FittedTrend", "drift", "ensemble"), "horizon": 3},
        forecasters=(models.FITTED,),
    ),
    "own-fitted-every-third": Run(
        {"x": _walk(63, 220), "y": lambda: data.revised(_monthly_walk(64, 90), 10)},
        {**_period(40, 2000), "forecasters": ("naive", "golden:FittedTrend", "drift", "ensemble"), "refit_every": 3},
        forecasters=(models.FITTED_BY_THREE,),
        hindcasts=True,
    ),
    "own-quantiles": Run(
        {"x": _walk(65, 220), "y": lambda: daily(data.mostly_still(66, 200, 0.2))},
        {**_period(40, 219), "forecasters": ("naive", "golden:Ranged", "ses", "ensemble"), "horizon": 2},
        forecasters=(models.RANGED,),
        hindcasts=True,
    ),
    "own-quantiles-fitted-crps": Run(
        {"x": _walk(67, 220), "zero": lambda: daily(data.pegged(68, 200, 80, level=0.0))},
        {
            **_period(40, 219),
            "forecasters": ("naive", "golden:FittedRanged", "golden:Ranged", "ensemble"),
            "trust_loss": "crps",
            "calibration": "empirical",
            "horizon": 2,
        },
        forecasters=(models.RANGED, models.FITTED_RANGED),
        hindcasts=True,
    ),
    "own-silent-at-times": Run(
        {"x": _walk(69, 220), "y": _walk(70, 150)},
        {
            **_period(40, 219),
            "forecasters": ("golden:Silent", "drift", "naive", "mean-of-all", "median-of-all", "ensemble"),
            "horizon": 3,
        },
        forecasters=(models.SILENT,),
        hindcasts=True,
    ),
    "own-silent-benchmark": Run(
        {"x": _walk(71, 200)},
        {**_period(40, 199), "forecasters": ("drift", "ses", "ensemble"), "benchmark": "golden:Silent", "horizon": 2},
        forecasters=(models.SILENT,),
    ),
    # The one run that depends on how the old code lays histories out: where that changes, HalfWay is what changes.
    "own-one-pass": Run(
        {"x": _walk(72, 220), "y": lambda: data.delayed(daily(data.walk(73, 200)), 4, 10)},
        {**_period(40, 219), "forecasters": ("naive", "golden:HalfWay", "ses", "ensemble"), "horizon": 2},
        forecasters=(models.HALF_WAY,),
    ),
}

CHOICES: Final[dict[str, Run]] = {
    "roster-ensemble-of-two": Run(
        {"x": _walk(80, 300)}, {**_period(60, 299), "forecasters": ("ensemble", "ses", "naive")}, hindcasts=True
    ),
    "roster-ensemble-of-two-turned-round": Run(
        {"x": _walk(80, 300)}, {**_period(60, 299), "forecasters": ("naive", "ses", "ensemble")}
    ),
    "roster-mean-of-all-of-none-but-the-benchmark": Run(
        {"x": _walk(81, 200)}, {**_period(60, 199), "forecasters": ("mean-of-all",)}
    ),
    "roster-median-and-mean-first": Run(
        {"x": _walk(82, 250), "y": lambda: daily(data.ties(83, 200, 3))},
        {**_period(60, 249), "forecasters": ("median-of-all", "mean-of-all", "theta", "ar", "holt", "damped-holt")},
    ),
    "roster-ensemble-alone": Run({"x": _walk(84, 200)}, {**_period(60, 199), "forecasters": ("ensemble",)}),
    "roster-one": Run({"x": _walk(85, 200)}, {**_period(60, 199), "forecasters": ("ari",), "benchmark": "ari"}),
    "benchmark-drift": Run({"x": _walk(86, 250, drift=0.1)}, {**_period(60, 249), "benchmark": "drift", "horizon": 3}),
    "benchmark-the-ensemble": Run(
        {"x": lambda: daily(data.autoregression(87, 250))},
        {**_period(60, 249), "benchmark": "ensemble", "forecasters": (*SMALL, "ar"), "trust_loss": "crps"},
    ),
    "benchmark-not-in-roster": Run(
        {"x": lambda: daily(data.seasonal(88, 250, 7))},
        {**_period(60, 249), "benchmark": "window-mean", "forecasters": ("ar", "ses", "median-of-all")},
    ),
    "benchmark-auto": Run(
        {"x": _walk(183, 250, drift=0.3), "y": lambda: daily(data.seasonal(184, 250, 7)), "z": _walk(185, 90)},
        {**_period(65, 249), "benchmark": "auto", "season": 7, "horizon": 2, "trust_span": 20},
        hindcasts=True,
    ),
    "horizon-1-daily-batches": Run(
        {"x": _walk(89, 200)}, {**_period(100, 199), "horizon": 1, "batch_size_days": 1, "trust_half_life": 2}
    ),
    "horizon-12": Run(
        {"x": _walk(90, 300)}, {**_period(100, 299), "horizon": 12, "batch_size_days": 30, "trust_half_life": 1e6}
    ),
    "batch-limit": Run(
        {"x": _walk(92, 300), "y": _walk(93, 400)}, {**_period(60, 399), "batch_limit": 4, "forecasters": FEW}
    ),
    "batch-of-a-year": Run(
        {"x": _walk(94, 900)}, {**_period(200, 899), "batch_size_days": 365, "forecasters": FEW, "horizon": 2}
    ),
    "min-history-1": Run({"x": _walk(95, 120), "y": _walk(96, 80)}, {**_period(0, 119), "min_history": 1}),
    "min-history-1-change": Run(
        {"x": _walk(97, 120)}, {**_period(0, 119), "min_history": 1, "target": "change", "season": 4, "horizon": 2}
    ),
    "min-history-200": Run({"x": _walk(98, 350)}, {**_period(0, 349), "min_history": 200, "horizon": 3}),
    "start-before-the-data": Run(
        {"x": lambda: daily(data.walk(99, 200), first=100)},
        {**_period(0, 299), "batch_size_days": 7, "min_history": 10, "horizon": 2},
    ),
    "end-after-the-data": Run(
        {"x": _walk(160, 200), "y": lambda: daily(data.walk(161, 150), first=20)},
        {**_period(60, 600), "batch_size_days": 7, "forecasters": FEW, "trust_span": 20},
    ),
    "warm-up-short": Run({"x": _walk(162, 250)}, {**_period(130, 249), "horizon": 2, "forecasters": FEW}),
    "warm-up-whole": Run({"x": _walk(163, 700)}, {**_period(500, 699), "horizon": 2, "forecasters": FEW}),
    "warm-up-empirical": Run(
        {"x": _walk(164, 600)},
        {**_period(400, 599), "calibration": "empirical", "forecasters": FEW, "trust_loss": "crps", "horizon": 5},
    ),
    "three-days-late": Run({"x": _walk(165, 200)}, {**_period(60, 199), "known_at": "+3d", "horizon": 5}),
    "gaps": Run(
        {"x": lambda: daily(data.walk(166, 120), step=timedelta(days=13))},
        {**_period(500, 1600), "batch_size_days": 7, "horizon": 2, "forecasters": FEW},
    ),
    "tiny": Run(
        {"a": _walk(173, 3), "b": _walk(174, 5), "c": _walk(175, 9), "d": _walk(176, 14)},
        {**_period(0, 13), "min_history": 1, "horizon": 1, "batch_size_days": 1, "season": 4},
        hindcasts=True,
    ),
    "tiny-alone": Run({"x": _walk(177, 2)}, {**_period(0, 4), "min_history": 1, "horizon": 1}, hindcasts=True),
    "tiny-alone-change": Run(
        {"x": _walk(178, 4)}, {**_period(0, 4), "min_history": 1, "horizon": 1, "target": "change", "season": 2}
    ),
    "tiny-vintages": Run(
        {
            "x": lambda: data.rebased(daily(data.walk(179, 12)), 3, 1.25),
            "y": lambda: data.filled_in(daily(data.walk(180, 10)), 13, 0.5),
        },
        {**_period(0, 20), "min_history": 1, "horizon": 2, "batch_size_days": 1, "trust_loss": "crps"},
        hindcasts=True,
    ),
    "horizon-out-of-reach": Run(
        {"x": _walk(181, 200), "y": _walk(182, 62)}, {**_period(59, 199), "horizon": 5, "forecasters": FEW}
    ),
    "lengths-and-a-failure": Run(
        {"a": _walk(167, 300), "b": _walk(168, 70), "c": _walk(169, 40), "d": lambda: daily(data.ties(170, 500, 6))},
        {**_period(50, 499), "horizon": 3, "forecasters": FEW},
    ),
}

REVISED: Final[dict[str, Make]] = {
    "x": lambda: data.revised(monthly(data.raised(data.seasonal(171, 110, 12))), 11),
    "y": lambda: data.filled_in(monthly(data.raised(data.walk(172, 100))), 12),
}
GRID: Final[dict[str, Run]] = {
    f"grid-{target}-{actuals}-{calibration}-{loss}": Run(
        REVISED,
        {
            **_years(2003, 2008),
            "target": target,
            "actuals": actuals,
            "calibration": calibration,
            "trust_loss": loss,
            "horizon": 2,
            "season": 12,
        },
    )
    for target, actuals, calibration, loss in itertools.product(
        ("level", "change", "log-change"), ("first", "latest"), ("conformal", "empirical"), ("absolute", "crps")
    )
}

RUNS: Final[dict[str, Run]] = {
    **REAL,
    **SYNTHETIC,
    **SEASONS,
    **VINTAGES,
    **PREDICTORS,
    **OWN,
    **CHOICES,
    **GRID,
}


def pieces_of(name: str) -> RunPieces:
    """Train a run."""
    run = RUNS[name]
    rows = {variable: make() for variable, make in run.rows.items()}
    return train(rows, {"variables": run.variables, **run.spec}, run.forecasters, hindcasts=run.hindcasts)


def digest_of(values: Array) -> str:
    """Return the SHA-256 over the values, in C order, as little-endian float64, with one NaN and no minus zero."""
    canonical = np.where(np.isnan(values), np.nan, values + 0.0)
    return hashlib.sha256(canonical.astype("<f8").tobytes()).hexdigest()


def digests_of(result: RunPieces) -> Document:
    """Return what is recorded of a run."""
    return {
        "digest": result.digest,
        "failures": result.failures,
        "variables": {
            variable: {
                "forecasters": list(result.forecasters[variable]),
                "hashes": {name: digest_of(values) for name, values in pieces.items()},
                "values": {name: numbers(pieces[name]) for name in SPECIAL_PIECES},
            }
            for variable, pieces in result.pieces.items()
        },
    }


def numbers(values: Array) -> list[float | None]:
    """Return a piece's numbers in order of forecasters, then horizons; None for NaN."""
    return [None if np.isnan(value) else value for value in values.ravel().tolist()]


def written(document: Any, depth: int = 0) -> Iterator[str]:
    """Yield JSON with a line for each entry of an object, and lists on one line."""
    if not isinstance(document, dict) or not document:
        yield json.dumps(document)
        return
    for number, (name, entry) in enumerate(document.items()):
        yield f"{',' if number else '{'}\n{' ' * (depth + 1)}{json.dumps(name)}: "
        yield from written(entry, depth + 1)
    yield f"\n{' ' * depth}}}"


def moved(recorded: Document) -> list[str]:
    """Return what of point forecasts is not what was recorded, a line for each run that has moved."""
    lines = []
    for name, before in recorded["runs"].items():
        changed = differences(before, digests_of(pieces_of(name)), of_points=True) if name in RUNS else ["it is gone"]
        if changed:
            lines.append(f"{name}: {'; '.join(changed)}")
    return lines


def record_anew(path: Path = DIGESTS) -> None:
    """Write what the code gives. Raises ValueError where anything of point forecasts has moved."""
    recorded: Document = json.loads(path.read_text(encoding="utf-8"))
    if lines := moved(recorded):
        raise ValueError("\n".join(["point forecasts have moved:", *lines]))
    document = {
        **recorded,
        "numpy": np.__version__,
        "runs": {name: digests_of(pieces_of(name)) for name in RUNS},
    }
    path.write_text("".join(written(document)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.golden.runs", description=__doc__)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--compare", action="store_true", help="say what of point forecasts is not what was recorded")
    action.add_argument("--record-anew", action="store_true", help="write digests.json, unless point forecasts moved")
    if parser.parse_args().record_anew:
        record_anew()
    else:
        sys.stdout.write("\n".join([*moved(json.loads(DIGESTS.read_text(encoding="utf-8"))), "compared", ""]))
