"""Faults of special.c that its tests must notice."""

from __future__ import annotations

from typing import Final

from tests.kernel.builds import Mutation


def _special(before: str, after: str) -> Mutation:
    return Mutation("special.c", before, after, "test_special.py")


SPECIAL: Final = (
    _special("(x.high < 0.0 ? -0.5 : 0.5)", "0.5 - 64.0"),
    _special("(double)step * STEP_LOW", "(double)step * 0.0"),
    _special("power[1] + power[0] *", "power[0] *"),
    _special("r * (1.0 / 120)", "r * (1.0 / 130)"),
    _special("x.high < -746.0", "x.high < -745.0"),
    _special("x.high > 710.0", "x.high > 709.0"),
    _special("-0.5 * upper * upper", "-0.5 * r.high * r.high"),
    _special("- 0.5 * (r.high - upper) * (r.high + upper)", ""),
    _special("exponent * LOG2_LOW + entry[2]", "exponent * LOG2_LOW"),
    _special("x.high < 0x1p-1022 ? 54 : 0", "x.high < 0x1p-1030 ? 54 : 0"),
    _special("r.low + scaled(x.low, shift - exponent) * entry[0]", "r.low"),
    _special("while (z.high < 24.0)", "while (z.high < 4.0)"),
    _special("(dd){inverse * sum, 0.0}", "(dd){inverse, 0.0}"),
    _special("double lead = dd_subtract(dd_scale(a, at.y), dd_scale(b, at.x)).high;", "double lead = a * at.y.high;"),
    _special("a = b, b = other, lead = -lead, at", "a = b, b = other, at"),
    _special("if (fabs(c * d - 1.0) <= 0x1p-52)", "if (fabs(c * d - 1.0) <= 1e-9)"),
    _special("m < MOST_FRACTIONS", "m < 100"),
    _special("dd_scale(b, at.log_y)), log_beta_ab)", "(dd){b * at.log_y.high, 0.0}), log_beta_ab)"),
    _special("if (fabs(change) < 1e-9)", "if (fabs(change) < 1e-4)"),
    _special("at.x.high * at.y.high * change", "0.0 * change"),
    _special("logit < 0.0 ? at : mirrored(at)", "logit > 0.0 ? at : mirrored(at)"),
    _special("t > 1e-100 && t < 1e100", "t > 1e-200 && t < 1e200"),
    _special("t < 0.0 ? tail : 1.0 - tail", "tail"),
    _special("(i == 0 || nu[i] != nu[i - 1])", "i == 0"),
    _special("(i == 0 || nu[i] != nu[i - 1])", "(i == 0 || nu[i] < nu[i - 1])"),
    _special("{0x1.250d048e7a1bdp-1, 0x1.58735ac005p-58}", "{0.0, 0.0}"),
    _special("log_gamma(dd_sum(a, 0.5)));", "log_gamma((dd){a, 0.0}));"),
    _special("special_exp(-0.5 * (logit + change))", "special_exp(-0.5 * logit)"),
    _special("if (x < 0.8) {", "if (x < 0.03) {"),
    _special("for (int k = 9; k > 0; k -= 2)", "for (int k = 1; k > 0; k -= 2)"),
    _special("for (int k = 6; k > 0; k--)", "for (int k = 2; k > 0; k--)"),
    Mutation("double_double.h", "(a - (sum - part)) + (b - part)", "b - part", "test_special.py"),
    Mutation("double_double.h", "+ a2 * b2};", "};", "test_special.py"),
    Mutation("double_double.h", "product.low + (a.high * b.low + a.low * b.high)", "product.low", "test_special.py"),
    Mutation("special_tables.h", "0x1.7380000000000p+0", "0x1.7380000000001p+0", "test_special.py"),
)
