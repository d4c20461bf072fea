/* Exponential smoothing of a level and two seasons at once, a day's and a week's, with errors that follow one another. */
#include "hindcasts.h"
#include "lanes.h"

/* Of all grid points: level, newest residual, squared one-step errors so far, (grid,) each, and both seasons
 * (season, grid), by time modulo the season. */
struct smoothed {
    double *level, *residual, *squares, *shorter, *longer;
};

static inline struct smoothed smoothed_in(double *state, int64_t grid, int64_t season)
{
    double *seasons = state + 3 * grid;
    return (struct smoothed){state, state + grid, state + 2 * grid, seasons, seasons + season * grid};
}

static inline double sum_of_steps(const double *values, int64_t count, int64_t step)
{
    double sum = 0.0;
    for (int64_t t = 0; t < count; t += step)
        sum += values[t];
    return sum;
}

/* The level is the mean of two longer seasons, the shorter season what is left on average at each of its steps, the
 * longer one what is then left. */
static void start(struct smoothed of, const double *values, int64_t season, int64_t longer, int64_t grid)
{
    int64_t count = 2 * longer;
    double level = sum_of_steps(values, count, 1) / (double)count;
    for (int64_t j = 0; j < grid; j++)
        of.level[j] = level, of.residual[j] = of.squares[j] = 0.0;
    for (int64_t t = 0; t < season; t++) {
        double times = (double)((count - t + season - 1) / season);
        double distance = sum_of_steps(values + t, count - t, season) / times - level;
        for (int64_t j = 0; j < grid; j++)
            of.shorter[t * grid + j] = distance;
    }
    for (int64_t t = 0; t < longer; t++) {
        const double *near = of.shorter + t % season * grid, *far = of.shorter + (t + longer) % season * grid;
        double distance = ((values[t] - level - *near) + (values[t + longer] - level - *far)) / 2.0;
        for (int64_t j = 0; j < grid; j++)
            of.longer[t * grid + j] = distance;
    }
}

/* One step at every point of the grid. parameters (4, grid): alpha, delta, omega, phi: what of an error goes into the
 * level and into either season, and what of a residual comes back. */
static inline void advance(struct smoothed of, double value, const double *restrict parameters, int64_t at,
                           int64_t far_at, int64_t grid, int counts)
{
    const double *alpha = parameters, *delta = alpha + grid, *omega = delta + grid, *phi = omega + grid;
    double *restrict level = of.level, *restrict residual = of.residual, *restrict squares = of.squares;
    double *restrict shorter = of.shorter + at * grid, *restrict longer = of.longer + far_at * grid;
    for (int64_t j = 0; j < grid; j++) {
        double left = value - level[j] - shorter[j] - longer[j];
        double error = left - phi[j] * residual[j];
        residual[j] = left;
        level[j] += alpha[j] * error;
        shorter[j] += delta[j] * error;
        longer[j] += omega[j] * error;
        if (counts)
            squares[j] += error * error;
    }
}

/* Run both loops of `advance` with a constant, so that neither asks again at each grid point. */
static inline void step(struct smoothed of, const double *values, int64_t t, const double *parameters, int64_t season,
                        int64_t longer, int64_t grid)
{
    if (t >= 2 * longer)
        advance(of, values[t], parameters, t % season, t % longer, grid, 1);
    else
        advance(of, values[t], parameters, t % season, t % longer, grid, 0);
}

/* The forecasts of one grid point from the state after values[t]. */
static void write_double_seasonal(struct smoothed of, int64_t best, double phi, int64_t t, int64_t season,
                                  int64_t longer, int64_t grid, double *out, int64_t horizon)
{
    const double *shorter_end = of.shorter + season * grid + best, *longer_end = of.longer + longer * grid + best;
    const double *near = of.shorter + (t + 1) % season * grid + best, *far = of.longer + (t + 1) % longer * grid + best;
    double left = of.residual[best];
    for (int64_t h = 0; h < horizon; h++) {
        left *= phi;
        out[h] = of.level[best] + *near + *far + left;
        near = near + grid == shorter_end ? of.shorter + best : near + grid;
        far = far + grid == longer_end ? of.longer + best : far + grid;
    }
}

/* Forecasts from two longer seasons of values on; their errors do not count: the start was made of them. parameters (4, grid): see advance; state (3 + season + longer, grid): see smoothed. */
PULSE_EXPORT void pulse_double_seasonal(const double *values, int64_t first, int64_t last, const int64_t *lengths,
                                        int64_t origins, double *out, int64_t stride, int64_t horizon,
                                        const double *parameters, double *state, int64_t grid, int64_t season,
                                        int64_t longer)
{
    struct smoothed of = smoothed_in(state, grid, season);
    const double *phi = parameters + 3 * grid;
    int64_t i = 0, ready = 2 * longer, t = first > ready - 1 ? first : ready - 1;
    for (; i < origins && lengths[i] < ready; i++)
        write_flat(out + i * stride, horizon, NAN);
    for (; t < last; t++) {
        if (t == ready - 1)
            start(of, values, season, longer, grid);
        for (int64_t s = t == ready - 1 ? 0 : t; s <= t; s++)
            step(of, values, s, parameters, season, longer, grid);
        if (i == origins || lengths[i] != t + 1)
            continue;
        int64_t best = first_least(of.squares, grid);
        for (; i < origins && lengths[i] == t + 1; i++)
            write_double_seasonal(of, best, phi[best], t, season, longer, grid, out + i * stride, horizon);
    }
}
