/* Seasonal adjustment as it is known at each time: what is left of a path, and the season that belongs to its future.
 *
 * Classical decomposition: a value's distance from (or ratio to) the centred mean of a season, averaged over all values
 * at the same step of the season, the averages less their own mean. Then they are drawn to none at all by the share of
 * their spread that noise explains (James & Stein; Miller & Williams 2003, Shrinkage estimators of time series seasonal
 * factors and their effect on forecasting accuracy, International Journal of Forecasting 19). */
#include "hindcasts.h"
#include "lanes.h"

/* The sum of numbers, or of their squared distances from a centre: four side by side, then these, then the rest. */
static inline double total(const double *numbers, int64_t count, double centre, int squared)
{
    lanes sums = all_lanes(0.0);
    int64_t j = 0;
    for (; j + LANES <= count; j += LANES) {
        lanes distance = load(numbers + j) - all_lanes(centre);
        sums += squared ? distance * distance : distance;
    }
    double sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    for (; j < count; j++) {
        double distance = numbers[j] - centre;
        sum += squared ? distance * distance : distance;
    }
    return sum;
}

/* The mean of the season around values[centre]: with an even number of steps, half of each end. */
static inline double centred_mean(const double *values, int64_t centre, int64_t season)
{
    int64_t half = season / 2, begin = centre - half;
    double sum = season % 2 ? total(values + begin, season, 0.0, 0)
                            : total(values + begin + 1, season - 1, 0.0, 0) +
                                  0.5 * (values[begin] + values[begin + season]);
    return sum / (double)season;
}

/* What is known of the season: the mean distance at each step (season,), and around it the squared ones of all. */
struct known {
    double *noise, *distance;
};

/* Take the distance of values[centre], the newest one of which the season around it is known. */
static inline void learn(struct known of, const double *values, int64_t centre, int64_t season, int64_t ratios)
{
    double mean = centred_mean(values, centre, season), value = values[centre];
    double new = ratios ? value / mean - 1.0 : value - mean, *distance = of.distance + centre % season;
    int64_t before = (centre - season / 2) / season;
    if (before == 0) {
        *distance = new;
        return;
    }
    double error = new - *distance;
    *distance += error / ((double)before + 1.0);
    *of.noise += error * (new - *distance);
}

/* By what part the season is drawn in where `count` distances are known, a season or more. One of each step says nothing
 * of noise: half. */
static inline double kept(double noise, double spread, int64_t count, int64_t season)
{
    if (count == season)
        return 0.5;
    double each = (double)(count / season), more = (double)(count % season), length = (double)season;
    double variance = noise / (double)(count - season) * ((length - more) / each + more / (each + 1.0)) / length;
    double rest = 1.0 - (season > 3 ? length - 3.0 : 0.0) * variance / spread;
    return rest > 0.0 ? rest : 0.0;
}

/* The factors of the steps of the season are level + slope times distance. */
struct season {
    double level, slope;
};

static inline struct season season_of(struct known of, int64_t count, int64_t season, int64_t ratios)
{
    double mean = total(of.distance, season, 0.0, 0) / (double)season;
    double spread = total(of.distance, season, mean, 1);
    double slope = kept(*of.noise, spread, count, season);
    if (!ratios)
        return (struct season){-slope * mean, slope};
    slope /= 1.0 + mean;
    return (struct season){1.0 - slope * mean, slope};
}

/* adjusted (n,): each value without the season as it was known with that value; those of the first two seasons without
 * the season that the first two seasons showed. It has no content before these are known. factors (origins, horizon),
 * whose rows are `stride` apart: by what the forecasts of the adjusted path are to be multiplied (ratios) or raised.
 * state (1 + season,): see known. */
PULSE_EXPORT void pulse_adjust(const double *values, int64_t first, int64_t last, const int64_t *lengths,
                               int64_t origins, double *factors, int64_t stride, int64_t horizon, double *adjusted,
                               double *state, int64_t season, int64_t ratios)
{
    struct known of = {state, state + 1};
    int64_t i = 0, half = season / 2;
    if (first == 0)
        *of.noise = 0.0;
    for (; i < origins && lengths[i] < 2 * season; i++)
        write_flat(factors + i * stride, horizon, ratios ? 1.0 : 0.0);
    for (int64_t t = first; t < last; t++) {
        int64_t count = t - 2 * half + 1;
        if (count > 0)
            learn(of, values, t - half, season, ratios);
        if (t + 1 < 2 * season)
            continue;
        struct season now = season_of(of, count, season, ratios);
        for (int64_t s = t + 1 == 2 * season ? 0 : t; s <= t; s++) {
            double factor = now.level + now.slope * of.distance[s % season];
            adjusted[s] = ratios ? values[s] / factor : values[s] - factor;
        }
        for (; i < origins && lengths[i] == t + 1; i++)
            for (int64_t h = 0; h < horizon; h++)
                factors[i * stride + h] = now.level + now.slope * of.distance[(t + 1 + h) % season];
    }
}
