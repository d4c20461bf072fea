/* Forecasters with a season of m values: the value a season ago, and Holt-Winters with an additive season. */
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

/* The level is the mean of the first season, the trend 0, the seasons what is left. */
static inline void start(const double *values, int64_t season, double *level, double *trend, double *squares,
                         double *seasons, int64_t grid)
{
    double sum = values[0];
    for (int64_t t = 1; t < season; t++)
        sum += values[t];
    for (int64_t j = 0; j < grid; j++)
        level[j] = sum / (double)season, trend[j] = 0.0, squares[j] = 0.0;
    for (int64_t t = 0; t < season; t++)
        for (int64_t j = 0; j < grid; j++)
            seasons[t * grid + j] = values[t] - level[j];
}

static inline void advance(double value, const double *restrict parameters, double *restrict level,
                           double *restrict trend, double *restrict squares, double *restrict seasonal, int64_t grid)
{
    const double *alpha = parameters, *trend_gain = alpha + grid, *season_gain = trend_gain + grid;
    for (int64_t j = 0; j < grid; j++) {
        double ahead = level[j] + trend[j];
        double error = value - ahead - seasonal[j];
        level[j] = ahead + alpha[j] * error;
        trend[j] += trend_gain[j] * error;
        seasonal[j] += season_gain[j] * error;
        squares[j] += error * error;
    }
}

/* parameters (3, grid): alpha, alpha beta, gamma (1 - alpha).
 * state (3 + season, grid): levels, trends, squared one-step errors so far, and the seasons by time modulo season. */
PULSE_EXPORT void pulse_holt_winters(const double *values, int64_t first, int64_t last, const int64_t *lengths,
                                     int64_t origins, double *out, int64_t stride, int64_t horizon,
                                     const double *parameters, double *state, int64_t grid, int64_t season)
{
    double *level = state, *trend = level + grid, *squares = trend + grid, *seasons = squares + grid;
    int64_t i = 0;
    for (; i < origins && lengths[i] <= season; i++)
        write_flat(out + i * stride, horizon, NAN);
    for (int64_t t = first > season ? first : season; t < last; t++) {
        if (t == season)
            start(values, season, level, trend, squares, seasons, grid);
        advance(values[t], parameters, level, trend, squares, seasons + t % season * grid, grid);
        if (i == origins || lengths[i] != t + 1)
            continue;
        int64_t best = first_least(squares, grid);
        for (; i < origins && lengths[i] == t + 1; i++)
            for (int64_t h = 0; h < horizon; h++) {
                double base = level[best] + trend[best] * ((double)h + 1.0);
                out[i * stride + h] = base + seasons[(t + 1 + h) % season * grid + best];
            }
    }
}
