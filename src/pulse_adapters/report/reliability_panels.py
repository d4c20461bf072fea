"""The panel of the run's own reliability: whether the trusts that it quoted came true."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from pulse_adapters.published.cautions import reliability_text
from pulse_adapters.published.document import ReliabilityBin
from pulse_adapters.report.figures.reliability import trust_reliability_figure
from pulse_adapters.report.formats import NONE, counted, share, signed
from pulse_adapters.report.panel import Numbers, Panel
from pulse_adapters.report.views import Report
from pulse_core.scores.reliability import LEAST_PAIRS

HORIZON_LIMIT = 3
"""The number of horizons that are shown, evenly apart; a bad bin of another one is listed all the same."""


def reliability_panels(report: Report) -> Iterator[Panel]:
    """Yield the panel where any trust of the run is old enough to have come true or not."""
    if not report.reliability:
        return
    horizons = shown_horizons(report.horizon)
    bins = [trust_bin for trust_bin in report.reliability if trust_bin.horizon in horizons or trust_bin.bad]
    yield Panel(
        title="Trusts that have come of age",
        conclusion=on_trusts(report.reliability),
        note="Counted at origins one span apart, from the fortieth on. The band is the 99% interval of what came true "
        "less what was said, by leaving out one variable after the other.",
        drawing=trust_reliability_figure(horizons, bins),
        numbers=Numbers(
            ("ahead", "trust from", "to", "on average", "came true", "band", "trusts", "pairs", ""),
            tuple(map(_line, bins)),
        ),
        wide=True,
    )


def shown_horizons(horizon: int) -> list[int]:
    """Return the horizons to show, of 1 to `horizon`."""
    if horizon <= HORIZON_LIMIT:
        return list(range(1, horizon + 1))
    steps = np.linspace(1, horizon, HORIZON_LIMIT).round()
    return [int(step) for step in steps]


def on_trusts(bins: Sequence[ReliabilityBin]) -> str:
    """Say whether trusts came true as they should."""
    count = sum(trust_bin.count for trust_bin in bins)
    said = sum(trust_bin.trust * trust_bin.count for trust_bin in bins) / count
    came_true = sum(trust_bin.true * trust_bin.count for trust_bin in bins) / count
    overall = f"Of {counted(count, 'trust')}, {share(said)} on average, {share(came_true)} came true."
    bad = reliability_text(bins)
    if bad:
        return f"{overall} {bad}"
    if max(trust_bin.pairs for trust_bin in bins) < LEAST_PAIRS:
        return (
            f"{overall} No bin has the {LEAST_PAIRS} pairs of a variable and a span of origins that it takes to judge."
        )
    return f"{overall} In no bin is the difference beyond chance."


def _line(trust_bin: ReliabilityBin) -> tuple[str, ...]:
    band = NONE
    if trust_bin.band_low is not None and trust_bin.band_high is not None:
        band = f"{signed(trust_bin.band_low)} to {signed(trust_bin.band_high)}"
    return (
        f"{trust_bin.horizon}",
        share(trust_bin.low),
        share(trust_bin.high),
        share(trust_bin.trust, 1),
        share(trust_bin.true, 1),
        band,
        f"{trust_bin.count:,}",
        f"{trust_bin.pairs:,}",
        "off" if trust_bin.bad else "",
    )
