/* Predictive quantiles around a point forecast, learned online from its own past errors.
 *
 * Conformal: the P term of conformal PID control (Angelopoulos, Candes & Tibshirani 2023). With s the exponentially
 * weighted |e| and z = e/s: u += rate (tau - 1{z <= q}), q the isotonic fit of u; the quantile is point + s q.
 * Empirical: the quantiles of all past errors, interpolated linearly (type 7 of Hyndman & Fan 1996).
 */
#include "learners.h"

#include <math.h>
#include <string.h>

const double pulse_levels[LEVELS] = {0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975};

static const double RATE = 0.05;
static const double DECAY = 0.97;

/* Fit `raw` (levels, apart by `step`) by least squares so that it does not fall; Robertson, Wright & Dykstra (1988).
 *
 * At each level: the largest, over where a stretch begins, of the least mean, over where it ends. What is pooled is
 * equal to the bit, so that rounding does not part it.
 */
static void isotonic(const double *raw, double *fitted, int64_t step)
{
    double sum[LEVELS + 1], best[LEVELS];
    sum[0] = 0.0;
    for (int k = 0; k < LEVELS; k++) {
        sum[k + 1] = sum[k] + raw[k * step];
        best[k] = -INFINITY;
    }
    for (int first = 0; first < LEVELS; first++) {
        double least = INFINITY;
        for (int last = LEVELS - 1; last >= first; last--) {
            double mean = last == first ? raw[first * step] : (sum[last + 1] - sum[first]) / (double)(last - first + 1);
            least = mean < least ? mean : least;
            best[last] = least > best[last] ? least : best[last];
        }
    }
    int start = 0;
    fitted[0] = best[0];
    for (int k = 1; k < LEVELS; k++) {
        if (best[k] - best[k - 1] > 1e-9)
            start = k;
        fitted[k * step] = best[start];
    }
}

/* Uncross cells side by side: neighbours that cross are pooled; where that does not do, the isotonic fit. A level that
 * crosses both of its neighbours is pooled with the lower one. */
static void uncross(const double *raw, double *offset, int64_t step)
{
    lanes level = load(raw), pooled = level, before = level;
    mask crosses = is_nan(level), still = crosses;
    UNROLL_LEVELS
    for (int k = 0; k < LEVELS; k++) {
        lanes next = k < LEVELS - 1 ? load(raw + (k + 1) * step) : level;
        lanes with_next = (level + next) / all_lanes(2.0);
        mask crosses_next = less(next, level);
        lanes fitted = choose(crosses, pooled, choose(crosses_next, with_next, level));
        store(offset + k * step, fitted);
        still |= k ? less(fitted, before) : crosses;
        before = fitted;
        pooled = with_next;
        crosses = crosses_next;
        level = next;
    }
    if (holds_anywhere(still))
        for (int64_t lane = 0; lane < LANES; lane++)
            if (still[lane])
                isotonic(raw + lane, offset + lane, step);
}

static void conformal_learn(struct calibrator *state, const double *error)
{
    const int64_t stride = state->stride;
    for (int64_t cell = 0; cell < stride; cell += LANES) {
        lanes e = load(error + cell), size = load(state->size + cell);
        mask known = is_finite(e) & is_finite(size), moved = less(all_lanes(0.0), size);
        if (!holds_anywhere(known))
            continue;
        /* while nothing has moved, an error that is not zero is beyond all quantiles */
        lanes beyond = (lanes)((mask)all_lanes(INFINITY) | ((mask)e & (mask)all_lanes(-0.0)));
        lanes relative = choose(moved, e / size, choose(equal(e, all_lanes(0.0)), all_lanes(0.0), beyond));
        lanes before = all_lanes(-INFINITY);
        mask crossed = known ^ known;
        double *raws = state->raw + cell, *offsets = state->offset + cell;
        UNROLL_LEVELS
        for (int k = 0; k < LEVELS; k++) {
            mask covered = less_or_equal(relative, load(offsets + k * stride));
            /* what is added to the unknown is 0, which leaves every raw quantile as it is: none is minus zero */
            lanes step = all_lanes(RATE * pulse_levels[k]) + (lanes)(covered & (mask)all_lanes(-RATE));
            lanes raw = load(raws + k * stride) + (lanes)(known & (mask)step);
            store(raws + k * stride, raw);
            store(offsets + k * stride, raw);
            crossed |= less(raw, before);
            before = raw;
        }
        if (holds_anywhere(crossed))
            uncross(raws, offsets, stride);
        lanes faded = all_lanes(DECAY) * size + all_lanes(1.0 - DECAY) * absolute(e);
        store(state->size + cell, choose(known, choose(moved, faded, absolute(e)), size));
    }
}

static void empirical_learn(struct calibrator *state, const double *error)
{
    for (int64_t cell = 0; cell < state->cells; cell++) {
        if (!finite(error[cell]))
            continue;
        double *sorted = state->errors + cell * state->capacity;
        int64_t count = state->count[cell], low = 0, high = count;
        while (low < high) {
            int64_t middle = (low + high) / 2;
            if (sorted[middle] <= error[cell])
                low = middle + 1;
            else
                high = middle;
        }
        memmove(sorted + low + 1, sorted + low, (size_t)(count - low) * sizeof *sorted);
        sorted[low] = error[cell];
        state->count[cell] = count + 1;
    }
}

static void empirical_predict(struct calibrator *state)
{
    for (int64_t cell = 0; cell < state->cells; cell++) {
        const double *sorted = state->errors + cell * state->capacity;
        int64_t count = state->count[cell];
        state->size[cell] = count ? 1.0 : NAN;
        for (int k = 0; count && k < LEVELS; k++) {
            double position = pulse_levels[k] * (double)(count - 1);
            int64_t low = (int64_t)position, high = low + 1 < count ? low + 1 : count - 1;
            double share = position - (double)low, gap = sorted[high] - sorted[low];
            /* a gap may be beyond a float64 where both ends are not */
            state->offset[k * state->stride + cell] =
                finite(gap) ? sorted[low] + share * gap : (1.0 - share) * sorted[low] + share * sorted[high];
        }
    }
}

/* Take in the errors (stride) that became known, NaN where none did. */
void calibrator_learn(struct calibrator *state, const double *error)
{
    if (state->kind == CONFORMAL)
        conformal_learn(state, error);
    else
        empirical_learn(state, error);
}

/* Make offset and size those of an origin; `expected` (stride) is the size before any error is known. */
void calibrator_predict(struct calibrator *state, const double *expected, const double *forecast)
{
    if (state->kind == EMPIRICAL) {
        empirical_predict(state);
        return;
    }
    for (int64_t cell = 0; cell < state->stride; cell += LANES) {
        lanes size = load(state->size + cell), start = load(expected + cell);
        mask first = ~is_finite(size) & is_finite(load(forecast + cell));
        if (holds_anywhere(first))
            store(state->size + cell,
                  choose(first & is_nan(size), choose(less(all_lanes(0.0), start), start, all_lanes(0.0)), size));
    }
}
