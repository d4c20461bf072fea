/* exp and log of lanes over the range that powers between 1 and 4 need, by + - * / alone: errors below 2^-51 of a result.
 *
 * Coefficients are those of Chebyshev fits by mpmath with 40 digits, rounded once; the first ones of a series are exact.
 */
#ifndef PULSE_POWERS_H
#define PULSE_POWERS_H

#include "lanes.h"

static const double LN2 = 0.6931471805599453;
static const double ROOT_HALF_TO_TWO[2] = {1.4142135623730951, 2.8284271247461903};

/* The sum of coefficients times powers of x; by Horner's rule, highest first. */
static inline lanes polynomial(const double *coefficients, int count, lanes x)
{
    lanes sum = all_lanes(coefficients[0]);
    for (int k = 1; k < count; k++)
        sum = sum * x + all_lanes(coefficients[k]);
    return sum;
}

/* log(x), 1 <= x <= 4: with x = 2^k y, y near 1, by the series of 2 artanh((y - 1)/(y + 1)). */
static inline lanes small_log(lanes x)
{
    static const double SERIES[8] = {0.07308224842521703, 0.07665860800278021, 0.09091444562630861, 0.1111110556739754,
                                     0.14285714312987743, 0.19999999999949752, 0.3333333333333335,  1.0};
    const lanes one = all_lanes(1.0);
    mask twice = less(all_lanes(ROOT_HALF_TO_TWO[0]), x), four_times = less(all_lanes(ROOT_HALF_TO_TWO[1]), x);
    lanes y = x * choose(four_times, all_lanes(0.25), choose(twice, all_lanes(0.5), one));
    lanes power = choose(four_times, all_lanes(2.0 * LN2), choose(twice, all_lanes(LN2), all_lanes(0.0)));
    lanes t = (y - one) / (y + one);
    return power + (t + t) * polynomial(SERIES, 8, t * t);
}

/* e^x, 0 <= x <= 2 log 2: with x = k log 2 + r, r near 0, by the series of e^r. */
static inline lanes small_exp(lanes x)
{
    static const double SERIES[12] = {2.5100375832561234e-08, 2.7620075879983367e-07, 2.7557268480310024e-06,
                                      2.4801521322368692e-05, 0.00019841269863040545, 0.0013888888917196719,
                                      0.008333333333330065,   0.041666666666624164,   0.16666666666666669,
                                      0.5000000000000001,     1.0,                    1.0};
    mask twice = less(all_lanes(0.5 * LN2), x), four_times = less(all_lanes(1.5 * LN2), x);
    lanes rest = x - choose(four_times, all_lanes(2.0 * LN2), choose(twice, all_lanes(LN2), all_lanes(0.0)));
    lanes power = choose(four_times, all_lanes(4.0), choose(twice, all_lanes(2.0), all_lanes(1.0)));
    return power * polynomial(SERIES, 12, rest);
}

#endif
