/* The ensemble: a weighted mean of forecasts, whose weights at a horizon of h steps follow from all errors up to h steps
 * ahead. Losses are absolute errors over the scale. It is made of two parts, each a weighted mean of its own:
 *
 * - shares: weights are proportional to (sum of losses)^-8. What sleeps is charged the part's own loss.
 * - ML-Poly (Gaillard, Stoltz & van Erven 2014): R_k is the sum of r_k = loss of the part - loss of member k, the mean of
 *   those that become known together. The rate of k is 1/(B + sum r_k^2), B the largest r^2 of any member so far;
 *   weights are proportional to rate times max(R_k, 0), and uniform while none is positive. Losses count by the part's
 *   proportion in the ensemble at their origins.
 *
 * The proportion of ML-Poly is n/(3n + 200), n the errors one step ahead that are known. Weights go to members that have a
 * forecast. Rows of members are `width` numbers long; those behind the last sleep for ever.
 */
#include "learners.h"

#include <float.h>
#include <math.h>

/* ML-Poly has a third of the ensemble in the end, and a quarter after so many errors one step ahead. */
static const double THIRDS = 3.0, QUARTER = 200.0;
/* In the place of a rate's denominator that is zero: its numerator is zero too. */
static const double LEAST = DBL_MIN;

/* The sum of a row: lane by lane, then the lanes in pairs. */
static double total(const double *row, int64_t width)
{
    lanes sum = load(row);
    for (int64_t k = LANES; k < width; k += LANES)
        sum = sum + load(row + k);
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

static inline lanes number_or_zero(lanes value)
{
    return choose(is_nan(value), all_lanes(0.0), value);
}

static double proportion(const struct ensemble *state)
{
    return state->known[0] / (THIRDS * state->known[0] + QUARTER);
}

/* Losses (width) of the members at an origin and horizon, NaN for what slept; the losses of the whole and of its parts. */
static void losses_of(const struct pass *pass, int64_t origin, int64_t h, double *loss, double *whole, double *parts)
{
    const struct ensemble *state = &pass->ensemble;
    const double *forecast = pass->forecasts + origin * pass->stride + h;
    const double *past = state->past + (origin % state->window * pass->horizons + h) * PARTS;
    const double actual = pass->released[origin * pass->horizons + h], scale = pass->scale[origin];
    const double per_scale = 1.0 / (scale > 0.0 ? scale : NAN);
    for (int64_t k = 0; k < state->members; k++)
        loss[k] = fabs(actual - forecast[state->rows[k] * pass->horizons]) * per_scale;
    for (int64_t k = state->members; k < state->width; k++)
        loss[k] = NAN;
    *whole = fabs(actual - forecast[state->row * pass->horizons]) * per_scale;
    for (int64_t part = 0; part < PARTS; part++)
        parts[part] = fabs(actual - past[part]) * per_scale;
}

/* Let ML-Poly learn at a horizon from regrets (width); at one step ahead its potential grows, of which the bound is made. */
static void follow(struct ensemble *state, int64_t h, const double *regrets, double *share)
{
    const int64_t width = state->width, row = h * width;
    const double before = state->largest[h];
    lanes largest = all_lanes(before);
    for (int64_t k = 0; k < width; k += LANES)
        largest = larger(load(regrets + k) * load(regrets + k), largest);
    for (int lane = 0; lane < LANES; lane++)
        state->largest[h] = largest[lane] > state->largest[h] ? largest[lane] : state->largest[h];
    for (int64_t k = 0; h == 0 && k < width; k += LANES) {
        lanes square = load(regrets + k) * load(regrets + k), squares = load(state->squares + k);
        /* where nothing has been lost yet the new rate serves: no regret depends on the old one */
        lanes old = all_lanes(before) + squares;
        lanes rate = choose(less(all_lanes(0.0), old), old, all_lanes(state->largest[h]) + (squares + square));
        store(share + k, square / choose(less_or_equal(rate, all_lanes(LEAST)), all_lanes(LEAST), rate));
    }
    if (h == 0)
        state->potential[0] = state->potential[0] + total(share, width);
    for (int64_t k = 0; k < width; k += LANES) {
        lanes regret = load(regrets + k);
        store(state->squares + row + k, load(state->squares + row + k) + regret * regret);
        store(state->followed + row + k, load(state->followed + row + k) + regret);
    }
}

/* Learn, at each horizon, from the error of one origin, or of none (-1). */
void ensemble_learn(struct pass *pass, const int64_t *origin)
{
    struct ensemble *state = &pass->ensemble;
    const int64_t width = state->width;
    double *loss = state->scratch, *spared = loss + width, *mean = spared + width, *share = mean + width;
    double together = 0.0;
    for (int64_t k = 0; k < width; k++)
        spared[k] = 0.0;
    for (int64_t h = 0; h < pass->horizons; h++) {
        if (origin[h] >= 0) {
            double whole, parts[PARTS];
            losses_of(pass, origin[h], h, loss, &whole, parts);
            const double part = state->past_proportion[origin[h] % state->window];
            const double own = parts[SHARES] == parts[SHARES] ? parts[SHARES] : 0.0;
            for (int64_t k = 0; k < width; k += LANES) {
                const int64_t i = h * width + k;
                lanes lost = load(loss + k), less_lost = (all_lanes(parts[ML_POLY]) - lost) * all_lanes(part);
                store(state->regret + i, load(state->regret + i) + number_or_zero(all_lanes(whole) - lost));
                store(state->lost + i, load(state->lost + i) + choose(is_nan(lost), all_lanes(own), lost));
                store(spared + k, load(spared + k) + number_or_zero(less_lost));
                if (h == 0) {
                    lanes rest = (all_lanes(parts[SHARES]) - lost) * all_lanes(1.0 - part);
                    store(state->rest + k, load(state->rest + k) + number_or_zero(rest));
                }
            }
            if (whole == whole) {
                together = together + 1.0;
                state->known[0] += h == 0 ? 1.0 : 0.0;
            }
        }
        if (together > 0.0) {
            for (int64_t k = 0; k < width; k += LANES)
                store(mean + k, load(spared + k) / all_lanes(together));
            follow(state, h, mean, share);
        }
    }
}

/* Make weights of a row, over those awake (1 or 0): as they are, or uniform where all are zero. */
static void normalise(double *weights, const double *awake, int64_t width)
{
    const double sum = total(weights, width), count = total(awake, width);
    const double *source = sum == 0.0 ? awake : weights;
    const double divisor = sum == 0.0 ? (count > 0.0 ? count : 1.0) : sum;
    for (int64_t k = 0; k < width; k += LANES)
        store(weights + k, load(source + k) / all_lanes(divisor));
}

/* Weights of ML-Poly at a horizon. */
static void weigh_by_regret(const struct ensemble *state, int64_t h, const double *awake, double *weights)
{
    for (int64_t k = 0; k < state->width; k += LANES) {
        const int64_t i = h * state->width + k;
        lanes rate = load(state->squares + i) + all_lanes(state->largest[h]), regret = load(state->followed + i);
        rate = choose(less_or_equal(rate, all_lanes(LEAST)), all_lanes(LEAST), rate);
        regret = choose(less_or_equal(regret, all_lanes(0.0)), all_lanes(0.0), regret);
        store(weights + k, regret / rate * load(awake + k));
    }
    normalise(weights, awake, state->width);
}

/* Weights by losses (width) up to a horizon: (the least of those awake / the loss)^8, normalised. */
static void weigh_by_loss(const double *lost, const double *awake, double *weights, int64_t width)
{
    double least = INFINITY;
    for (int64_t k = 0; k < width; k++)
        least = awake[k] > 0.0 && lost[k] < least ? lost[k] : least;
    for (int64_t k = 0; k < width; k += LANES) {
        lanes loss = load(lost + k), ratio = all_lanes(least) / loss;
        ratio = choose(less_or_equal(loss, all_lanes(least)), all_lanes(1.0), ratio);
        lanes square = ratio * ratio, fourth = square * square;
        store(weights + k, fourth * fourth * load(awake + k));
    }
    normalise(weights, awake, width);
}

/* Weigh at a horizon: `weights` (PARTS, width) of the parts, and the state's of the whole. `lost` (width) are losses at
 * nearer horizons, to which those at this one are added. */
static void weigh(struct ensemble *state, int64_t h, const double *awake, double *lost, double *weights)
{
    const int64_t width = state->width;
    const double part = proportion(state);
    for (int64_t k = 0; k < width; k += LANES)
        store(lost + k, load(lost + k) + load(state->lost + h * width + k));
    weigh_by_loss(lost, awake, weights + SHARES * width, width);
    weigh_by_regret(state, h, awake, weights + ML_POLY * width);
    for (int64_t k = 0; k < width; k += LANES) {
        lanes share = load(weights + SHARES * width + k), followed = load(weights + ML_POLY * width + k);
        store(state->weight + h * width + k, share + all_lanes(part) * (followed - share));
    }
}

/* Weigh and combine the forecasts of an origin; `weights` (members, horizons) are written where they are not NULL. */
void ensemble_predict(struct pass *pass, int64_t origin, double *weights)
{
    struct ensemble *state = &pass->ensemble;
    const int64_t width = state->width, horizons = pass->horizons;
    const double part = proportion(state);
    double *forecast = pass->forecasts + origin * pass->stride;
    double *awake = state->scratch, *offered = awake + width, *lost = offered + width, *mixed = lost + width;
    double *of_parts = mixed + width;
    state->past_proportion[origin % state->window] = part;
    for (int64_t k = 0; k < width; k++) {
        lost[k] = awake[k] = offered[k] = 0.0;
    }
    for (int64_t h = 0; h < horizons; h++) {
        double *past = state->past + (origin % state->window * horizons + h) * PARTS;
        const double *weight = state->weight + h * width;
        int64_t heaviest = 0;
        for (int64_t k = 0; k < state->members; k++) {
            double value = forecast[state->rows[k] * horizons + h];
            awake[k] = finite(value) ? 1.0 : 0.0;
            offered[k] = finite(value) ? value : 0.0;
        }
        weigh(state, h, awake, lost, of_parts);
        /* less the one that weighs most, so that its own forecast, or that of equals, is met exactly */
        for (int64_t k = 1; k < state->members; k++)
            heaviest = weight[heaviest] < weight[k] ? k : heaviest;
        const double anchor = total(awake, width) > 0.0 ? offered[heaviest] : NAN;
        for (int64_t p = 0; p < PARTS; p++) {
            for (int64_t k = 0; k < width; k += LANES)
                store(mixed + k, (load(offered + k) - all_lanes(anchor)) * load(of_parts + p * width + k));
            past[p] = total(mixed, width);
        }
        forecast[state->row * horizons + h] = anchor + (past[SHARES] + part * (past[ML_POLY] - past[SHARES]));
        past[SHARES] = anchor + past[SHARES];
        past[ML_POLY] = anchor + past[ML_POLY];
        for (int64_t k = 0; weights && k < state->members; k++)
            weights[k * horizons + h] = weight[k];
    }
}

/* Weights (horizons, width) as all members' being awake would have them; for the end of a pass. */
PULSE_EXPORT void pulse_ensemble_latest(struct pass *pass)
{
    struct ensemble *state = &pass->ensemble;
    const int64_t width = state->width;
    double *awake = state->scratch, *lost = awake + 2 * width;
    for (int64_t k = 0; k < width; k++) {
        awake[k] = k < state->members ? 1.0 : 0.0;
        lost[k] = 0.0;
    }
    for (int64_t h = 0; state->members && h < pass->horizons; h++)
        weigh(state, h, awake, lost, lost + 2 * width);
}
