/* Forecasts of logarithms as forecasts of levels: e^x, four side by side, within 0.7 units in the last place (1 where the
 * result is subnormal), by + - * / alone. */
#include "hindcasts.h"
#include "lanes.h"

static const double PER_LN2 = 0x1.71547652b82fep+0;
/* log 2 in two parts: the first has 32 bits, so that its product with an exponent is exact. */
static const double LN2_HIGH = 0x1.62e42feep-1, LN2_LOW = 0x1.a39ef35793c76p-33;

/* A number below 2^51 added to it is rounded to a whole one, which stands in the last bits. */
static const double WHOLE = 0x1.8p52;

/* 2^k of a whole number k, as `WHOLE` holds it; -1022 <= k <= 1023. */
static inline lanes power_of_two(mask whole)
{
    const mask zero = (mask)all_lanes(WHOLE);
    return (lanes)((whole - zero + 1023) << 52);
}

/* e^x: with x = k log 2 + r by 1 + r and the rest of the series of e^r. */
static inline lanes exponential(lanes x)
{
    static const double SERIES[12] = {1.0 / 6227020800.0, 1.0 / 479001600.0, 1.0 / 39916800.0, 1.0 / 3628800.0,
                                      1.0 / 362880.0,     1.0 / 40320.0,     1.0 / 5040.0,     1.0 / 720.0,
                                      1.0 / 120.0,        1.0 / 24.0,        1.0 / 6.0,        0.5};
    const lanes whole = all_lanes(WHOLE), one = all_lanes(1.0);
    lanes bounded = larger(lesser(x, all_lanes(710.0)), all_lanes(-746.0));
    lanes exponent = (bounded * all_lanes(PER_LN2) + whole) - whole;
    lanes half = exponent * all_lanes(0.5) + whole, other = (exponent - (half - whole)) + whole;
    lanes high = bounded - exponent * all_lanes(LN2_HIGH), low = exponent * all_lanes(LN2_LOW);
    lanes r = high - low, left = (high - r) - low, series = all_lanes(SERIES[0]);
    for (int k = 1; k < 12; k++)
        series = series * r + all_lanes(SERIES[k]);
    lanes line = one + r, rounded = (one - line) + r;
    lanes value = line + (rounded + (left + r * r * series));
    value = value * power_of_two((mask)half) * power_of_two((mask)other);
    return choose(is_nan(x), x, value);
}

/* rows (origins, horizon), `stride` apart: each number becomes e to its power. */
PULSE_EXPORT void pulse_exponentials(double *rows, int64_t stride, int64_t origins, int64_t horizon)
{
    for (int64_t i = 0; i < origins; i++) {
        double *row = rows + i * stride;
        int64_t h = 0;
        for (; h + LANES <= horizon; h += LANES)
            store(row + h, exponential(load(row + h)));
        if (h == horizon)
            continue;
        lanes rest = all_lanes(0.0);
        for (int64_t k = h; k < horizon; k++)
            rest[k - h] = row[k];
        rest = exponential(rest);
        for (int64_t k = h; k < horizon; k++)
            row[k] = rest[k - h];
    }
}
