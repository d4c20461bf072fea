/* The pass: at each origin learn from what became known, then forecast, then score what was forecast. */
#include "learners.h"

#include <math.h>

static int64_t most(const int64_t *values, int64_t count)
{
    int64_t largest = 0;
    for (int64_t i = 0; i < count; i++)
        largest = values[i] > largest ? values[i] : largest;
    return largest;
}

/* Errors (horizons, width) of the origins that are learned from at each horizon, NaN where there is none. */
static void errors_of(const struct pass *pass, const int64_t *origin)
{
    const int64_t horizons = pass->horizons, width = pass->calibrator.width;
    for (int64_t h = 0; h < horizons; h++) {
        double *error = pass->calibrator.error + h * width;
        const double *forecast = pass->forecasts + (origin[h] < 0 ? 0 : origin[h]) * pass->stride + h;
        const double actual = origin[h] < 0 ? NAN : pass->released[origin[h] * horizons + h];
        for (int64_t f = 0; f < pass->forecasters; f++)
            error[f] = actual - forecast[f * horizons];
    }
}

/* Empirical quantiles are those of errors over their spread. */
static void custom_learn(struct pass *pass, const int64_t *origin)
{
    struct calibrator *state = &pass->custom_calibrator;
    const int64_t horizons = pass->horizons;
    for (int64_t h = 0; h < horizons; h++)
        for (int64_t i = 0; i < pass->custom; i++) {
            double error = pass->calibrator.error[h * pass->calibrator.width + pass->calibrated_rows[i]];
            if (state->kind == EMPIRICAL && origin[h] >= 0)
                error = error / pass->custom_spread[(origin[h] * pass->custom + i) * horizons + h];
            state->error[h * state->width + i] = error;
        }
    calibrator_learn(state, &(struct lesson){origin, NAN, 0});
}

/* Measure errors in the conditional scale of their origins. */
static void scale_errors(const struct pass *pass, const int64_t *origin)
{
    const int64_t horizons = pass->horizons, width = pass->calibrator.width;
    for (int64_t h = 0; h < horizons; h++) {
        double *error = pass->calibrator.error + h * width;
        if (origin[h] < pass->volatility.first)
            continue;
        for (int64_t f = 0; f < pass->forecasters; f++)
            error[f] = error[f] / pass->volatility.scale[origin[h] * horizons + h];
    }
}

/* Let the calibrator learn of errors, and of the step at one step ahead. */
static void learn_errors(struct pass *pass, const int64_t *origin)
{
    const int64_t first = origin[0];
    double step = first < 0 ? NAN : pass->released[first * pass->horizons] - pass->newest[first];
    if (pass->volatility.scale) {
        scale_errors(pass, origin);
        if (first >= pass->volatility.first)
            step = step / pass->volatility.scale[first * pass->horizons];
    }
    calibrator_learn(&pass->calibrator, &(struct lesson){origin, step, pass->volatility.scale ? &pass->volatility : 0});
}

static void predict_quantiles(struct pass *pass, int64_t origin, int quotes)
{
    const struct volatility_at_origins *volatility = &pass->volatility;
    const double *scale = volatility->scale ? volatility->scale + origin * pass->horizons : 0;
    calibrator_predict(&pass->calibrator, pass->forecasts + origin * pass->stride, pass->step_square[origin],
                       pass->steps[origin], scale, scale ? volatility->lean[origin] : 0.0, quotes);
}

/* Put the quantiles that forecasters bring in the place of those around the points of the same rows, if an origin
 * `quotes`. */
static void custom_predict(struct pass *pass, int64_t origin, double *offset, double *size, int quotes)
{
    struct calibrator *state = &pass->custom_calibrator;
    const int64_t horizons = pass->horizons, stride = pass->stride;
    const double *spread = pass->custom_spread + origin * pass->custom * horizons;
    calibrator_predict(state, spread, NAN, pass->steps[origin], 0, 0.0, quotes);
    if (!quotes)
        return;
    for (int64_t i = 0; i < pass->custom; i++)
        for (int64_t h = 0; h < horizons; h++) {
            const double *own = pass->custom_offset + (origin * LEVELS * pass->custom + i) * horizons + h;
            int64_t plain = pass->custom_rows[i] * horizons + h, cell = pass->calibrated_rows[i] * horizons + h;
            int there = finite(own[0]);
            for (int64_t k = 0; k < LEVELS; k++)
                offset[k * stride + plain] = there ? own[k * pass->custom * horizons] : 0.0;
            size[plain] = there ? 1.0 : NAN;
            double calibrated = state->size[i * horizons + h];
            if (state->kind == EMPIRICAL)
                calibrated = calibrated * spread[i * horizons + h];
            if (!finite(calibrated))
                continue;
            size[cell] = calibrated;
            for (int64_t k = 0; k < LEVELS; k++)
                offset[k * stride + cell] = state->offset[k * state->stride + i * horizons + h];
        }
}

static void learn(struct pass *pass, int64_t origin)
{
    const int64_t horizons = pass->horizons;
    int64_t fresh[1024], next[1024];
    for (int64_t h = 0; h < horizons; h++) {
        int64_t before = origin ? pass->known[(origin - 1) * horizons + h] : 0;
        fresh[h] = pass->known[origin * horizons + h] - before;
    }
    /* several errors of a horizon may become known at once: one step each */
    for (int64_t step = 0, steps = most(fresh, horizons); step < steps; step++) {
        for (int64_t h = 0; h < horizons; h++) {
            int64_t before = origin ? pass->known[(origin - 1) * horizons + h] : 0;
            next[h] = step < fresh[h] ? before + step : -1;
        }
        if (pass->ensemble.members)
            ensemble_learn(pass, next);
        errors_of(pass, next);
        if (pass->custom)
            custom_learn(pass, next);
        learn_errors(pass, next);
        trust_learn(pass, next, origin);
    }
}

/* Copy what the calibrator says, for rows that are put in its place; else it serves as it is. */
static void copy_quantiles(const struct pass *pass, double *offset, double *size)
{
    for (int64_t i = 0; i < LEVELS * pass->stride; i++)
        offset[i] = pass->calibrator.offset[i];
    for (int64_t i = 0; i < pass->stride; i++)
        size[i] = pass->calibrator.size[i];
}

static void write_quantiles(const struct pass *pass, int64_t origin, const double *offset, const double *size, double *to)
{
    const double *forecast = pass->forecasts + origin * pass->stride;
    for (int64_t k = 0; k < LEVELS; k++)
        for (int64_t cell = 0; cell < pass->stride; cell++)
            to[k * pass->stride + cell] = forecast[cell] + size[cell] * offset[k * pass->stride + cell];
}

/* Write the actuals of an origin by cell (stride), NaN behind the last; return where they are. */
static const double *actuals_at(const struct pass *pass, int64_t origin, const double *actuals, double *by_cell)
{
    const int64_t horizons = pass->horizons, cells = pass->forecasters * horizons;
    expand(by_cell, actuals + origin * horizons, cells, horizons);
    for (int64_t cell = cells; cell < pass->stride; cell++)
        by_cell[cell] = NAN;
    return by_cell;
}

/* Go through the origins first..last-1; they must come in order, from 0, each once. */
PULSE_EXPORT void pulse_pass(struct pass *pass, int64_t first, int64_t last)
{
    const int64_t stride = pass->stride, members = pass->ensemble.members;
    /* the first rows of the scratch belong to sums and trust */
    double *offset = pass->scratch + 7 * stride, *size = offset + LEVELS * stride;
    for (int64_t origin = first; origin < last; origin++) {
        const double *offsets = pass->calibrator.offset, *sizes = pass->calibrator.size;
        /* before the period nothing is scored, and quantiles are for those who ask */
        const int quotes = pass->quantiles || pass->batch[origin] >= 0;
        learn(pass, origin);
        if (members)
            ensemble_predict(pass, origin, pass->weights ? pass->weights + (origin - first) * members * pass->horizons : 0);
        predict_quantiles(pass, origin, quotes);
        if (pass->custom) {
            if (quotes)
                copy_quantiles(pass, offset, size);
            custom_predict(pass, origin, offset, size, quotes);
            offsets = offset;
            sizes = size;
        }
        if (pass->quantiles)
            write_quantiles(pass, origin, offsets, sizes, pass->quantiles + (origin - first) * LEVELS * stride);
        if (pass->batch[origin] >= 0) {
            const double *reported = actuals_at(pass, origin, pass->reported, pass->scratch);
            sums_add(pass, origin, reported, offsets, sizes);
            const double *released = pass->released == pass->reported
                                         ? reported
                                         : actuals_at(pass, origin, pass->released, pass->scratch);
            trust_write(pass, origin, origin - first);
            trust_forecast(pass, origin, released, offsets, sizes);
        }
    }
    if (last == pass->origins)
        sums_close(pass);
}

/* Close the batch under way, which the next origins do not belong to. */
PULSE_EXPORT void pulse_close(struct pass *pass) { sums_close(pass); }

PULSE_EXPORT int64_t pulse_pass_size(void) { return (int64_t)sizeof(struct pass); }
