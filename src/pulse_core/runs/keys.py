"""Keys of records: hashes of all that a record's numbers depend on, and of nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any, Final

import attrs
import numpy as np

from pulse_core.data.known_at import KnownRows
from pulse_core.data.point_in_time import PointInTime
from pulse_core.forecasters.base import Forecaster
from pulse_core.forecasters.registry import ForecasterSet
from pulse_core.plan import Batch
from pulse_core.results import DataSnapshot
from pulse_core.spec import RunSpec
from pulse_core.version import METHOD_REVISION, __version__

_NOT_IN_RECORDS: Final = ("variables", "end", "batch_limit", "forecasters", "known_at", "season")
"""Fields that act through the rows read (end, known_at), the forecasters' versions, or the variable's own season."""

_NOT_IN_HINDCASTS: Final = (
    *_NOT_IN_RECORDS,
    *("start", "benchmark", "actuals", "calibration", "trust_loss", "trust_half_life", "trust_span", "min_history"),
)
"""Fields that no hindcast depends on, beside: they choose origins, or what is made of hindcasts.

`min_history` and `season` act through what they come to for the variable.
"""

_VERSIONS: Final = (__version__, METHOD_REVISION, np.__version__)


def hindcast_key(spec: RunSpec, forecaster: Forecaster, rows: KnownRows, batch: Batch, point: PointInTime) -> str:
    """Return the key of one forecaster's hindcasts in one batch; `rows` are those known by its end.

    Of `point`, the variable's, it has the seasons and how many values the first origin knows.
    """
    return _hash(
        {
            "spec": spec.to_document(without=_NOT_IN_HINDCASTS),
            "forecaster": [forecaster.name, forecaster.version, forecaster.brings_quantiles],
            "batch": [batch.start.isoformat(), spec.batch_size_days],
            "variable": rows.known.variable,
            "rows": rows.known.fingerprint(),
            "rule": rows.rule,
            "seasons": point.seasonality.periods,
            "min_history": point.min_history,
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
    """Makes the keys, in hex, of variables' results, and of the group in which they are packed."""

    spec: RunSpec
    forecasters: ForecasterSet
    _common: str = attrs.field(init=False)
    """A hash of what the keys of all variables have in common."""

    @_common.default
    def _of_the_spec(self) -> str:
        fields = self.spec.to_document(without=_NOT_IN_RECORDS)
        return _hash({"spec": fields, "forecasters": self.forecasters.versions, "versions": _VERSIONS})

    @property
    def group(self) -> str:
        """The group of the records of all variables, 32 hexadecimal digits."""
        return self._common[:32]

    def of(self, snapshot: DataSnapshot, predictors: Iterable[DataSnapshot] = ()) -> str:
        """Return the key of a variable's result; a variable is no predictor of itself.

        A later end or another run id with the same rows has the same key; a row, parameter or version that differs has
        another.
        """
        others = [_data(predictor) for predictor in predictors if predictor.variable != snapshot.variable]
        season = self.spec.season.of(snapshot.variable)
        return _hash({"common": self._common, "season": season, **_data(snapshot), "predictors": others})


def scores_key(result: str) -> str:
    """Return the key of the scores of the variable whose result has this key."""
    return _hash({"scores of": result})


def batches_key(result: str) -> str:
    """Return the key of the batches of the variable whose result has this key."""
    return _hash({"batches of": result})


def content_key(results: Iterable[str]) -> str:
    """Return a hash of what the rows of a part depend on: the keys of its variables' results, in order."""
    return _hash({"results": list(results)})[:32]


def _data(snapshot: DataSnapshot) -> dict[str, str]:
    return {"variable": snapshot.variable, "rows": snapshot.facts.fingerprint, "rule": snapshot.facts.known_at}


def _hash(facts: dict[str, Any]) -> str:
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
