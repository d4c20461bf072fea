"""Results: what a run records, sums up and returns, by variable, unit and run; and the digest."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import cached_property
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.arrays import floats, integers, names
from pulse_core.errors import PulseError
from pulse_core.plan import Batch
from pulse_core.scores.evidence import discoveries
from pulse_core.scores.measures import MEASURES
from pulse_core.scores.sums import BatchSums
from pulse_core.spec import RunSpec

TRUST: Final = ("mean", "low", "high", "trials", "log10_e")
"""The trust of a forecaster at a horizon: posterior mean, 95 % credible interval, effective number of trials, and
the evidence (log10 of an e-value) against "at most as good as the benchmark"."""


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
    """The rule that said when rows became known: `column`, `timestamp`, `period-end (1 months)`, `+Nd`."""


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


@attrs.frozen
class PartOwner:
    """The run that first wrote a part of a table; the part's name hashes its content, so other runs may copy it."""

    part: str
    run_id: str


class ByContent:
    """Equal to one of the same class that holds the same bits; pickled by way of the constructor, which freezes."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and _same(self, other)

    __hash__ = None  # type: ignore[assignment]  # equal by content, and arrays have no hash

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), attrs.astuple(self, recurse=False)  # type: ignore[arg-type]  # of an attrs class


@attrs.frozen(eq=False)
class VariableRecord(ByContent):
    """What is recorded of a variable: all that its scores and trust are aggregated from. Independent of the end date.

    Shapes: `sums` (batch, forecaster, horizon, sum), `wins` and `losses` (batch, forecaster, horizon), `origins`
    (batch,), `dm_p`, `log10_e` and the ensemble's `weights` (forecaster, horizon), its `regret` and `bound` (horizon,);
    NaN where there is none. Batches run from the first of the period to the last that the rows touch. Values are scaled
    by 2**-exponent. Wins and losses are weighted, and stand in the batch in which the outcome became known.
    """

    variable: str
    forecasters: tuple[str, ...] = attrs.field(converter=names)
    exponent: int
    sums: BatchSums
    wins: NDArray[np.float64] = attrs.field(converter=floats)
    losses: NDArray[np.float64] = attrs.field(converter=floats)
    origins: NDArray[np.int64] = attrs.field(converter=integers)
    dm_p: NDArray[np.float64] = attrs.field(converter=floats)
    log10_e: NDArray[np.float64] = attrs.field(converter=floats)
    weights: NDArray[np.float64] = attrs.field(converter=floats)
    regret: NDArray[np.float64] = attrs.field(converter=floats)
    bound: NDArray[np.float64] = attrs.field(converter=floats)


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


@attrs.frozen(eq=False)
class VariableScores(ByContent):
    """What a variable's record was aggregated to last; NaN where a score is impossible.

    It is small, and spares whoever repeats a run the record itself. `aggregation` is a hash of what the aggregation
    depended on besides the record; see runs.keys.aggregation_key.

    Shapes: `scores` (forecaster, horizon, measure) in the order of `scores.measures.MEASURES`, `trust` (forecaster,
    horizon, 5) in the order of `TRUST`, `origins` (batch,), the ensemble's `weights` (forecaster, horizon), `regret`
    and `bound` (horizon,).
    """

    variable: str
    aggregation: str
    forecasters: tuple[str, ...] = attrs.field(converter=names)
    scores: NDArray[np.float64] = attrs.field(converter=floats)
    trust: NDArray[np.float64] = attrs.field(converter=floats)
    origins: NDArray[np.int64] = attrs.field(converter=integers)
    weights: NDArray[np.float64] = attrs.field(converter=floats)
    regret: NDArray[np.float64] = attrs.field(converter=floats)
    bound: NDArray[np.float64] = attrs.field(converter=floats)

    def summary(self, data: DataFacts) -> VariableSummary:
        """Return the summary of a variable with these data."""
        return VariableSummary(
            variable=self.variable,
            data=data,
            forecasters=self.forecasters,
            scores=self.scores,
            trust=self.trust,
            origins=self.origins,
            weights=self.weights,
            regret=self.regret,
            bound=self.bound,
        )


@attrs.frozen(eq=False)
class VariableSummary(ByContent):
    """What a run reports of a variable; NaN where a score is impossible.

    Shapes: `scores` (forecaster, horizon, measure) in the order of `scores.measures.MEASURES`, `trust` (forecaster,
    horizon, 5) in the order of `TRUST`, `origins` (batch,), the ensemble's `weights` (forecaster, horizon), `regret`
    and `bound` (horizon,).
    """

    variable: str
    data: DataFacts
    forecasters: tuple[str, ...] = attrs.field(converter=names)
    scores: NDArray[np.float64] = attrs.field(converter=floats)
    trust: NDArray[np.float64] = attrs.field(converter=floats)
    origins: NDArray[np.int64] = attrs.field(converter=integers)
    weights: NDArray[np.float64] = attrs.field(converter=floats)
    regret: NDArray[np.float64] = attrs.field(converter=floats)
    bound: NDArray[np.float64] = attrs.field(converter=floats)

    def best(self, horizon: int) -> str | None:
        """Return the forecaster of the least MAE at a horizon (from 1), the earlier of equals; None without a score."""
        errors = self.scores[:, horizon - 1, _MAE].tolist()
        scored = [(error, index) for index, error in enumerate(errors) if not math.isnan(error)]
        return self.forecasters[min(scored)[1]] if scored else None

    def digest(self) -> str:
        """Return the SHA-256 over the variable's name, its forecasters' names, and every score and trust."""
        return self._digest

    @cached_property  # a run asks for it when it publishes, and again for its last event
    def _digest(self) -> str:
        digest = hashlib.sha256("\0".join((self.variable, *self.forecasters)).encode())
        digest.update(canonical_bytes(self.scores, self.trust, self.weights, self.regret, self.bound))
        return digest.hexdigest()


Record = VariableRecord | PerOriginRecord | VariableScores | DataSnapshot | PartOwner
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
    """What a worker sends back: summaries, failures and the names of the parts it wrote, not data."""

    summaries: tuple[VariableSummary, ...] = ()
    failures: tuple[Failure, ...] = ()
    recalled: int = 0
    computed: int = 0
    parts: tuple[str, ...] = ()


@attrs.frozen
class UnitCounts:
    """How the variables of a run fared. Counted in variables, so that `unit_size` does not show."""

    planned: int
    recalled: int = 0
    computed: int = 0
    failed: int = 0


@attrs.frozen(kw_only=True)
class RunResult:
    """A whole run (or one slice's share of it); `parts` names the parts of its tables that workers wrote."""

    run_id: str
    spec: RunSpec
    batches: tuple[Batch, ...]
    variables: tuple[VariableSummary, ...]
    failures: tuple[Failure, ...] = ()
    units: UnitCounts
    software: Mapping[str, str] = attrs.field(factory=dict)
    started_at: datetime | None = None
    finished_at: datetime | None = None
    parts: tuple[str, ...] = attrs.field(converter=names, default=())
    published: tuple[str, ...] = attrs.field(converter=names, default=())

    @property
    def digest(self) -> str:
        """`sha256:` over the variables' digests in name order: every score and trust, nothing of time or machine."""
        return run_digest(self.variables)

    def to_frame(self) -> Any:
        """Return a pandas DataFrame with a row for each variable, forecaster and horizon.

        Columns: `variable`, `forecaster`, `horizon`, the scores (`scores.measures.MEASURES`), `trust` with `trust_low`,
        `trust_high` and `trials`, `log10_e`, the ensemble's `weight`, and `discovery`; NaN where there is none. Raises
        SettingsError where pandas is not installed.
        """
        from pulse_core.frames import run_frame  # heavy, and asked for by few

        return run_frame(self)

    def discoveries(self) -> dict[str, NDArray[np.bool_]]:
        """Return, by variable, which (forecaster, horizon) beat the benchmark at a false discovery rate of 5 %.

        By e-BH over all e-values of the run.
        """
        evidence = [summary.trust[..., TRUST.index("log10_e")] for summary in self.variables]
        if not evidence:
            return {}
        flags = discoveries(np.concatenate([values.ravel() for values in evidence]))
        ends = np.cumsum([values.size for values in evidence])
        return {
            summary.variable: flags[end - values.size : end].reshape(values.shape)
            for summary, values, end in zip(self.variables, evidence, ends, strict=True)
        }


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
