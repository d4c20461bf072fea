"""RunSpec: the specification of a run, checked as a whole so that all of its problems are reported at once."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta
from typing import Any, Final

import attrs

from pulse_core.arrays import names, variable_names
from pulse_core.errors import InvalidSpec
from pulse_core.season import SeasonSetting, season_setting

ACTUALS: Final = ("first", "latest")
LEVEL: Final = "level"
TARGETS: Final = (LEVEL, "change", "log-change")
KNOWN_AT_RULES: Final = ("auto", "timestamp", "period-end")
CALIBRATIONS: Final = ("conformal", "empirical")
TRUST_LOSSES: Final = ("absolute", "crps")
SEASONAL: Final = (
    "seasonal-naive",
    "holt-winters",
    "damped-holt-winters",
    "log-damped-holt-winters",
    "seasonal-theta",
    "log-seasonal-theta",
)
"""The built-in forecasters with a season: each variable's own, or m steps where the name is followed by (m)."""
TWO_SEASONS: Final = ("double-seasonal-naive", "double-seasonal", "log-double-seasonal")
"""Those with two seasons at once, the variable's own."""

DEFAULT_FORECASTERS: Final = (
    "naive",
    "drift",
    "mean",
    "window-mean",
    "ses",
    "holt",
    "damped-holt",
    "theta",
    "dynamic-theta",
    "log-dynamic-theta",
    "ar",
    "ari",
    *(name for name in SEASONAL if name != "holt-winters"),
    *TWO_SEASONS,
    "mean-of-all",
    "median-of-all",
    "ensemble",
)

AUTO: Final = "auto"
"""The benchmark that is chosen for each variable: the simple forecaster of the least loss before the period."""

SIMPLE: Final = ("naive", "drift")
SIMPLE_SEASONAL: Final = "seasonal-naive"
SIMPLE_OF_CHANGES: Final = "mean"
"""The simple forecasters, by which benchmarks are checked and among which AUTO chooses.

The seasonal one where the variable has a season, the mean where changes are forecast: a mean change is what drift is to
levels.
"""

MAXIMA: Final = {"horizon": 1000}
DEFAULT_MAXIMUM: Final = 100_000
"""Numbers above these, by field, are surely mistakes."""

LONGEST_HALF_LIFE: Final = 1_000_000

CUSTOM_QUANTILES: Final = "+quantiles"
"""The suffix of the name under which a forecaster is scored with its own quantiles, without calibration."""

RIDGE: Final = "ridge"
MAX_PREDICTORS: Final = 8

_CHOICES: Final = {
    "actuals": ACTUALS,
    "target": TARGETS,
    "calibration": CALIBRATIONS,
    "trust_loss": TRUST_LOSSES,
}
_DELAY = re.compile(r"\+(\d{1,5})d")
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f]")


def _decimal(value: float) -> float:
    """Return a whole number as a float, so that equal specs have one run id; anything else as it is."""
    return float(value) if type(value) is int else value


def _season(value: Any) -> Any:
    """Return the setting of the season; what is none stays as it is, to be told with all other problems."""
    try:
        return season_setting(value)
    except ValueError:
        return value


@attrs.frozen(kw_only=True)
class RunSpec:
    """The specification of a run: variables, period, batches, forecasters, and the choices of the method.

    Raises InvalidSpec with all problems.
    """

    variables: tuple[str, ...] = attrs.field(converter=variable_names)
    """The variables to train, each once."""
    start: date
    """First day of the period."""
    end: date
    """Last day of the period, included; rows that became known later are not used."""
    batch_size_days: int = 30
    """Length of the windows that tile the period."""
    batch_limit: int | None = None
    """The number of batches after which the period ends; None for all."""
    horizon: int = 5
    """The largest number of steps ahead to forecast, from 1."""
    forecasters: tuple[str, ...] = attrs.field(converter=names, default=DEFAULT_FORECASTERS)
    """The names of all forecasters of the run, in order: built-in ones or custom ones of the caller.

    Predictors add `ridge` to the default ones; without any season these have no seasonal ones. A benchmark that is not
    named comes first, and `naive` where that has each variable's season: it takes its place where there is none.
    """
    benchmark: str = "naive"
    """The forecaster that the others are compared with, or `auto`; see AUTO."""
    min_history: int | None = None
    """Observations that must be known before the first forecast; None by each variable's calendar: see data.seasons."""
    trust_half_life: float = attrs.field(converter=_decimal, default=500.0)
    """Origins after which a difference in loss counts half for trust."""
    trust_span: int | None = None
    """Origins that trust looks ahead; None for about a year, by each variable's calendar."""
    known_at: str = "auto"
    """The rule by which rows became known: `auto`, `timestamp`, `period-end` or `+Nd`."""
    actuals: str = "first"
    """The release that scores are reported against: `first` or `latest`."""
    target: str = "level"
    """The quantity that is forecast: `level`, `change` or `log-change`."""
    season: SeasonSetting = attrs.field(converter=_season, default=SeasonSetting())
    """The steps of seasons: found for each variable, none, or given; `12`, `(24, 168)`, `"auto"` and `None` do too."""
    calibration: str = "conformal"
    """The source of quantiles: `conformal` or `empirical`."""
    trust_loss: str = "absolute"
    """The loss that trust and evidence compare: `absolute` or `crps`."""
    refit_every: int = 1
    """Forecasters that are called origin by origin are fitted at every `refit_every`-th origin."""
    predictors: tuple[str, ...] = attrs.field(converter=variable_names, default=())
    """Up to eight variables from which `ridge` may learn, as they were known at each origin."""

    def __attrs_post_init__(self) -> None:
        problems = tuple(_problems(self))
        if problems:
            raise InvalidSpec(problems)
        object.__setattr__(self, "forecasters", _resolved(self))

    @property
    def last_day(self) -> date:
        """The last day of the period: `end`, or an earlier day where `batch_limit` shortens the period."""
        if self.batch_limit is None:
            return self.end
        days = (self.end - self.start).days + 1
        return self.start + timedelta(days=min(days, self.batch_limit * self.batch_size_days) - 1)

    @property
    def simple(self) -> tuple[str, ...]:
        """The names of the simple forecasters of a variable that has a season; see SIMPLE_OF_CHANGES."""
        seasonal = () if self.season.is_none else (SIMPLE_SEASONAL,)
        of_changes = () if self.target == "level" else (SIMPLE_OF_CHANGES,)
        return (*SIMPLE, *of_changes, *seasonal)

    @property
    def run_id(self) -> str:
        """The run's default name: the first 16 hex digits of the hash of the resolved spec."""
        text = json.dumps(self.to_document(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def to_document(self, without: Collection[str] = ()) -> dict[str, Any]:
        """Return the spec as plain JSON values, dates in ISO format, except the fields in `without`."""
        fields = [field.name for field in attrs.fields(RunSpec) if field.name not in without]
        return {name: _plain(getattr(self, name)) for name in fields}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> RunSpec:
        """Return the spec of a document of `to_document`. Raises InvalidSpec for unknown or missing fields."""
        fields = {field.name: field for field in attrs.fields(cls)}
        unknown = [f"'{name}' is no field of a spec" for name in document if name not in fields]
        missing = [
            f"'{name}' is missing"
            for name, field in fields.items()
            if field.default is attrs.NOTHING and name not in document
        ]
        if unknown or missing:
            raise InvalidSpec(unknown + missing)
        values = dict(document)
        try:
            values["start"], values["end"] = (date.fromisoformat(values[name]) for name in ("start", "end"))
        except (TypeError, ValueError) as error:
            raise InvalidSpec([f"start and end must be ISO dates: {error}"]) from error
        try:
            return cls(**values)
        except TypeError as error:
            raise InvalidSpec([f"variables, forecasters and predictors must be lists of names: {error}"]) from error


def _resolved(spec: RunSpec) -> tuple[str, ...]:
    """Return the names of all forecasters of a run."""
    names = spec.forecasters
    if names == DEFAULT_FORECASTERS:
        ridge = (RIDGE,) if spec.predictors else ()
        first, last = names[:-3], names[-3:]
        dropped = (*SEASONAL, *TWO_SEASONS) if spec.season.is_none else ()
        names = (*(name for name in first if name not in dropped), *ridge, *last)
    return (*(name for name in _benchmarks(spec) if name not in names), *names)


def _benchmarks(spec: RunSpec) -> tuple[str, ...]:
    """Return the names of all forecasters that may be a variable's benchmark."""
    if spec.benchmark == AUTO:
        return spec.simple
    return (SIMPLE[0], spec.benchmark) if spec.benchmark in (*SEASONAL, *TWO_SEASONS) else (spec.benchmark,)


def _plain(value: Any) -> Any:
    """Return a field's value as a JSON value."""
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, SeasonSetting):
        return value.to_document()
    return value.isoformat() if isinstance(value, date) else value


def known_at_delay(rule: str) -> int | None:
    """Return the days of a `+Nd` rule, or None for any other text."""
    match = _DELAY.fullmatch(rule)
    return int(match.group(1)) if match else None


def _problems(spec: RunSpec) -> Iterator[str]:
    yield from _name_problems("variables", spec.variables)
    yield from _name_problems("forecasters", spec.forecasters)
    yield from _predictor_problems(spec)
    yield from _period_problems(spec)
    yield from _season_problems(spec)
    yield from _number_problems(spec)
    yield from _choice_problems(spec)


def _name_problems(field: str, values: tuple[str, ...]) -> Iterator[str]:
    if not values:
        yield f"{field}: none are named; name at least one"
    for name in values:
        if not isinstance(name, str) or not name.strip() or name != name.strip():
            yield f"{field}: {name!r} is no name (empty, or with blanks around it)"
        elif _CONTROL_CHARACTERS.search(name):
            yield f"{field}: {name!r} holds control characters"
    repeated = sorted({name for name, count in Counter(map(str, values)).items() if count > 1})
    for name in repeated:
        yield f"{field}: '{name}' is named twice"


def _predictor_problems(spec: RunSpec) -> Iterator[str]:
    if spec.predictors:
        yield from _name_problems("predictors", spec.predictors)
    if len(spec.predictors) > MAX_PREDICTORS:
        yield f"predictors: {len(spec.predictors)} are named; at most {MAX_PREDICTORS}"
    if RIDGE in spec.forecasters and not spec.predictors:
        yield f"forecasters: '{RIDGE}' needs predictors; name at least one"


def _period_problems(spec: RunSpec) -> Iterator[str]:
    invalid = [name for name in ("start", "end") if type(getattr(spec, name)) is not date]
    for name in invalid:
        yield f"{name}: {getattr(spec, name)!r} is no date"
    if not invalid and spec.start > spec.end:
        yield f"start {spec.start} is after end {spec.end}"


def _season_problems(spec: RunSpec) -> Iterator[str]:
    try:
        season_setting(spec.season)
    except ValueError as error:
        yield f"season: {error}"


def _number_problems(spec: RunSpec) -> Iterator[str]:
    for name in ("batch_size_days", "batch_limit", "horizon", "min_history", "refit_every", "trust_span"):
        value, maximum = getattr(spec, name), MAXIMA.get(name, DEFAULT_MAXIMUM)
        if value is None and name in ("batch_limit", "min_history", "trust_span"):
            continue
        if type(value) is not int or value < 1:
            yield f"{name}: {value!r} must be a whole number of at least 1"
        elif value > maximum:
            yield f"{name}: {value} is out of range; at most {maximum}"
    half_life = spec.trust_half_life
    if type(half_life) not in (int, float) or not 1 <= half_life <= LONGEST_HALF_LIFE:
        yield f"trust_half_life: {half_life!r} must be a number of origins from 1 to {LONGEST_HALF_LIFE:,}"


def _choice_problems(spec: RunSpec) -> Iterator[str]:
    for name, choices in _CHOICES.items():
        if getattr(spec, name) not in choices:
            yield f"{name}: {getattr(spec, name)!r} is none of {', '.join(choices)}"
    if spec.known_at not in KNOWN_AT_RULES and (
        not isinstance(spec.known_at, str) or known_at_delay(spec.known_at) is None
    ):
        yield f"known_at: {spec.known_at!r} is none of {', '.join(KNOWN_AT_RULES)}, +Nd"
    if not isinstance(spec.benchmark, str) or not spec.benchmark.strip():
        yield f"benchmark: {spec.benchmark!r} is no name"
