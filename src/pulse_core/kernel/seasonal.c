/* Forecasters with a season of m values: the value a season ago, and Holt-Winters with an additive season, also damped. */
#include "hindcasts.h"
#include "lanes.h"

PULSE_EXPORT void pulse_seasonal_naive(const double *values, int64_t first, int64_t last, const int64_t *lengths,
                                       int64_t origins, double *out, int64_t stride, int64_t horizon, int64_t season)
{
    (void)first, (void)last;
    for (int64_t i = 0; i < origins; i++)
        for (int64_t h = 0; h < horizon; h++)
            out[i * stride + h] = lengths[i] < season ? NAN : values[lengths[i] - season + h % season];
}

/* Of all grid points: level, trend, squared one-step errors so far, (grid,) each, and seasons (season, grid) by time
 * modulo season. */
struct smoothed {
    double *level, *trend, *squares, *seasons;
};

static inline struct smoothed smoothed_in(double *state, int64_t grid)
{
    return (struct smoothed){state, state + grid, state + 2 * grid, state + 3 * grid};
}

static inline double mean_of(const double *values, int64_t count)
{
    double sum = values[0];
    for (int64_t t = 1; t < count; t++)
        sum += values[t];
    return sum / (double)count;
}

static inline void start(struct smoothed of, double level, double trend, int64_t grid)
{
    for (int64_t j = 0; j < grid; j++)
        of.level[j] = level, of.trend[j] = trend, of.squares[j] = 0.0;
}

/* The level is the mean of the first season, the trend 0, the seasons what is left: the state before values[season]. */
static void start_flat(struct smoothed of, const double *values, int64_t season, int64_t grid)
{
    double level = mean_of(values, season);
    start(of, level, 0.0, grid);
    for (int64_t t = 0; t < season; t++)
        for (int64_t j = 0; j < grid; j++)
            of.seasons[t * grid + j] = values[t] - level;
}

/* A line through the means of the first two seasons, and the mean distance from it, season by season: the state before
 * values[0]. */
static void start_on_line(struct smoothed of, const double *values, int64_t season, int64_t grid)
{
    double length = (double)season, first = mean_of(values, season), second = mean_of(values + season, season);
    double slope = (second - first) / length, middle = (length - 1.0) / 2.0;
    start(of, first - (middle + 1.0) * slope, slope, grid);
    for (int64_t t = 0; t < season; t++) {
        double line = ((double)t - middle) * slope;
        double distance = ((values[t] - (first + line)) + (values[t + season] - (second + line))) / 2.0;
        for (int64_t j = 0; j < grid; j++)
            of.seasons[t * grid + j] = distance;
    }
}

/* One step at every point of the grid. parameters (4, grid): alpha, alpha beta, gamma (1 - alpha), phi. */
static inline void advance(struct smoothed of, double value, const double *restrict parameters, int64_t at,
                           int64_t grid, int counts)
{
    const double *alpha = parameters, *trend_gain = alpha + grid, *season_gain = trend_gain + grid;
    const double *phi = season_gain + grid;
    double *restrict level = of.level, *restrict trend = of.trend, *restrict squares = of.squares;
    double *restrict seasonal = of.seasons + at * grid;
    for (int64_t j = 0; j < grid; j++) {
        double slope = phi[j] * trend[j], ahead = level[j] + slope;
        double error = value - ahead - seasonal[j];
        level[j] = ahead + alpha[j] * error;
        trend[j] = slope + trend_gain[j] * error;
        seasonal[j] += season_gain[j] * error;
        if (counts)
            squares[j] += error * error;
    }
}

/* Run both loops of `advance` with a constant, so that neither asks again at each grid point. */
static inline void step(struct smoothed of, double value, const double *parameters, int64_t at, int64_t grid,
                        int counts)
{
    if (counts)
        advance(of, value, parameters, at, grid, 1);
    else
        advance(of, value, parameters, at, grid, 0);
}

/* The forecasts of one grid point, whose phi is `fading`, from the state after values[t]. */
static void write_seasonal(struct smoothed of, int64_t best, double phi, int64_t t, int64_t season, int64_t grid,
                           double *out, int64_t horizon)
{
    double fading = phi, reach = fading;
    int64_t at = (t + 1) % season;
    for (int64_t h = 0; h < horizon; h++) {
        out[h] = of.level[best] + reach * of.trend[best] + of.seasons[at * grid + best];
        fading *= phi;
        reach += fading;
        at = at + 1 == season ? 0 : at + 1;
    }
}

/* parameters (4, grid): see advance; state (3 + season, grid): see smoothed. flat: start_flat, so that there are
 * forecasts from season + 1 values on; else start_on_line, from 2 season values on, whose first season has no errors
 * that count: its seasons were made of it. */
PULSE_EXPORT void pulse_holt_winters(const double *values, int64_t first, int64_t last, const int64_t *lengths,
                                     int64_t origins, double *out, int64_t stride, int64_t horizon,
                                     const double *parameters, double *state, int64_t grid, int64_t season,
                                     int64_t flat)
{
    struct smoothed of = smoothed_in(state, grid);
    const double *phi = parameters + 3 * grid;
    int64_t i = 0, ready = flat ? season + 1 : 2 * season, t = first > ready - 1 ? first : ready - 1;
    for (; i < origins && lengths[i] < ready; i++)
        write_flat(out + i * stride, horizon, NAN);
    for (; t < last; t++) {
        int64_t begin = t;
        if (t == ready - 1 && flat)
            start_flat(of, values, season, grid);
        else if (t == ready - 1)
            start_on_line(of, values, season, grid), begin = 0;
        for (int64_t s = begin; s <= t; s++)
            step(of, values[s], parameters, s % season, grid, s >= season);
        if (i == origins || lengths[i] != t + 1)
            continue;
        int64_t best = first_least(of.squares, grid);
        for (; i < origins && lengths[i] == t + 1; i++)
            write_seasonal(of, best, phi[best], t, season, grid, out + i * stride, horizon);
    }
}
