"""The key of a record: a hash of all that its numbers depend on, and of nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from pulse_core.forecasters import Roster
from pulse_core.forecasters.base import Forecaster, brings_quantiles
from pulse_core.plan import Batch, batches
from pulse_core.series import KnownRows
from pulse_core.spec import RunSpec
from pulse_core.version import METHOD_REVISION, __version__

_NOT_IN_THE_NUMBERS: Final = ("variables", "end", "batch_limit", "trust_decay", "forecasters", "known_at")
"""Fields that act through the rows read (end, known_at), the fold (trust_decay), or the roster (forecasters)."""


def hindcast_key(spec: RunSpec, forecaster: Forecaster, rows: KnownRows, batch: Batch) -> str:
    """Return the key of a slow forecaster's hindcasts in one batch; `rows` are those known by its end."""
    fields = spec.to_document()
    return _hash(
        {
            "spec": {name: fields[name] for name in ("horizon", "min_history", "target", "refit_every")},
            "forecaster": [forecaster.name, forecaster.version, brings_quantiles(forecaster)],
            "batch": [batch.start.isoformat(), spec.batch_size_days],
            **_facts(rows),
        }
    )


def record_key(
    spec: RunSpec,
    roster: Roster,
    rows: KnownRows,
    predictors: Sequence[KnownRows] = (),
    fingerprint: str | None = None,
) -> str:
    """Return the key, in hex, under which a variable's result is recorded; the `fingerprint` of its rows, if at hand.

    `rows` and those of the predictors are known by the end of the period. A later end or another run id with the same
    rows has the same key; a row, parameter or version that differs has another.
    """
    fields = {name: value for name, value in spec.to_document().items() if name not in _NOT_IN_THE_NUMBERS}
    facts = [_facts(one) for one in predictors]
    return _hash({"spec": fields, "forecasters": roster.versions, "predictors": facts, **_facts(rows, fingerprint)})


def scores_key(record: str) -> str:
    """Return the key of what the record with this key was folded to last.

    One for each record, whatever it was folded with: so whoever replaces the record knows what goes with it.
    """
    return _hash({"scores of": record})


def fold_key(spec: RunSpec) -> str:
    """Return a hash of what scores and trust depend on besides the record: forgetting, and how long it went on."""
    return _hash({"trust_decay": spec.trust_decay, "batches": len(batches(spec))})


def content_key(spec: RunSpec, records: Iterable[str]) -> str:
    """Return a hash of what the rows of these records in a run's tables depend on, short enough for a name."""
    return _hash({"records": list(records), "fold": fold_key(spec)})[:32]


def _facts(rows: KnownRows, fingerprint: str | None = None) -> dict[str, Any]:
    return {
        "variable": rows.known.variable,
        "rows": fingerprint or rows.known.fingerprint(),
        "rule": rows.rule,
        "versions": [__version__, METHOD_REVISION, np.__version__],
    }


def _hash(facts: dict[str, Any]) -> str:
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
