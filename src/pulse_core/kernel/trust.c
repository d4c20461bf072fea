/* Trust and evidence: which of a forecaster and the benchmark loses less, and by how much, on first releases.
 *
 * d is the benchmark's loss less the forecaster's, over the scale c: the discounted mean of the benchmark's absolute
 * errors as known at the origin. A forecaster at a horizon is a pair with the benchmark. Pairs of a horizon stand side by
 * side, `width` numbers long (forecasters, rounded up to LANES); horizons follow one another. Actuals are learned in the
 * order in which they become known, then of their origins; each is one step of fading.
 */
#include "learners.h"
#include "special.h"

#include <math.h>
#include <string.h>

/* Differences closer to 0 than this are rounding. */
static const double TIE = 1e-9;

/* Differences beyond this, which no scale measures any more, are taken for it: squares and their sums stay finite. */
static const double BEYOND = 1e100;

/* A difference of so many root mean squares is the largest that is bet on. */
static const double CLIP = 5.0;

/* No bet before so many differences are known. */
static const double FEWEST = 8.0;

/* Below this share of the mean square a variance is rounding, and the ratio of mean and deviation this large. */
static const double ROUNDING = 1e-12, CERTAIN_RATIO = 10.0;

/* Capital stays within these: what the floor adds to an expectation is nothing, what the cap takes makes it smaller. */
static const double FLOOR = 1e-300, CAP = 1e300;

static const double BETS[CAPITALS / 2] = {0.1, 0.3, 0.6};

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

static lanes bounded(lanes value, double bound) { return larger(all_lanes(-bound), lesser(all_lanes(bound), value)); }

/* The differences d of gains, 0 for a tie, NaN for none. */
static lanes scaled(lanes gain, mask known, lanes scale)
{
    lanes d = bounded(choose(known, gain, all_lanes(NAN)) / scale, BEYOND);
    return choose(less(absolute(d), all_lanes(TIE)), all_lanes(0.0), d);
}

/* What is kept of LANES pairs at a horizon, in rows of LANES: see `pairs` in learners.h. */
static double *kept(const struct trust *state, int64_t h, int64_t i)
{
    return state->pairs + h * (FIXED + CAPITALS + (h - 1) * (2 + CAPITALS) / 2) * state->width +
           i * (FIXED + CAPITALS + h * (2 + CAPITALS));
}

/* The differences of an origin at a horizon, by its number in the period. */
static double *differences_at(const struct trust *state, int64_t number, int64_t horizons, int64_t h)
{
    return state->difference + (number % state->rows * horizons + h) * state->width;
}

/* What is bet on differences: d over CLIP root mean squares of those known, within -1 .. 1. */
static lanes bet_on(lanes d, const double *size)
{
    lanes root = square_root(load(size) / load(size + LANES));
    mask bets = equal(d, d) & less_or_equal(all_lanes(FEWEST), load(size + 2 * LANES));
    return only(bets, bounded(d / (all_lanes(CLIP) * root), 1.0));
}

/* Take down what the forecasts of an origin of the period will turn out to be worth beside the benchmark's, and what is
 * bet on it; `actual` (stride) are first releases by cell. Nothing of it is used before the actual is known. */
void trust_forecast(struct pass *pass, int64_t origin, const double *actual, const double *offset, const double *size)
{
    struct trust *state = &pass->trust;
    const int64_t horizons = pass->horizons, width = state->width, first = origin - state->first;
    double *loss = pass->scratch + 2 * pass->stride;
    losses(pass, actual, pass->forecasts + origin * pass->stride, offset, size, loss);
    /* what fills rows of pairs up has no loss */
    for (int64_t cell = pass->forecasters * horizons; cell < width * horizons; cell++)
        loss[cell] = NAN;
    for (int64_t h = 0; h < horizons; h++) {
        const double *level = state->level + 2 * h;
        double *ahead = state->ahead + h * width, *difference = differences_at(state, first, horizons, h);
        double *bet = state->bet + (first % state->window * horizons + h) * width;
        const lanes scale = all_lanes(level[0] > 0.0 ? level[0] / level[1] : NAN);
        const lanes benchmark = all_lanes(loss[pass->benchmark * horizons + h]);
        /* whoever bets must know how the earlier bets of the same process came out */
        const int allowed = pass->known[origin * horizons + h] >= origin - h;
        for (int64_t i = 0; i < width; i += LANES) {
            const double *own = loss + i * horizons + h;
            lanes gain = benchmark - (lanes){own[0], own[horizons], own[2 * horizons], own[3 * horizons]};
            mask known = is_finite(gain);
            lanes d = scaled(gain, known, scale);
            store(ahead + i, load(ahead + i) + only(known, gain));
            store(difference + i, d);
            store(bet + i, allowed ? bet_on(d, kept(state, h, i) + SIZE * LANES) : all_lanes(0.0));
        }
    }
}

/* Learn, at one horizon, the benchmark's absolute error; one that is missing fades the others. */
static void learn_level(struct pass *pass, int64_t origin, int64_t h)
{
    const int64_t horizons = pass->horizons;
    const double error = pass->released[origin * horizons + h] -
                         pass->forecasts[origin * pass->stride + pass->benchmark * horizons + h];
    double *level = pass->trust.level + 2 * h;
    const int is_known = finite(error);
    level[0] = pass->trust.level_fade * level[0] + (is_known ? fabs(error) : 0.0);
    level[1] = pass->trust.level_fade * level[1] + (is_known ? 1.0 : 0.0);
}

/* Fade a sum by one step, and add. */
static inline void add(double *sum, lanes fade, lanes value) { store(sum, fade * load(sum) + value); }

static inline void multiply(double *capital, lanes factor)
{
    store(capital, lesser(all_lanes(CAP), larger(all_lanes(FLOOR), load(capital) * factor)));
}

/* Learn the differences d of one origin at a horizon, `first` origins after the period's first. */
static void learn_differences(struct trust *state, int64_t first, int64_t horizons, int64_t h, int64_t batch)
{
    const int64_t width = state->width, steps = h + 1;
    const double *difference = differences_at(state, first, horizons, h);
    const double *bet = state->bet + (first % state->window * horizons + h) * width;
    double *counts = state->counts + (batch * horizons + h) * 2 * width;
    const int64_t process = (FIXED + 2 * h + first % steps * CAPITALS) * LANES;
    const lanes fade = all_lanes(state->fade), square_fade = fade * fade, size_fade = all_lanes(state->size_fade);
    const lanes win_fade = all_lanes(state->win_fade), share = all_lanes(1.0 / sqrt((double)steps));
    const lanes zero = all_lanes(0.0), one = all_lanes(1.0);
    for (int64_t i = 0; i < width; i += LANES) {
        double *sums = kept(state, h, i), *size = sums + SIZE * LANES, *wins = sums + WINS * LANES;
        double *capital = sums + process;
        lanes d = load(difference + i);
        mask won = less(zero, d), lost = less(d, zero), counted = won | lost;
        lanes number = only(counted, one), value = only(counted, d), square = value * value;
        add(sums, fade, number);
        add(sums + LANES, square_fade, number);
        add(sums + 2 * LANES, fade, value);
        add(sums + 3 * LANES, fade, square);
        add(sums + 4 * LANES, fade, only(equal(d, d), one));
        lanes squares = load(size), weight = load(size + LANES);
        store(size, choose(counted, size_fade * squares + square, squares));
        store(size + LANES, choose(counted, size_fade * weight + number, weight));
        store(size + 2 * LANES, load(size + 2 * LANES) + number);
        add(wins, win_fade, only(won, share));
        add(wins + LANES, win_fade, only(lost, share));
        store(counts + i, load(counts + i) + only(won, one));
        store(counts + width + i, load(counts + width + i) + only(lost, one));
        lanes x = load(bet + i);
        for (int k = 0; k < CAPITALS / 2; k++) {
            lanes stake = all_lanes(BETS[k]) * x;
            multiply(capital + k * LANES, one + stake);
            multiply(capital + (CAPITALS / 2 + k) * LANES, one - stake);
        }
    }
}

/* Lags whose products are added side by side. */
enum { LAGS = 4 };

/* Add the products at `lags` lags from `lag` on of the differences of origins from `begin` up to, not including, `end`,
 * each fading those before; `recent` (.., LANES) are differences, of which that of origin t stands in row t. */
static inline void add_products(double *products, const double *recent, int64_t lag, int lags, int64_t begin, int64_t end,
                                lanes fade)
{
    const lanes zero = all_lanes(0.0), one = all_lanes(1.0);
    lanes sum[LAGS], pairs[LAGS];
    for (int i = 0; i < lags; i++) {
        sum[i] = load(products + i * 2 * LANES);
        pairs[i] = load(products + (i * 2 + 1) * LANES);
    }
    for (int64_t t = begin; t < end; t++) {
        const lanes d = load(recent + t * LANES);
        const mask counted = less(zero, absolute(d));
        for (int i = 0; i < lags; i++) {
            const lanes before = load(recent + (t - lag - i) * LANES);
            const mask both = counted & less(zero, absolute(before));
            sum[i] = fade * sum[i] + only(both, d * before);
            pairs[i] = fade * pairs[i] + only(both, one);
        }
    }
    for (int i = 0; i < lags; i++) {
        store(products + i * 2 * LANES, sum[i]);
        store(products + (i * 2 + 1) * LANES, pairs[i]);
    }
}

/* Bring the products of lags at a horizon up to date: they are learned for many origins at once, lag after lag, for the
 * lags of far horizons are more than fit a cache. */
static void learn_products(struct trust *state, int64_t horizons, int64_t h)
{
    const int64_t begin = state->multiplied[h], end = state->learned[h], width = state->width;
    const int64_t oldest = begin > h ? begin - h : 0;
    const lanes fade = all_lanes(state->fade);
    for (int64_t i = 0; i < width && h; i += LANES) {
        double *products = kept(state, h, i) + FIXED * LANES;
        for (int64_t t = oldest; t < end; t++)
            store(state->recent + (t - oldest) * LANES, load(differences_at(state, t, horizons, h) + i));
        for (int64_t lag = 1; lag <= h && lag < end;) {
            double *product = products + (lag - 1) * 2 * LANES;
            if (lag + LAGS - 1 <= h && lag + LAGS - 1 <= begin) {
                add_products(product, state->recent, lag, LAGS, begin - oldest, end - oldest, fade);
                lag += LAGS;
            } else {
                /* before the period nothing was compared, and 0 fades to 0 */
                const int64_t first = begin > lag ? begin : lag;
                add_products(product, state->recent, lag, 1, first - oldest, end - oldest, fade);
                lag++;
            }
        }
    }
    state->multiplied[h] = end;
}

/* Learn, at each horizon, from one origin whose actual has become known, or from none (-1), as `now` knows it. */
void trust_learn(struct pass *pass, const int64_t *origin, int64_t now)
{
    const int64_t first = pass->trust.first;
    for (int64_t h = 0; h < pass->horizons; h++) {
        if (origin[h] < 0)
            continue;
        if (origin[h] >= first) {
            learn_differences(&pass->trust, origin[h] - first, pass->horizons, h,
                              pass->batch[now] - pass->first_batch);
            pass->trust.learned[h] = origin[h] - first + 1;
            if (pass->trust.learned[h] - pass->trust.multiplied[h] == TOGETHER)
                learn_products(&pass->trust, pass->horizons, h);
        }
        learn_level(pass, origin[h], h);
    }
}

/* The long-run variance of a mean of h-step differences over that of independent ones, shrunk towards what overlapping
 * errors of a random walk have. Lags in which nothing was compared are left out, and all where there is no variance. */
static lanes inflation(const double *lags, int64_t h, lanes weight, lanes effective, lanes mean, lanes variance)
{
    const double steps = (double)(h + 1), overlap = (2.0 * steps * steps + 1.0) / (3.0 * steps);
    const lanes zero = all_lanes(0.0), one = all_lanes(1.0);
    lanes total = zero;
    for (int64_t lag = 0; lag < h; lag++) {
        lanes product = load(lags + lag * 2 * LANES), pairs = load(lags + (lag * 2 + 1) * LANES);
        lanes correlation = (product / pairs - mean * mean) / variance * (pairs / weight);
        mask counts = less(zero, pairs) & less(zero, variance);
        total = choose(counts, total + bounded(correlation, 1.0), total);
    }
    lanes estimate = larger(one + all_lanes(2.0) * total, all_lanes(0.3));
    lanes shrunk = (effective * estimate + all_lanes(2.0 * steps * overlap)) / (effective + all_lanes(2.0 * steps));
    return larger(shrunk, one);  /* 1 at one step, where the overlap is 1 and there are no lags */
}

/* Write what the trust in LANES pairs is made of, `apart` numbers from each other; see STATE in learners.h. */
static void write_state(const double *sums, int64_t h, double *to, int64_t apart)
{
    const lanes zero = all_lanes(0.0), one = all_lanes(1.0), none = all_lanes(NAN), certain = all_lanes(CERTAIN_RATIO);
    const lanes weight = load(sums), mean = load(sums + 2 * LANES) / weight, square = load(sums + 3 * LANES) / weight;
    const lanes effective = only(less(zero, weight), weight * weight / load(sums + LANES));
    lanes variance = square - mean * mean;
    variance = only(less(all_lanes(ROUNDING) * square, variance), variance);
    lanes ratio = choose(less(one, weight), mean / square_root(variance * weight / (weight - one)), none);
    lanes constant = choose(less(zero, mean), certain, choose(less(mean, zero), -certain, none));
    store(to, choose(less(zero, variance), ratio, constant));
    store(to + apart, effective);
    store(to + 2 * apart, inflation(sums + FIXED * LANES, h, weight, effective, mean, variance));
    store(to + 3 * apart, weight);
    store(to + 4 * apart, load(sums + 4 * LANES));
    store(to + 5 * apart, load(sums + WINS * LANES));
    store(to + 6 * apart, load(sums + (WINS + 1) * LANES));
}

/* Write the states of all pairs: (STATE, horizons, width). */
static void write_states(struct pass *pass, double *to)
{
    const int64_t width = pass->trust.width;
    for (int64_t h = 0; h < pass->horizons; h++) {
        learn_products(&pass->trust, pass->horizons, h);
        for (int64_t i = 0; i < width; i += LANES)
            write_state(kept(&pass->trust, h, i), h, to + h * width + i, pass->horizons * width);
    }
}

/* Average the capitals over bets and interleaved processes: e-values for and against, (2, horizons, width). */
static void write_evidence(const struct pass *pass, double *to)
{
    const struct trust *state = &pass->trust;
    const int64_t width = state->width, horizons = pass->horizons;
    for (int side = 0; side < 2; side++)
        for (int64_t h = 0; h < horizons; h++)
            for (int64_t i = 0; i < width; i += LANES) {
                const double *capital = kept(state, h, i) + (FIXED + 2 * h) * LANES;
                lanes total = all_lanes(0.0);
                for (int64_t process = 0; process <= h; process++)
                    for (int bet = 0; bet < CAPITALS / 2; bet++)
                        total = total + load(capital + (process * CAPITALS + side * CAPITALS / 2 + bet) * LANES);
                store(to + (side * horizons + h) * width + i, total / all_lanes((double)((h + 1) * CAPITALS / 2)));
            }
}

/* Write down what stands at an origin of the period, `call` origins after the first of the call. */
void trust_write(struct pass *pass, int64_t origin, int64_t call)
{
    struct trust *state = &pass->trust;
    const int64_t pairs = pass->horizons * state->width;
    if (state->next_mark < state->mark_count && state->marks[state->next_mark] == origin) {
        write_states(pass, state->marked + state->next_mark * STATE * pairs);
        memcpy(state->marked_ahead + state->next_mark * pairs, state->ahead, (size_t)pairs * sizeof(double));
        state->next_mark = state->next_mark + 1;
    }
    if (state->states)
        write_states(pass, state->states + call * STATE * pairs);
    if (state->evidence)
        write_evidence(pass, state->evidence + call * 2 * pairs);
}

/* A normal of the prior of the mean ratio: the logarithm of its share, mean and variance. */
struct normal {
    double log_share, mean, variance;
};

/* The logarithm of how likely one normal of the prior makes the ratio seen, and by how many standard deviations the mean
 * that it expects is above 0; `seen` is the variance of the observed mean, `ahead` that of the mean over the span ahead. */
static void expect(const struct normal *prior, double ratio, double seen, double ahead, double *likelihood, double *z)
{
    const double marginal = prior->variance + seen, distance = ratio - prior->mean;
    const double shrinkage = prior->variance / marginal;
    *likelihood = prior->log_share - distance * distance / (2.0 * marginal) - special_log(marginal) / 2.0;
    *z = ((1.0 - shrinkage) * prior->mean + shrinkage * ratio) / sqrt(shrinkage * seen + ahead);
}

/* The trust of pairs from their states; see scores/trust.py, which also says what the constants are.
 *
 * `states` (rows, STATE, horizons, width), `trust` (rows, horizons, forecasters), NaN where there is none. `prior`
 * (2, 3), `limits` (2) of the degrees of freedom.
 */
PULSE_EXPORT void pulse_trust(const double *states, int64_t rows, int64_t horizons, int64_t forecasters, int64_t width,
                              double span, const double *prior, double drift, double least_weight, const double *limits,
                              double *trust)
{
    const int64_t apart = horizons * width;
    const struct normal few = {special_log(prior[0]), prior[1], prior[2] * prior[2]};
    const struct normal many = {special_log(prior[3]), prior[4], prior[5] * prior[5]};
    struct student student = {.freedom = NAN};
    for (int64_t row = 0; row < rows; row++)
        for (int64_t i = 0; i < horizons * forecasters; i++) {
            const int64_t h = i / forecasters;
            const double *state = states + row * STATE * apart + h * width + i % forecasters;
            const double ratio = state[0], effective = state[apart], inflated = state[2 * apart];
            const double weight = state[3 * apart], compared = state[4 * apart];
            double *to = trust + row * horizons * forecasters + i;
            *to = NAN;
            if (!(weight >= least_weight) || !finite(ratio))
                continue;
            double coming = span * (weight + 1.0) / (compared + 1.0), own = effective / (double)(h + 1);
            coming = coming > 1.0 ? coming : 1.0;
            own = own < limits[0] ? limits[0] : own > limits[1] ? limits[1] : own;
            if (own != student.freedom)
                special_student(&student, own);
            const double seen = inflated / effective, ahead = inflated / coming + drift * drift;
            double likelihood[2], z[2];
            expect(&few, ratio, seen, ahead, likelihood, z);
            expect(&many, ratio, seen, ahead, likelihood + 1, z + 1);
            /* relative to the likelier one, so that neither overflows */
            const double odds = special_exp(-fabs(likelihood[0] - likelihood[1]));
            const int likelier = likelihood[0] < likelihood[1];
            /* a part that changes nothing is left out */
            const double rest = odds > 0x1p-60 ? odds * special_t_cdf(&student, z[!likelier]) : 0.0;
            *to = (special_t_cdf(&student, z[likelier]) + rest) / (1.0 + odds);
        }
}

/* Add wins and losses to those of interleaved sequences: horizon h has h sequences, of origins congruent mod h.
 *
 * `difference` (origins, horizons, width), from the origin `before` of the period on; `counts` (2, sequences,
 * forecasters), the sequences of each horizon one after another.
 */
PULSE_EXPORT void pulse_sequence_counts(const double *difference, int64_t origins, int64_t before, int64_t forecasters,
                                        int64_t horizons, int64_t width, double *counts)
{
    const int64_t sequences = horizons * (horizons + 1) / 2;
    for (int64_t origin = 0; origin < origins; origin++)
        for (int64_t h = 0; h < horizons; h++) {
            int64_t sequence = h * (h + 1) / 2 + (before + origin) % (h + 1);
            const double *d = difference + (origin * horizons + h) * width;
            double *won = counts + sequence * forecasters, *lost = won + sequences * forecasters;
            for (int64_t row = 0; row < forecasters; row++) {
                won[row] += (double)(d[row] > 0.0);
                lost[row] += (double)(d[row] < 0.0);
            }
        }
}
