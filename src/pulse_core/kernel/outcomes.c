/* Outcomes: who came closer to what happened, the forecaster or the benchmark, on first releases; and what follows.
 *
 * Trust is the mean of a Beta posterior over the chance to win: an outcome counts in the batch in which it became known,
 * with a weight of 1/h for h-step errors, which overlap; at the start of each later batch alpha <- 1 + g (alpha - 1).
 */
#include "learners.h"

#include <math.h>

static double crps(double actual, double point, const double *offset, double size, int64_t step)
{
    double total = 0.0;
    for (int k = 0; k < LEVELS; k++) {
        double above = actual - (point + size * offset[k * step]);
        double below = above >= 0.0 ? 0.0 : above;  /* a NaN stays one */
        total = total + pulse_crps_weights[k] * (pulse_levels[k] * above - below);
    }
    return total;
}

/* Losses of the cells, numbered as trust compares them. */
static void losses(const struct pass *pass, const double *actual, const double *forecast, const double *offset,
                   const double *size, double *loss)
{
    if (pass->trust_loss == BY_CRPS) {
        for (int64_t cell = 0; cell < pass->forecasters * pass->horizons; cell++)
            loss[cell] = crps(actual[cell], forecast[cell], offset + cell, size[cell], pass->stride);
        return;
    }
    for (int64_t cell = 0; cell < pass->stride; cell += LANES)
        store(loss + cell, absolute(load(actual + cell) - load(forecast + cell)));
}

/* Add outcome codes up for the batch in which those of each horizon became known. */
static void count_outcomes(struct pass *pass, const int64_t *code, const int64_t *known_batch)
{
    const int64_t stride = pass->stride, horizons = pass->horizons, cells = pass->forecasters * horizons;
    int64_t batch = known_batch[0];
    for (int64_t h = 1; h < horizons; h++)
        batch = known_batch[h] == batch ? batch : -1;
    if (batch >= 0) {
        int64_t *wins = pass->wins + batch * stride, *trials = pass->trials + batch * stride;
        for (int64_t cell = 0; cell < cells; cell++) {
            wins[cell] += code[cell] > 0 ? code[cell] : 0;
            trials[cell] += code[cell] != UNKNOWN;
        }
        return;
    }
    for (int64_t h = 0; h < horizons; h++) {
        if (known_batch[h] < 0)
            continue;
        int64_t *wins = pass->wins + known_batch[h] * stride, *trials = pass->trials + known_batch[h] * stride;
        for (int64_t cell = h; cell < cells; cell += horizons) {
            wins[cell] += code[cell] > 0 ? code[cell] : 0;
            trials[cell] += code[cell] != UNKNOWN;
        }
    }
}

/* Tell the outcomes of an origin of the period, and add them up by the batch in which they became known; `actual`
 * (stride) are first releases by cell. */
void outcomes_at(struct pass *pass, int64_t origin, const double *actual, const double *offset, const double *size)
{
    const int64_t stride = pass->stride, horizons = pass->horizons, cells = pass->forecasters * horizons;
    double *loss = pass->scratch + 2 * stride, *rival = loss + stride;
    int64_t *code = (int64_t *)(rival + stride);
    int8_t *outcome = pass->outcome + origin * stride;
    losses(pass, actual, pass->forecasts + origin * stride, offset, size, loss);
    expand(rival, loss + pass->benchmark * horizons, cells, horizons);
    for (int64_t cell = 0; cell < stride; cell += LANES) {
        lanes own = load(loss + cell), other = load(rival + cell);
        /* a mask is -1 where it holds */
        *(mask *)(code + cell) = (is_nan(own) | is_nan(other)) - less(own, other) - less_or_equal(own, other);
    }
    for (int64_t cell = 0; cell < cells; cell++)
        outcome[cell] = (int8_t)code[cell];
    count_outcomes(pass, code, pass->known_batch + origin * horizons);
}

static double faded(double parameter, double decay) { return 1.0 + decay * (parameter - 1.0); }

/* Move on to a batch: what was learned in those before it is taken in, and fades. */
void posterior_enter(struct pass *pass, int64_t batch)
{
    struct posterior *state = &pass->posterior;
    for (; state->batch < batch; state->batch++)
        for (int64_t cell = 0, h = 0; cell < pass->forecasters * pass->horizons; cell++, h++) {
            h = h < pass->horizons ? h : 0;
            double half = 0.5 / ((double)h + 1.0);
            int64_t wins = state->wins[cell], losses = WON * state->trials[cell] - wins;
            state->alpha[cell] = faded(state->alpha[cell] + half * (double)wins, state->decay);
            state->beta[cell] = faded(state->beta[cell] + half * (double)losses, state->decay);
            state->wins[cell] = state->trials[cell] = 0;
        }
}

/* Learn, at each horizon, from the outcomes of one origin of the period, or of none (-1). */
void posterior_learn(struct pass *pass, const int64_t *origin)
{
    struct posterior *state = &pass->posterior;
    for (int64_t h = 0; h < pass->horizons; h++) {
        if (origin[h] < 0 || pass->batch[origin[h]] < 0)
            continue;
        posterior_enter(pass, pass->known_batch[origin[h] * pass->horizons + h]);
        for (int64_t cell = h; cell < pass->forecasters * pass->horizons; cell += pass->horizons) {
            int8_t code = pass->outcome[origin[h] * pass->stride + cell];
            if (code == UNKNOWN)
                continue;
            state->wins[cell] += code;
            state->trials[cell] += 1;
        }
    }
}

/* Tell the trust as it stands (stride); NaN where no outcome is known yet. */
void posterior_mean(const struct pass *pass, double *trust)
{
    const struct posterior *state = &pass->posterior;
    for (int64_t cell = 0, h = 0; cell < pass->forecasters * pass->horizons; cell++, h++) {
        h = h < pass->horizons ? h : 0;
        double half = 0.5 / ((double)h + 1.0);
        double alpha = state->alpha[cell] + half * (double)state->wins[cell];
        double beta = state->beta[cell] + half * (double)(WON * state->trials[cell] - state->wins[cell]);
        trust[cell] = (alpha - 1.0) + (beta - 1.0) == 0.0 ? NAN : alpha / (alpha + beta);
    }
}

/* Fold wins and losses (batches, cells), as weighted, into alpha and beta after each batch (batches, cells). */
PULSE_EXPORT void pulse_posteriors(const double *wins, const double *losses, int64_t recorded, int64_t batches,
                                   int64_t cells, double decay, double *alpha, double *beta)
{
    for (int64_t batch = 0; batch < batches; batch++)
        for (int64_t cell = 0; cell < cells; cell++) {
            int64_t at = batch * cells + cell;
            alpha[at] = batch ? faded(alpha[at - cells], decay) : 1.0;
            beta[at] = batch ? faded(beta[at - cells], decay) : 1.0;
            if (batch < recorded) {
                alpha[at] = alpha[at] + wins[at];
                beta[at] = beta[at] + losses[at];
            }
        }
}

/* Count wins and losses of interleaved sequences: horizon h has h sequences, of origins congruent mod h.
 *
 * `outcome` (origins, stride), from the first origin of the period; `counts` (2, sequences, forecasters), the sequences
 * of each horizon one after another.
 */
PULSE_EXPORT void pulse_sequence_counts(const int8_t *outcome, int64_t origins, int64_t forecasters, int64_t horizons,
                                        int64_t stride, double *counts)
{
    const int64_t sequences = horizons * (horizons + 1) / 2;
    for (int64_t i = 0; i < 2 * sequences * forecasters; i++)
        counts[i] = 0.0;
    for (int64_t origin = 0; origin < origins; origin++)
        for (int64_t h = 0; h < horizons; h++) {
            int64_t sequence = h * (h + 1) / 2 + origin % (h + 1);
            for (int64_t row = 0; row < forecasters; row++) {
                int8_t code = outcome[origin * stride + row * horizons + h];
                counts[sequence * forecasters + row] += (double)(code == WON);
                counts[(sequences + sequence) * forecasters + row] += (double)(code == LOST);
            }
        }
}
