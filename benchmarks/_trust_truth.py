"""Does trust come true, and is evidence ever false: measured on simulated series against what docs/method.md promises.

Forecasts, trust and evidence are the kernel's. Nothing is tuned here. The slope is a matter of the rule; the Brier
score is one of how hard the question is, so that it stands beside that of always saying how often trust came true among
these. With a folder of series, trust is measured on these too.

    python benchmarks/truth.py --trust [--size small|default|large] [--data FOLDER]
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import attrs
import numpy as np
from _synthetic import MIN_HISTORY, histories
from numpy.random import Generator
from numpy.typing import NDArray

from pulse_adapters.stores.folder import FolderStore
from pulse_core.backtest.hindcasts import hindcast
from pulse_core.forecasters.registry import resolve
from pulse_core.spec import DEFAULT_FORECASTERS

sys.path.insert(0, str(Path(__file__).parents[1]))

from _trust_study import SPAN, quote

from tests.processes_trust import (
    ERRORS,
    autoregressions,
    autoregressive_changes,
    jump_losses,
    local_levels,
    near_walks,
    over_losses,
    walks,
)

Array = NDArray[np.float64]
Process = Callable[[int, int, Generator], Array]

SERIES: Final = {"small": 20, "default": 100, "large": 400}
"""How many series of a process, by size."""

TOGETHER: Final = 100
"""How many series are replayed side by side, for the sake of memory."""

WALKS: Final = {"small": 100, "default": 400, "large": 1_000}
"""How many walks with errors of a kind."""

HORIZONS: Final = (1, 5)
RIVALS: Final = ("ses", "theta", "ar", "drift")
ALL: Final = tuple(name for name in DEFAULT_FORECASTERS if name not in {"naive", "ensemble"})
ORIGINS: Final = 2_300
FIRST: Final = 40
TWENTY: Final = math.log10(20.0)
POWER_AT: Final = (250, 750, 2_000)
HISTORIES: Final = (MIN_HISTORY, 250)
"""Values before the first origin of the period, from which forecasters have learned before anything is bet on them."""

BINS: Final = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
RESAMPLES: Final = 200

PROCESSES: Final[Mapping[str, Process]] = {
    "near-walks": near_walks,
    "AR(1) levels": lambda count, length, generator: autoregressions(
        count, length, generator, generator.uniform(0.9, 1.0, count)
    ),
    "AR(1) changes": lambda count, length, generator: autoregressive_changes(
        count, length, generator, generator.uniform(-0.3, 0.3, count)
    ),
    "local levels": lambda count, length, generator: local_levels(
        count, length, generator, generator.uniform(0.0, 1.0, count)
    ),
    "walks": walks,
}


@attrs.frozen(eq=False)
class Replay:
    """Losses (origin, series, rival) of series at one horizon; trust (quoted origin, series, rival), evidence likewise.

    `gains`: by how much the benchmark's mean loss was larger over the K origins from each quoted one on.
    """

    losses: Array
    benchmark_losses: Array
    trust: Array
    gains: Array
    evidence: Array
    evidence_against: Array

    @classmethod
    def of_losses(cls, losses: Array, benchmark_losses: Array, horizon: int) -> Replay:
        """Replay losses (origin, series, rival) against the benchmark's (origin, series)."""
        origins, count, _ = losses.shape
        quoted = quoted_origins(origins)
        quotes = [quote(losses[:, row], benchmark_losses[:, row], horizon, quoted) for row in range(count)]
        spans = [slice(origin, origin + SPAN) for origin in quoted]
        gains = np.array([np.nanmean(benchmark_losses[span, :, None] - losses[span], axis=0) for span in spans])
        trust, *evidence = (
            np.stack([getattr(each, name) for each in quotes], axis=1)
            for name in ("trust", "evidence", "evidence_against")
        )
        return cls(losses, benchmark_losses, trust, gains, *evidence)

    @classmethod
    def of(cls, values: Array, horizon: int, rivals: tuple[str, ...] = ALL, history: int = MIN_HISTORY) -> Replay:
        """Replay series (series, time) with every rival against naive; the first origin has so long a history."""
        errors = np.stack([_errors(row, horizon, ("naive", *rivals), history) for row in values], axis=1)
        return cls.of_losses(errors[..., 1:], errors[..., 0], horizon)

    def ever(self, origins: int | None = None) -> Array:
        """Whether e of 20 was reached within so many origins; (series, rival)."""
        return np.asarray((self.evidence[:origins] >= TWENTY).any(axis=0))


def quoted_origins(origins: int) -> range:
    """The 40th and every K-th after it, as long as K more follow."""
    return range(FIRST, origins - SPAN + 1, SPAN)


def _errors(values: Array, horizon: int, names: tuple[str, ...], history: int) -> Array:
    """The absolute errors (origin, forecaster) at a horizon."""
    lengths = np.arange(history, len(values) - horizon + 1)
    forecasts = hindcast(resolve(names), histories(values, lengths), horizon, {}).forecasts[:, :, -1]
    return np.abs(values[lengths + horizon - 1][:, None] - forecasts)


@attrs.frozen(eq=False)
class Reliability:
    """Trusts and whether they came true, with the series that each is of; (number,)."""

    trust: Array
    outcome: Array
    series: NDArray[np.int64]
    equal: float
    """The share in which the mean loss was the same, as where `ses` becomes naive; it counts as not lower."""

    @classmethod
    def of(cls, replay: Replay, rivals: tuple[str, ...]) -> Reliability:
        """All that was quoted of some rivals in a replay of ALL."""
        columns = [ALL.index(rival) for rival in rivals]
        trust, gains = replay.trust[..., columns], replay.gains[..., columns]
        quoted = np.isfinite(trust)
        series = np.broadcast_to(np.arange(trust.shape[1])[:, None], trust.shape)[quoted]
        outcome, equal = gains[quoted] > 0.0, gains[quoted] == 0.0
        return cls(trust[quoted], outcome.astype(np.float64), series, float(equal.mean()))

    @classmethod
    def pooled(cls, parts: list[Reliability]) -> Reliability:
        """Several, each of series of its own."""
        shifts = np.cumsum([0, *(part.series.max() + 1 for part in parts)])
        series = [part.series + shift for part, shift in zip(parts, shifts[:-1], strict=True)]
        trust, outcome = (np.concatenate([getattr(part, name) for part in parts]) for name in ("trust", "outcome"))
        equal = np.average([part.equal for part in parts], weights=[len(part.trust) for part in parts])
        return cls(trust, outcome, np.concatenate(series), float(equal))

    @property
    def slope(self) -> float:
        """Of the outcome on trust, by least squares."""
        return float(np.polyfit(self.trust, self.outcome, 1)[0])

    @property
    def brier(self) -> float:
        """The mean squared distance of outcome and trust."""
        return float(np.mean((self.outcome - self.trust) ** 2))

    @property
    def uncertainty(self) -> float:
        """The Brier score of the share that came true, said every time."""
        return float(self.outcome.var())

    @property
    def log_score(self) -> float:
        """The mean of -log of what was given to the outcome."""
        trust = np.clip(self.trust, 1e-12, 1.0 - 1e-12)
        return float(-np.mean(self.outcome * np.log(trust) + (1.0 - self.outcome) * np.log(1.0 - trust)))

    def band(self, generator: Generator) -> tuple[float, float]:
        """95 % of the slopes when series are drawn with replacement."""
        ids = np.unique(self.series)
        rows = {number: np.flatnonzero(self.series == number) for number in ids}
        slopes = []
        for _ in range(RESAMPLES):
            drawn = np.concatenate([rows[number] for number in generator.choice(ids, len(ids))])
            slopes.append(np.polyfit(self.trust[drawn], self.outcome[drawn], 1)[0])
        low, high = np.quantile(slopes, (0.025, 0.975))
        return float(low), float(high)

    def bins(self) -> Iterator[tuple[float, float, int]]:
        """Mean trust, how often it came true, and the number, by bin."""
        bin_of = np.clip(np.digitize(self.trust, BINS) - 1, 0, len(BINS) - 2)
        for index in np.unique(bin_of):
            within = bin_of == index
            yield float(self.trust[within].mean()), float(self.outcome[within].mean()), int(within.sum())


def run(size: str = "default", data: Path | None = None) -> None:
    """Measure and print; `size` is one of SERIES, `data` a folder of series."""
    started = time.process_time()
    measure_reliability(SERIES[size])
    measure_false_alarms(WALKS[size])
    measure_power(2 * SERIES[size])
    measure_sizes(SERIES[size])
    if data is not None:
        measure_data(data)
    print(f"\n{time.process_time() - started:.0f} s of CPU")


def measure_reliability(count: int) -> None:
    """Print slope, Brier and log score by process and horizon, and the bins of all processes together."""
    print(f"does trust come true: {count} series a process, K = {SPAN}, from origin {FIRST} on, K apart")
    print("promised over all: slope .9 to 1.15, Brier at most .18")
    for horizon in HORIZONS:
        few, every = {}, {}
        for name in PROCESSES:
            replay = _replay(name, count, horizon)
            few[name], every[name] = (Reliability.of(replay, rivals) for rivals in (RIVALS, ALL))
        _print_reliability(f"h = {horizon}, {', '.join(RIVALS)}", few)
        _print_reliability(f"h = {horizon}, all {len(ALL)} that are built in", every)


def measure_data(folder: Path) -> None:
    """Print slope, Brier and log score of the variables in a folder."""
    print(f"\nthe variables of {folder.name}, K = {SPAN}, the last actuals as they are in the files")
    paths = sorted(folder.glob("*.csv"))
    store = FolderStore(folder)
    for horizon in HORIZONS:
        replays = {path.stem: Replay.of(store.read(path.stem).values[None], horizon) for path in paths}
        parts = {name: Reliability.of(replay, ALL) for name, replay in replays.items()}
        _print_reliability(f"h = {horizon}, all {len(ALL)} that are built in", parts)


def _replay(name: str, count: int, horizon: int) -> Replay:
    generator = np.random.default_rng([102, list(PROCESSES).index(name)])
    return Replay.of(PROCESSES[name](count, MIN_HISTORY + ORIGINS + horizon - 1, generator), horizon)


def _print_reliability(title: str, parts: Mapping[str, Reliability]) -> None:
    print(f"\n{title:<32} {'number':>7} {'true':>5} {'equal':>5} {'slope':>6} {'95 % band':>12} {'Brier':>6} ", end="")
    print(f"{'constant':>8} {'log':>6}")
    everything = Reliability.pooled(list(parts.values()))
    for name, part in {**parts, "all processes": everything}.items():
        low, high = part.band(np.random.default_rng(101))
        print(
            f"{name:<32} {len(part.trust):>7,} {part.outcome.mean():>5.2f} {part.equal:>5.2f} {part.slope:>6.2f} "
            f"{low:>5.2f} ..{high:>5.2f} {part.brier:>6.3f} {part.uncertainty:>8.3f} {part.log_score:>6.3f}",
            flush=True,
        )
    print("  " + "  ".join(f"{said:.2f} -> {true:.2f}" for said, true, _ in everything.bins()))
    print("  " + "  ".join(f"{number:>12,}" for *_, number in everything.bins()))


def measure_false_alarms(count: int) -> None:
    """Print how often walks have evidence of 20 at any time, or a trust above .9."""
    print(f"\n{count} walks of {ORIGINS:,} origins with errors of each kind, all {len(ALL)}, % of pairs")
    print("promised: e >= 20 ever at most 5 % at h = 1; trust above .9 at most .2 % at h = 1, .5 % at h = 5")
    print(f"{'h':>2} {'errors':<7} {'trust > .9':>10} {'at the end':>10} {'e >= 20 ever':>12}  at worst")
    for horizon in HORIZONS:
        for index, errors in enumerate(ERRORS):
            values = walks(count, MIN_HISTORY + ORIGINS + horizon - 1, np.random.default_rng([103, index]), errors)
            _print_alarms(f"{horizon:>2} {errors:<7}", values, horizon)


def _print_alarms(title: str, values: Array, horizon: int) -> None:
    above, ever = [], []
    for first in range(0, len(values), TOGETHER):
        replay = Replay.of(values[first : first + TOGETHER], horizon)
        above.append(replay.trust > 0.9)
        ever.append(replay.ever())
    trusted, alarms = 100 * np.concatenate(above, axis=1), 100 * np.concatenate(ever).mean(axis=0)
    worst = f"{ALL[np.argmax(alarms)]} {alarms.max():.2f}" if alarms.any() else "none"
    print(f"{title} {trusted.mean():>10.2f} {trusted[-1].mean():>10.2f} {alarms.mean():>12.2f}  {worst}", flush=True)


def measure_power(count: int) -> None:
    """Print how often e of 20 was reached on AR(1) .3 in changes."""
    rivals = (*RIVALS, "ari")
    print(f"\ne >= 20 ever reached on {count} series whose changes are AR(1) .3, h = 1, % of series")
    print("promised: at least 70 % by origin 750")
    print(f"{'history':>7} {'origins':>7} " + " ".join(f"{name:>6}" for name in rivals))
    for history in HISTORIES:
        values = autoregressive_changes(count, history + POWER_AT[-1], np.random.default_rng(104), 0.3)
        replay = Replay.of(values, 1, rivals, history)
        for origins in POWER_AT:
            shares = replay.ever(origins + 1).mean(axis=0)
            print(f"{history:>7} {origins:>7,} " + " ".join(f"{100 * share:>6.1f}" for share in shares), flush=True)


def measure_sizes(count: int) -> None:
    """Print what is said of one that is better by much on few days, and of one that wins often and loses by much."""
    print(
        f"\n{count} series of 1,350 origins{'':<12} {'skill':>6} {'wins':>5} {'e for':>6} {'against':>7} {'trust':>6}"
    )
    for index, (name, losses) in enumerate({"knows the jumps": jump_losses, "overshoots": over_losses}.items()):
        own, naive = (array.T for array in losses(count, 1_350, np.random.default_rng([105, index])))
        replay = Replay.of_losses(own[..., None], naive, 1)
        shares = [(evidence[-1] >= TWENTY).mean() for evidence in (replay.evidence, replay.evidence_against)]
        print(
            f"{name:<34} {1 - own.sum() / naive.sum():>6.1%} {(own < naive).mean():>5.2f} {shares[0]:>6.0%} "
            f"{shares[1]:>7.0%} {replay.trust[-1].mean():>6.3f}"
        )
