"""Keys of records: hashes of all that a record's numbers depend on, and of nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any, Final

import attrs
import numpy as np

from pulse_core.data.known_at import KnownRows
from pulse_core.forecasters.base import Forecaster
from pulse_core.forecasters.registry import ForecasterSet
from pulse_core.plan import Batch, batch_count
from pulse_core.results import DataSnapshot
from pulse_core.spec import RunSpec
from pulse_core.version import METHOD_REVISION, __version__

_NOT_IN_RECORDS: Final = ("variables", "end", "batch_limit", "forecasters", "known_at")
"""Fields that act through the rows read (end, known_at), the aggregation, or forecasters' versions."""

_NOT_IN_HINDCASTS: Final = (
    *_NOT_IN_RECORDS,
    *("start", "benchmark", "actuals", "calibration", "trust_loss", "trust_half_life", "trust_span"),
)
"""Fields that no hindcast depends on, beside: they choose origins, or what is made of hindcasts."""

_VERSIONS: Final = (__version__, METHOD_REVISION, np.__version__)


def hindcast_key(spec: RunSpec, forecaster: Forecaster, rows: KnownRows, batch: Batch) -> str:
    """Return the key of one forecaster's hindcasts in one batch; `rows` are those known by its end."""
    return _hash(
        {
            "spec": spec.to_document(without=_NOT_IN_HINDCASTS),
            "forecaster": [forecaster.name, forecaster.version, forecaster.brings_quantiles],
            "batch": [batch.start.isoformat(), spec.batch_size_days],
            "variable": rows.known.variable,
            "rows": rows.known.fingerprint(),
            "rule": rows.rule,
            "versions": _VERSIONS,
        }
    )


def snapshot_key(spec: RunSpec, variable: str, version: str) -> str:
    """Return the key of what this version of a variable's data holds.

    One for whatever day it was read up to: so the records do not grow with every night.
    """
    return _hash({"snapshot of": variable, "version": version, "known_at": spec.known_at, "versions": _VERSIONS})


@attrs.frozen
class RecordKeys:
    """Makes the keys, in hex, under which variables' results are recorded."""

    spec: RunSpec
    forecasters: ForecasterSet
    _common: str = attrs.field(init=False)
    """A hash of what the keys of all variables have in common."""

    @_common.default
    def _of_the_spec(self) -> str:
        fields = self.spec.to_document(without=_NOT_IN_RECORDS)
        return _hash({"spec": fields, "forecasters": self.forecasters.versions, "versions": _VERSIONS})

    def of(self, snapshot: DataSnapshot, predictors: Iterable[DataSnapshot] = ()) -> str:
        """Return the key of a variable's result; a variable is no predictor of itself.

        A later end or another run id with the same rows has the same key; a row, parameter or version that differs has
        another.
        """
        others = [_data(predictor) for predictor in predictors if predictor.variable != snapshot.variable]
        return _hash({"common": self._common, **_data(snapshot), "predictors": others})


def scores_key(record: str) -> str:
    """Return the key of what the record with this key was aggregated to last.

    One for each record, whatever it was aggregated with: so whoever replaces the record knows what goes with it.
    """
    return _hash({"scores of": record})


def aggregation_key(spec: RunSpec) -> str:
    """Return a hash of what a variable's summary depends on besides its record: over how many batches it is."""
    return _hash({"batches": batch_count(spec)})


def content_key(aggregation: str, records: Iterable[str]) -> str:
    """Return a hash of what the rows of these records in a run's tables depend on, short enough for a name.

    `aggregation` is that of aggregation_key.
    """
    return _hash({"records": list(records), "aggregation": aggregation})[:32]


def owner_key(part: str) -> str:
    """Return the key of the record that says which run has a part of this name."""
    return _hash({"owner of": part})


def _data(snapshot: DataSnapshot) -> dict[str, str]:
    return {"variable": snapshot.variable, "rows": snapshot.facts.fingerprint, "rule": snapshot.facts.known_at}


def _hash(facts: dict[str, Any]) -> str:
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
