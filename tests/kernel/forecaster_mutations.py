"""Faults of the forecasters' C sources that their tests must notice."""

from __future__ import annotations

from typing import Final

from tests.kernel.builds import Mutation

FAULTS: Final[tuple[tuple[str, str, str], ...]] = (
    ("lanes.h", "even = lesser(odd, even);", ""),
    ("lanes.h", "while (numbers[j] == numbers[j])", "while (numbers[j] < 0)"),
    ("lanes.h", "if (j < count) {", "if (j + LANES < count) {"),
    ("lanes.h", "total += next + after;", "total += next;"),
    ("averages.c", "sum = first > 0 ? *state : 0.0;", "sum = 0.0;"),
    ("averages.c", "base + sum / (double)lengths[i]", "sum / (double)lengths[i] + base * 1.0000000000000002"),
    ("averages.c", "newest + ((double)h + 1.0) * slope", "newest + (double)h * slope"),
    ("averages.c", "ends[j] = ends[j + 1] +", "ends[j] = 0.0 + ends[j + 1] * 1.0000000000000002 +"),
    ("averages.c", "t >= window && in_block", "t > window && in_block"),
    ("averages.c", "int64_t i = 0, in_block = first % window;", "int64_t i = 0, in_block = 0;"),
    ("smoothing.c", "level[j] = value - fade[j] * error;", "level[j] += (1.0 - fade[j]) * error;"),
    ("smoothing.c", "squares[j] += error * error;", "squares[j] += error < 0 ? -error : error;"),
    ("smoothing.c", "(count + 1.0) / 2.0 * sum", "count / 2.0 * sum"),
    ("smoothing.c", "((double)h + memory)", "(double)h + half * memory"),
    ("smoothing.c", "weighted = first > 0 ? state[1] : 0.0;", "weighted = first > 0 ? state[0] : 0.0;"),
    ("smoothing.c", "#define NOTHING 0x1p-200", "#define NOTHING 0x1p-20"),
    ("trend.c", "double error = value - (level[j] + slope);", "double error = value - level[j] - slope;"),
    ("trend.c", "trend[j] = slope + gain[j] * error;", "trend[j] += gain[j] * error;"),
    ("trend.c", "reach += fading;", "reach += phi[best];"),
    ("trend.c", "if (t == 0)", "if (t == first)"),
    ("seasonal.c", "lengths[i] < season ? NAN", "lengths[i] <= season ? NAN"),
    ("seasonal.c", "double error = value - ahead - seasonal[j];", "double error = value - (ahead + seasonal[j]);"),
    ("seasonal.c", "if (t == ready - 1 && flat)", "if (t == ready && flat)"),
    ("seasonal.c", "else if (t == ready - 1)", "else if (t == first && t >= ready - 1)"),
    ("seasonal.c", "double sum = values[0];", "double sum = 0.5 * values[0];"),
    ("seasonal.c", "first - (middle + 1.0) * slope", "first - middle * slope"),
    ("seasonal.c", "(values[t + season] - (second + line))", "(values[t + season] - (first + line))"),
    ("seasonal.c", "begin = 0;", "begin = season;"),
    ("seasonal.c", "grid, s >= season);", "grid, 1);"),
    ("seasonal.c", "trend[j] = slope + trend_gain[j] * error;", "trend[j] += trend_gain[j] * error;"),
    ("seasonal.c", "int64_t at = (t + 1) % season;", "int64_t at = t % season;"),
    ("seasonal.c", "at + 1 == season ? 0 : at + 1", "at + 1"),
    ("seasonal.c", "reach += fading;", "reach += phi;"),
    ("seasonal.c", "flat ? season + 1 : 2 * season", "flat ? season + 1 : 2 * season + 1"),
    ("autoregression.c", "return sorted[COLUMNS / 2];", "return of.values[0];"),
    ("autoregression.c", "begin > ORDER ? begin : ORDER", "begin"),
    ("autoregression.c", "sums[8] += all_lanes(response) * others;", "sums[8] += all_lanes(before) * others;"),
    ("autoregression.c", "#define DEPENDENT 1e-10", "#define DEPENDENT 1e-1"),
    ("autoregression.c", "#define EXACT 1e-13", "#define EXACT 1e-1"),
    ("autoregression.c", "residual -= f->explained[j];", "residual -= 2.0 * f->explained[j];"),
    ("autoregression.c", "mask better = less(criterion, least);", "mask better = ~less(least, criterion);"),
    ("autoregression.c", "recent[lag] = recent[lag - 1];", "recent[lag] = recent[0];"),
    ("autoregression.c", "choose(equal(f->order, all_lanes(0.0)), f->mean, value)", "value"),
    (
        "autoregression.c",
        "penalties + (lengths[i] - first - 1) * COLUMNS",
        "penalties + (lengths[i] - first) * COLUMNS",
    ),
    ("autoregression.c", "if (length <= TOO_SHORT) {", "if (length < TOO_SHORT) {"),
    ("autoregression.c", "sum = h == 0 ? forecast : sum + forecast;", "sum = forecast;"),
    (
        "combinations.c",
        "for (int64_t f = forecasters - 1; f >= 0; f--) {",
        "for (int64_t f = 0; f < forecasters; f++) {",
    ),
    ("combinations.c", "(count - 1) / 2 * LANES", "count / 2 * LANES"),
    ("combinations.c", "choose(finite, forecast - first, all_lanes(0.0))", "forecast - first"),
    ("combinations.c", "if (count > 0)", "if (count > 1)"),
    ("combinations.c", "cell + lane < cells; lane++)", "cell + lane <= cells; lane++)"),
)
"""A source, text that stands in it once, and the text in its place."""

FORECASTERS: Final = tuple(Mutation(*fault, "test_forecasters.py") for fault in FAULTS)
