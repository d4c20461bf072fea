"""The roster: name -> forecaster. To add one, write its file and name it in the table of its kind below."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Final

import attrs

from pulse_core.backtest import ensemble
from pulse_core.errors import InvalidSpec
from pulse_core.forecasters.autoregression import AutoRegression, DifferencedAutoRegression
from pulse_core.forecasters.averages import Drift, Mean, Naive, WindowMean
from pulse_core.forecasters.base import Forecaster, brings_quantiles, is_slow
from pulse_core.forecasters.combinations import Combination, MeanOfAll, MedianOfAll
from pulse_core.forecasters.ridge import Ridge
from pulse_core.forecasters.seasonal import HoltWinters, SeasonalNaive
from pulse_core.forecasters.smoothing import SimpleExponentialSmoothing
from pulse_core.forecasters.theta import Theta
from pulse_core.forecasters.trend import Holt, damped_holt
from pulse_core.spec import OWN_QUANTILES, RunSpec

BUILT_IN: Final[tuple[Forecaster, ...]] = (
    Naive(),
    Drift(),
    Mean(),
    WindowMean(),
    SimpleExponentialSmoothing(),
    Holt(),
    damped_holt(),
    Theta(),
    AutoRegression(),
    DifferencedAutoRegression(),
)
WITH_PREDICTORS: Final[tuple[Forecaster, ...]] = (Ridge(),)
COMBINATIONS: Final[tuple[Combination, ...]] = (MeanOfAll(), MedianOfAll())
SEASONAL: Final[dict[str, Callable[[int], Forecaster]]] = {
    "seasonal-naive": SeasonalNaive,
    "holt-winters": HoltWinters,
}

_COMBINED: Final = (*(combination.name for combination in COMBINATIONS), ensemble.NAME)
_SEASONAL_NAME = re.compile(r"([a-z-]+)\(([1-9]\d{0,3})\)")


@attrs.frozen
class Roster:
    """The forecasters of a run: those that see histories, combinations of them, and the ensemble's name or None.

    `quoting`: the names under which forecasters quote their own quantiles, to their plain names.
    """

    names: tuple[str, ...]
    forecasters: tuple[Forecaster, ...]
    combinations: tuple[Combination, ...]
    ensemble: str | None
    quoting: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def slow(self) -> tuple[Forecaster, ...]:
        """Those that are called origin by origin: their hindcasts are made and recorded batch by batch."""
        return tuple(one for one in self.forecasters if is_slow(one))

    @property
    def versions(self) -> list[list[str]]:
        """Name and version of each, in order: what a record's key holds of them."""
        versions = {one.name: one.version for one in self.forecasters}
        versions.update((one.name, one.version) for one in self.combinations)
        versions.update((name, versions[plain]) for name, plain in self.quoting.items())
        return [[name, versions.get(name, ensemble.VERSION)] for name in self.names]


def resolve(names: Sequence[str], own: Sequence[Forecaster] = ()) -> Roster:
    """Return the roster of these names, from the built-in forecasters and the caller's `own`.

    Raises InvalidSpec that names every unknown one, or those of the caller's that are built in, or says that nothing is
    left to combine.
    """
    built_in = {forecaster.name: forecaster for forecaster in (*BUILT_IN, *WITH_PREDICTORS)}
    shadowing = [one.name for one in own if one.name in built_in or _seasonal(one.name) or one.name in _COMBINED]
    if shadowing:
        raise InvalidSpec([f"forecasters: '{name}' is built in; name your own otherwise" for name in shadowing])
    known = built_in | {forecaster.name: forecaster for forecaster in own}
    known.update((name, made) for name in names if (made := _seasonal(name)))
    combinations = {combination.name: combination for combination in COMBINATIONS}
    quoting = {f"{name}{OWN_QUANTILES}": name for name in names if name in known and brings_quantiles(known[name])}
    others = {*combinations, *quoting, ensemble.NAME}
    unknown = [name for name in names if name not in known and name not in others]
    if unknown:
        every = [*known, *(f"{name}(m)" for name in SEASONAL), *combinations, ensemble.NAME]
        raise InvalidSpec([_unknown(name, every) for name in unknown])
    roster = Roster(
        tuple(names),
        tuple(known[name] for name in names if name in known),
        tuple(combinations[name] for name in names if name in combinations),
        ensemble.NAME if ensemble.NAME in names else None,
        {name: plain for name, plain in quoting.items() if name in names},
    )
    if not roster.forecasters:
        raise InvalidSpec([f"forecasters: {', '.join(names)} have nothing to combine; name a forecaster as well"])
    return roster


def with_own_quantiles(spec: RunSpec, own: Sequence[Forecaster]) -> RunSpec:
    """Return the spec with one name more after each of the caller's forecasters that brings quantiles of its own.

    Under it the forecaster quotes these as they are, under its plain name after calibration. Names that are there
    already stay where they are.
    """
    bringing = {one.name for one in own if brings_quantiles(one)}
    names: list[str] = []
    for name in spec.roster:
        names.append(name)
        if name in bringing and f"{name}{OWN_QUANTILES}" not in spec.roster:
            names.append(f"{name}{OWN_QUANTILES}")
    return spec if len(names) == len(spec.roster) else attrs.evolve(spec, forecasters=names)


def _seasonal(name: str) -> Forecaster | None:
    match = _SEASONAL_NAME.fullmatch(name)
    make = SEASONAL.get(match.group(1)) if match else None
    return make(int(match.group(2))) if match and make else None


def _unknown(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean '{near[0]}'?" if near else "name a class of your own as module:Name"
    return f"forecasters: '{name}' is none of {', '.join(known)}; {hint}"
