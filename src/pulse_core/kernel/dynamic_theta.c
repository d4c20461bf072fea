/* The theta method whose line moves with the origin, its alpha and its theta chosen anew at every origin. */
#include "hindcasts.h"
#include "lanes.h"

/* A share that is below half the last digit of 1: 1 less it is 1. It is 0 from there on, as numbers near the least that
 * there are slow some processors down. */
#define NOTHING 0x1p-200

/* Of a grid of alphas: level, (1 - alpha)^n and the slope's part in the next step, (grid,) each; squared one-step errors
 * so far (weight, grid). The sum of values, of time times value, and the slope of their line. */
struct line {
    double *sums, *level, *share, *rise, *squares;
};

static inline struct line line_in(double *state, int64_t grid)
{
    double *level = state + 3;
    return (struct line){state, level, level + grid, level + 2 * grid, level + 3 * grid};
}

static void start(struct line of, double value, const double *fade, int64_t grid, int64_t weights)
{
    of.sums[0] = of.sums[1] = of.sums[2] = 0.0;
    for (int64_t j = 0; j < grid; j++)
        of.level[j] = value, of.share[j] = fade[j];
    for (int64_t j = 0; j < weights * grid; j++)
        of.squares[j] = 0.0;
}

/* Count the errors of the forecasts of this value at every point of the grid. */
static inline void score(struct line of, double value, const double *restrict alpha, const double *weight, int64_t grid,
                         int64_t weights)
{
    double *restrict rise = of.rise, *restrict level = of.level, *restrict share = of.share, slope = of.sums[2];
    for (int64_t j = 0; j < grid; j++)
        rise[j] = slope * ((1.0 - share[j]) / alpha[j]);
    for (int64_t k = 0; k < weights; k++) {
        double *restrict squares = of.squares + k * grid, factor = weight[k];
        for (int64_t j = 0; j < grid; j++) {
            double error = (value - level[j]) - factor * rise[j];
            squares[j] += error * error;
        }
    }
}

static inline void smooth(struct line of, double value, const double *restrict fade, int64_t grid)
{
    double *restrict level = of.level, *restrict share = of.share;
    for (int64_t j = 0; j < grid; j++) {
        double product = share[j] * fade[j];
        level[j] = value - fade[j] * (value - level[j]);
        share[j] = product < NOTHING ? 0.0 : product;
    }
}

/* Take a value, less the first one, into the least-squares line on time; count: the values so far. */
static inline void fit(double *sums, double value, double count)
{
    sums[0] += value;
    sums[1] += count * value;
    sums[2] = (sums[1] - (count + 1.0) / 2.0 * sums[0]) / (count * (count * count - 1.0) / 12.0);
}

/* parameters (2, grid): alpha, 1 - alpha; weight (weights,): what part of the slope a forecast takes, 1 - 1/theta.
 * state (3 + 3 grid + weights grid,): see line. */
PULSE_EXPORT void pulse_dynamic_theta(const double *values, int64_t first, int64_t last, const int64_t *lengths,
                                      int64_t origins, double *out, int64_t stride, int64_t horizon,
                                      const double *parameters, double *state, int64_t grid, const double *weight,
                                      int64_t weights)
{
    struct line of = line_in(state, grid);
    const double *alpha = parameters, *fade = alpha + grid;
    for (int64_t t = first, i = 0; t < last; t++) {
        if (t == 0) {
            start(of, values[0], fade, grid, weights);
        } else {
            score(of, values[t], alpha, weight, grid, weights);
            smooth(of, values[t], fade, grid);
            fit(of.sums, values[t] - values[0], (double)t + 1.0);
        }
        if (i == origins || lengths[i] != t + 1)
            continue;
        int64_t best = first_least(of.squares, weights * grid), point = best % grid;
        double slope = weight[best / grid] * of.sums[2], memory = (1.0 - of.share[point]) / alpha[point];
        for (; i < origins && lengths[i] == t + 1; i++)
            for (int64_t h = 0; h < horizon; h++)
                out[i * stride + h] = of.level[point] + slope * ((double)h + memory);
    }
}
