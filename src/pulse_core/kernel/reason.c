/* Forecasts beyond reason are none: those further from the newest value than the history, by its own range and steps, gives
 * reason for. After n values with range r (the largest less the least) and mean absolute step s, a forecast h steps ahead
 * may be r (1 + h/(n - 1)) + 5 s sqrt(h) away. So the series may cross all of its range, or go on trending as it did from
 * its first value on, and step on the way; what grows by itself from step to step soon is out of reach.
 *
 * Of a history that never moved nothing is judged: it says nothing about how far it could. What is infinite is never kept.
 */
#include "hindcasts.h"

#include <float.h>

static const double STEPS = 5.0;

/* How far forecasts (horizons) may be from the newest of n values; `steps` is the sum of absolute steps. */
static void reach_of(double range, double steps, int64_t n, int64_t horizons, double *reach)
{
    const double count = (double)(n > 1 ? n - 1 : 1), slope = range / count, step = STEPS * (steps / count);
    for (int64_t h = 0; h < horizons; h++) {
        const double ahead = (double)(h + 1), far = (range + ahead * slope) + step * sqrt(ahead);
        reach[h] = range > 0.0 && far < DBL_MAX ? far : DBL_MAX;
    }
}

/* Whether any of the forecasts (horizons) that there are is out of reach. */
static int goes_beyond(const double *forecast, double newest, const double *reach, int64_t horizons)
{
    int64_t beyond = 0;
    for (int64_t h = 0; h < horizons; h++)
        beyond |= (forecast[h] == forecast[h]) & !(fabs(forecast[h] - newest) <= reach[h]);
    return beyond != 0;
}

/* `rows` (row_count) are the forecasters, of `horizons` cells each, that are judged; `counts` (row_count, horizons) grow by
 * what is withheld at the origins from `counted` on. reach (horizons) is scratch; state (3): the least value, the largest,
 * the sum of absolute steps. */
PULSE_EXPORT void pulse_withhold(const double *values, int64_t first, int64_t last, const int64_t *lengths, int64_t origins,
                                 double *out, int64_t stride, int64_t width, const int64_t *rows, int64_t row_count,
                                 int64_t horizons, int64_t counted, int64_t *counts, double *reach, double *state)
{
    int64_t i = 0;
    (void)width;
    for (int64_t t = first; t < last; t++) {
        const double newest = values[t];
        state[0] = t == 0 || newest < state[0] ? newest : state[0];
        state[1] = t == 0 || newest > state[1] ? newest : state[1];
        state[2] = t == 0 ? 0.0 : state[2] + fabs(newest - values[t - 1]);
        if (i < origins && lengths[i] == t + 1)
            reach_of(state[1] - state[0], state[2], t + 1, horizons, reach);
        for (; i < origins && lengths[i] == t + 1; i++)
            for (int64_t row = 0; row < row_count; row++) {
                double *forecast = out + i * stride + rows[row] * horizons;
                if (!goes_beyond(forecast, newest, reach, horizons))
                    continue;
                for (int64_t h = 0; h < horizons; h++) {
                    if (fabs(forecast[h] - newest) <= reach[h] || forecast[h] != forecast[h])
                        continue;
                    forecast[h] = NAN;
                    counts[row * horizons + h] += i >= counted ? 1 : 0;
                }
            }
    }
}
