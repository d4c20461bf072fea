/* Diebold-Mariano statistics of every cell, and the scores that follow from sums. */
#include "learners.h"

#include <math.h>

enum { WAYS = 32 };
/* Cells whose forecasts are read together: a line of memory. */
enum { SIDE_BY_SIDE = 8 };

/* Add in an order that the count alone decides: WAYS sums side by side, then half upon half. */
static double total(const double *values, const double *other, int64_t count)
{
    double sum[WAYS] = {0};
    int64_t rest = count % WAYS, rows = count / WAYS;
    for (int64_t i = 0; i < rest; i++) {
        int64_t at = count - rest + i;
        sum[i] = other ? values[at] * other[at] : values[at];
    }
    for (int64_t row = 0; row < rows; row++)
        for (int64_t i = 0; i < WAYS; i++) {
            int64_t at = row * WAYS + i;
            sum[i] = sum[i] + (other ? values[at] * other[at] : values[at]);
        }
    for (int64_t half = WAYS / 2; half; half /= 2)
        for (int64_t i = 0; i < half; i++)
            sum[i] = sum[i] + sum[half + i];
    return sum[0];
}

/* Return the statistic of a mean loss difference that is zero, NaN where there is none; overwrites the differences.
 *
 * Lags 0..horizon-1 with equal weight, corrected for small samples: Diebold & Mariano (1995); Harvey, Leybourne &
 * Newbold (1997). A variance below `rounding` of the squared mean is rounding: the losses always differ by the same; and
 * so is one below `cancelled` of what was added up and taken off for it.
 */
PULSE_EXPORT double pulse_diebold_mariano(double *difference, int64_t count, int64_t horizon)
{
    const double rounding = 1e-20, cancelled = 1e-13;
    double n = (double)count, h = (double)horizon;
    double correction = count ? ((double)(count + 1 - 2 * horizon) + h * (h - 1.0) / n) / n : 0.0;
    if (count < 2 || correction <= 0.0)
        return NAN;
    double mean = total(difference, 0, count) / n;
    for (int64_t i = 0; i < count; i++)
        difference[i] = difference[i] - mean;
    double variance = total(difference, difference, count), size = variance;
    for (int64_t lag = 1; lag < (horizon < count ? horizon : count); lag++) {
        double products = 2.0 * total(difference + lag, difference, count - lag);
        variance = variance + products;
        size = size + fabs(products);
    }
    if (!(variance > rounding * n * mean * mean && variance > cancelled * size))
        return NAN;
    variance = variance / n / n;
    return mean * sqrt(correction) / sqrt(variance <= 0.0 ? 0.0 : variance);
}

/* Tell the statistics of the cells begin..end-1 against the benchmark on common origins, and the number of these;
 * (forecasters, horizons).
 *
 * `forecasts` (origins, stride) and `reported` (origins, horizons), from the first origin of the period; `difference`
 * (SIDE_BY_SIDE, origins) is scratch.
 */
PULSE_EXPORT void pulse_comparisons(const double *forecasts, const double *reported, int64_t origins, int64_t horizons,
                                    int64_t stride, int64_t benchmark, int64_t begin, int64_t end, double *difference,
                                    double *statistic, int64_t *count)
{
    for (int64_t first = begin; first < end; first += SIDE_BY_SIDE) {
        int64_t width = end - first < SIDE_BY_SIDE ? end - first : SIDE_BY_SIDE, h[SIDE_BY_SIDE], n[SIDE_BY_SIDE];
        for (int64_t i = 0; i < width; i++) {
            h[i] = (first + i) % horizons;
            n[i] = 0;
        }
        for (int64_t origin = 0; origin < origins; origin++)
            for (int64_t i = 0; i < width; i++) {
                const double *forecast = forecasts + origin * stride;
                double actual = reported[origin * horizons + h[i]];
                double apart = fabs(actual - forecast[first + i]) - fabs(actual - forecast[benchmark * horizons + h[i]]);
                difference[i * origins + n[i]] = apart;
                n[i] += finite(apart);
            }
        for (int64_t i = 0; i < width; i++) {
            int64_t is_benchmark = (first + i) / horizons == benchmark;
            count[first + i] = n[i];
            statistic[first + i] = is_benchmark ? NAN : pulse_diebold_mariano(difference + i * origins, n[i], h[i] + 1);
        }
    }
}

/* Add up the absolute errors of each cell and of the rival at the same horizon, on the origins that both have; `sums` (2,
 * stride) begin with zeros, `scratch` is as large. */
PULSE_EXPORT void pulse_common_losses(const double *forecasts, const double *reported, int64_t origins,
                                      int64_t forecasters, int64_t horizons, int64_t stride, int64_t rival,
                                      double *scratch, double *sums)
{
    const int64_t cells = forecasters * horizons;
    double *actual = scratch, *other = scratch + stride;
    for (int64_t i = 0; i < stride; i++)
        actual[i] = other[i] = NAN;
    for (int64_t origin = 0; origin < origins; origin++) {
        const double *forecast = forecasts + origin * stride;
        expand(actual, reported + origin * horizons, cells, horizons);
        expand(other, forecast + rival * horizons, cells, horizons);
        for (int64_t i = 0; i < stride; i += LANES) {
            lanes y = load(actual + i), own = absolute(y - load(forecast + i)), its = absolute(y - load(other + i));
            mask both = is_finite(own) & is_finite(its);
            store(sums + i, load(sums + i) + choose(both, own, all_lanes(0.0)));
            store(sums + stride + i, load(sums + stride + i) + choose(both, its, all_lanes(0.0)));
        }
    }
}

/* Add the rows (rows, size) up, in order. */
PULSE_EXPORT void pulse_total(const double *values, int64_t rows, int64_t size, double *sum)
{
    for (int64_t i = 0; i < size; i++)
        sum[i] = rows ? values[i] : 0.0;
    for (int64_t row = 1; row < rows; row++)
        for (int64_t i = 0; i < size; i++)
            sum[i] = sum[i] + values[row * size + i];
}
