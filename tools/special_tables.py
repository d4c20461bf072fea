"""Writes special_tables.h: the constants of the kernel's exponential, logarithm and gamma function.

    python -m tools.special_tables

Every number is rounded from 60 digits of mpmath; where a second number stands beside it, that is what rounding left.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mpmath import bernoulli, log, mp, mpf, pi

HEADER: Final = Path(__file__).parents[1] / "src/pulse_core/kernel/special_tables.h"
INTERVALS: Final = 128
FIRST: Final = mpf("0.6875")
STIRLING_TERMS: Final = 8

mp.dps = 60


def text() -> str:
    """Return the header."""
    return "\n".join([*_opening(), *_logarithms(), *_powers(), *_constants(), *_stirling(), "", "#endif", ""])


def interval(index: int) -> tuple[mpf, mpf]:
    """Return the ends of an interval of the logarithm's table: widths of 1/256 below 1 and of 1/128 above."""
    ends = [FIRST + mpf(step) / 256 for step in (index, index + 1)]
    low, high = (end if end <= 1 else 1 + 2 * (end - 1) for end in ends)
    return low, high


def reciprocal(index: int) -> mpf:
    """Return 1/z in the middle of an interval, to 9 bits behind the point; exactly 1 on either side of z = 1."""
    low, high = interval(index)
    if 1 in {low, high}:
        return mpf(1)
    return mpf(round(2 / (low + high) * 512)) / 512


def _opening() -> Iterator[str]:
    yield "/* Constants of special.c, written by tools/special_tables.py. */"
    yield "#ifndef PULSE_SPECIAL_TABLES_H"
    yield "#define PULSE_SPECIAL_TABLES_H"
    yield ""
    yield '#include "double_double.h"'


def _logarithms() -> Iterator[str]:
    yield ""
    yield f"/* Of each of {INTERVALS} intervals of z from {float(FIRST)} to twice that: near 1/z, and -log of that. */"
    yield f"static const double LOG_TABLE[{INTERVALS}][3] = {{"
    for index in range(INTERVALS):
        inverse = reciprocal(index)
        yield f"    {{{_hex(inverse)}, {_pair(-log(inverse))}}},"
    yield "};"


def _powers() -> Iterator[str]:
    yield ""
    yield f"/* 2^(i/{INTERVALS}). */"
    yield f"static const double EXP_TABLE[{INTERVALS}][2] = {{"
    for index in range(INTERVALS):
        yield f"    {{{_pair(mpf(2) ** (mpf(index) / INTERVALS))}}},"
    yield "};"


def _constants() -> Iterator[str]:
    yield ""
    yield "/* log 2 and its 128th part in a number short enough for exact multiples, and the rest. */"
    for name, value, bits in (("LOG2", log(2), 42), ("STEP", log(2) / INTERVALS, 35)):
        high = mpf(round(value * 2**bits * _scale(value))) / 2**bits / _scale(value)
        yield f"#define {name}_HIGH {_hex(high)}"
        yield f"#define {name}_LOW {_hex(value - high)}"
    yield f"#define STEPS_PER_UNIT {_hex(INTERVALS / log(2))}"
    yield f"static const dd HALF_LOG_2PI = {{{_pair(log(2 * pi) / 2)}}};"
    high, low = _pair(pi**2 / 8).split(", ")
    yield f"#define PI_SQUARED_EIGHTH_HIGH {high}"
    yield f"#define PI_SQUARED_EIGHTH_LOW {low}"
    yield f"#define ROOT_2PI {_hex(mp.sqrt(2 * pi))}"


def _stirling() -> Iterator[str]:
    yield ""
    yield "/* B(2k) / (2k (2k - 1)), k = 1, 2 ...: DLMF 5.11.1. */"
    yield f"static const double STIRLING[{STIRLING_TERMS}] = {{"
    for k in range(1, STIRLING_TERMS + 1):
        yield f"    {_hex(bernoulli(2 * k) / (2 * k * (2 * k - 1)))},"
    yield "};"


def _scale(value: mpf) -> int:
    """Return the power of two that brings a value below 1 into [1/2, 1)."""
    scale = 1
    while value * scale < mpf("0.5"):
        scale *= 2
    return scale


def _pair(value: mpf) -> str:
    high = mpf(float(value))
    return f"{_hex(high)}, {_hex(value - high)}"


def _hex(value: mpf) -> str:
    return float(value).hex()


if __name__ == "__main__":
    HEADER.write_text(text(), encoding="ascii")
