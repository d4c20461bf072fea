"""Series of the golden runs: slices of the sample, and synthetic ones from whole numbers, the same bits anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files

import attrs

DAY = timedelta(days=1)
FIRST = datetime(2000, 1, 1)  # noqa: DTZ001  # moments of a series are UTC without saying so
SEASON = (3.0, -1.5, 0.25, 2.0, -4.0, 1.0, 0.5, -0.75, 2.5, -2.0, 0.125, -1.125)
"""A shape for seasons of up to twelve observations."""


def _moments(values: Iterable[datetime]) -> tuple[datetime, ...]:
    return tuple(values)


def _numbers(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(values)


@attrs.frozen
class Rows:
    """A variable as a store reads it: moments, values, and when each row became known where the data say so."""

    timestamps: tuple[datetime, ...] = attrs.field(converter=_moments)
    values: tuple[float, ...] = attrs.field(converter=_numbers)
    known_at: tuple[datetime, ...] | None = None


Make = Callable[[], Rows]
Release = tuple[datetime, float, datetime]
"""Timestamp, value and the moment at which the row became known."""


class Draws:
    """A linear congruential generator (Knuth's MMIX), whose upper bits are uniform."""

    def __init__(self, seed: int) -> None:
        self._state = seed
        for _ in range(4):
            self.uniform()

    def uniform(self) -> float:
        """Return a number from 0 to 1, the 1 excluded: 53 bits, exactly."""
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self._state >> 11) * 2.0**-53

    def noise(self) -> float:
        """Return what is close to standard normal: twelve uniforms less their mean."""
        total = 0.0
        for _ in range(12):
            total += self.uniform()
        return total - 6.0

    def below(self, end: int) -> int:
        """Return a whole number from 0 to below `end`."""
        return int(self.uniform() * end)


def day(number: int) -> date:
    """Return the day so many days after the first."""
    return (FIRST + number * DAY).date()


def daily(values: Sequence[float], first: int = 0, step: timedelta = DAY) -> Rows:
    """Return one value a step, from so many days after the first."""
    begin = FIRST + first * DAY
    return Rows([begin + number * step for number in range(len(values))], values)


def month(number: int, year: int = 2000) -> datetime:
    """Return the first of the month, so many months after January of the year."""
    return datetime(year + number // 12, number % 12 + 1, 1)  # noqa: DTZ001


def monthly(values: Sequence[float], year: int = 2000, months: int = 1) -> Rows:
    """Return one value every so many months, stamped at the beginning of the period."""
    return Rows([month(number * months, year) for number in range(len(values))], values)


# --- values ---


def walk(seed: int, count: int, start: float = 100.0, size: float = 1.0, drift: float = 0.0) -> list[float]:
    """A random walk."""
    draws, value, values = Draws(seed), start, []
    for _ in range(count):
        values.append(value)
        value += drift + size * draws.noise()
    return values


def autoregression(seed: int, count: int, slopes: Sequence[float] = (0.7,), level: float = 10.0) -> list[float]:
    """A stationary autoregression around a level."""
    draws, recent, values = Draws(seed), [0.0] * len(slopes), []
    for _ in range(count):
        total = draws.noise()
        for slope, value in zip(slopes, recent, strict=True):
            total += slope * value
        recent = [total, *recent[:-1]]
        values.append(level + total)
    return values


def ties(seed: int, count: int, distinct: int = 4) -> list[float]:
    """Whole numbers, few of them, so that many errors are equal."""
    draws = Draws(seed)
    return [float(draws.below(distinct)) for _ in range(count)]


def rounded(values: Sequence[float], unit: float) -> list[float]:
    """The nearest multiples of a unit."""
    return [round(value / unit) * unit for value in values]


def mostly_still(seed: int, count: int, share: float = 0.05) -> list[float]:
    """A level of which a small share of the steps is not zero."""
    draws, value, values = Draws(seed), 5.0, []
    for _ in range(count):
        value += draws.noise() if draws.uniform() < share else 0.0
        values.append(value)
    return values


def pegged(seed: int, count: int, still: int, level: float = 7.75) -> list[float]:
    """A constant, and a walk from it after so many observations."""
    return [level] * still + walk(seed, count - still, start=level, size=0.05)


def jumping(seed: int, count: int, every: int, sizes: Sequence[float]) -> list[float]:
    """A walk that is thrown by one of these sizes, in turn, at every so many steps."""
    values = walk(seed, count, start=1.0)
    for number, position in enumerate(range(every, count, every)):
        values[position] += sizes[number % len(sizes)]
    return values


def explosion(seed: int, count: int, growth: float) -> list[float]:
    """A value that grows by a factor at every step, with some noise in it."""
    draws, value, values = Draws(seed), 1.0, []
    for _ in range(count):
        values.append(value)
        value *= growth + 0.01 * draws.noise()
    return values


def seasonal(seed: int, count: int, season: int, trend: float = 0.05, noise: float = 0.5) -> list[float]:
    """A trend with a season and noise."""
    draws = Draws(seed)
    return [50.0 + trend * number + SEASON[number % season] + noise * draws.noise() for number in range(count)]


def scaled(values: Sequence[float], factor: float) -> list[float]:
    """The values times a factor."""
    return [value * factor for value in values]


def raised(values: Sequence[float]) -> list[float]:
    """The values on a level above zero: 1 above the least."""
    least = min(values)
    return [value - least + 1.0 for value in values]


def following(values: Sequence[float], seed: int, lag: int, noise: float = 0.5) -> list[float]:
    """A series whose changes are those of another some steps before, and noise."""
    draws, value, result = Draws(seed), 20.0, []
    for number in range(len(values)):
        change = values[number - lag] - values[number - lag - 1] if number > lag else 0.0
        value += 0.6 * change + noise * draws.noise()
        result.append(value)
    return result


# --- the sample ---


@cache
def _sample(variable: str) -> tuple[tuple[datetime, float], ...]:
    lines = (files("pulse_adapters") / "sample" / f"{variable}.csv").read_text(encoding="utf-8").split()[1:]
    cells = (line.split(",") for line in lines)
    return tuple((datetime.fromisoformat(stamp), float(value)) for stamp, value in cells)


def sample(variable: str, first: int, count: int) -> Rows:
    """So many rows of a series of the sample, from row `first` on."""
    rows = _sample(variable)[first : first + count]
    return Rows([stamp for stamp, _ in rows], [value for _, value in rows])


# --- vintages ---


def released(releases: Iterator[Release]) -> Rows:
    """Rows that say when they became known; of two with the same times the first stays."""
    rows: dict[tuple[datetime, datetime], float] = {}
    for stamp, value, known_at in releases:
        rows.setdefault((stamp, known_at), value)
    return Rows([stamp for stamp, _ in rows], list(rows.values()), tuple(known_at for _, known_at in rows))


def revised(rows: Rows, seed: int, delay: int = 40, most: int = 3, size: float = 0.01) -> Rows:
    """Each value comes some days late and is revised up to so many times; some revisions change nothing."""

    def releases() -> Iterator[Release]:
        draws = Draws(seed)
        for stamp, value in zip(rows.timestamps, rows.values, strict=True):
            known_at = stamp + (delay + draws.below(5)) * DAY
            for revision in range(1 + draws.below(most + 1)):
                yield stamp, value * (1.0 + size * draws.noise()) if revision % 3 else value, known_at
                known_at += (5 + draws.below(60)) * DAY

    return released(releases())


def filled_in(rows: Rows, seed: int, share: float = 0.15) -> Rows:
    """Some rows are missing at first and are filled in behind newer ones, some of them at one moment."""

    def releases() -> Iterator[Release]:
        draws = Draws(seed)
        step = rows.timestamps[1] - rows.timestamps[0]
        for stamp, value in zip(rows.timestamps, rows.values, strict=True):
            late = (2 + draws.below(6)) * step if draws.uniform() < share else 0 * step
            yield stamp, value, stamp + step + late

    return released(releases())


def together(rows: Rows, count: int, *, lag: int = 0) -> Rows:
    """So many steps are released at one moment, that of the last of them, or some days later."""
    stamps = rows.timestamps
    last = len(stamps) - 1
    known_at = [stamps[min(number - number % count + count - 1, last)] + lag * DAY for number in range(len(stamps))]
    return Rows(stamps, rows.values, tuple(known_at))


def delayed(rows: Rows, seed: int, most: int) -> Rows:
    """Each row comes up to so many days late, so that some come before older ones, and some together."""
    draws = Draws(seed)
    return Rows(rows.timestamps, rows.values, tuple(stamp + draws.below(most) * DAY for stamp in rows.timestamps))


def rebased(rows: Rows, every: int, factor: float) -> Rows:
    """All older values are released anew, times a factor, at every so many rows, as when an index is rebased."""

    def releases() -> Iterator[Release]:
        level = 1.0
        for number, stamp in enumerate(rows.timestamps):
            if number and number % every == 0:
                level *= factor
                yield from ((old, rows.values[row] * level, stamp) for row, old in enumerate(rows.timestamps[:number]))
            yield stamp, rows.values[number] * level, stamp

    return released(releases())
