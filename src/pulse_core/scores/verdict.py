"""The verdict: better, worse or open, by the evidence on the mean loss and the skill together."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

BETTER: Final = 1
OPEN: Final = 0
WORSE: Final = -1
VERDICTS: Final[dict[int, str]] = {BETTER: "better", OPEN: "open", WORSE: "worse"}
"""The names of the codes."""

THRESHOLD: Final = 20.0
"""An e-value from which on evidence decides: at most one in twenty false ones (Ville 1939)."""

SKILL: Final[dict[str, str]] = {"absolute": "skill_mae", "crps": "skill_crps"}
"""The measure that a verdict is about, by the loss of the trust."""


def verdicts(log10_e: Array, log10_e_against: Array, skill: Array) -> NDArray[np.int64]:
    """Return the codes of the verdicts; the shapes are the same.

    BETTER where e for the forecaster is at least THRESHOLD and its skill is above 0, WORSE where e against it is and
    its skill is below 0, else OPEN, also where nothing is known (NaN). At a horizon h above 1 that is a statement at
    one time; see `anytime`.
    """
    limit = math.log10(THRESHOLD)
    better = (log10_e >= limit) & (skill > 0)
    worse = (log10_e_against >= limit) & (skill < 0)
    return np.where(better, BETTER, np.where(worse, WORSE, OPEN)).astype(np.int64)


def anytime(log10_e: Array) -> NDArray[np.bool_]:
    """Return where evidence (.., horizon) holds however often it is looked at: e of at least THRESHOLD times h.

    The average of h interleaved e-processes is an e-value at a fixed time. At any time e >= THRESHOLD h has a
    probability of at most 1/THRESHOLD: one of the h processes has then reached THRESHOLD h, each with a probability of
    at most 1/(THRESHOLD h). Source: Arnold, Henzi & Ziegel (2023), AOAS 17.
    """
    steps = np.arange(1, log10_e.shape[-1] + 1)
    limits = np.array([anytime_limit(step) for step in steps.tolist()])
    return np.asarray(log10_e >= limits)


def anytime_limit(horizon: int) -> float:
    """Return the least log10 e that holds however often it is looked at, at a horizon from 1."""
    return math.log10(THRESHOLD * horizon)
