"""Custom quantiles: those that forecasters bring, as they are under one name, and calibrated under another.

Calibrated, the forecaster's own spread takes the place of the scale that is otherwise learned from its errors one step
ahead: it says how uncertain this origin is beside the others, its past errors say what that is worth. The spread is
the width of its 80 % interval over that of the standard normal. Where it brings none, or one without width, its plain
name has the calibrated quantiles that all have, around the point.

Source: scores normalised by an estimate of their size as in Lei, G'Sell, Rinaldo, Tibshirani & Wasserman (2018),
Distribution-free predictive inference for regression, JASA 113, section 5.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_core.levels import LEVELS, NORMAL_QUANTILES

Array = NDArray[np.float64]

LOW: Final = LEVELS.index(0.1)
HIGH: Final = LEVELS.index(0.9)
NORMAL_WIDTH: Final = NORMAL_QUANTILES[HIGH] - NORMAL_QUANTILES[LOW]


@attrs.frozen(eq=False)
class CustomQuantiles:
    """Quantiles less the point, `offsets` (origin, level, custom, horizon), NaN where a forecaster brings none.

    `spread` (origin, custom, horizon) is their standard deviation were they normal, NaN for none. `rows` and
    `calibrated` say where each stands among the forecasters as it is, and after calibration.
    """

    rows: tuple[int, ...]
    calibrated: tuple[int, ...]
    offsets: Array
    spread: Array

    def __len__(self) -> int:
        return len(self.rows)


NO_QUANTILES: Final = CustomQuantiles((), (), np.empty((0, len(LEVELS), 0, 0)), np.empty((0, 0, 0)))


def custom_quantiles(
    names: Sequence[str], plain_names: Mapping[str, str], per_origin: Mapping[str, Array]
) -> CustomQuantiles:
    """Return the quantiles that some of these forecasters bring; see ForecasterSet.custom_quantiles."""
    if not plain_names:
        return NO_QUANTILES
    # (level, custom, origin, horizon)
    offsets = np.stack([per_origin[plain][1:] - per_origin[plain][0] for plain in plain_names.values()], axis=1)
    offsets[:, ~np.isfinite(offsets).all(axis=0)] = np.nan
    spread = (offsets[HIGH] - offsets[LOW]) / NORMAL_WIDTH
    rows, calibrated = ([names.index(name) for name in side] for side in (plain_names, plain_names.values()))
    return CustomQuantiles(
        tuple(rows),
        tuple(calibrated),
        np.ascontiguousarray(np.moveaxis(offsets, 2, 0)),
        np.ascontiguousarray(np.moveaxis(np.where(spread > 0, spread, np.nan), 1, 0)),
    )
