"""Residual oddities: errors far out and breaks, found by the core and put into words."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from pulse_adapters.report.numbers import amount, day
from pulse_adapters.report.views import Array, Moments, Oddity, Residuals
from pulse_core.scores.residuals import FAR_OUT, Shift, level_shift, modified_z_scores, spread_shift

NAMED_OUTLIERS = 5
SIGNIFICANT = 0.05
SHOWN_POINTS = 500


def residuals(target: Moments, error: Array) -> Residuals:
    """Name what is odd about errors in order of their targets, and thin them for a plot; outliers are kept."""
    score = modified_z_scores(error)
    outlier = np.abs(score) > FAR_OUT
    oddities = (*_outliers(target, error, score), *_breaks(target, error))
    kept = _kept(error, outlier)
    return Residuals(target[kept], error[kept], outlier[kept], tuple(sorted(oddities, key=lambda one: one.when)))


def _outliers(target: Moments, error: Array, score: Array) -> list[Oddity]:
    size = np.nan_to_num(np.abs(score))
    places = [place for place in np.argsort(-size, kind="stable")[:NAMED_OUTLIERS].tolist() if size[place] > FAR_OUT]
    return [
        Oddity(
            "outlier",
            _moment(target[place]),
            f"error of {amount(error[place])}, {size[place]:.1f} robust standard deviations from the middle",
        )
        for place in places
    ]


def _breaks(target: Moments, error: Array) -> list[Oddity]:
    found = []
    level, spread = level_shift(error), spread_shift(error)
    if level is not None and level.p_value < SIGNIFICANT:
        found.append(_break("break in level", "mean error", target, level))
    if spread is not None and spread.p_value < SIGNIFICANT:
        found.append(_break("break in spread", "root mean square error", target, spread))
    return found


def _break(kind: str, of: str, target: Moments, shift: Shift) -> Oddity:
    chance = "p < 0.001" if shift.p_value < 0.001 else f"p = {shift.p_value:.3f}"
    text = (
        f"{of} {amount(shift.before)} before {day(target[shift.index])}, {amount(shift.after)} from then on ({chance})"
    )
    return Oddity(kind, _moment(target[shift.index]), text)


def _kept(error: Array, outlier: np.ndarray) -> np.ndarray:
    """Return the places to plot: all, or the least and the largest of each bucket, and every outlier."""
    if len(error) <= SHOWN_POINTS:
        return np.arange(len(error))
    buckets = np.array_split(np.arange(len(error)), SHOWN_POINTS // 2)
    ends = [bucket[pick(error[bucket])] for bucket in buckets for pick in (np.argmin, np.argmax)]
    return np.unique(np.concatenate([np.array(ends), np.flatnonzero(outlier)]))


def _moment(value: np.datetime64) -> datetime:
    moment: datetime = value.astype("datetime64[us]").item()
    return moment
