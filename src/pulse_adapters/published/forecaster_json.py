"""JSON of a variable's forecasters in `result.json`: by horizon scores, trust, verdict, and the reason of each null.

The pattern of nulls, and with it all JSON but the numbers, is nearly the same for every variable: its template is made
once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from pulse_adapters.published.benchmark_comparison import (
    KEYS,
    WIDTHS,
    comparison_document,
    comparison_values,
    written_keys,
)
from pulse_adapters.published.json_templates import PLACEHOLDER, Template
from pulse_core.results import VariableSummary
from pulse_core.scores.measures import MEASURES, why_null
from pulse_core.scores.verdict import VERDICTS

GROUPS: Final = ("pinball", "coverage", "width")
"""Measures that share an object: `pinball_0.5` is the key `0.5` of `pinball`."""

Flags = NDArray[np.bool_]

_KINDS: Final[Mapping[tuple[str, str], Callable[[float], Any]]] = {
    ("n", ""): int,
    ("hit_rate_count", ""): int,
    ("trust", "span"): int,
    ("verdict", ""): lambda code: VERDICTS[int(code)],
    ("anytime", ""): bool,
    ("discovery", ""): bool,
}
"""What the number of a key, and of a key in its object, is made into where it is no float."""


def forecasters_json(summary: VariableSummary, discoveries: Flags, *, level: int) -> bytes:
    """Return the indented JSON of a variable's forecasters, for this level of a document.

    `discoveries` is (forecaster, horizon).
    """
    compared = comparison_values(summary, discoveries)
    # (forecaster, horizon, number): the measures, then what stands against the benchmark
    values = np.concatenate([summary.scores, compared], axis=-1)
    count = MEASURES.index("n")
    keys = np.concatenate([np.isfinite(values[..., : len(MEASURES)]), written_keys(compared)], axis=-1)
    keys[..., count] = True
    pattern = np.concatenate([keys, values[..., count, None] > 0], axis=-1)
    form = _form(summary.forecasters, values.shape[1], pattern.tobytes(), level=level)
    numbers: list[Any] = values[_written_numbers(keys)].tolist()
    for kind, positions in form.kinds:
        for index in positions:
            numbers[index] = kind(numbers[index])
    return form.template.with_values(numbers)


def _written_numbers(keys: Flags) -> Flags:
    """Return which numbers the document writes, from which keys it does (.., key)."""
    return np.repeat(keys, [1] * len(MEASURES) + [*WIDTHS], axis=-1)


@attrs.frozen
class _Form:
    """The template of forecasters, and the positions among its values of those that are no floats, with their kind."""

    template: Template
    kinds: tuple[tuple[Callable[[float], Any], tuple[int, ...]], ...]


@lru_cache(maxsize=128)
def _form(names: tuple[str, ...], horizons: int, pattern: bytes, *, level: int) -> _Form:
    """Return the form for a pattern (forecaster, horizon, flag): flags of the keys, and of n > 0."""
    rows = np.frombuffer(pattern, np.bool_).reshape(len(names), horizons, len(MEASURES) + len(KEYS) + 1)
    outer = {name: {"horizons": {str(step + 1): PLACEHOLDER for step in range(horizons)}} for name in names}
    inner = [_horizon(flags.tobytes(), level=level + 3) for steps in rows for flags in steps]
    template = Template.of(outer, level=level, indented=True).with_templates(inner)
    return _Form(template, _kinds(_written_numbers(rows[..., :-1])))


def _kinds(written: Flags) -> tuple[tuple[Callable[[float], Any], tuple[int, ...]], ...]:
    """Return each kind of _KINDS with its positions among the values that are written (.., number)."""
    columns = [(measure, "") for measure in MEASURES] + [(key, part) for key in KEYS for part in KEYS[key] or ("",)]
    positions = np.cumsum(written).reshape(written.shape) - 1
    return tuple(
        (kind, tuple(positions[..., column][written[..., column]].tolist()))
        for name, kind in _KINDS.items()
        for column in [columns.index(name)]
    )


@lru_cache(maxsize=1024)
def _horizon(pattern: bytes, *, level: int) -> Template:
    """Return the template of a forecaster's values at a horizon; `pattern` are its flags, as in `_form`."""
    flags = np.frombuffer(pattern, np.bool_).tolist()
    document, nulls = _measures(flags[: len(MEASURES)], scored=flags[-1])
    written = dict(zip(KEYS, flags[len(MEASURES) : -1], strict=True))
    compared, reasons = comparison_document(written, PLACEHOLDER)
    document, nulls = document | compared, nulls | reasons
    return Template.of(document | ({"nulls": nulls} if nulls else {}), level=level, indented=True)


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
