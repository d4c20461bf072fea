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

double pulse_add_up(double *values, int64_t count, int64_t step)
{
    if (!count)
        return 0.0;
    while (count > 1) {
        int64_t half = count / 2;
        double last = values[(count - 1) * step];
        for (int64_t i = 0; i < half; i++)
            values[i * step] = values[i * step] + values[(half + i) * step];
        if (count % 2)
            values[0] = values[0] + last;
        count = half;
    }
    return values[0];
}

/* Learn, at each horizon, from the error of one origin, or of none (-1). */
void ensemble_learn(struct pass *pass, const int64_t *origin)
{
    struct ensemble *state = &pass->ensemble;
    const int64_t width = state->width, horizons = pass->horizons;
    double *square = state->scratch;
    for (int64_t h = 0; h < horizons; h++) {
        if (origin[h] < 0)
            continue;
        const double *forecast = pass->forecasts + origin[h] * pass->stride + h;
        double actual = pass->released[origin[h] * horizons + h], scale = pass->scale[origin[h]];
        double per_scale = 1.0 / (scale > 0.0 ? scale : NAN);
        double own = fabs(actual - forecast[state->row * horizons]) * per_scale;
        double before = state->largest[h], largest = before;
        for (int64_t k = 0; k < state->members; k++) {
            double spared = own - fabs(actual - forecast[state->rows[k] * horizons]) * per_scale;
            if (spared != spared)
                spared = 0.0;
            square[k] = spared * spared;
            largest = square[k] > largest ? square[k] : largest;
            state->regret[k * width + h] += spared;
        }
        for (int64_t k = 0; k < state->members; k++) {
            double old = before + state->squares[k * width + h];
            state->squares[k * width + h] += square[k];
            if (h)
                continue;
            /* where nothing has been lost yet the new rate serves: no regret depends on the old one */
            double rate = old > 0.0 ? old : largest + state->squares[k * width];
            square[k] = square[k] / (rate <= LEAST ? LEAST : rate);
        }
        if (!h)
            state->potential[0] = state->potential[0] + pulse_add_up(square, state->members, 1);
        state->largest[h] = largest;
    }
}

static void weigh(const struct ensemble *state, const double *awake, double *total)
{
    const int64_t width = state->width, size = state->members * width;
    double *sum = state->scratch + size;
    for (int64_t k = 0; k < state->members; k++)
        for (int64_t h = 0; h < width; h += LANES) {
            int64_t i = k * width + h;
            lanes rate = load(state->squares + i) + load(state->largest + h), regret = load(state->regret + i);
            rate = select(rate <= all(LEAST), all(LEAST), rate);
            lanes gain = select(regret <= all(0.0), all(0.0), regret) / rate * load(awake + i);
            store(state->weight + i, gain);
            store(sum + i, gain);
        }
    for (int64_t h = 0; h < width; h++)
        total[h] = pulse_add_up(sum + h, state->members, width);
    for (int64_t h = 0; h < width; h++) {
        if (total[h] != 0.0)
            continue;
        total[h] = 0.0;
        for (int64_t k = 0; k < state->members; k++) {
            state->weight[k * width + h] = awake[k * width + h];
            total[h] += awake[k * width + h];
        }
        total[h] = total[h] > 1.0 ? total[h] : 1.0;
    }
    for (int64_t k = 0; k < state->members; k++)
        for (int64_t h = 0; h < width; h += LANES)
            store(state->weight + k * width + h, load(state->weight + k * width + h) / load(total + h));
}

/* Weigh and combine the forecasts of an origin; `weights` (members, horizons) are told where they are not NULL. */
void ensemble_predict(struct pass *pass, int64_t origin, double *weights)
{
    struct ensemble *state = &pass->ensemble;
    const int64_t width = state->width, horizons = pass->horizons, size = state->members * width;
    double *forecast = pass->forecasts + origin * pass->stride;
    double *awake = state->scratch, *mixed = state->scratch + size, *offered = state->scratch + 2 * size;
    double *total = state->scratch + 3 * size, *anchor = total + width;
    for (int64_t k = 0; k < state->members; k++)
        for (int64_t h = 0; h < width; h++) {
            double value = h < horizons ? forecast[state->rows[k] * horizons + h] : 0.0;
            awake[k * width + h] = finite(value) ? 1.0 : 0.0;
            offered[k * width + h] = finite(value) ? value : 0.0;
        }
    weigh(state, awake, total);
    /* less the one that weighs most, so that its own forecast, or that of equals, is met exactly */
    for (int64_t h = 0; h < width; h++) {
        int64_t heaviest = 0;
        for (int64_t k = 1; k < state->members; k++)
            if (state->weight[k * width + h] > state->weight[heaviest * width + h])
                heaviest = k;
        anchor[h] = offered[heaviest * width + h];
    }
    for (int64_t k = 0; k < state->members; k++)
        for (int64_t h = 0; h < width; h += LANES) {
            int64_t i = k * width + h;
            store(mixed + i, (load(offered + i) - load(anchor + h)) * load(state->weight + i));
        }
    for (int64_t h = 0; h < horizons; h++) {
        int64_t k = 0;
        while (k < state->members && awake[k * width + h] == 0.0)
            k++;
        double point = anchor[h] + pulse_add_up(mixed + h, state->members, width);
        forecast[state->row * horizons + h] = k < state->members ? point : NAN;
    }
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
