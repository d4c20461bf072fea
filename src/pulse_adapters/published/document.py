"""The document `result.json` as typed values; docs/result.schema.json describes every field."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

SCHEMA_VERSION: Final = 2
"""The version of the document that this version of Pulse writes and reads."""

RESULT: Final = "result.json"
"""The name of the document in a run's folder."""

Nulls = dict[str, str] | UnsetType
"""The reasons of nulls by name; absent without nulls."""


class Trust(msgspec.Struct, frozen=True):
    """The trust of a forecaster at a horizon, and the evidence for it."""

    mean: float
    low: float
    high: float
    trials: float
    log10_e: float


class Scores(msgspec.Struct, frozen=True):
    """The scores of a forecaster at a horizon; None where a score has no value.

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
    trust: Trust | None
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


class Variable(msgspec.Struct, frozen=True):
    """A variable's best forecaster by horizon, its ensemble, and the scores of its forecasters."""

    best: dict[str, str | None]
    ensemble: Ensemble | None
    forecasters: dict[str, ForecasterScores]


class Data(msgspec.Struct, frozen=True):
    """The rows that were read of a variable."""

    fingerprint: str
    observations: int
    absent: int
    first: str
    last: str
    known_at: str


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


class Run(msgspec.Struct, frozen=True):
    """The spec of a run, its data, its software, and its times."""

    id: str
    spec: dict[str, object]
    software: dict[str, str]
    data: dict[str, Data]
    units: Units
    started_at: datetime | None
    finished_at: datetime | None
    seconds: float | None


class Document(msgspec.Struct, frozen=True):
    """`result.json`."""

    schema_version: int
    digest: str
    run: Run
    variables_hold: str
    variables: dict[str, Variable]
    batches: list[BatchFacts]
    failures: list[Failure]


class Period(msgspec.Struct, frozen=True):
    """The period of a spec."""

    start: date
    end: date


class RunHead(msgspec.Struct, frozen=True):
    """The part of a run that a list of runs shows."""

    spec: Period
    units: Units


class Head(msgspec.Struct, frozen=True):
    """The part of `result.json` that a list of runs shows; reading it skips the variables."""

    schema_version: int
    digest: str
    run: RunHead
