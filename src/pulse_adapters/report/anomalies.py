"""Anomalies of a forecaster's errors: outliers and breaks, detected by the core and put into words."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from pulse_adapters.report.formats import amount, day
from pulse_adapters.report.views import Anomaly, Array, Moments, Residuals
from pulse_core.scores.residuals import FAR_OUT, Shift, level_shift, modified_z_scores, spread_shift

OUTLIER_LIMIT = 5
SIGNIFICANT = 0.05
PLOTTED_POINTS = 500


def residuals(target: Moments, error: Array) -> Residuals:
    """Return the anomalies of errors that stand in order of targets, and the errors thinned for a plot."""
    score = modified_z_scores(error)
    outlier = np.abs(score) > FAR_OUT
    anomalies = (*_outliers(target, error, score), *_breaks(target, error))
    plotted = _plotted(error, outlier)
    by_time = tuple(sorted(anomalies, key=lambda anomaly: anomaly.when))
    return Residuals(target[plotted], error[plotted], outlier[plotted], by_time)


def _outliers(target: Moments, error: Array, score: Array) -> list[Anomaly]:
    size = np.nan_to_num(np.abs(score))
    largest = np.argsort(-size, kind="stable")[:OUTLIER_LIMIT].tolist()
    return [
        Anomaly(
            "outlier",
            _moment(target[index]),
            f"error of {amount(error[index])}, {size[index]:.1f} robust standard deviations from the middle",
        )
        for index in largest
        if size[index] > FAR_OUT
    ]


def _breaks(target: Moments, error: Array) -> list[Anomaly]:
    breaks = []
    level, spread = level_shift(error), spread_shift(error)
    if level is not None and level.p_value < SIGNIFICANT:
        breaks.append(_break("break in level", "mean error", target, level))
    if spread is not None and spread.p_value < SIGNIFICANT:
        breaks.append(_break("break in spread", "root mean square error", target, spread))
    return breaks


def _break(kind: str, statistic: str, target: Moments, shift: Shift) -> Anomaly:
    start = target[shift.index]
    chance = "p < 0.001" if shift.p_value < 0.001 else f"p = {shift.p_value:.3f}"
    text = f"{statistic} {amount(shift.before)} before {day(start)}, {amount(shift.after)} from then on ({chance})"
    return Anomaly(kind, _moment(start), text)


def _plotted(error: Array, outlier: np.ndarray) -> np.ndarray:
    """Return the indexes to plot: all, or the least and the largest of each bucket, and every outlier."""
    if len(error) <= PLOTTED_POINTS:
        return np.arange(len(error))
    buckets = np.array_split(np.arange(len(error)), PLOTTED_POINTS // 2)
    ends = [bucket[pick(error[bucket])] for bucket in buckets for pick in (np.argmin, np.argmax)]
    return np.unique(np.concatenate([np.array(ends), np.flatnonzero(outlier)]))


def _moment(value: np.datetime64) -> datetime:
    moment: datetime = value.astype("datetime64[us]").item()
    return moment
