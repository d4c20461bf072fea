"""The registry: name -> forecaster. To add one, write its file and name it in the table of its kind below."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Final

import attrs

from pulse_core.errors import InvalidSpec
from pulse_core.forecasters.autoregression import AutoRegression, DifferencedAutoRegression
from pulse_core.forecasters.averages import Drift, Mean, Naive, WindowMean
from pulse_core.forecasters.base import Forecaster
from pulse_core.forecasters.combinations import Combination, MeanOfAll, MedianOfAll
from pulse_core.forecasters.double_seasonal import DoubleSeasonal, DoubleSeasonalNaive
from pulse_core.forecasters.logarithms import OnLogarithms
from pulse_core.forecasters.ridge import Ridge
from pulse_core.forecasters.seasonal import DampedHoltWinters, HoltWinters, SeasonalNaive
from pulse_core.forecasters.smoothing import SimpleExponentialSmoothing
from pulse_core.forecasters.theta import DynamicTheta, SeasonalTheta, Theta
from pulse_core.forecasters.trend import Holt, damped_holt
from pulse_core.spec import CUSTOM_QUANTILES, LEVEL, SIMPLE, RunSpec

BUILT_IN: Final[tuple[Forecaster, ...]] = (
    Naive(),
    Drift(),
    Mean(),
    WindowMean(),
    SimpleExponentialSmoothing(),
    Holt(),
    damped_holt(),
    Theta(),
    DynamicTheta(),
    OnLogarithms(DynamicTheta()),
    AutoRegression(),
    DifferencedAutoRegression(),
)
WITH_PREDICTORS: Final[tuple[Forecaster, ...]] = (Ridge(),)
COMBINATIONS: Final[tuple[Combination, ...]] = (MeanOfAll(), MedianOfAll())
SEASONAL: Final[dict[str, Callable[[int | None], Forecaster]]] = {
    "seasonal-naive": SeasonalNaive,
    "holt-winters": HoltWinters,
    "damped-holt-winters": DampedHoltWinters,
    "log-damped-holt-winters": lambda season: OnLogarithms(DampedHoltWinters(season)),
    "seasonal-theta": SeasonalTheta,
    "log-seasonal-theta": lambda season: OnLogarithms(SeasonalTheta(season, additive=True)),
}
"""By name those of spec.SEASONAL: each makes the forecaster of a season of m steps, or with None of the variable's."""

TWO_SEASONS: Final[tuple[Forecaster, ...]] = (
    DoubleSeasonalNaive(),
    DoubleSeasonal(),
    OnLogarithms(DoubleSeasonal()),
)
"""Those of spec.TWO_SEASONS: of variables with two."""

ENSEMBLE: Final = "ensemble"
"""The name of the ensemble: a weighted mean whose weights are learned; see kernel/ensemble.c."""
ENSEMBLE_VERSION: Final = "2"


_SEASONAL_NAME: Final = re.compile(r"([a-z-]+)\(([1-9]\d{0,3})\)")


@attrs.frozen
class ForecasterSet:
    """The forecasters of a run: those that see histories, combinations of them, and the ensemble's name or None.

    `custom_quantiles`: the names under which forecasters issue their own quantiles, to their plain names. `simple` are
    those by which the benchmark is checked, whether they are named or not. `seasons` are those of the variable whose
    forecasters they are, the shortest first.
    """

    names: tuple[str, ...]
    forecasters: tuple[Forecaster, ...]
    combinations: tuple[Combination, ...]
    ensemble: str | None
    custom_quantiles: Mapping[str, str] = attrs.field(factory=dict)
    simple: tuple[Forecaster, ...] = ()
    seasons: tuple[int, ...] = ()

    @property
    def hidden(self) -> tuple[Forecaster, ...]:
        """The simple forecasters that the run does not name: they take part in nothing but the check."""
        return tuple(forecaster for forecaster in self.simple if forecaster.name not in self.names)

    @property
    def per_origin(self) -> tuple[Forecaster, ...]:
        """The forecasters that are called origin by origin: their hindcasts are made and recorded batch by batch."""
        return tuple(forecaster for forecaster in self.forecasters if forecaster.per_origin)

    def members(self, target: str) -> tuple[Forecaster, ...]:
        """Return the forecasters that the ensemble weighs: of levels those that say so, all where none does.

        Of a variable with a season those of them that know of it, where these are several, and naive.
        """
        knowing = {forecaster.name for forecaster in self._knowing(target)} | {SIMPLE[0]}
        return tuple(forecaster for forecaster in self.forecasters if forecaster.name in knowing)

    def combined(self, target: str) -> tuple[Forecaster, ...]:
        """Return the forecasters that combinations are made of: the members, of a variable with a season without naive.

        Of one with two seasons those that need both, where these are several.
        """
        knowing = self._knowing(target)
        double = tuple(forecaster for forecaster in knowing if forecaster.seasons_needed > 1)
        return double if len(double) > 1 else knowing

    def _knowing(self, target: str) -> tuple[Forecaster, ...]:
        """Return those in combinations, of a variable with a season those that know of it or whose lags reach it."""
        said = tuple(forecaster for forecaster in self.forecasters if forecaster.in_combinations)
        combined = said if said and target == LEVEL else self.forecasters
        if not self.seasons:
            return combined
        knowing = tuple(one for one in combined if not one.ignores_seasons or one.lags >= self.seasons[0])
        return knowing if len(knowing) > 1 else combined

    def of_variable(self, seasons: Sequence[int]) -> ForecasterSet:
        """Return the forecasters that a variable with these seasons can use: the others have no rows in its pass."""
        number = len(seasons)
        usable = {forecaster.name for forecaster in self.forecasters if forecaster.seasons_needed <= number}
        unusable = {forecaster.name for forecaster in self.forecasters} - usable
        custom_quantiles = {name: plain for name, plain in self.custom_quantiles.items() if plain in usable}
        unusable |= self.custom_quantiles.keys() - custom_quantiles.keys()
        return attrs.evolve(
            self,
            names=tuple(name for name in self.names if name not in unusable),
            forecasters=tuple(forecaster for forecaster in self.forecasters if forecaster.name in usable),
            custom_quantiles=custom_quantiles,
            simple=tuple(forecaster for forecaster in self.simple if forecaster.seasons_needed <= number),
            seasons=tuple(seasons),
        )

    @property
    def versions(self) -> list[list[str]]:
        """Name and version of each, in order: what a record's key holds of them."""
        versions = {forecaster.name: forecaster.version for forecaster in self.forecasters}
        versions.update((combination.name, combination.version) for combination in self.combinations)
        versions.update((name, versions[plain]) for name, plain in self.custom_quantiles.items())
        return [[name, versions.get(name, ENSEMBLE_VERSION)] for name in self.names]


def resolve(
    names: Sequence[str], custom: Sequence[Forecaster] = (), *, simple: Sequence[str] = SIMPLE
) -> ForecasterSet:
    """Return the forecasters of these names, from the built-in ones and the caller's `custom` ones.

    `simple` names those by which the benchmark is checked; see RunSpec.simple. Raises InvalidSpec that names every
    unknown one, or custom ones whose names are built in, or says that nothing is left to combine.
    """
    available = _available((*names, *simple), custom)
    combinations = {combination.name: combination for combination in COMBINATIONS}
    bringing = (name for name in names if name in available and available[name].brings_quantiles)
    custom_quantiles = {f"{name}{CUSTOM_QUANTILES}": name for name in bringing}
    unknown = [name for name in names if name not in {*available, *combinations, *custom_quantiles, ENSEMBLE}]
    if unknown:
        choices = [*available, *(f"{name}(m)" for name in SEASONAL), *combinations, ENSEMBLE]
        raise InvalidSpec([_unknown(name, choices) for name in unknown])
    forecasters = tuple(available[name] for name in names if name in available)
    if not forecasters:
        raise InvalidSpec([f"forecasters: {', '.join(names)} have nothing to combine; name a forecaster as well"])
    return ForecasterSet(
        tuple(names),
        forecasters,
        tuple(combinations[name] for name in names if name in combinations),
        ENSEMBLE if ENSEMBLE in names else None,
        {name: plain for name, plain in custom_quantiles.items() if name in names},
        tuple(available[name] for name in simple),
    )


def _available(names: Sequence[str], custom: Sequence[Forecaster]) -> dict[str, Forecaster]:
    """Return the forecasters that see histories by name, seasonal ones as `names` ask for them. Raises InvalidSpec."""
    seasonal_ones = (*(make(None) for make in SEASONAL.values()), *TWO_SEASONS)
    built_in = {forecaster.name: forecaster for forecaster in (*BUILT_IN, *seasonal_ones, *WITH_PREDICTORS)}
    reserved = {*built_in, *(combination.name for combination in COMBINATIONS), ENSEMBLE}
    shadowing = [forecaster.name for forecaster in custom if forecaster.name in reserved or _seasonal(forecaster.name)]
    if shadowing:
        raise InvalidSpec([f"forecasters: '{name}' is built in; name your own otherwise" for name in shadowing])
    seasonal = {name: forecaster for name in names if (forecaster := _seasonal(name))}
    return built_in | {forecaster.name: forecaster for forecaster in custom} | seasonal


def with_custom_names(spec: RunSpec, custom: Sequence[Forecaster]) -> RunSpec:
    """Return the spec with the names that custom forecasters add. Names that are there already stay where they are.

    One comes after each forecaster that brings quantiles of its own: under it the forecaster issues these as they are,
    under its plain name after calibration. `naive` comes first where the benchmark needs a season: it takes its place
    for variables without one.
    """
    bringing = {forecaster.name for forecaster in custom if forecaster.brings_quantiles}
    seasonal = {forecaster.name for forecaster in custom if forecaster.seasons_needed}
    names = [SIMPLE[0]] if spec.benchmark in seasonal and SIMPLE[0] not in spec.forecasters else []
    for name in spec.forecasters:
        names.append(name)
        if name in bringing and f"{name}{CUSTOM_QUANTILES}" not in spec.forecasters:
            names.append(f"{name}{CUSTOM_QUANTILES}")
    return spec if len(names) == len(spec.forecasters) else attrs.evolve(spec, forecasters=names)


def _seasonal(name: str) -> Forecaster | None:
    match = _SEASONAL_NAME.fullmatch(name)
    make = SEASONAL.get(match.group(1)) if match else None
    return make(int(match.group(2))) if match and make else None


def _unknown(name: str, choices: list[str]) -> str:
    if ":" in name:
        return f"forecasters: '{name}' is not built in; bring what a spec names: forecasters=pulse.forecasters_of(spec)"
    near = get_close_matches(name, choices, n=1)
    hint = f"did you mean '{near[0]}'?" if near else "name a class of your own as module:Name"
    return f"forecasters: '{name}' is none of {', '.join(choices)}; {hint}"
