"""The document `result.json` as typed values; docs/result.schema.json describes every field."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

SCHEMA_VERSION: Final = 4
"""The version of the document that this version of Pulse writes and reads."""

RESULT: Final = "result.json"
"""The name of the document in a run's folder."""

Verdict = Literal["better", "worse", "open"]
"""The names of `scores.verdict`."""

Source = Literal["given", "calendar", "test"]
"""Where a season comes from, or that there is none; the names of `data.seasons.SOURCES`."""

Nulls = dict[str, str] | UnsetType
"""The reasons of nulls by name; absent without nulls."""


class Trust(msgspec.Struct, frozen=True):
    """The probability that over the next `span` origins a forecaster's mean loss is below the benchmark's.

    `n_effective` is the number of independent origins that it rests on.
    """

    probability: float
    span: int
    n_effective: float


class WinRate(msgspec.Struct, frozen=True):
    """The chance to come closer than the benchmark at an origin, its 95 % interval, and the wins and losses behind."""

    mean: float
    low: float
    high: float
    trials: float


class Interval(msgspec.Struct, frozen=True):
    """A 95 % confidence interval."""

    low: float
    high: float


class Scores(msgspec.Struct, frozen=True):
    """The scores of a forecaster at a horizon, and how it stands against the benchmark; None where there is no value.

    `pinball` is keyed by level, `coverage` and `width` by the central interval in per cent.
    """

    n: int
    me: float | None
    mae: float | None
    rmse: float | None
    mase: float | None
    rmsse: float | None
    smape: float | None
    hit_rate: float | None
    hit_rate_count: int | None
    skill_mae: float | None
    skill_mse: float | None
    crps: float | None
    skill_crps: float | None
    mean_quantile_loss: float | None
    pinball: dict[str, float | None]
    coverage: dict[str, float | None]
    width: dict[str, float | None]
    interval_score: float | None
    msis: float | None
    dm_p: float | None
    skill_over_simple: float | None
    skill_interval: Interval | None
    trust: Trust | None
    win_rate: WinRate | None
    log10_e: float | None
    log10_e_against: float | None
    log10_e_wins: float | None
    verdict: Verdict | None
    anytime: bool | None
    discovery: bool | None
    nulls: Nulls = UNSET


class ForecasterScores(msgspec.Struct, frozen=True):
    """The scores of a forecaster by horizon, from "1"."""

    horizons: dict[str, Scores]


class Ensemble(msgspec.Struct, frozen=True):
    """What the ensemble learned, by horizon: the weights of its members, its regret, and the bound of the regret."""

    weights: dict[str, dict[str, float]]
    regret: dict[str, float | None]
    bound: dict[str, float | None]
    nulls: Nulls = UNSET


class Benchmark(msgspec.Struct, frozen=True):
    """A variable's benchmark: whether it trends, and the simple forecaster of the least MAE by horizon.

    `instead_of` is the run's benchmark where that needs a season which the variable has not: naive takes its place.
    """

    name: str
    trends: bool
    best_simple: dict[str, str | None]
    instead_of: str | UnsetType = UNSET
    nulls: Nulls = UNSET


class Season(msgspec.Struct, frozen=True):
    """How many steps a variable's seasons have, the shortest first, where they come from, and why."""

    periods: list[int]
    source: Source
    reason: str


class Unusable(msgspec.Struct, frozen=True):
    """The forecasters of a run that a variable cannot use, and why."""

    forecasters: list[str]
    reason: str


class BestScores(msgspec.Struct, frozen=True):
    """How the best forecaster of a variable stands at a horizon; None where there is no value."""

    mae: float | None
    skill: float | None
    trust: float | None
    verdict: Verdict | None


class Variable(msgspec.Struct, frozen=True):
    """A variable's digest, its benchmark, its best forecaster by horizon, and scores.

    `span` is the number of origins that trust looks ahead, `min_history` that of values which the first forecast
    needed. `beyond_reason` says by forecaster and horizon how many forecasts were beyond reason, where any were.
    `unusable` are those of the run's forecasters that need seasons which the variable has not; absent where none does.
    A complete document has the ensemble and the scores of all forecasters, a summary `best_scores` in place of both:
    the table `scores` holds the others. `best` and `best_scores` of a summary are of some horizons only.
    """

    digest: str
    span: int
    season: Season
    min_history: int
    benchmark: Benchmark
    best: dict[str, str | None]
    beyond_reason: dict[str, dict[str, int]]
    unusable: Unusable | UnsetType = UNSET
    nulls: Nulls = UNSET
    best_scores: dict[str, BestScores | None] | UnsetType = UNSET
    ensemble: Ensemble | None = None
    forecasters: dict[str, ForecasterScores] = {}  # msgspec copies it for every value


class Named(msgspec.Struct, frozen=True):
    """A benchmark's name."""

    name: str


class Periods(msgspec.Struct, frozen=True):
    """How many steps a variable's seasons have."""

    periods: list[int]


class VariableHead(msgspec.Struct, frozen=True):
    """The part of a variable that lists and comparisons of runs read of every one."""

    digest: str
    season: Periods
    benchmark: Named


class Data(msgspec.Struct, frozen=True):
    """The rows that were read of a variable; `caution` says what is doubtful about their source, absent if nothing."""

    fingerprint: str
    observations: int
    absent: int
    first: str
    last: str
    known_at: str
    caution: str | UnsetType = UNSET


class Units(msgspec.Struct, frozen=True):
    """The numbers of variables by what happened to them."""

    planned: int
    recalled: int
    computed: int
    failed: int


class Failure(msgspec.Struct, frozen=True):
    """A variable that failed, with its error."""

    variable: str
    kind: str
    message: str
    context: str
    hint: str


class BatchFacts(msgspec.Struct, frozen=True):
    """A batch, and the number of its origins over all variables."""

    id: str
    start: date
    end: date
    origins: int


class Part(msgspec.Struct, frozen=True):
    """A file of a table: its name and size, the SHA-256 of its bytes, and the range of names of its variables.

    `content` hashes what its rows were made of.
    """

    name: str
    content: str
    rows: int
    bytes: int
    sha256: str
    first: str
    last: str

    @property
    def table(self) -> str:
        """The name of the table."""
        return self.name.partition("/")[0]

    def holds(self, variable: str) -> bool:
        """Whether a variable's name lies in the range: the part may have rows of it."""
        return self.first <= variable <= self.last


class Discoveries(msgspec.Struct, frozen=True):
    """How many forecasters at a horizon are discoveries, and the least `log10_e` of one; None without any."""

    count: int
    log10_e: float | None


class ReliabilityBin(msgspec.Struct, frozen=True):
    """Trusts from `low` up to `high` at a horizon that have come of age: how many, their mean, the share come true."""

    horizon: int
    low: float
    high: float
    count: int
    pairs: int
    trust: float
    true: float
    band_low: float | None
    band_high: float | None
    bad: bool
    nulls: Nulls = UNSET


class Run(msgspec.Struct, frozen=True):
    """The spec of a run, its data, its software, and its times.

    `unrepeatable` are forecasters that gave two forecasts of one history; absent where none did. `predictors` are the
    data of the run's predictors; absent where it has none.
    """

    id: str
    spec: dict[str, object]
    software: dict[str, str]
    data: dict[str, Data]
    units: Units
    started_at: datetime | None
    finished_at: datetime | None
    seconds: float | None
    unrepeatable: list[str] | UnsetType = UNSET
    predictors: dict[str, Data] | UnsetType = UNSET


class Document(msgspec.Struct, frozen=True):
    """`result.json`; its variables are decoded one by one, when they are asked for."""

    schema_version: int
    digest: str
    run: Run
    tables: dict[str, list[Part]]
    batches: list[BatchFacts]
    reliability: list[ReliabilityBin]
    discoveries: Discoveries
    failures: list[Failure]
    variables_hold: str
    variables: dict[str, msgspec.Raw]
    seal: str


class Period(msgspec.Struct, frozen=True):
    """The period of a spec."""

    start: date
    end: date


class RunHead(msgspec.Struct, frozen=True):
    """The part of a run that a list of runs shows."""

    id: str
    spec: Period
    units: Units


class Head(msgspec.Struct, frozen=True):
    """The part of `result.json` that a list of runs shows; reading it skips the variables."""

    schema_version: int
    digest: str
    run: RunHead
