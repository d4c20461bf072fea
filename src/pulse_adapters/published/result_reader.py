"""A published run as the report reads it: `result.json`, and which parts of its tables are there."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final, Protocol

import attrs
import msgspec

from pulse_core.errors import MalformedData
from pulse_core.plan import Batch, batches
from pulse_core.spec import RunSpec

RESULT: Final = "result.json"
SCHEMA_VERSION: Final = 2


class Archive(Protocol):
    """Where runs have been published: a folder or a bucket of results."""

    def read(self, run_id: str, name: str) -> bytes:
        """Return a run's file; raises RunNotFound."""

    def parts(self, run_id: str, table: str) -> tuple[str, ...]:
        """Return the names, for `read`, of the files of a run's table, in order."""


class Trust(msgspec.Struct, frozen=True):
    """The trust of a forecaster at a horizon, and the evidence for it."""

    mean: float
    low: float
    high: float
    trials: float
    log10_e: float


class Scores(msgspec.Struct, frozen=True):
    """What the report uses of a forecaster's scores at a horizon; None where a score is impossible."""

    n: int
    mae: float | None
    mase: float | None
    skill_mae: float | None
    coverage: dict[str, float | None]
    trust: Trust | None
    discovery: bool | None


class ForecasterScores(msgspec.Struct, frozen=True):
    """A forecaster's scores by horizon, "1" and on."""

    horizons: dict[str, Scores]


class Variable(msgspec.Struct, frozen=True):
    """A variable's best forecaster by horizon, and its forecasters' scores."""

    best: dict[str, str | None]
    forecasters: dict[str, ForecasterScores]


class Data(msgspec.Struct, frozen=True):
    """What was read of a variable."""

    fingerprint: str
    observations: int
    absent: int
    first: str
    last: str
    known_at: str


class Units(msgspec.Struct, frozen=True):
    """How the variables fared."""

    planned: int
    recalled: int
    computed: int
    failed: int


class Failure(msgspec.Struct, frozen=True):
    """A variable that could not be done."""

    variable: str
    kind: str
    message: str
    context: str
    hint: str


class BatchFacts(msgspec.Struct, frozen=True):
    """A batch and how many origins it has, over all variables."""

    id: str
    start: date
    end: date
    origins: int


class Run(msgspec.Struct, frozen=True):
    """What was run, on what, with what, and when."""

    id: str
    spec: dict[str, object]
    software: dict[str, str]
    data: dict[str, Data]
    units: Units
    started_at: datetime | None
    finished_at: datetime | None
    seconds: float | None


class Document(msgspec.Struct, frozen=True):
    """`result.json`, as far as the report needs it."""

    schema_version: int
    digest: str
    run: Run
    variables_hold: str
    variables: dict[str, Variable]
    batches: list[BatchFacts]
    failures: list[Failure]


@attrs.frozen
class Published:
    """A published run: its document and the names of its tables' parts."""

    document: Document
    spec: RunSpec
    scores: tuple[str, ...]
    hindcasts: tuple[str, ...]

    @property
    def run_id(self) -> str:
        """The run's name in its place."""
        return self.document.run.id

    @property
    def batches(self) -> tuple[Batch, ...]:
        """The batches of the period, in order."""
        return batches(self.spec)


def published(archive: Archive, run_id: str) -> Published:
    """Read a run's document. Raises RunNotFound; MalformedData where it is none of this version; SinkUnavailable."""
    content = archive.read(run_id, RESULT)
    context = f"{run_id}/{RESULT}"
    hint = "Run the same training again with this version of Pulse"
    try:
        document = msgspec.json.decode(content, type=Document)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise MalformedData(f"not the result of a run: {error}", context, hint) from error
    if document.schema_version != SCHEMA_VERSION:
        message = f"its schema version is {document.schema_version}; this version of Pulse reads {SCHEMA_VERSION}"
        raise MalformedData(message, context, hint)
    return Published(
        document,
        RunSpec.from_document(document.run.spec),
        archive.parts(run_id, "scores"),
        archive.parts(run_id, "hindcasts"),
    )
