"""The key of a record: a hash of all that its numbers depend on, and of nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any, Final

import attrs
import numpy as np

from pulse_core.data.observations import KnownRows
from pulse_core.forecasters.base import Forecaster
from pulse_core.forecasters.registry import ForecasterSet
from pulse_core.plan import Batch, batch_count
from pulse_core.results import Sighting
from pulse_core.spec import RunSpec
from pulse_core.version import METHOD_REVISION, __version__

_NOT_IN_THE_NUMBERS: Final = ("variables", "end", "batch_limit", "trust_decay", "forecasters", "known_at")
"""Fields that act through the rows read (end, known_at), the fold (trust_decay), or the roster (forecasters)."""

_VERSIONS: Final = (__version__, METHOD_REVISION, np.__version__)


def hindcast_key(spec: RunSpec, forecaster: Forecaster, rows: KnownRows, batch: Batch) -> str:
    """Return the key of a slow forecaster's hindcasts in one batch; `rows` are those known by its end."""
    return _hash(
        {
            "spec": {name: getattr(spec, name) for name in ("horizon", "min_history", "target", "refit_every")},
            "forecaster": [forecaster.name, forecaster.version, forecaster.brings_quantiles],
            "batch": [batch.start.isoformat(), spec.batch_size_days],
            "variable": rows.known.variable,
            "rows": rows.known.fingerprint(),
            "rule": rows.rule,
            "versions": _VERSIONS,
        }
    )


def sighting_key(spec: RunSpec, variable: str, version: str) -> str:
    """Return the key of what reading this version of a variable's data gave.

    One for whatever day it was read up to: so the ledger does not grow with every night.
    """
    return _hash({"sighting of": variable, "version": version, "known_at": spec.known_at, "versions": _VERSIONS})


@attrs.frozen
class RecordKeys:
    """Makes the keys, in hex, under which variables' results are recorded."""

    spec: RunSpec
    roster: ForecasterSet
    _common: dict[str, Any] = attrs.field(init=False)
    """What the keys of all variables have in common."""

    @_common.default
    def _of_the_spec(self) -> dict[str, Any]:
        fields = self.spec.to_document(without=_NOT_IN_THE_NUMBERS)
        return {"spec": fields, "forecasters": self.roster.versions, "versions": _VERSIONS}

    def of(self, seen: Sighting, predictors: Iterable[Sighting] = ()) -> str:
        """Return the key of a variable's result; a variable is no predictor of itself.

        A later end or another run id with the same rows has the same key; a row, parameter or version that differs has
        another.
        """
        others = [_data(each) for each in predictors if each.variable != seen.variable]
        return _hash({**self._common, **_data(seen), "predictors": others})


def scores_key(record: str) -> str:
    """Return the key of what the record with this key was folded to last.

    One for each record, whatever it was folded with: so whoever replaces the record knows what goes with it.
    """
    return _hash({"scores of": record})


def fold_key(spec: RunSpec) -> str:
    """Return a hash of what scores and trust depend on besides the record: forgetting, and how long it went on."""
    return _hash({"trust_decay": spec.trust_decay, "batches": batch_count(spec)})


def content_key(fold: str, records: Iterable[str]) -> str:
    """Return a hash of what the rows of these records in a run's tables depend on, short enough for a name.

    `fold` as fold_key makes it.
    """
    return _hash({"records": list(records), "fold": fold})[:32]


def holder_key(part: str) -> str:
    """Return the key of which run has a part of this name."""
    return _hash({"holder of": part})


def _data(seen: Sighting) -> dict[str, str]:
    return {"variable": seen.variable, "rows": seen.facts.fingerprint, "rule": seen.facts.known_at}


def _hash(facts: dict[str, Any]) -> str:
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
