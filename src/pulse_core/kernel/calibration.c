/* Predictive quantiles around a point forecast, learned online from its own past errors.
 *
 * Conformal: the P term of conformal PID control (Angelopoulos, Candes & Tibshirani 2023, Conformal PID control for time
 * series prediction, NeurIPS 36, section 2.1) on errors over a scale s = sqrt(v G). v is a faded mean of squared errors
 * one step ahead, G the growth of squared errors to h steps, both of which are learned. The quantile of an origin is
 * c = s fit(u), fit the isotonic fit; once its error is known, u += rate w (tau - 1{error <= c}). With a conditional scale
 * (volatility.c) all errors are over it, and u is raw + slope lean, lean how far that scale is from what it has been: both
 * learn, slope by lean times as much.
 * Empirical: the quantiles of all past errors, interpolated linearly (type 7 of Hyndman & Fan 1996).
 */
#include "learners.h"
#include "powers.h"

#include <math.h>
#include <string.h>

const double pulse_levels[LEVELS] = {0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975};

/* w = (4 tau (1 - tau))^-0.8, by mpmath with 50 digits, rounded once. */
#define WEIGHT_0 6.438672084417295
#define WEIGHT_1 3.7756968642177364
#define WEIGHT_2 2.2644253044608966
#define WEIGHT_3 1.2587833483932027
static const double WEIGHT[LEVELS] = {WEIGHT_0, WEIGHT_1, WEIGHT_2, WEIGHT_3, 1.0,
                                     WEIGHT_3, WEIGHT_2, WEIGHT_1, WEIGHT_0};
/* w tau: by how much u rises where an error is above its quantile, times the rate. */
static const double RISE[LEVELS] = {WEIGHT_0 * 0.025, WEIGHT_1 * 0.05, WEIGHT_2 * 0.1, WEIGHT_3 * 0.25, 0.5,
                                   WEIGHT_3 * 0.75,  WEIGHT_2 * 0.9,  WEIGHT_1 * 0.95, WEIGHT_0 * 0.975};
/* 1.5 (1 + z^2), z the normal quantile. */
#define WIDENING_0 7.262188231041189
#define WIDENING_1 5.558315181143122
#define WIDENING_2 3.9635616227247246
#define WIDENING_3 2.1824046346793593
/* Up to the middle; beyond, as much as on the other side. */
static const double WIDENING[MIDDLE + 1] = {WIDENING_0, WIDENING_1, WIDENING_2, WIDENING_3, 1.5};

/* Squares beyond these are as large, or as small as zero: no product below leaves the normal numbers. */
static const double HUGE_SQUARE = 0x1p980;
static const double TINY_SQUARE = 0x1p-900;
static const double HUGE_GROWTH = 0x1p40;
static const double LEAST_GROWTH = 0.1;
static const double PRIOR_ERRORS = 20.0;
static const double SLOWEST = 500.0;
/* Trackers move by 1 over so many times the steps ahead, or more; those of errors over a conditional scale by less. */
static const double LASTING = 80.0;
static const double LASTING_RELATIVE = 320.0;
static const double SQUARE_RATE = 0.04;
/* So many errors as large as the history's steps stand before the first. */
static const double HISTORY_ERRORS = 0.5;

/* Fit `raw` (levels, apart by LANES) by least squares so that it does not fall: pool adjacent violators, as Robertson,
 * Wright & Dykstra (1988), Order restricted statistical inference, section 1.2. What is pooled is equal to the bit. */
static void isotonic(const double *raw, double *fitted)
{
    double sum[LEVELS], mean[LEVELS];
    int count[LEVELS], blocks = 0;
    for (int k = 0; k < LEVELS; k++) {
        double total = raw[k * LANES], average = total;
        int levels = 1;
        for (; blocks && mean[blocks - 1] > average; blocks--) {
            total = sum[blocks - 1] + total;
            levels += count[blocks - 1];
            average = total / (double)levels;
        }
        sum[blocks] = total;
        mean[blocks] = average;
        count[blocks++] = levels;
    }
    for (int block = 0, k = 0; block < blocks; block++)
        for (int last = k + count[block]; k < last; k++)
            fitted[k * LANES] = mean[block];
}

static inline lanes least_as_zero(lanes square)
{
    return choose(less(square, all_lanes(TINY_SQUARE)), all_lanes(0.0), square);
}

static inline lanes most_squared(lanes a)
{
    lanes square = a * a; /* NaN stays NaN */
    return choose(less(all_lanes(HUGE_SQUARE), square), all_lanes(HUGE_SQUARE), square);
}

/* By how much trackers of a level move, over the rate. */
static inline lanes move_of(int k, const double *past, lanes error)
{
    const mask covered = less_or_equal(error, load(past + k * LANES));
    return choose(covered, all_lanes(RISE[k] - WEIGHT[k]), all_lanes(RISE[k]));
}

/* Fit the levels of the lanes that cross. */
static inline void uncross(double *fit, int crossing)
{
    for (int lane = 0; lane < LANES; lane++)
        if (crossing >> lane & 1)
            isotonic(fit + lane, fit + lane);
}

/* Move trackers by the errors of an origin at which the quantiles of these cells stood at `past`. Return whether they
 * cross anywhere; if so, `fit` is their isotonic fit. */
static inline int64_t track(double *raw, double *fit, const double *past, lanes error, lanes rate)
{
    lanes before = all_lanes(-INFINITY);
    mask crossed = equal(rate, all_lanes(-1.0));
    UNROLL_LEVELS
    for (int k = 0; k < LEVELS; k++) {
        lanes moved = load(raw + k * LANES) + rate * move_of(k, past, error);
        store(raw + k * LANES, moved);
        crossed |= less(moved, before);
        before = moved;
    }
    const int crossing = bits_of(crossed);
    if (!crossing)
        return 0;
    for (int k = 0; k < LEVELS; k++)
        store(fit + k * LANES, load(raw + k * LANES));
    uncross(fit, crossing);
    return 1;
}

/* Move trackers and their slopes by the errors of an origin at which the scale leant so far. */
static inline void track_leaning(double *raw, double *slope, const double *past, lanes error, lanes rate, double lean)
{
    const lanes tilt = rate * all_lanes(lean);
    UNROLL_LEVELS
    for (int k = 0; k < LEVELS; k++) {
        const lanes change = move_of(k, past, error);
        store(raw + k * LANES, load(raw + k * LANES) + rate * change);
        store(slope + k * LANES, load(slope + k * LANES) + tilt * change);
    }
}

/* Make `fit` the isotonic fit of trackers where the scale leans so far. */
static inline void lean_to(const double *raw, const double *slope, double *fit, double lean)
{
    lanes before = all_lanes(-INFINITY);
    mask crossed = less(before, before);
    UNROLL_LEVELS
    for (int k = 0; k < LEVELS; k++) {
        lanes level = load(raw + k * LANES) + all_lanes(lean) * load(slope + k * LANES);
        store(fit + k * LANES, level);
        crossed |= less(level, before);
        before = level;
    }
    const int crossing = bits_of(crossed);
    if (crossing)
        uncross(fit, crossing);
}

/* All trackers of a horizon: see lean_to. */
static void lean_all(struct calibrator *state, int64_t h, double lean)
{
    for (int64_t f = 0; f < state->width; f += LANES) {
        const int64_t i = h * state->width + f;
        lean_to(state->raw + i * LEVELS, state->slope + i * LEVELS, state->fit + i * LEVELS, lean);
        state->crossed[i / LANES] = 1;
    }
}

static int is_relative(const struct lesson *lesson, int64_t origin)
{
    return lesson->volatility && origin >= lesson->volatility->first;
}

/* Learn of the errors of a horizon that became known, those of the origin in row `row` of the past. */
static void learn_horizon(struct calibrator *state, const struct lesson *lesson, int64_t h, int64_t row)
{
    const int64_t width = state->width, origin = lesson->origin[h];
    const double steps = (double)(h + 1), fastest = 40.0 * steps;
    const double lasting = is_relative(lesson, origin) ? LASTING_RELATIVE : LASTING, slowest = 1.0 / (lasting * steps);
    const double fewest = (4.0 * lasting - 40.0) * steps; /* from so many errors on, the rate is the slowest */
    /* forecasters have mostly learned from as many errors as those beside them: the same divisions serve them all */
    lanes counted = all_lanes(-1.0), share = counted, speed = counted;
    for (int64_t f = 0; f < width; f += LANES) {
        const int64_t i = h * width + f;
        lanes error = load(state->error + i), square = load(state->past_square + row * width + f);
        mask learns = is_finite(error) & less(all_lanes(0.0), square);
        if (!holds_anywhere(learns))
            continue;
        lanes learned = load(state->learned + i) + (lanes)(learns & (mask)all_lanes(1.0));
        lanes growth = load(state->growth + i), ratio = load(state->ratio + i);
        lanes most = all_lanes(6.25) * growth, relative = most_squared(error) / square;
        if (holds_anywhere(learns & ~equal(learned, counted))) {
            counted = learned;
            share = all_lanes(1.0 / SLOWEST);
            speed = all_lanes(slowest);
            if (holds_anywhere(less(learned, all_lanes(SLOWEST))))
                share = larger(share, all_lanes(1.0) / learned);
            if (holds_anywhere(less(learned, all_lanes(fewest))))
                speed = larger(speed, all_lanes(4.0) / (learned + all_lanes(fastest)));
        }
        store(state->learned + i, learned);
        store(state->ratio + i, choose(learns, ratio + share * (lesser(relative, most) - ratio), ratio));
        const lanes rate = only(learns, speed);
        const double *past = state->past + (row * width + f) * LEVELS;
        if (state->slope)
            track_leaning(state->raw + i * LEVELS, state->slope + i * LEVELS, past, error, rate,
                          lesson->volatility->lean[origin]);
        else
            state->crossed[i / LANES] = track(state->raw + i * LEVELS, state->fit + i * LEVELS, past, error, rate);
    }
}

/* By what the history's mean square is scaled for forecasters whose errors differ from the series' steps: the sum of
 * their squared errors over that of the squared steps at the same times, from 1 on and never above it. */
static inline lanes scale_history(double *scaling, int64_t width, lanes learns, lanes latest, lanes step, lanes square)
{
    lanes errors = load(scaling) + only((mask)learns, latest), steps = load(scaling + width) + only((mask)learns, step);
    lanes few = all_lanes(HISTORY_ERRORS) * square, scale = lesser((errors + few) / (steps + few), all_lanes(1.0));
    store(scaling, errors);
    store(scaling + width, steps);
    scale = choose((mask)learns & less(all_lanes(0.0), few), scale, load(scaling + 2 * width));
    store(scaling + 2 * width, scale);
    return scale;
}

/* Learn of the size of errors one step ahead, of which `past` says what the square was at their origin. */
static void learn_squares(struct calibrator *state, const struct lesson *lesson, const double *past)
{
    const int64_t width = state->width;
    const lanes stepped = most_squared(all_lanes(lesson->step));
    const double least = lesson->volatility ? lesson->volatility->rate[lesson->origin[0]] : SQUARE_RATE;
    double *slowest = state->scratch;
    for (int64_t h = 0; h < state->horizons; h++)
        slowest[h] = least / state->root[h];
    for (int64_t f = 0; f < width; f += LANES) {
        lanes error = load(state->error + f), steps = load(state->steps + f);
        mask learns = is_finite(error) & less_or_equal(all_lanes(0.0), load(past + f));
        if (!holds_anywhere(learns))
            continue;
        steps = steps + (lanes)(learns & (mask)all_lanes(1.0));
        store(state->steps + f, steps);
        if (state->brings_spread)
            continue;
        lanes latest = most_squared(error), largest = load(state->largest + f);
        lanes share = all_lanes(1.0) / steps, cap = all_lanes(0.25) * largest;
        lanes before = load(state->scaling + 2 * width + f);
        lanes change_of_scale = scale_history(state->scaling + f, width, (lanes)learns, latest, stepped,
                                              load(state->start + f)) - before;
        for (int64_t h = 0; h < state->horizons; h++) {
            lanes square = load(state->square + h * width + f), history = load(state->history + h * width + f);
            lanes change = lesser(latest, larger(all_lanes(16.0) * square, cap)) - square;
            lanes rate = larger(all_lanes(slowest[h]), share);
            history = history - rate * history;
            lanes moved = square + rate * change + history * change_of_scale;
            /* while nothing has moved, the first error that is not zero says how large errors are */
            moved = least_as_zero(choose(less(all_lanes(0.0), square), moved, latest));
            store(state->square + h * width + f, choose(learns, moved, square));
            store(state->history + h * width + f, choose(learns, history, load(state->history + h * width + f)));
        }
        lanes bounded = lesser(latest, all_lanes(16.0) * larger(load(state->square + f), largest));
        bounded = least_as_zero(larger(all_lanes(0.998) * largest, bounded));
        store(state->largest + f, choose(learns, bounded, largest));
    }
}

/* G_h at `ahead` steps, from what was learned and the prior: the growth to `nearer` steps times a factor (width). */
static inline void grow_to(struct calibrator *state, int64_t ahead, int64_t nearer, lanes factor, int64_t f)
{
    const int64_t i = (ahead - 1) * state->width + f;
    lanes learned = load(state->learned + i), few = all_lanes(PRIOR_ERRORS);
    lanes prior = load(state->growth + (nearer - 1) * state->width + f) * factor;
    lanes growth = (learned * load(state->ratio + i) + few * prior) / (learned + few);
    growth = larger(lesser(growth, all_lanes(HUGE_GROWTH)), all_lanes(LEAST_GROWTH));
    store(state->growth + i, growth);
}

/* A spread that is brought along has grown already: all that is learned is what it is worth. */
static void grow_spread(struct calibrator *state)
{
    for (int64_t f = 0; f < state->width; f += LANES) {
        store(state->growth + f, all_lanes(1.0));
        for (int64_t ahead = 1; ahead <= state->horizons; ahead++)
            grow_to(state, ahead, (ahead + 1) / 2, all_lanes(1.0), f);
    }
}

/* How squared errors grow with the horizon: the prior of h steps goes on from p = ceil(h/2) as p did from ceil(p/2). */
static void grow(struct calibrator *state)
{
    const int64_t width = state->width, horizons = state->horizons;
    double *ratios = state->scratch, *logarithms = ratios + width;
    for (int64_t f = 0; horizons > 1 && f < width; f += LANES)
        grow_to(state, 2, 1, all_lanes(2.0), f);
    for (int64_t p = 2; 2 * p - 1 <= horizons; p++) {
        const int64_t q = (p + 1) / 2;
        const double *near = state->growth + (p - 1) * width, *nearer = state->growth + (q - 1) * width;
        const double most = (double)p / (double)q;
        for (int64_t f = 0; f < width; f += LANES) {
            lanes ratio = load(near + f) / load(nearer + f);
            ratio = lesser(larger(ratio, all_lanes(1.0)), all_lanes(most * most));
            store(ratios + f, ratio);
            store(logarithms + f, small_log(ratio));
        }
        for (int64_t ahead = 2 * p - 1; ahead <= 2 * p && ahead <= horizons; ahead++) {
            const lanes exponent = all_lanes(state->exponent[ahead - 1]);
            if (exponent[0] == 1.0)
                for (int64_t f = 0; f < width; f += LANES)
                    grow_to(state, ahead, p, load(ratios + f), f);
            else
                for (int64_t f = 0; f < width; f += LANES)
                    grow_to(state, ahead, p, small_exp(exponent * load(logarithms + f)), f);
        }
    }
}

static void conformal_learn(struct calibrator *state, const struct lesson *lesson)
{
    const double *at_one_step = state->past_square + state->queue[0].oldest * state->width;
    for (int64_t h = 0; h < state->horizons; h++) {
        struct queue *queue = state->queue + h;
        if (lesson->origin[h] < 0)
            continue;
        learn_horizon(state, lesson, h, queue->oldest);
        queue->oldest = queue->oldest + 1 < queue->first + queue->depth ? queue->oldest + 1 : queue->first;
    }
    if (lesson->origin[0] >= 0)
        learn_squares(state, lesson, at_one_step);
    if (state->brings_spread)
        grow_spread(state);
    else
        grow(state);
}

/* Begin with forecasters that have a forecast for the first time. */
static void wake(struct calibrator *state, const double *forecast, double step_square, double steps)
{
    const int64_t width = state->width, horizons = state->horizons;
    double square = step_square < HUGE_SQUARE ? step_square : step_square >= HUGE_SQUARE ? HUGE_SQUARE : 0.0;
    int woken = 0;
    square = square < TINY_SQUARE ? 0.0 : square;
    for (int64_t f = 0; f < state->forecasters; f++) {
        int awake = 0;
        for (int64_t h = 0; h < horizons; h++)
            awake |= finite(forecast[f * horizons + h]);
        if (!awake || finite(state->steps[f]))
            continue;
        woken = 1;
        state->asleep -= 1;
        state->steps[f] = steps;
        state->largest[f] = square;
        state->start[f] = square;
        for (int64_t h = 0; h < horizons; h++)
            state->square[h * width + f] = state->history[h * width + f] = square;
    }
    if (woken && !state->brings_spread)
        grow(state);
}

/* Squares of spreads (forecasters, horizons) that are brought along. */
static void take_spread(struct calibrator *state, const double *spread)
{
    const int64_t horizons = state->horizons;
    for (int64_t f = 0; f < state->forecasters; f++)
        for (int64_t h = 0; h < horizons; h++) {
            const double own = spread[f * horizons + h];
            lanes square = least_as_zero(most_squared(all_lanes(own)));
            state->square[h * state->width + f] = finite(own) ? square[0] : NAN;
        }
}

/* The uncrossed levels of some forecasters. */
static inline const double *levels_of(const struct calibrator *state, int64_t h, int64_t f)
{
    const int64_t i = h * state->width + f;
    return (state->crossed[i / LANES] ? state->fit : state->raw) + i * LEVELS;
}

/* Quantiles in sizes as they are quoted: away from the median, outer levels by more than inner ones, so that what does
 * not cross still does not. */
static inline lanes widened(const double *levels, int k, lanes factor)
{
    lanes middle = load(levels + MIDDLE * LANES);
    return middle + (load(levels + k * LANES) - middle) * factor;
}

static inline lanes widening_at(int k, lanes wider)
{
    return all_lanes(1.0) + all_lanes(WIDENING[k]) * wider;
}

/* Write rows of `last` forecasters, of four, at four horizons, of which the columns are in `square`. */
static inline void write_rows(double *to, int64_t horizons, lanes *square, const int64_t last)
{
    transpose(square);
    for (int64_t i = 0; i < last; i++)
        store(to + i * horizons, square[i]);
}

/* Write offsets and sizes of `last` forecasters, of four, at four horizons; (LEVELS, stride) and (stride). Where `last`
 * is a constant, what is written stays in registers until it is. */
static inline void quote_square(struct calibrator *state, int64_t h, int64_t f, const double *sizes,
                                const double *widening, const int64_t last)
{
    const int64_t width = state->width, stride = state->stride, horizons = state->horizons;
    const double *levels[LANES];
    double *offset = state->offset + f * horizons + h;
    lanes wider[LANES], square[LANES];
    for (int i = 0; i < LANES; i++) {
        levels[i] = levels_of(state, h + i, f);
        wider[i] = all_lanes(state->root[h + i]) * load(widening + f);
        square[i] = load(sizes + (h + i) * width + f);
    }
    write_rows(state->size + f * horizons + h, horizons, square, last);
    UNROLL_LEVELS
    for (int k = 0; k <= MIDDLE; k++) {
        lanes factor[LANES];
        for (int i = 0; i < LANES; i++) {
            factor[i] = widening_at(k, wider[i]);
            square[i] = widened(levels[i], k, factor[i]);
        }
        write_rows(offset + k * stride, horizons, square, last);
        for (int i = 0; i < LANES; i++)
            square[i] = widened(levels[i], LEVELS - 1 - k, factor[i]);
        if (k < MIDDLE)
            write_rows(offset + (LEVELS - 1 - k) * stride, horizons, square, last);
    }
}

/* The same at one horizon. */
static inline void quote_row(struct calibrator *state, int64_t h, int64_t f, const double *sizes,
                             const double *widening, const int64_t last)
{
    const int64_t stride = state->stride, horizons = state->horizons;
    const double *levels = levels_of(state, h, f);
    double *to = state->offset + f * horizons + h, *size = state->size + f * horizons + h;
    const lanes wider = all_lanes(state->root[h]) * load(widening + f);
    for (int64_t i = 0; i < last; i++)
        size[i * horizons] = sizes[h * state->width + f + i];
    UNROLL_LEVELS
    for (int k = 0; k < LEVELS; k++, to += stride) {
        lanes offset = widened(levels, k, widening_at(k < MIDDLE ? k : LEVELS - 1 - k, wider));
        for (int64_t i = 0; i < last; i++)
            to[i * horizons] = offset[i];
    }
}

/* The same at all horizons. */
static inline void quote_block(struct calibrator *state, int64_t f, const double *sizes, const double *widening,
                               const int64_t last)
{
    int64_t h = 0;
    for (; h + LANES <= state->horizons; h += LANES)
        quote_square(state, h, f, sizes, widening, last);
    for (; h < state->horizons; h++)
        quote_row(state, h, f, sizes, widening, last);
}

/* Make offset and size those of an origin at which these are the sizes. */
static void quote(struct calibrator *state, const double *sizes, double *widening)
{
    const int64_t width = state->width, forecasters = state->forecasters;
    for (int64_t f = 0; f < width; f += LANES) {
        lanes behind = load(state->steps + f), few = all_lanes(40.0);
        behind = choose(less(all_lanes(1.0), behind), behind, all_lanes(1.0));
        store(widening + f, few / (behind * (behind + few)));
    }
    int64_t f = 0;
    for (; f + LANES <= forecasters; f += LANES)
        quote_block(state, f, sizes, widening, LANES);
    if (f < forecasters)
        quote_block(state, f, sizes, widening, forecasters - f);
}

/* Keep quantiles before they are widened, until their errors are known. */
static inline void keep(double *past, const double *levels, lanes size)
{
    UNROLL_LEVELS
    for (int k = 0; k < LEVELS; k++)
        store(past + k * LANES, size * load(levels + k * LANES));
}

static void conformal_predict(struct calibrator *state, const double *forecast, double step_square, double steps,
                              const double *scale, double lean, int quotes)
{
    const int64_t width = state->width, horizons = state->horizons;
    double *sizes = state->scratch;
    if (state->asleep)
        wake(state, forecast, step_square, steps);
    if (state->brings_spread)
        take_spread(state, forecast);
    for (int64_t h = 0; h < horizons; h++) {
        const double *squares = state->square + h * width, *growth = state->growth + h * width;
        struct queue *queue = state->queue + h;
        double *kept = state->past_square + queue->next * width, *past = state->past + queue->next * width * LEVELS;
        const lanes unit = all_lanes(scale ? scale[h] : 1.0);
        if (state->slope)
            lean_all(state, h, lean);
        for (int64_t f = 0; f < width; f += LANES) {
            lanes square = load(squares + f), size = square_root(square * load(growth + f));
            store(kept + f, square);
            store(sizes + h * width + f, size * unit);
            keep(past + f * LEVELS, levels_of(state, h, f), size);
        }
        queue->next = queue->next + 1 < queue->first + queue->depth ? queue->next + 1 : queue->first;
    }
    if (quotes)
        quote(state, sizes, sizes + horizons * width);
}

static void empirical_learn(struct calibrator *state)
{
    const int64_t horizons = state->horizons;
    for (int64_t cell = 0; cell < state->forecasters * horizons; cell++) {
        const double error = state->error[cell % horizons * state->width + cell / horizons];
        if (!finite(error))
            continue;
        double *sorted = state->errors + cell * state->capacity;
        int64_t count = state->count[cell], low = 0, high = count;
        while (low < high) {
            int64_t middle = (low + high) / 2;
            if (sorted[middle] <= error)
                low = middle + 1;
            else
                high = middle;
        }
        memmove(sorted + low + 1, sorted + low, (size_t)(count - low) * sizeof *sorted);
        sorted[low] = error;
        state->count[cell] = count + 1;
    }
}

static void empirical_predict(struct calibrator *state)
{
    for (int64_t cell = 0; cell < state->forecasters * state->horizons; cell++) {
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

/* Learn of the errors in state->error (horizons, width), NaN where there is none: those of the oldest origin that was not
 * learned from yet at each horizon, over their conditional scale where there is one. */
void calibrator_learn(struct calibrator *state, const struct lesson *lesson)
{
    if (state->kind == CONFORMAL)
        conformal_learn(state, lesson);
    else
        empirical_learn(state);
}

/* Remember what the errors of an origin will be learned from; if it `quotes`, make offset and size those of the origin.
 * `forecast` (forecasters, horizons) is NaN for none; where a calibrator's spread is brought along it is that.
 * `step_square` is the mean square of the `steps` that the history has made. `scale` (horizons) is the conditional scale of
 * the origin, which leans so far, or NULL. */
void calibrator_predict(struct calibrator *state, const double *forecast, double step_square, double steps,
                        const double *scale, double lean, int quotes)
{
    if (state->kind == CONFORMAL)
        conformal_predict(state, forecast, step_square, steps, scale, lean, quotes);
    else if (quotes)
        empirical_predict(state);
}
