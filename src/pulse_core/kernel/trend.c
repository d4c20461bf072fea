/* Holt's additive trend, plain and damped, its parameters chosen anew at every origin. */
#include "hindcasts.h"
#include "lanes.h"

/* One step at every point of the grid. */
static inline void advance(double value, const double *restrict fade, const double *restrict gain,
                           const double *restrict phi, double *restrict level, double *restrict trend,
                           double *restrict squares, int64_t grid, int damped)
{
    for (int64_t j = 0; j < grid; j++) {
        double slope = damped ? phi[j] * trend[j] : trend[j];
        double error = value - (level[j] + slope);
        trend[j] = slope + gain[j] * error;
        level[j] = value - fade[j] * error;
        squares[j] += error * error;
    }
}

static inline void start(double value, double *level, double *trend, double *squares, int64_t grid)
{
    for (int64_t j = 0; j < grid; j++)
        level[j] = value, trend[j] = 0.0, squares[j] = 0.0;
}

/* parameters (3, grid): 1 - alpha, alpha beta, phi; damped: whether any phi is not 1.
 * state (3, grid): levels, trends, squared one-step errors so far. */
PULSE_EXPORT void pulse_holt(const double *values, int64_t first, int64_t last, const int64_t *lengths,
                             int64_t origins, double *out, int64_t stride, int64_t horizon, const double *parameters,
                             double *state, int64_t grid, int64_t damped)
{
    const double *fade = parameters, *gain = fade + grid, *phi = gain + grid;
    double *level = state, *trend = level + grid, *squares = trend + grid;
    for (int64_t t = first, i = 0; t < last; t++) {
        if (t == 0)
            start(values[0], level, trend, squares, grid);
        else if (damped)
            advance(values[t], fade, gain, phi, level, trend, squares, grid, 1);
        else
            advance(values[t], fade, gain, phi, level, trend, squares, grid, 0);
        if (i == origins || lengths[i] != t + 1)
            continue;
        int64_t best = first_least(squares, grid);
        for (; i < origins && lengths[i] == t + 1; i++) {
            double fading = phi[best], reach = fading;
            for (int64_t h = 0; h < horizon; h++) {
                out[i * stride + h] = level[best] + reach * trend[best];
                fading *= phi[best];
                reach += fading;
            }
        }
    }
}
