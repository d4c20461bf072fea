"""JSON of a variable's forecasters in `result.json`: by horizon their scores, trust, and the reason of each null.

The pattern of nulls, and with it all JSON but the numbers, is nearly the same for every variable: its template is made
once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_adapters.published.json_templates import PLACEHOLDER, Template
from pulse_core.results import TRUST, VariableSummary
from pulse_core.scores.measures import MEASURES, why_null

GROUPS: Final = ("pinball", "coverage", "width")
"""Measures that share an object: `pinball_0.5` is the key `0.5` of `pinball`."""

_BENCHMARK: Final = "it is the benchmark, which the others are compared with"
_NO_OUTCOME: Final = "no outcome could be compared with the benchmark's"


def forecasters_json(
    summary: VariableSummary,
    discoveries: NDArray[np.bool_],
    indexes: Sequence[int],
    benchmark: str,
    *,
    level: int,
    indented: bool,
) -> bytes:
    """Return the JSON of the forecasters at these indexes, for this level of a document.

    `discoveries` is (forecaster, horizon).
    """
    # (forecaster, horizon, value): the measures, then the parts of the trust, then whether it is a discovery
    values = np.concatenate([summary.scores, summary.trust, discoveries[..., None]], axis=-1)[indexes]
    names = tuple(summary.forecasters[index] for index in indexes)
    written, count = _written(values, [name == benchmark for name in names]), MEASURES.index("n")
    pattern = np.concatenate([written, values[..., count, None] > 0], axis=-1)
    form = _form(names, values.shape[1], pattern.tobytes(), level=level, indented=indented)
    numbers: list[Any] = values[written].tolist()
    for index in form.counts:
        numbers[index] = int(numbers[index])
    for index in form.discoveries:
        numbers[index] = bool(numbers[index])
    return form.template.with_values(numbers)


def _written(values: NDArray[np.float64], is_benchmark: Sequence[bool]) -> NDArray[np.bool_]:
    """Return which values the document writes as numbers; it writes the others as null."""
    written = np.isfinite(values)
    trust = written[..., -1 - len(TRUST) : -1]
    trust[:] = trust.all(axis=-1, keepdims=True)
    written[np.asarray(is_benchmark, dtype=np.bool_), :, -1] = False
    written[..., MEASURES.index("n")] = True
    return written


@attrs.frozen
class _Form:
    """The template of forecasters, and which of its values are no floats."""

    template: Template
    counts: tuple[int, ...]
    """The positions of n, a whole number, among the values."""
    discoveries: tuple[int, ...]
    """The positions of the discoveries, booleans, among the values."""


@lru_cache(maxsize=128)
def _form(names: tuple[str, ...], horizons: int, pattern: bytes, *, level: int, indented: bool) -> _Form:
    """Return the form for a pattern (forecaster, horizon, flag): a flag for each written value, then one for n > 0."""
    rows = np.frombuffer(pattern, np.bool_).reshape(len(names), horizons, len(MEASURES) + len(TRUST) + 2)
    written = rows[..., :-1]
    positions = np.cumsum(written).reshape(written.shape) - 1
    outer = {name: {"horizons": {str(step + 1): PLACEHOLDER for step in range(horizons)}} for name in names}
    inner = [_horizon(flags.tobytes(), level=level + 3, indented=indented) for steps in rows for flags in steps]
    return _Form(
        template=Template.of(outer, level=level, indented=indented).with_templates(inner),
        counts=tuple(positions[..., MEASURES.index("n")].ravel().tolist()),
        discoveries=tuple(positions[..., -1][written[..., -1]].tolist()),
    )


@lru_cache(maxsize=1024)
def _horizon(pattern: bytes, *, level: int, indented: bool) -> Template:
    """Return the template of a forecaster's values at a horizon; `pattern` are its flags, as in `_form`."""
    flags = np.frombuffer(pattern, np.bool_).tolist()
    trusted, compared, scored = flags[-3:]
    document, nulls = _measures(flags[: -2 - len(TRUST)], scored=scored)
    document["trust"] = dict.fromkeys(TRUST, PLACEHOLDER) if trusted else None
    document["discovery"] = PLACEHOLDER if compared else None
    if not trusted:
        nulls["trust"] = _NO_OUTCOME if compared else _BENCHMARK
    if not compared:
        nulls["discovery"] = _BENCHMARK
    return Template.of(document | ({"nulls": nulls} if nulls else {}), level=level, indented=indented)


def _measures(written: Sequence[bool], *, scored: bool) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the measures by name, those of a group in an object, and the reason of each null."""
    document: dict[str, Any] = {}
    nulls: dict[str, str] = {}
    for measure, is_written in zip(MEASURES, written, strict=True):
        group, _, part = measure.partition("_")
        if group in GROUPS:
            name, key, parent = group, part, document.setdefault(group, {})
        else:
            name, key, parent = measure, measure, document
        parent[key] = PLACEHOLDER if is_written else None
        if not is_written:
            nulls.setdefault(name, why_null(measure, scored=scored))
    return document, nulls
