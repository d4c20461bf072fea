"""Results: what a run records, sums up and returns, by variable, unit and run; and the digest."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.arrays import counts, floats, integers, names, singles
from pulse_core.data.seasons import Seasonality
from pulse_core.errors import PulseError
from pulse_core.plan import Batch
from pulse_core.scores.evidence import discoveries
from pulse_core.scores.measures import MEASURES
from pulse_core.scores.reliability import Reliability, reliability_of
from pulse_core.scores.trust import STATE
from pulse_core.scores.verdict import SKILL
from pulse_core.spec import RunSpec
from pulse_core.tables import PartFacts

TRUST: Final = (
    *("probability", "n_effective"),
    *("win_rate", "win_rate_low", "win_rate_high", "win_rate_trials"),
    *("log10_e", "log10_e_against", "log10_e_wins"),
    *("skill_low", "skill_high"),
)
"""What a forecaster at a horizon has shown against the benchmark, NaN where there is nothing to tell.

The trust, a probability, with the effective number of origins behind it; the chance to win, its 95 % interval and the
effective number of wins and losses; the evidence (log10 of an e-value) for the forecaster, against it, and for it by
wins alone; the 95 % interval of its skill. See scores.trust, scores.win_rate, scores.evidence and scores.jackknife.
"""

STATISTICS: Final = (*STATE, "dm_statistic", "dm_count")
"""What trust, win rate and the Diebold-Mariano test are made of; the digest holds these, not the probabilities."""

RELIABILITY: Final = ("count", "trust", "true", "blocks")
"""Of the trusts quoted in a bin: how many came of age, their sum, how many came true, on how many blocks of origins."""

_MAE: Final = MEASURES.index("mae")


@attrs.frozen
class DataFacts:
    """What was read of a variable: SHA-256 of the rows known by the end, counts, first and last timestamp."""

    fingerprint: str
    observations: int
    absent: int
    first: str
    last: str
    known_at: str
    """The rule that said when rows became known: `column`, `timestamp`, `period-end (1 months)`, `+Nd`.

    With the time zone of the periods where it is not UTC: `period-end (1 months, Europe/Berlin)`.
    """
    caution: str = ""
    """What is doubtful about the source, such as a last line without an end; '' where nothing is."""


@attrs.frozen
class DataSnapshot:
    """What one version of a variable's data holds for a run up to `last_day` (ISO 8601).

    Where it is `settled`, the version holds the same for any later day.
    """

    variable: str
    facts: DataFacts
    last_day: str
    settled: bool

    def holds_on(self, day: date) -> bool:
        """Whether that version holds the same for a run up to this day."""
        last_day = date.fromisoformat(self.last_day)
        return last_day == day or (self.settled and last_day < day)


class ByContent:
    """Equal to one of the same class that holds the same bits; pickled by way of the constructor, which freezes."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and _same(self, other)

    __hash__ = None  # type: ignore[assignment]  # equal by content, and arrays have no hash

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), attrs.astuple(self, recurse=False)  # type: ignore[arg-type]  # of an attrs class


@attrs.frozen(eq=False)
class VariableBacktest(ByContent):
    """What a variable's backtest comes to, which its scores are aggregated from. Independent of the end date.

    It is kept in memory only; VariableScores and VariableBatches are recorded.

    Shapes: `total` (forecaster, horizon, sum), over all batches in order; `losses` (2, batch, forecaster, horizon),
    the sums of a forecaster's and of the benchmark's losses on their common origins, by the loss that trust goes
    by; `n`, `mae`, `mase`, `crps`, `won`, `lost` and `trust` as in VariableBatches; `batches` and `origins` (batch,);
    `statistics` (forecaster, horizon, STATISTICS); `evidence` (forecaster, horizon, 3), as the three log10_e of
    TRUST; `reliability` (horizon, bin, RELIABILITY); the ensemble's `weights` (forecaster, horizon), its `regret`
    and `bound` (horizon,); NaN where there is none; `beyond_reason` (forecaster, horizon), how
    many forecasts of the period were. `batches` are the indexes of those that have an origin, in order.
    Values are scaled by 2**-exponent. A forecaster that the variable cannot use (see Forecaster.seasons_needed) has no
    row. Wins and losses stand in the batch in which the outcome became known. Of the simple
    forecasters (see `scores.simple`): `simple_losses` (simple, forecaster, horizon, 2) are the sums of absolute errors
    of a forecaster and the simple one on their common origins, `simple_evidence` (simple, horizon) is log10 e for the
    simple one against the benchmark, `bias` (horizon, 2) the statistic that the benchmark's mean error is 0, and its
    number of origins.
    """

    variable: str
    forecasters: tuple[str, ...] = attrs.field(converter=names)
    benchmark: str
    span: int
    seasonality: Seasonality
    min_history: int
    exponent: int
    total: NDArray[np.float64] = attrs.field(converter=floats)
    losses: NDArray[np.float64] = attrs.field(converter=floats)
    n: NDArray[np.int32] = attrs.field(converter=counts)
    mae: NDArray[np.float64] = attrs.field(converter=floats)
    mase: NDArray[np.float32] = attrs.field(converter=singles)
    crps: NDArray[np.float32] = attrs.field(converter=singles)
    won: NDArray[np.int32] = attrs.field(converter=counts)
    lost: NDArray[np.int32] = attrs.field(converter=counts)
    trust: NDArray[np.float64] = attrs.field(converter=floats)
    batches: NDArray[np.int64] = attrs.field(converter=integers)
    origins: NDArray[np.int64] = attrs.field(converter=integers)
    statistics: NDArray[np.float64] = attrs.field(converter=floats)
    evidence: NDArray[np.float64] = attrs.field(converter=floats)
    reliability: NDArray[np.float64] = attrs.field(converter=floats)
    simple: tuple[str, ...] = attrs.field(converter=names)
    simple_losses: NDArray[np.float64] = attrs.field(converter=floats)
    simple_evidence: NDArray[np.float64] = attrs.field(converter=floats)
    bias: NDArray[np.float64] = attrs.field(converter=floats)
    weights: NDArray[np.float64] = attrs.field(converter=floats)
    regret: NDArray[np.float64] = attrs.field(converter=floats)
    bound: NDArray[np.float64] = attrs.field(converter=floats)
    beyond_reason: NDArray[np.int64] = attrs.field(converter=integers)


@attrs.frozen(eq=False)
class PerOriginRecord(ByContent):
    """What is recorded of a forecaster that is called origin by origin, for a variable and a batch.

    `forecasts` (origin, horizon) and its own `quantiles` (level, origin, horizon), of no level where it brings none.
    """

    variable: str
    forecaster: str
    forecasts: NDArray[np.float64] = attrs.field(converter=floats)
    quantiles: NDArray[np.float64] = attrs.field(converter=floats)

    @quantiles.default
    def _no_quantiles(self) -> NDArray[np.float64]:
        return np.empty((0, *self.forecasts.shape))


class AgainstSimple(ByContent):
    """Has the skill of each forecaster against the simple ones; see VariableScores."""

    __slots__ = ()

    if TYPE_CHECKING:
        forecasters: tuple[str, ...]
        benchmark: str
        simple: tuple[str, ...]
        simple_skill: NDArray[np.float64]

    def best_simple(self, horizon: int) -> str | None:
        """Return the simple forecaster of the least MAE at a horizon (from 1), the earlier of equals; None for none.

        The MAEs are compared by the benchmark's skill against each, on common origins.
        """
        skills = self.simple_skill[:, self.forecasters.index(self.benchmark), horizon - 1].tolist()
        scored = [(skill, index) for index, skill in enumerate(skills) if not math.isnan(skill)]
        return self.simple[min(scored)[1]] if scored else None

    def skill_over_simple(self, horizon: int) -> NDArray[np.float64]:
        """Return each forecaster's skill for MAE against the best simple one at a horizon (from 1); (forecaster,)."""
        name = self.best_simple(horizon)
        if name is None:
            return np.full(len(self.forecasters), np.nan)
        return np.asarray(self.simple_skill[self.simple.index(name), :, horizon - 1])


@attrs.frozen(eq=False)
class VariableScores(AgainstSimple):
    """The scores of a variable over all batches, and how its forecasters stand; NaN where a score is impossible.

    Independent of the end date: `batches` are those that have an origin.

    Shapes: `scores` (forecaster, horizon, measure) in the order of `scores.measures.MEASURES`, `trust` (forecaster,
    horizon, value) in the order of `TRUST`, `statistics` (forecaster, horizon, value) in the order of `STATISTICS`,
    `verdicts` (forecaster, horizon) codes of `scores.verdict`, `reliability` (horizon, bin, RELIABILITY), `origins`
    (batch,) how many each of `batches` has, the ensemble's `weights` (forecaster, horizon), `regret` and `bound`
    (horizon,). `span` is the number of origins that trust looks ahead, `min_history` that of values which the first
    forecast needed. Of the check of the benchmark: `simple` names the simple forecasters, `simple_skill` (simple,
    forecaster, horizon) is the skill for MAE against each, and `trends` (horizon,) is 1 where the benchmark is biased
    or beaten by a simple one, else 0. `beyond_reason` (forecaster, horizon): how many forecasts were, and are none.
    """

    variable: str
    forecasters: tuple[str, ...] = attrs.field(converter=names)
    benchmark: str
    span: int
    seasonality: Seasonality
    min_history: int
    scores: NDArray[np.float64] = attrs.field(converter=floats)
    trust: NDArray[np.float64] = attrs.field(converter=floats)
    statistics: NDArray[np.float64] = attrs.field(converter=floats)
    verdicts: NDArray[np.int64] = attrs.field(converter=integers)
    reliability: NDArray[np.float64] = attrs.field(converter=floats)
    simple: tuple[str, ...] = attrs.field(converter=names)
    simple_skill: NDArray[np.float64] = attrs.field(converter=floats)
    trends: NDArray[np.int64] = attrs.field(converter=integers)
    batches: NDArray[np.int64] = attrs.field(converter=integers)
    origins: NDArray[np.int64] = attrs.field(converter=integers)
    weights: NDArray[np.float64] = attrs.field(converter=floats)
    regret: NDArray[np.float64] = attrs.field(converter=floats)
    bound: NDArray[np.float64] = attrs.field(converter=floats)
    beyond_reason: NDArray[np.int64] = attrs.field(converter=integers)

    def summary(self, data: DataFacts) -> VariableSummary:
        """Return the summary of a variable with these data."""
        return VariableSummary(data=data, **attrs.asdict(self, recurse=False))


@attrs.frozen(eq=False)
class VariableBatches(ByContent):
    """What the table `batches` holds of a variable; NaN where a score is impossible. Independent of the end date.

    All shapes are (batch, forecaster, horizon), over the `batches` that have an origin: their indexes in the run, in
    order. `n` origins were scored with the errors `mae`, `mase` and `crps`; `won` and `lost` stand in the batch in
    which the outcome became known; `trust` is that at its end. Comparisons compute from `n` and `mae`: the rest is for
    the eye, in single precision.
    """

    variable: str
    forecasters: tuple[str, ...] = attrs.field(converter=names)
    batches: NDArray[np.int64] = attrs.field(converter=integers)
    n: NDArray[np.int32] = attrs.field(converter=counts)
    mae: NDArray[np.float64] = attrs.field(converter=floats)
    mase: NDArray[np.float32] = attrs.field(converter=singles)
    crps: NDArray[np.float32] = attrs.field(converter=singles)
    trust: NDArray[np.float32] = attrs.field(converter=singles)
    won: NDArray[np.int32] = attrs.field(converter=counts)
    lost: NDArray[np.int32] = attrs.field(converter=counts)

    @property
    def bytes(self) -> int:
        """The bytes of its arrays that have a row for each batch."""
        return sum(array.nbytes for array in (self.n, self.mae, self.mase, self.crps, self.trust, self.won, self.lost))


@attrs.frozen(eq=False)
class VariableSummary(AgainstSimple):
    """What a run reports of a variable; NaN where a score is impossible.

    Shapes: `scores` (forecaster, horizon, measure) in the order of `scores.measures.MEASURES`, `trust` (forecaster,
    horizon, value) in the order of `TRUST`, `statistics` (forecaster, horizon, value) in the order of `STATISTICS`,
    `verdicts` (forecaster, horizon) codes of `scores.verdict`, `reliability` (horizon, bin, RELIABILITY), `origins`
    (batch,) how many each of `batches` has, the ensemble's `weights` (forecaster, horizon), `regret` and `bound`
    (horizon,). `span` is the number of origins that trust looks ahead, `min_history` that of values which the first
    forecast needed. Of the check of the benchmark: `simple` names the simple forecasters, `simple_skill` (simple,
    forecaster, horizon) is the skill for MAE against each, and `trends` (horizon,) is 1 where the benchmark is biased
    or beaten by a simple one, else 0. `beyond_reason` (forecaster, horizon): how many forecasts were, and are none.
    """

    variable: str
    data: DataFacts
    forecasters: tuple[str, ...] = attrs.field(converter=names)
    benchmark: str
    span: int
    seasonality: Seasonality
    min_history: int
    scores: NDArray[np.float64] = attrs.field(converter=floats)
    trust: NDArray[np.float64] = attrs.field(converter=floats)
    statistics: NDArray[np.float64] = attrs.field(converter=floats)
    verdicts: NDArray[np.int64] = attrs.field(converter=integers)
    reliability: NDArray[np.float64] = attrs.field(converter=floats)
    simple: tuple[str, ...] = attrs.field(converter=names)
    simple_skill: NDArray[np.float64] = attrs.field(converter=floats)
    trends: NDArray[np.int64] = attrs.field(converter=integers)
    batches: NDArray[np.int64] = attrs.field(converter=integers)
    origins: NDArray[np.int64] = attrs.field(converter=integers)
    weights: NDArray[np.float64] = attrs.field(converter=floats)
    regret: NDArray[np.float64] = attrs.field(converter=floats)
    bound: NDArray[np.float64] = attrs.field(converter=floats)
    beyond_reason: NDArray[np.int64] = attrs.field(converter=integers)

    def best(self, horizon: int) -> str | None:
        """Return the forecaster of the least MAE at a horizon (from 1), the earlier of equals; None without a score."""
        errors = self.scores[:, horizon - 1, _MAE].tolist()
        scored = [(error, index) for index, error in enumerate(errors) if not math.isnan(error)]
        return self.forecasters[min(scored)[1]] if scored else None

    def shown(self, name: str) -> NDArray[np.float64]:
        """Return one of TRUST by its name; (forecaster, horizon)."""
        return self.trust[..., TRUST.index(name)]

    def digest(self) -> str:
        """Return the SHA-256 over the variable's name, its forecasters' names, and every score and statistic.

        Probabilities are left out (trust, win rate, p-values), and evidence by wins, which is made of one: they follow
        from statistics and outcomes, to 1e-12 on any machine.
        """
        return self._digest

    @cached_property  # a run asks for it when it publishes, and again for its last event
    def _digest(self) -> str:
        digest = hashlib.sha256("\0".join((self.variable, *self.forecasters)).encode())
        scores = np.delete(self.scores, MEASURES.index("dm_p"), axis=-1)
        evidence = self.trust[..., [TRUST.index(name) for name in ("log10_e", "log10_e_against")]]
        learned = self.weights, self.regret, self.bound, self.beyond_reason.astype(np.float64)
        digest.update(canonical_bytes(scores, self.statistics, evidence, *learned))
        return digest.hexdigest()


Record = VariableScores | VariableBatches | PerOriginRecord | DataSnapshot
"""What a sink keeps under a key."""


@attrs.frozen
class Failure:
    """A variable that could not be done: the kind of error, its message, context and hint."""

    variable: str
    kind: str
    message: str
    context: str
    hint: str

    @classmethod
    def of(cls, variable: str, error: PulseError) -> Failure:
        """Describe an error of a variable."""
        return cls(variable, type(error).__name__, error.message, error.context, error.hint)

    def __str__(self) -> str:
        return str(PulseError(f"{self.variable}: {self.message}", self.context, self.hint))


@attrs.frozen
class UnitResult:
    """What a worker sends back: summaries, failures and the facts of the parts of its unit, not data."""

    summaries: tuple[VariableSummary, ...] = ()
    failures: tuple[Failure, ...] = ()
    recalled: int = 0
    computed: int = 0
    parts: tuple[PartFacts, ...] = ()
    unrepeatable: tuple[str, ...] = ()
    """Forecasters that were asked twice for one forecast and gave two."""
    predictors: tuple[tuple[str, DataFacts], ...] = ()
    """The predictors of the variables, with what was read of them."""


@attrs.frozen
class UnitCounts:
    """How the variables of a run fared. Counted in variables, so that `unit_size` does not show."""

    planned: int
    recalled: int = 0
    computed: int = 0
    failed: int = 0


@attrs.frozen(kw_only=True)
class RunResult:
    """A whole run (or one slice's share of it); `parts` are the parts of its tables, in the order of their names."""

    run_id: str
    spec: RunSpec
    batches: tuple[Batch, ...]
    variables: tuple[VariableSummary, ...]
    failures: tuple[Failure, ...] = ()
    units: UnitCounts
    software: Mapping[str, str] = attrs.field(factory=dict)
    started_at: datetime | None = None
    finished_at: datetime | None = None
    parts: tuple[PartFacts, ...] = attrs.field(default=())
    unrepeatable: tuple[str, ...] = ()
    predictors: Mapping[str, DataFacts] = attrs.field(factory=dict)
    published: tuple[str, ...] = attrs.field(converter=names, default=())

    @property
    def digest(self) -> str:
        """`sha256:` over the variables' digests in name order: scores and statistics, nothing of time or machine."""
        return run_digest(self.variables)

    def to_frame(self) -> Any:
        """Return a pandas DataFrame with a row for each variable, forecaster and horizon.

        Columns: `variable`, `forecaster`, `horizon`, the scores (`scores.measures.MEASURES`), `trust` with
        `n_effective`, the other columns of `TRUST`, `verdict`, the ensemble's `weight`, and `discovery`; NaN where
        there is none. Raises SettingsError where pandas is not installed.
        """
        from pulse_core.frames import run_frame  # heavy, and asked for by few

        return run_frame(self)

    def discoveries(self) -> dict[str, NDArray[np.bool_]]:
        """Return, by variable, which (forecaster, horizon) beat the benchmark at a false discovery rate of 5 %.

        By e-BH over all e-values of the run; none whose skill is not above 0.
        """
        evidence = [summary.shown("log10_e") for summary in self.variables]
        if not evidence:
            return {}
        flags = discoveries(np.concatenate([values.ravel() for values in evidence]))
        ends = np.cumsum([values.size for values in evidence])
        skill = MEASURES.index(SKILL[self.spec.trust_loss])
        return {
            summary.variable: flags[end - values.size : end].reshape(values.shape) & (summary.scores[..., skill] > 0)
            for summary, values, end in zip(self.variables, evidence, ends, strict=True)
        }

    def reliability(self) -> Reliability:
        """Return how often the trusts that the run quoted came true, over all its variables."""
        return reliability_of([summary.reliability for summary in self.variables])


def run_digest(summaries: Iterable[VariableSummary]) -> str:
    """Return the digest of these variables, in name order."""
    digest = hashlib.sha256()
    for summary in sorted(summaries, key=lambda summary: summary.variable):
        digest.update(bytes.fromhex(summary.digest()))
    return f"sha256:{digest.hexdigest()}"


def canonical_bytes(*arrays: NDArray[np.float64]) -> bytes:
    """Return float64 values, array after array, as little-endian bytes with one NaN and no minus zero."""
    values = np.concatenate(arrays, axis=None)  # a copy, in C order
    values += 0.0
    values[np.isnan(values)] = np.nan
    return values.astype("<f8", copy=False).tobytes()


def _same(first: Any, second: Any) -> bool:
    """Whether two results of one class hold the same bits in every field."""
    for field in attrs.fields(type(first)):
        left, right = getattr(first, field.name), getattr(second, field.name)
        if isinstance(left, np.ndarray):
            if left.shape != right.shape or left.tobytes() != right.tobytes():
                return False
        elif left != right:
            return False
    return True
