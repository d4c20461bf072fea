/* Naive, drift, mean and window mean. */
#include "hindcasts.h"

PULSE_EXPORT void pulse_naive(const double *values, int64_t first, int64_t last, const int64_t *lengths,
                              int64_t origins, double *out, int64_t stride, int64_t horizon)
{
    (void)first, (void)last;
    for (int64_t i = 0; i < origins; i++)
        write_flat(out + i * stride, horizon, values[lengths[i] - 1]);
}

PULSE_EXPORT void pulse_drift(const double *values, int64_t first, int64_t last, const int64_t *lengths,
                              int64_t origins, double *out, int64_t stride, int64_t horizon)
{
    (void)first, (void)last;
    for (int64_t i = 0; i < origins; i++) {
        double newest = values[lengths[i] - 1], steps = (double)lengths[i] - 1.0;
        double slope = steps > 0 ? (newest - values[0]) / steps : NAN;
        for (int64_t h = 0; h < horizon; h++)
            out[i * stride + h] = newest + ((double)h + 1.0) * slope;
    }
}

/* state (1,): the sum so far, of values less the first one: a constant is met exactly. */
PULSE_EXPORT void pulse_mean(const double *values, int64_t first, int64_t last, const int64_t *lengths,
                             int64_t origins, double *out, int64_t stride, int64_t horizon, double *state)
{
    double base = values[0], sum = first > 0 ? *state : 0.0;
    int64_t t = first;
    for (int64_t i = 0; i < origins; i++) {
        for (; t < lengths[i]; t++)
            sum += values[t] - base;
        write_flat(out + i * stride, horizon, base + sum / (double)lengths[i]);
    }
    for (; t < last; t++)
        sum += values[t] - base;
    *state = sum;
}

/* The sum of the last `window` values is the end of one block of `window` values and the beginning of the next, each
 * summed on its own: values that have left the window leave no rounding behind, as they would in a difference of
 * running sums.
 * state (1 + window,): the sum of the block that is running, and those of the ends of the block before it. */
PULSE_EXPORT void pulse_window_mean(const double *values, int64_t first, int64_t last, const int64_t *lengths,
                                    int64_t origins, double *out, int64_t stride, int64_t horizon, double *state,
                                    int64_t window)
{
    double base = values[0], sum = *state, *ends = state + 1;
    int64_t i = 0, in_block = first % window;
    for (int64_t t = first; t < last; t++, in_block = in_block + 1 == window ? 0 : in_block + 1) {
        double value = values[t] - base;
        if (in_block == 0 && t > 0) {
            ends[window - 1] = values[t - 1] - base;
            for (int64_t j = window - 2; j >= 0; j--)
                ends[j] = ends[j + 1] + (values[t - window + j] - base);
        }
        sum = in_block == 0 ? value : sum + value;
        /* at the end of a block the window is that block */
        int spans_two = t >= window && in_block + 1 < window;
        for (; i < origins && lengths[i] == t + 1; i++) {
            double total = spans_two ? ends[in_block + 1] + sum : sum;
            double count = (double)(lengths[i] < window ? lengths[i] : window);
            write_flat(out + i * stride, horizon, base + total / count);
        }
    }
    *state = sum;
}
