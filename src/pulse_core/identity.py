"""The key of a record: a hash of all that its numbers depend on, and of nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Final

import numpy as np

from pulse_core.forecasters.base import Forecaster
from pulse_core.series import Observations
from pulse_core.spec import RunSpec
from pulse_core.version import METHOD_REVISION, __version__

_NOT_IN_THE_NUMBERS: Final = ("variables", "end", "batch_limit", "trust_decay", "forecasters", "known_at")
"""Fields that act through the rows read (end, known_at), the fold (trust_decay), or the roster (forecasters)."""


def record_key(spec: RunSpec, forecasters: Sequence[Forecaster], known: Observations, rule: str) -> str:
    """Return the key, in hex, under which a variable's result is recorded.

    `known` holds the rows known by the end of the period, `rule` is what said when they became known. A later end or
    another run id with the same rows has the same key; a row, parameter or version that differs has another.
    """
    fields = {name: value for name, value in spec.to_document().items() if name not in _NOT_IN_THE_NUMBERS}
    facts = {
        "spec": fields,
        "forecasters": [[forecaster.name, forecaster.version] for forecaster in forecasters],
        "variable": known.variable,
        "rows": known.fingerprint(),
        "rule": rule,
        "versions": [__version__, METHOD_REVISION, np.__version__],
    }
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
