"""The contents of the report as frozen values: no file, no HTML, no plot."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_adapters.published.document import ReliabilityBin

Array = NDArray[np.float64]
Moments = NDArray[np.datetime64]


class Verdict(Enum):
    """What the evidence on the mean loss and the skill together say of a forecaster."""

    BETTER = "better"
    OPEN = "open"
    WORSE = "worse"
    BENCHMARK = "benchmark"
    NOTHING = "not scored"


@attrs.frozen(kw_only=True)
class Standing:
    """How a forecaster stands against the benchmark of a variable at a horizon. None where there is no number.

    `skill` is the share of the benchmark's loss that it saves, with its 95 % `interval`; `trust` is the probability
    that over the next `span` origins its mean loss is lower, `n_effective` the number of independent origins behind it;
    `win_rate` is the chance to come closer at an origin, with its 95 % `win_interval` and the number of `trials`; the
    evidence is log10 of e-values. Where a verdict is not open, `at_one_time` says that the evidence would not do for
    one who looks again and again. `over_simple` is the skill for MAE against the best simple forecaster, `simple`.
    """

    forecaster: str | None
    benchmark: str
    verdict: Verdict
    span: int | None = None
    discovery: bool = False
    at_one_time: bool = False
    skill: float | None = None
    interval: tuple[float, float] | None = None
    trust: float | None = None
    n_effective: float | None = None
    win_rate: float | None = None
    win_interval: tuple[float, float] | None = None
    trials: float | None = None
    log10_e: float | None = None
    log10_e_against: float | None = None
    over_simple: float | None = None
    simple: str | None = None


@attrs.frozen(kw_only=True, eq=False)
class Row:
    """A row of the summary: how the best forecaster of a variable stands at a horizon.

    `coverage` is the share of actuals in its 80 % interval, None without one; `errors` and `trusts` are its MASE and
    trust batch by batch, for a small plot.
    """

    variable: str
    horizon: int
    standing: Standing
    coverage: float | None
    errors: Array
    trusts: Array

    @property
    def best(self) -> str | None:
        """The best forecaster, None where none was scored."""
        return self.standing.forecaster

    @property
    def verdict(self) -> Verdict:
        """The verdict of it."""
        return self.standing.verdict


@attrs.frozen(eq=False)
class TrustPath:
    """Trust at the end of each batch, and the evidence for and against at some origins."""

    ends: Moments
    trust: Array
    evidence_at: Moments
    log10_e: Array
    log10_e_against: Array


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
    """The details of a variable; None for a view whose hindcasts were not written.

    `focus` is the standing, one step ahead, of the forecaster that is shown; `loss` is what verdicts are about.
    """

    variable: str
    focus: Standing
    row: Row
    trends: bool
    """Whether its benchmark trends."""
    loss: str
    scored: int
    """The number of origins at which the focus was scored."""
    known_at: str
    observations: int
    season: str
    """The season that the variable was forecast with, and why."""
    batch_edges: Moments
    trust: TrustPath
    skills: tuple[SkillCurve, ...]
    heat: Heat
    fan: Fan | None
    calibration: Calibration
    weights: Weights | None
    residuals: Residuals | None

    @property
    def focus_name(self) -> str:
        """The name of the forecaster that is shown."""
        return self.focus.forecaster or ""

    @property
    def benchmark(self) -> str:
        """The variable's benchmark."""
        return self.focus.benchmark


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
    """The name that stands for the benchmark in a sentence, also where variables have their own."""
    loss: str
    """What verdicts are about: error or CRPS."""
    span: str
    """The origins that trust looks ahead, in words."""
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
    cautions: tuple[str, ...]
    """What must be told beside the numbers."""
    reliability: tuple[ReliabilityBin, ...]
    missing: tuple[str, ...]
    """Views that are missing, and how to get them."""
    failures: tuple[tuple[str, str, str], ...]
    units: tuple[tuple[str, int], ...]
    data: tuple[tuple[str, ...], ...]
    milestones: tuple[Milestone, ...]
    origins: tuple[tuple[date, int], ...]
