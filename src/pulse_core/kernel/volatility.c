/* How far values may be from the newest so many steps ahead, as far as the steps so far tell: the conditional scale of
 * a variable, and whether it is above or below what it has been.
 *
 * Threshold GARCH (Zakoian 1994, Threshold heteroskedastic models, Journal of Economic Dynamics and Control 18) of a
 * distance d: s_t = (1 - k) L + a |d_t| + (k - a) s_{t-1}, a larger by a share where d is above zero and smaller by as
 * much elsewhere, or the other way about. L is a slow mean of |d|, so that only k, a and the share are free: all points
 * of a grid run along, each with the weight of its discounted likelihood (Student's t), and the variance is the mean of
 * theirs by these weights (dynamic model averaging: Raftery, Karny & Ettler 2010, Technometrics 52). Three distances are
 * tried side by side: the step; the step over the value that it starts from, while all values are above zero; and how
 * far a value is from the mean of all before.
 */
#include "hindcasts.h"
#include "lanes.h"

enum { STEP = 0, RELATIVE_STEP = 1, FROM_MEAN = 2, DISTANCES = 3 };
/* k is one of so many, each of which has as many points of the grid, side by side. */
enum { PERSISTENCES = 2 };
/* Every so many values weights are raised to the power 15/16: a likelihood weighs half after some 690. */
enum { DISCOUNTED = 64 };

static const double SLOWEST_MEAN = 1.0 / 500.0;
/* A slow mean does not fall below this share of the mean of all. */
static const double LEAST_MEAN = 0x1p-20;
static const double LEAST_WEIGHT = 0x1p-900;
/* The density has 7 degrees of freedom: it is the -4th power of 1 + d^2/(8 s^2), for a mean absolute distance s. */
static const double EIGHTH = 0.125;
static const double LARGEST_SQUARE = 0x1p40;
/* A distance counts as at most so many times what was expected: one explosion is forgotten soon. */
static const double MOST = 8.0;
static const double LARGEST_DISTANCE = 0x1p900;
/* Squares are compared with what was expected of them after so many steps. */
static const int64_t SETTLED = 50;
static const double STEEPNESS = 2.5;

/* What a call leaves to the next, before the scales (DISTANCES, points) and their weights. */
struct volatility {
    double slow[DISTANCES];     /* slow means of |d|; 0 before anything has moved */
    double mean[DISTANCES];     /* means of all |d| */
    double level;               /* the mean of all values */
    double positive;            /* 1 while all values were above zero, else 0 */
    double expected;            /* the scale one step ahead; 0 before there is any */
    double usual;               /* its slow mean */
    double squares;             /* the sum of squared steps over squares of what was expected */
    double compared;            /* how many these are */
};

/* Means over grid points with the persistence k: sums of weights, of weights times x = s/L - 1 twice, times x^2. */
struct moments { double weight, first, second; };

static double size_of(double distance)
{
    const double size = fabs(distance);
    return size < LARGEST_DISTANCE ? size : LARGEST_DISTANCE;
}

static double sum_of(lanes a)
{
    return a[0] + a[1] + a[2] + a[3];
}

/* Weigh the scales of a distance by the likelihood of its newest `size`; one of it is `unit` slow mean steps. Return
 * the sum of weights. */
static double weigh(const double *scale, double *weight, int64_t points, double size, double unit)
{
    const lanes latest = all_lanes(size), share = all_lanes(unit), one = all_lanes(1.0);
    lanes total = all_lanes(0.0);
    for (int64_t j = 0; j < points; j += LANES) {
        lanes expected = load(scale + j), ratio = latest / expected, power = ratio * ratio * all_lanes(EIGHTH);
        power = one + lesser(power, all_lanes(LARGEST_SQUARE));
        power = power * power;
        power = power * power;
        lanes weighed = load(weight + j) / (expected * share * power);
        store(weight + j, weighed);
        total += weighed;
    }
    return sum_of(total);
}

/* Divide weights by their sum, and forget a part of what they rest on if `discounts`. */
static void normalise(double *weight, int64_t points, double total, int discounts)
{
    const lanes share = all_lanes(1.0 / total);
    for (int64_t j = 0; j < points; j += LANES) {
        lanes one = larger(load(weight + j) * share, all_lanes(LEAST_WEIGHT)); /* NaN, too, is as little as can be */
        if (discounts)
            one = one / square_root(square_root(square_root(square_root(one))));
        store(weight + j, one);
    }
}

/* Let the scales of a distance learn of its newest `size`. */
static void learn_scales(double *scale, const double *grid, int64_t points, double size, int rises, double slow)
{
    const double *base = grid, *share = grid + (rises ? 1 : 2) * points, *keep = grid + 3 * points;
    for (int64_t j = 0; j < points; j += LANES) {
        lanes before = load(scale + j), latest = lesser(all_lanes(size), all_lanes(MOST) * before);
        lanes kept = load(base + j) * all_lanes(slow) + load(keep + j) * before;
        store(scale + j, kept + load(share + j) * latest);
    }
}

/* Let the slow mean of a distance learn of its newest `size`, the `count`-th. */
static void learn_mean(struct volatility *state, int distance, double size, double count)
{
    double *slow = state->slow + distance, *mean = state->mean + distance, rate = 1.0 / count, most = MOST * *slow;
    *mean += (size - *mean) * rate;
    most = size < most || *slow == 0.0 ? size : most;
    *slow += (most - *slow) * (rate < SLOWEST_MEAN ? SLOWEST_MEAN : rate);
    if (*slow < LEAST_MEAN * *mean)
        *slow = LEAST_MEAN * *mean;
}

/* Compare a step with what was expected of it. */
static void compare(struct volatility *state, double step)
{
    const double ratio = size_of(step) / state->expected, square = ratio * ratio;
    state->squares += square < MOST * MOST ? square : MOST * MOST;
    state->compared += 1.0;
}

/* Learn of the value at `time`, which is not the first. */
static void learn_value(struct volatility *state, double *scales, double *weights, const double *grid, int64_t points,
                        const double *values, int64_t time)
{
    const double before = values[time - 1], value = values[time], step = value - before, typical = state->slow[STEP];
    const double distance[DISTANCES] = {step, step / before, value - state->level};
    const double unit[DISTANCES] = {1.0, before, 1.0};
    const int moved = step != 0.0 && typical > 0.0, tried[DISTANCES] = {1, state->positive != 0.0, 1};
    double total = 0.0;
    for (int i = 0; moved && i < DISTANCES; i++)
        if (tried[i])
            total += weigh(scales + i * points, weights + i * points, points, size_of(distance[i]), unit[i] / typical);
    for (int i = 0; i < DISTANCES; i++) {
        double *scale = scales + i * points, size = size_of(distance[i]), slow = state->slow[i];
        if (!tried[i])
            continue;
        if (moved)
            normalise(weights + i * points, points, total, time % DISCOUNTED == 0);
        learn_mean(state, i, size, (double)time);
        if (slow > 0.0)
            learn_scales(scale, grid, points, size, distance[i] > 0.0, slow);
        else
            for (int64_t j = 0; j < points; j++)
                scale[j] = state->slow[i];
    }
    if (state->expected > 0.0 && time > SETTLED)
        compare(state, step);
    state->level += (value - state->level) / ((double)time + 1.0);
    if (value <= 0.0)
        state->positive = 0.0;
}

/* The moments of some scales in units of their slow mean. */
static struct moments moments_of(const double *scale, const double *weight, int64_t points, double slow)
{
    const lanes unit = all_lanes(1.0 / slow);
    lanes total = all_lanes(0.0), first = total, second = total;
    for (int64_t j = 0; j < points; j += LANES) {
        lanes weighed = load(weight + j), apart = load(scale + j) * unit - all_lanes(1.0), product = weighed * apart;
        total += weighed;
        first += product;
        second += product * apart;
    }
    return (struct moments){sum_of(total), 2.0 * sum_of(first), sum_of(second)};
}

/* The scale of a mean square in units of the slow mean step; where it is beyond float64, the scale that was expected. */
static double scale_of(const struct volatility *state, double square)
{
    const double scale = state->slow[STEP] * sqrt(square);
    return scale > 0.0 && scale < INFINITY ? scale : state->expected;
}

/* The moments of all distances in units of the slow mean step, by persistence, and what they come to one step ahead. */
static void expect(struct volatility *state, const double *scales, const double *weights, int64_t points, double value,
                   int64_t time, struct moments *moments)
{
    const double unit[DISTANCES] = {1.0, value, 1.0}, rate = 1.0 / (double)time;
    const int tried[DISTANCES] = {1, state->positive != 0.0, 1};
    const int64_t group = points / PERSISTENCES;
    double total = 0.0, square = 0.0;
    for (int k = 0; k < PERSISTENCES; k++)
        moments[k] = (struct moments){0.0, 0.0, 0.0};
    for (int i = 0; i < DISTANCES; i++) {
        const double slow = state->slow[i], size = slow * (unit[i] / state->slow[STEP]), factor = size * size;
        for (int k = 0; k < PERSISTENCES && tried[i] && slow > 0.0; k++) {
            const int64_t j = i * points + k * group;
            const struct moments own = moments_of(scales + j, weights + j, group, slow);
            total += own.weight;
            moments[k].weight += factor * own.weight;
            moments[k].first += factor * own.first;
            moments[k].second += factor * own.second;
        }
    }
    for (int k = 0; k < PERSISTENCES; k++) {
        moments[k].weight /= total;
        moments[k].first /= total;
        moments[k].second /= total;
        square += moments[k].weight + moments[k].first + moments[k].second;
    }
    state->expected = scale_of(state, square);
    state->usual += (state->expected - state->usual) * (rate < SLOWEST_MEAN ? SLOWEST_MEAN : rate);
}

/* The scales (horizon) of the moments at one origin; `decay` see pulse_volatility. */
static void write_scales(const struct volatility *state, const struct moments *moments, const double *decay,
                         int64_t horizon, double *out)
{
    for (int64_t h = 0; h < horizon; h++) {
        double square = 0.0;
        for (int k = 0; k < PERSISTENCES; k++) {
            const double *means = decay + k * 2 * horizon + h;
            square += moments[k].weight + moments[k].first * means[0] + moments[k].second * means[horizon];
        }
        out[h] = scale_of(state, square);
    }
}

/* From -1 to 1: how far the scale one step ahead is below or above its slow mean. */
static double lean_of(const struct volatility *state)
{
    const double apart = (state->expected - state->usual) / (state->expected + state->usual) * STEEPNESS;
    return apart < -1.0 ? -1.0 : apart > 1.0 ? 1.0 : apart;
}

/* out (origins, horizon): the conditional scale, the root of the mean variance of the steps to there; lean (origins):
 * see lean_of; excess (origins): the mean of squared steps over squares of the scale one step ahead as it stood before
 * them, 0 while there is none. All of them are 0 before anything has moved.
 * grid (4, points): 1 - k, a for distances above zero, a for others, k less the mean of both; decay (PERSISTENCES, 2,
 * horizon): means of k^(i-1) and of its squares over i = 1..h. memory: a struct volatility, the scales and the weights
 * (DISTANCES, points): zeros but for the weights, which are alike. */
PULSE_EXPORT void pulse_volatility(const double *values, int64_t first, int64_t last, const int64_t *lengths,
                                   int64_t origins, double *out, int64_t horizon, double *lean, double *excess,
                                   const double *grid, const double *decay, double *memory, int64_t points)
{
    struct volatility *state = (struct volatility *)memory;
    double *scales = memory + sizeof *state / sizeof *memory, *weights = scales + DISTANCES * points;
    struct moments moments[PERSISTENCES];
    for (int64_t t = first, i = 0; t < last; t++) {
        if (t == 0) {
            state->level = values[0];
            state->positive = values[0] > 0.0 ? 1.0 : 0.0;
        }
        else
            learn_value(state, scales, weights, grid, points, values, t);
        const int moved = state->slow[STEP] > 0.0;
        if (moved)
            expect(state, scales, weights, points, values[t], t, moments);
        for (; i < origins && lengths[i] == t + 1; i++) {
            lean[i] = moved ? lean_of(state) : 0.0;
            excess[i] = state->compared > 0.0 ? state->squares / state->compared : 0.0;
            if (moved)
                write_scales(state, moments, decay, horizon, out + i * horizon);
            else
                write_flat(out + i * horizon, horizon, 0.0);
        }
    }
}
