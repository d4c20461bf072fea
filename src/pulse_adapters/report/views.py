"""The contents of the report as frozen values: no file, no HTML, no plot."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum

import attrs
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Moments = NDArray[np.datetime64]


class Verdict(Enum):
    """What a reader may conclude about the best forecaster of a variable."""

    PROVEN = "beyond chance"
    LIKELY = "likely better"
    OPEN = "not shown"
    BENCHMARK = "benchmark best"
    NOTHING = "not scored"


@attrs.frozen(kw_only=True, eq=False)
class Row:
    """A row of the summary: the best forecaster of a variable at a horizon. None where there is no number.

    `skill`, `low`, `high`: the share of the benchmark's MAE that it saves, with its jackknife interval; `trust` with
    its credible interval; `coverage`: the share of actuals in its 80 % interval; `errors` and `trusts`: its MASE and
    trust batch by batch, for a small plot.
    """

    variable: str
    horizon: int
    best: str | None
    verdict: Verdict
    scored: int
    skill: float | None
    low: float | None
    high: float | None
    trust: float | None
    trust_low: float | None
    trust_high: float | None
    log10_e: float | None
    coverage: float | None
    errors: Array
    trusts: Array


@attrs.frozen(eq=False)
class TrustPath:
    """Trust at the end of each batch with its credible band, and the evidence origin by origin."""

    ends: Moments
    mean: Array
    low: Array
    high: Array
    evidence_at: Moments
    log10_e: Array


@attrs.frozen(eq=False)
class SkillCurve:
    """A forecaster's skill by horizon, 1 and on, with its interval; NaN where there is none."""

    forecaster: str
    skill: Array
    low: Array
    high: Array


@attrs.frozen(eq=False)
class Fan:
    """One-step hindcasts at their targets, with quantiles (level, target) and actual values."""

    target: Moments
    point: Array
    quantiles: Array
    actual: Array

    def __len__(self) -> int:
        return len(self.target)


@attrs.frozen(eq=False)
class Calibration:
    """Actual shares of intervals (by per cent), at or below quantiles (by level), and between the levels."""

    coverage: dict[int, float]
    levels: Array
    below: Array
    mass: Array
    count: int


@attrs.frozen(eq=False)
class Weights:
    """The ensemble's weights (forecaster, batch) one step ahead, at the last origin of each batch."""

    starts: Moments
    forecasters: tuple[str, ...]
    values: Array


@attrs.frozen(eq=False)
class Heat:
    """MAE of each forecaster over the benchmark's (forecaster, batch), and the benchmark's MASE (batch,)."""

    starts: Moments
    ends: Moments
    forecasters: tuple[str, ...]
    ratio: Array
    hardness: Array


@attrs.frozen
class Anomaly:
    """An outlier or a break among errors: its kind, its time, and its description."""

    kind: str
    when: datetime
    text: str


@attrs.frozen(eq=False)
class Residuals:
    """One-step errors at their targets, whether each is an outlier, and the anomalies in words."""

    target: Moments
    error: Array
    outlier: NDArray[np.bool_]
    anomalies: tuple[Anomaly, ...]


@attrs.frozen(kw_only=True, eq=False)
class Detail:
    """The details of a variable; None for a view whose hindcasts were not written."""

    variable: str
    focus: str
    benchmark: str
    row: Row
    known_at: str
    observations: int
    batch_edges: Moments
    trust: TrustPath
    skills: tuple[SkillCurve, ...]
    heat: Heat
    fan: Fan | None
    calibration: Calibration
    weights: Weights | None
    residuals: Residuals | None


@attrs.frozen
class Milestone:
    """An event of the run's log."""

    at: datetime
    text: str
    finished: int | None = None


@attrs.frozen(kw_only=True, eq=False)
class Report:
    """The whole report."""

    run_id: str
    benchmark: str
    horizon: int
    forecasters: int
    variables: int
    observations: int
    start: date
    end: date
    facts: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    horizons: tuple[int, ...]
    details: tuple[Detail, ...]
    selection: str
    """How the variables with details were selected; empty where all are shown."""
    missing: tuple[str, ...]
    """Views that are missing, and how to get them."""
    failures: tuple[tuple[str, str, str], ...]
    units: tuple[tuple[str, int], ...]
    data: tuple[tuple[str, ...], ...]
    milestones: tuple[Milestone, ...]
    origins: tuple[tuple[date, int], ...]
