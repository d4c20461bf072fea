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

/* Errors (stride) of the origins that are learned from at each horizon, NaN where there is none. */
static void errors_of(const struct pass *pass, const int64_t *origin, double *error)
{
    const int64_t horizons = pass->horizons, cells = pass->forecasters * horizons;
    for (int64_t cell = cells; cell < pass->stride; cell++)
        error[cell] = NAN;
    for (int64_t h = 0; h < horizons; h++) {
        const double *forecast = pass->forecasts + origin[h] * pass->stride;
        double actual = origin[h] < 0 ? NAN : pass->released[origin[h] * horizons + h];
        for (int64_t cell = h; cell < cells; cell += horizons)
            error[cell] = origin[h] < 0 ? NAN : actual - forecast[cell];
    }
}

static void custom_learn(struct pass *pass, const int64_t *origin, const double *error, double *relative)
{
    const int64_t horizons = pass->horizons;
    for (int64_t i = 0; i < pass->custom_calibrator.stride; i++)
        relative[i] = NAN;
    for (int64_t i = 0; i < pass->custom; i++)
        for (int64_t h = 0; h < horizons; h++)
            if (origin[h] >= 0)
                relative[i * horizons + h] = error[pass->calibrated_rows[i] * horizons + h] /
                                             pass->custom_spread[(origin[h] * pass->custom + i) * horizons + h];
    calibrator_learn(&pass->custom_calibrator, relative);
}

/* Put the quantiles that forecasters bring in the place of those around the points of the same rows. */
static void custom_predict(struct pass *pass, int64_t origin, double *scratch, double *offset, double *size)
{
    struct calibrator *state = &pass->custom_calibrator;
    const int64_t horizons = pass->horizons, stride = pass->stride;
    double *expected = scratch, *spread = scratch + state->stride;
    const double normal_over_mean_absolute = 1.2533;
    for (int64_t i = 0; i < state->stride; i++) {
        expected[i] = 1.0 / normal_over_mean_absolute;
        spread[i] = i < state->cells ? pass->custom_spread[origin * state->cells + i] : NAN;
    }
    calibrator_predict(state, expected, spread);
    for (int64_t i = 0; i < pass->custom; i++)
        for (int64_t h = 0; h < horizons; h++) {
            const double *own = pass->custom_offset + (origin * LEVELS * pass->custom + i) * horizons + h;
            int64_t plain = pass->custom_rows[i] * horizons + h, cell = pass->calibrated_rows[i] * horizons + h;
            int there = finite(own[0]);
            for (int64_t k = 0; k < LEVELS; k++)
                offset[k * stride + plain] = there ? own[k * pass->custom * horizons] : 0.0;
            size[plain] = there ? 1.0 : NAN;
            double multiplier = state->size[i * horizons + h] * spread[i * horizons + h];
            if (!finite(multiplier))
                continue;
            size[cell] = multiplier;
            for (int64_t k = 0; k < LEVELS; k++)
                offset[k * stride + cell] = state->offset[k * state->stride + i * horizons + h];
        }
}

static void learn(struct pass *pass, int64_t origin, double *error, double *relative)
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
        errors_of(pass, next, error);
        if (pass->custom)
            custom_learn(pass, next, error, relative);
        calibrator_learn(&pass->calibrator, error);
        trust_learn(pass, next, origin);
    }
}

static void predict(struct pass *pass, int64_t origin, double *expected)
{
    const int64_t horizons = pass->horizons;
    const int64_t cells = pass->forecasters * horizons;
    for (int64_t cell = cells; cell < pass->stride; cell++)
        expected[cell] = NAN;
    for (int64_t first = 0; first < cells; first += horizons)
        for (int64_t h = 0; h < horizons; h++)
            expected[first + h] = pass->scale[origin] * pass->root[h];
    calibrator_predict(&pass->calibrator, expected, pass->forecasts + origin * pass->stride);
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
    double *error = pass->scratch + 6 * stride, *relative = error + stride, *offset = relative + 3 * stride;
    double *size = offset + LEVELS * stride;
    for (int64_t origin = first; origin < last; origin++) {
        const double *offsets = pass->calibrator.offset, *sizes = pass->calibrator.size;
        learn(pass, origin, error, relative);
        if (members)
            ensemble_predict(pass, origin, pass->weights ? pass->weights + (origin - first) * members * pass->horizons : 0);
        predict(pass, origin, error);
        if (pass->custom) {
            copy_quantiles(pass, offset, size);
            custom_predict(pass, origin, relative, offset, size);
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

PULSE_EXPORT int64_t pulse_pass_size(void) { return (int64_t)sizeof(struct pass); }
