"""A variable's forecasters as they stand in `result.json`: by horizon their scores, trust, and why what is null is so.

Which of the values are null is nearly the same for every variable, and so is then all but the numbers: it is made once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_adapters.published.json_templates import GAP, Outline
from pulse_core.results import TRUST, VariableSummary
from pulse_core.scores.measures import MEASURES, why_null

GROUPS: Final = ("pinball", "coverage", "width")
"""Measures that stand together, one after another: `pinball_0.5` is `pinball`, key `0.5`."""

_BENCHMARK: Final = "it is the benchmark, which the others are compared with"
_NO_OUTCOME: Final = "no outcome could be compared with the benchmark's"


def forecasters_json(
    summary: VariableSummary,
    found: NDArray[np.bool_],
    places: Sequence[int],
    benchmark: str,
    *,
    level: int,
    indented: bool,
) -> bytes:
    """Return the forecasters at these places as JSON that stands so many levels deep in a document.

    `found` (forecaster, horizon): which are discoveries.
    """
    # (forecaster, horizon, value): the measures, then the parts of the trust, then whether it is a discovery
    values = np.concatenate([summary.scores, summary.trust, found[..., None]], axis=-1)[places]
    names = tuple(summary.forecasters[place] for place in places)
    given, count = _given(values, [name == benchmark for name in names]), MEASURES.index("n")
    pattern = np.concatenate([given, values[..., count, None] > 0], axis=-1)
    form = _form(names, values.shape[1], pattern.tobytes(), level=level, indented=indented)
    filling: list[Any] = values[given].tolist()
    for place in form.counts:
        filling[place] = int(filling[place])
    for place in form.discoveries:
        filling[place] = bool(filling[place])
    return form.outline.with_values(filling)


def _given(values: NDArray[np.float64], is_benchmark: Sequence[bool]) -> NDArray[np.bool_]:
    """Return which values are numbers in the document; the others are null there."""
    given = np.isfinite(values)
    trust = given[..., -1 - len(TRUST) : -1]
    trust[:] = trust.all(axis=-1, keepdims=True)
    given[np.asarray(is_benchmark, dtype=np.bool_), :, -1] = False
    given[..., MEASURES.index("n")] = True
    return given


@attrs.frozen
class _Form:
    """Forecasters but for their values."""

    outline: Outline
    counts: tuple[int, ...]
    """Which of the values are n, a whole number."""
    discoveries: tuple[int, ...]
    """Which of them say whether it is a discovery."""


@lru_cache(maxsize=128)
def _form(names: tuple[str, ...], horizons: int, pattern: bytes, *, level: int, indented: bool) -> _Form:
    """Return the form for a pattern (forecaster, horizon, value): which are given, and last whether any was scored."""
    rows = np.frombuffer(pattern, np.bool_).reshape(len(names), horizons, len(MEASURES) + len(TRUST) + 2)
    given = rows[..., :-1]
    places = np.cumsum(given).reshape(given.shape) - 1
    outer = {name: {"horizons": {str(step + 1): GAP for step in range(horizons)}} for name in names}
    inner = [_horizon(row.tobytes(), level=level + 3, indented=indented) for each in rows for row in each]
    return _Form(
        outline=Outline.of(outer, level=level, indented=indented).around(inner),
        counts=tuple(places[..., MEASURES.index("n")].ravel().tolist()),
        discoveries=tuple(places[..., -1][given[..., -1]].tolist()),
    )


@lru_cache(maxsize=1024)
def _horizon(pattern: bytes, *, level: int, indented: bool) -> Outline:
    """Return the outline of a forecaster's values at a horizon; `pattern` as that of a form."""
    given = np.frombuffer(pattern, np.bool_).tolist()
    trusted, compared, scored = given[-3:]
    document, nulls = _measures(given[: -2 - len(TRUST)], scored=scored)
    document["trust"] = dict.fromkeys(TRUST, GAP) if trusted else None
    document["discovery"] = GAP if compared else None
    if not trusted:
        nulls["trust"] = _NO_OUTCOME if compared else _BENCHMARK
    if not compared:
        nulls["discovery"] = _BENCHMARK
    return Outline.of(document | ({"nulls": nulls} if nulls else {}), level=level, indented=indented)


def _measures(given: Sequence[bool], *, scored: bool) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the measures by name, those of a group in an object, and why what is null is so."""
    document: dict[str, Any] = {}
    nulls: dict[str, str] = {}
    for measure, there in zip(MEASURES, given, strict=True):
        group, _, part = measure.partition("_")
        if group in GROUPS:
            name, key, within = group, part, document.setdefault(group, {})
        else:
            name, key, within = measure, measure, document
        within[key] = GAP if there else None
        if not there:
            nulls.setdefault(name, why_null(measure, scored=scored))
    return document, nulls
