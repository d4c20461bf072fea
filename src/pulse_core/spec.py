"""RunSpec: what to train. Frozen, and refused with all of its problems at once."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta
from typing import Any, Final

import attrs

from pulse_core.arrays import names
from pulse_core.errors import InvalidSpec

ACTUALS: Final = ("first", "latest")
TARGETS: Final = ("level", "change", "log-change")
KNOWN_AT_RULES: Final = ("auto", "timestamp", "period-end")
CALIBRATIONS: Final = ("conformal", "empirical")
TRUST_LOSSES: Final = ("absolute", "crps")
DEFAULT_FORECASTERS: Final = (
    "naive",
    "drift",
    "mean",
    "window-mean",
    "ses",
    "holt",
    "damped-holt",
    "theta",
    "ar",
    "ari",
    "mean-of-all",
    "median-of-all",
    "ensemble",
)

SEASONAL: Final = ("seasonal-naive({})", "holt-winters({})")
"""What a season adds to the built-in forecasters."""

LARGEST: Final = {"season": 9999, "horizon": 1000}
"""Numbers beyond which a spec is surely a mistake; 100000 for the others."""

CUSTOM_QUANTILES: Final = "+quantiles"
"""The suffix of the name under which a forecaster is scored with the quantiles that it brings, as they are."""

RIDGE: Final = "ridge"
MOST_PREDICTORS: Final = 8

_CHOICES: Final = {
    "actuals": ACTUALS,
    "target": TARGETS,
    "calibration": CALIBRATIONS,
    "trust_loss": TRUST_LOSSES,
}
_DELAY = re.compile(r"\+(\d{1,5})d")
_NOT_SHOWN = re.compile(r"[\x00-\x1f\x7f]")


def _decimal(value: float) -> float:
    """Return a whole number as a float, so that equal specs have one run id; anything else as it is."""
    return float(value) if type(value) is int else value


@attrs.frozen(kw_only=True)
class RunSpec:
    """What one run trains: variables, period, batches, forecasters, and the method's choices.

    Frozen; raises InvalidSpec with every problem it has.
    """

    variables: tuple[str, ...] = attrs.field(converter=names)
    """The variables to train, each once."""
    start: date
    """First day of the period."""
    end: date
    """Last day of the period, included; no row that became known later is used for anything."""
    batch_size_days: int = 30
    """Length of the windows that tile the period."""
    batch_limit: int | None = None
    """The period ends with so many batches; None for all."""
    horizon: int = 5
    """Steps ahead to forecast: 1 to this."""
    forecasters: tuple[str, ...] = attrs.field(converter=names, default=DEFAULT_FORECASTERS)
    """Names of built-in forecasters or of the caller's own: all that the run has, in order.

    Where the default ones are named, a season and predictors add theirs; a benchmark that is not named comes first.
    """
    benchmark: str = "naive"
    """The forecaster that the others are compared with."""
    min_history: int = 30
    """Observations that must be known before the first forecast."""
    trust_decay: float = attrs.field(converter=_decimal, default=0.99)
    """What is left of the evidence for trust after 30 days, above 0 and at most 1."""
    known_at: str = "auto"
    """When a row became known: `auto`, `timestamp`, `period-end` or `+Nd`."""
    actuals: str = "first"
    """The release that scores are reported against: `first` or `latest`."""
    target: str = "level"
    """What is forecast: `level`, `change` or `log-change`."""
    season: int | None = None
    """Observations in a season; adds the seasonal forecasters to the default ones."""
    calibration: str = "conformal"
    """Where quantiles come from: `conformal` or `empirical`."""
    trust_loss: str = "absolute"
    """The loss that decides a win: `absolute` or `crps`."""
    refit_every: int = 1
    """Fit the caller's own and libraries' forecasters at every so many origins."""
    predictors: tuple[str, ...] = attrs.field(converter=names, default=())
    """Up to eight variables that `ridge` may learn from, as they were known."""

    def __attrs_post_init__(self) -> None:
        problems = tuple(_problems(self))
        if problems:
            raise InvalidSpec(problems)
        object.__setattr__(self, "forecasters", _resolved(self))

    @property
    def last_day(self) -> date:
        """The day the period ends with: `end`, or earlier where `batch_limit` cuts it."""
        if self.batch_limit is None:
            return self.end
        days = (self.end - self.start).days + 1
        return self.start + timedelta(days=min(days, self.batch_limit * self.batch_size_days) - 1)

    @property
    def run_id(self) -> str:
        """The run's default name: the first 16 hex digits of the hash of the resolved spec."""
        text = json.dumps(self.to_document(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def to_document(self, without: Collection[str] = ()) -> dict[str, Any]:
        """Return the spec as plain JSON values, dates in ISO format; `without` these fields."""
        fields = [field.name for field in attrs.fields(RunSpec) if field.name not in without]
        return {name: _plain(getattr(self, name)) for name in fields}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> RunSpec:
        """Rebuild a spec from `to_document`; raises InvalidSpec for unknown or missing fields."""
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
    """Return all forecasters of a run by name."""
    names = spec.forecasters
    if names == DEFAULT_FORECASTERS:
        seasonal = () if spec.season is None else tuple(name.format(spec.season) for name in SEASONAL)
        names = (*names[:-3], *seasonal, *((RIDGE,) if spec.predictors else ()), *names[-3:])
    return names if spec.benchmark in names else (spec.benchmark, *names)


def _plain(value: Any) -> Any:
    """Return a field's value as what JSON can hold."""
    if isinstance(value, tuple):
        return list(value)
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
    yield from _number_problems(spec)
    yield from _choice_problems(spec)


def _name_problems(field: str, values: tuple[str, ...]) -> Iterator[str]:
    if not values:
        yield f"{field}: none are named; name at least one"
    for name in values:
        if not isinstance(name, str) or not name.strip() or name != name.strip():
            yield f"{field}: {name!r} is no name (empty, or with blanks around it)"
        elif _NOT_SHOWN.search(name):
            yield f"{field}: {name!r} holds control characters"
    repeated = sorted({name for name, count in Counter(map(str, values)).items() if count > 1})
    for name in repeated:
        yield f"{field}: '{name}' is named twice"


def _predictor_problems(spec: RunSpec) -> Iterator[str]:
    if spec.predictors:
        yield from _name_problems("predictors", spec.predictors)
    if len(spec.predictors) > MOST_PREDICTORS:
        yield f"predictors: {len(spec.predictors)} are named; at most {MOST_PREDICTORS}"
    if RIDGE in spec.forecasters and not spec.predictors:
        yield f"forecasters: '{RIDGE}' needs predictors; name at least one"


def _period_problems(spec: RunSpec) -> Iterator[str]:
    invalid = [name for name in ("start", "end") if type(getattr(spec, name)) is not date]
    for name in invalid:
        yield f"{name}: {getattr(spec, name)!r} is no date"
    if not invalid and spec.start > spec.end:
        yield f"start {spec.start} is after end {spec.end}"


def _number_problems(spec: RunSpec) -> Iterator[str]:
    for name in ("batch_size_days", "batch_limit", "horizon", "min_history", "season", "refit_every"):
        value = getattr(spec, name)
        if value is None and name in ("batch_limit", "season"):
            continue
        if type(value) is not int or value < 1:
            yield f"{name}: {value!r} must be a whole number of at least 1"
        elif value > LARGEST.get(name, 100_000):
            yield f"{name}: {value} is out of range; at most {LARGEST.get(name, 100_000)}"
    decay = spec.trust_decay
    if type(decay) not in (int, float) or not (math.isfinite(decay) and 0 < decay <= 1):
        yield f"trust_decay: {decay!r} must be a number above 0 and at most 1"


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
