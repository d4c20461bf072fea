"""Does trust come true, and is evidence ever false: measured on simulated series against what docs/method.md promises.

Forecasts, trust and evidence are the kernel's. Nothing is tuned here. The slope is a matter of the rule; the Brier
score is one of how hard the question is, so that it stands beside that of always saying how often trust came true among
these. With a folder of series, trust is measured on these too.

    python benchmarks/truth.py --trust [--size small|default|large] [--data FOLDER]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulse_adapters.stores.folder import FolderStore

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.processes_trust import ERRORS, autoregressive_changes, jump_losses, over_losses, walks
from tests.trust_study import ALL, FIRST, MIN_HISTORY, PROCESSES, SPAN, TWENTY, Reliability, Replay

Array = NDArray[np.float64]

SERIES: Final = {"small": 20, "default": 100, "large": 400}
"""How many series of a process, by size."""

TOGETHER: Final = 100
"""How many series are replayed side by side, for the sake of memory."""

WALKS: Final = {"small": 100, "default": 400, "large": 1_000}
"""How many walks with errors of a kind."""

HORIZONS: Final = (1, 5)
RIVALS: Final = ("ses", "theta", "ar", "drift")
ORIGINS: Final = 2_300
POWER_AT: Final = (250, 750, 2_000)
HISTORIES: Final = (MIN_HISTORY, 250)
"""Values before the first origin of the period, from which forecasters have learned before anything is bet on them."""


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
    print("promised over all: slope .9 to 1.15, Brier at most .18, at h = 5 .19")
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
