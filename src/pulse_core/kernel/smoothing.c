/* Simple exponential smoothing, its alpha chosen anew at every origin, and the theta method, which stands on it. */
#include "hindcasts.h"
#include "lanes.h"

/* One step of all levels: y - (1 - alpha) e, which is y itself where alpha is 1: ties with naive are then exact. */
static inline void smooth(double value, const double *restrict fade, double *restrict level, double *restrict squares,
                          int64_t grid)
{
    for (int64_t j = 0; j < grid; j++) {
        double error = value - level[j];
        level[j] = value - fade[j] * error;
        squares[j] += error * error;
    }
}

/* The level at each origin and the position of its alpha, both (origins,).
 * fade (grid,): 1 - alpha; state (2, grid): levels, and squared one-step errors so far. */
PULSE_EXPORT void pulse_ses_levels(const double *values, int64_t first, int64_t last, const int64_t *lengths,
                                   int64_t origins, double *levels, int64_t *alphas, const double *fade, double *state,
                                   int64_t grid)
{
    double *level = state, *squares = state + grid;
    for (int64_t t = first, i = 0; t < last; t++) {
        if (t > 0)
            smooth(values[t], fade, level, squares, grid);
        else
            for (int64_t j = 0; j < grid; j++)
                level[j] = values[0], squares[j] = 0.0;
        if (i == origins || lengths[i] != t + 1)
            continue;
        int64_t best = first_least(squares, grid);
        for (; i < origins && lengths[i] == t + 1; i++)
            levels[i] = level[best], alphas[i] = best;
    }
}

/* A share that is below half the last digit of 1: 1 less it is 1. It is 0 from there on, as numbers near the least that
 * there are slow some processors down. */
#define NOTHING 0x1p-200

/* levels, choices: of pulse_ses_levels, at the same origins; alphas (grid,).
 * state (2 + grid,): the sum of values, of time times value, and (1 - alpha)^n as a running product, since the power
 * function's last bits depend on the machine. */
PULSE_EXPORT void pulse_theta(const double *values, int64_t first, int64_t last, const int64_t *lengths,
                              int64_t origins, double *out, int64_t stride, int64_t horizon, const double *levels,
                              const int64_t *choices, const double *alphas, double *state, int64_t grid)
{
    /* the first value is taken off: the sums stay small where the level is large */
    double base = values[0], sum = first > 0 ? state[0] : 0.0, weighted = first > 0 ? state[1] : 0.0;
    double *restrict fading = state + 2;
    if (first == 0)
        for (int64_t j = 0; j < grid; j++)
            fading[j] = 1.0;
    for (int64_t t = first, i = 0; t < last; t++) {
        double value = values[t] - base, count = (double)t + 1.0;
        sum += value;
        weighted += count * value;
        for (int64_t j = 0; j < grid; j++) {
            double product = fading[j] * (1.0 - alphas[j]);
            fading[j] = product < NOTHING ? 0.0 : product;
        }
        double spread = count * (count * count - 1.0) / 12.0;
        for (; i < origins && lengths[i] == t + 1; i++) {
            double slope = spread > 0 ? (weighted - (count + 1.0) / 2.0 * sum) / spread : NAN;
            double half = slope / 2.0, memory = (1.0 - fading[choices[i]]) / alphas[choices[i]];
            for (int64_t h = 0; h < horizon; h++)
                out[i * stride + h] = levels[i] + half * ((double)h + memory);
        }
    }
    state[0] = sum, state[1] = weighted;
}
