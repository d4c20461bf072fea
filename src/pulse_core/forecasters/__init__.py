"""The roster: name -> forecaster. To add one, write its file and name it in BUILT_IN."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from pulse_core.errors import InvalidSpec
from pulse_core.forecasters.averages import Drift, Mean, Naive
from pulse_core.forecasters.base import Forecaster
from pulse_core.forecasters.smoothing import SimpleExponentialSmoothing

BUILT_IN: Final[tuple[Forecaster, ...]] = (Naive(), Drift(), Mean(), SimpleExponentialSmoothing())


def resolve(names: Sequence[str], own: Sequence[Forecaster] = ()) -> tuple[Forecaster, ...]:
    """Return the forecasters of these names, from the built-in ones and the caller's `own`.

    Raises InvalidSpec that names every unknown one.
    """
    known = {forecaster.name: forecaster for forecaster in (*BUILT_IN, *own)}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InvalidSpec([_unknown(name, list(known)) for name in unknown])
    return tuple(known[name] for name in names)


def _unknown(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean '{near[0]}'?" if near else "name a class of your own as module:Name"
    return f"forecasters: '{name}' is none of {', '.join(known)}; {hint}"
