/* Equal-weight combinations: the mean and the median of the finite forecasts.
 *
 * forecasts, stride: (origins, forecasters, horizon), origin i from forecasts[i * stride] on; out, out_stride: (origins,
 * horizon) likewise; scratch (forecasters, LANES). Cells (origin, step) are combined LANES at a time.
 */
#include "hindcasts.h"
#include "lanes.h"

/* Copy the forecasts of up to LANES cells side by side; lanes past the last cell repeat it. */
static inline void gather(const double *forecasts, int64_t stride, int64_t forecasters, int64_t horizon, int64_t cell,
                          int64_t cells, double *scratch)
{
    for (int64_t lane = 0; lane < LANES; lane++) {
        int64_t at = cell + lane < cells ? cell + lane : cells - 1;
        const double *source = forecasts + at / horizon * stride + at % horizon;
        for (int64_t f = 0; f < forecasters; f++)
            scratch[f * LANES + lane] = source[f * horizon];
    }
}

static inline void scatter(lanes combined, double *out, int64_t stride, int64_t horizon, int64_t cell, int64_t cells)
{
    for (int64_t lane = 0; lane < LANES && cell + lane < cells; lane++)
        out[(cell + lane) / horizon * stride + (cell + lane) % horizon] = combined[lane];
}

/* The first finite forecast is taken off, so that the mean of equals is exactly theirs. */
static inline lanes mean(const double *scratch, int64_t forecasters)
{
    lanes first = all_lanes(NAN), total = all_lanes(0.0), count = all_lanes(0.0);
    for (int64_t f = forecasters - 1; f >= 0; f--) {
        lanes forecast = load(scratch + f * LANES);
        first = choose(is_finite(forecast), forecast, first);
    }
    for (int64_t f = 0; f < forecasters; f++) {
        lanes forecast = load(scratch + f * LANES);
        mask finite = is_finite(forecast);
        total += choose(finite, forecast - first, all_lanes(0.0));
        count += choose(finite, all_lanes(1.0), all_lanes(0.0));
    }
    return first + total / count;
}

/* Sort by insertion, what is missing last; return how many are finite. */
static inline lanes sort(double *scratch, int64_t forecasters)
{
    lanes count = all_lanes(0.0);
    for (int64_t f = 0; f < forecasters; f++) {
        lanes high = load(scratch + f * LANES);
        count += choose(is_finite(high), all_lanes(1.0), all_lanes(0.0));
        high = choose(is_nan(high), all_lanes(INFINITY), high);
        for (int64_t g = 0; g < f; g++) {
            lanes low = load(scratch + g * LANES);
            mask before = less(high, low);
            store(scratch + g * LANES, choose(before, high, low));
            high = choose(before, low, high);
        }
        store(scratch + f * LANES, high);
    }
    return count;
}

PULSE_EXPORT void pulse_mean_of_all(const double *forecasts, int64_t stride, int64_t origins, int64_t forecasters,
                                    int64_t horizon, double *out, int64_t out_stride, double *scratch)
{
    for (int64_t cell = 0; cell < origins * horizon; cell += LANES) {
        gather(forecasts, stride, forecasters, horizon, cell, origins * horizon, scratch);
        scatter(mean(scratch, forecasters), out, out_stride, horizon, cell, origins * horizon);
    }
}

PULSE_EXPORT void pulse_median_of_all(const double *forecasts, int64_t stride, int64_t origins, int64_t forecasters,
                                      int64_t horizon, double *out, int64_t out_stride, double *scratch)
{
    for (int64_t cell = 0; cell < origins * horizon; cell += LANES) {
        gather(forecasts, stride, forecasters, horizon, cell, origins * horizon, scratch);
        lanes counts = sort(scratch, forecasters), median = all_lanes(NAN);
        for (int lane = 0; lane < LANES; lane++) {
            int64_t count = (int64_t)counts[lane];
            if (count > 0)
                median[lane] = (scratch[(count - 1) / 2 * LANES + lane] + scratch[count / 2 * LANES + lane]) / 2.0;
        }
        scatter(median, out, out_stride, horizon, cell, origins * horizon);
    }
}
