/* ML-Poly: an ensemble that weighs forecasters by what they would have spared it (Gaillard, Stoltz & van Erven 2014).
 *
 * R_k is the sum of r_k = loss of the ensemble - loss of member k, losses being absolute errors over the scale. The rate
 * of k is 1/(B + sum r_k^2), B the largest r^2 of any member so far; weights are proportional to rate times max(R_k, 0)
 * over the members that have a forecast, and uniform while none is positive.
 */
#include "learners.h"

#include <float.h>
#include <math.h>

/* In the place of a rate's denominator that is zero: its numerator is zero too. */
static const double LEAST = DBL_MIN;

/* Add rows of `width` numbers up into the first, half upon half: an order that their count alone decides. */
static void add_up(double *rows, int64_t count, int64_t width)
{
    while (count > 1) {
        int64_t half = count / 2;
        for (int64_t i = 0; i < half * width; i += LANES)
            store(rows + i, load(rows + i) + load(rows + half * width + i));
        if (count % 2)
            for (int64_t h = 0; h < width; h += LANES)
                store(rows + h, load(rows + h) + load(rows + (count - 1) * width + h));
        count = half;
    }
}

/* Learn, at each horizon, from the error of one origin, or of none (-1). */
void ensemble_learn(struct pass *pass, const int64_t *origin)
{
    struct ensemble *state = &pass->ensemble;
    const int64_t width = state->width, horizons = pass->horizons, size = state->members * width;
    double *spared = state->scratch, *share = spared + size, *before = spared + 3 * size, *own = before + width;
    for (int64_t h = 0; h < width; h++) {
        const int64_t from = h < horizons ? origin[h] : -1;
        if (from < 0) {
            for (int64_t k = 0; k < state->members; k++)
                spared[k * width + h] = 0.0;
            continue;
        }
        const double *forecast = pass->forecasts + from * pass->stride + h;
        const double actual = pass->released[from * horizons + h], scale = pass->scale[from];
        const double per_scale = 1.0 / (scale > 0.0 ? scale : NAN);
        own[h] = fabs(actual - forecast[state->row * horizons]) * per_scale;
        for (int64_t k = 0; k < state->members; k++) {
            double regret = own[h] - fabs(actual - forecast[state->rows[k] * horizons]) * per_scale;
            spared[k * width + h] = regret == regret ? regret : 0.0;
        }
    }
    for (int64_t h = 0; h < width; h += LANES) {
        lanes largest = load(state->largest + h);
        store(before + h, largest);
        for (int64_t i = h; i < size; i += width)
            largest = larger(load(spared + i) * load(spared + i), largest);
        store(state->largest + h, largest);
        for (int64_t i = h; i < size; i += width) {
            lanes regret = load(spared + i), square = regret * regret, squares = load(state->squares + i);
            /* where nothing has been lost yet the new rate serves: no regret depends on the old one */
            lanes old = load(before + h) + squares;
            lanes rate = choose(less(all_lanes(0.0), old), old, largest + (squares + square));
            store(share + i, square / choose(less_or_equal(rate, all_lanes(LEAST)), all_lanes(LEAST), rate));
            store(state->squares + i, squares + square);
            store(state->regret + i, load(state->regret + i) + regret);
        }
    }
    add_up(share, state->members, width);
    if (origin[0] >= 0)
        state->potential[0] = state->potential[0] + share[0];
}

static void weigh(const struct ensemble *state, const double *awake, double *total)
{
    const int64_t width = state->width, size = state->members * width;
    double *sum = state->scratch + size, *count = state->scratch + 2 * size;
    for (int64_t k = 0; k < state->members; k++)
        for (int64_t h = 0; h < width; h += LANES) {
            int64_t i = k * width + h;
            lanes rate = load(state->squares + i) + load(state->largest + h), regret = load(state->regret + i);
            rate = choose(less_or_equal(rate, all_lanes(LEAST)), all_lanes(LEAST), rate);
            lanes gain = choose(less_or_equal(regret, all_lanes(0.0)), all_lanes(0.0), regret) / rate * load(awake + i);
            store(state->weight + i, gain);
            store(sum + i, gain);
            store(count + i, load(awake + i));
        }
    add_up(sum, state->members, width);
    add_up(count, state->members, width);
    for (int64_t h = 0; h < width; h += LANES) {
        mask uniform = equal(load(sum + h), all_lanes(0.0));
        lanes divisor = choose(uniform, larger(all_lanes(1.0), load(count + h)), load(sum + h));
        store(total + h, divisor);
        for (int64_t i = h; i < size; i += width)
            store(state->weight + i, choose(uniform, load(awake + i), load(state->weight + i)) / divisor);
    }
}

/* Weigh and combine the forecasts of an origin; `weights` (members, horizons) are written where they are not NULL. */
void ensemble_predict(struct pass *pass, int64_t origin, double *weights)
{
    struct ensemble *state = &pass->ensemble;
    const int64_t width = state->width, horizons = pass->horizons, size = state->members * width;
    double *forecast = pass->forecasts + origin * pass->stride;
    double *awake = state->scratch, *mixed = awake + size, *total = awake + 3 * size, *anchor = total + width;
    double *offered = anchor + width;
    for (int64_t k = 0; k < state->members; k++)
        for (int64_t h = 0; h < width; h++) {
            double value = h < horizons ? forecast[state->rows[k] * horizons + h] : 0.0;
            awake[k * width + h] = finite(value) ? 1.0 : 0.0;
            offered[k * width + h] = finite(value) ? value : 0.0;
        }
    weigh(state, awake, total);
    /* less the one that weighs most, so that its own forecast, or that of equals, is met exactly */
    for (int64_t h = 0; h < width; h += LANES) {
        lanes heaviest = load(state->weight + h), offer = load(offered + h), some = load(awake + h);
        for (int64_t i = h + width; i < size; i += width) {
            mask heavier = less(heaviest, load(state->weight + i));
            heaviest = choose(heavier, load(state->weight + i), heaviest);
            offer = choose(heavier, load(offered + i), offer);
            some = some + load(awake + i);
        }
        store(anchor + h, offer);
        store(total + h, some);
    }
    for (int64_t k = 0; k < state->members; k++)
        for (int64_t h = 0; h < width; h += LANES) {
            int64_t i = k * width + h;
            store(mixed + i, (load(offered + i) - load(anchor + h)) * load(state->weight + i));
        }
    add_up(mixed, state->members, width);
    for (int64_t h = 0; h < horizons; h++)
        forecast[state->row * horizons + h] = total[h] > 0.0 ? anchor[h] + mixed[h] : NAN;
    for (int64_t k = 0; weights && k < state->members; k++)
        for (int64_t h = 0; h < horizons; h++)
            weights[k * horizons + h] = state->weight[k * width + h];
}

/* Weights (members, width) as all members' being awake would have them; for the end of a pass. */
PULSE_EXPORT void pulse_ensemble_latest(struct pass *pass)
{
    struct ensemble *state = &pass->ensemble;
    const int64_t size = state->members * state->width;
    for (int64_t i = 0; i < size; i++)
        state->scratch[i] = 1.0;
    weigh(state, state->scratch, state->scratch + 3 * size);
}
