/* Autoregression by exact least squares at every origin, its order chosen by AICc, from running sums.
 *
 * A regression row t >= ORDER explains the newest change by the value before it and the ORDER - 1 changes before it;
 * these span the same space as ORDER lags and are far better conditioned. Columns: 0 is the value before, 1..4 are the
 * changes before, by lag, RESPONSE is the newest change. Four origins are fitted side by side.
 */
#include <string.h>

#include "hindcasts.h"
#include "lanes.h"

#define ORDER 5
#define RESPONSE ORDER
#define COLUMNS (ORDER + 1)
/* A series as short as this has no forecast: order 0 needs more rows than its k + 1 = 3. */
#define TOO_SHORT (ORDER + 3)
/* A lag whose pivot is less than this share of its own sum of squares repeats the others: its coefficient is 0. */
#define DEPENDENT 1e-10
/* A residual sum of squares below this share of the total is rounding: the fit is exact, and counts as 0. */
#define EXACT 1e-13

/* Running sums over the rows: what stands where, see `add_row`. */
#define SUM_VECTORS 10
#define SUMS (SUM_VECTORS * LANES)
static const int64_t OF_SQUARED_VALUE = 38, OF_VALUE = 39;
static const int64_t OF_COLUMN[COLUMNS] = {31, 27, 26, 25, 24, 35};
static const int64_t OF_PRODUCT[COLUMNS][COLUMNS] = {
    {28}, {19, 15}, {18, 14, 10}, {17, 13, 9, 5}, {16, 12, 8, 4, 0}, {29, 23, 22, 21, 20, 33}};

/* The series: the path, or its changes. */
typedef struct {
    const double *values;
    double base; /* a typical value, known before any forecast is made, which is taken off */
    int64_t differenced;
} series;

static inline double raw(series of, int64_t t)
{
    return of.differenced ? of.values[t + 1] - of.values[t] : of.values[t];
}

static inline double at(series of, int64_t t)
{
    return raw(of, t) - of.base;
}

static inline double change(series of, int64_t t)
{
    return at(of, t) - at(of, t - 1);
}

/* at(t) .. at(t + 3) */
static inline lanes four(series of, int64_t t)
{
    lanes values = load(of.values + t);
    return (of.differenced ? load(of.values + t + 1) - values : values) - all_lanes(of.base);
}

/* The middle one of the first ORDER + 1 values, NaNs sorted last: the first itself may be far from all others. */
static double typical(series of)
{
    double sorted[COLUMNS];
    for (int64_t t = 0; t < COLUMNS; t++) {
        double value = raw(of, t);
        int64_t j = t;
        for (; j > 0 && (value < sorted[j - 1] || (sorted[j - 1] != sorted[j - 1] && value == value)); j--)
            sorted[j] = sorted[j - 1];
        sorted[j] = value;
    }
    return sorted[COLUMNS / 2];
}

static inline void add_row(series of, int64_t t, lanes *sums)
{
    /* lags 4, 3, 2, 1 */
    lanes lags = four(of, t - 4) - four(of, t - 5);
    double before = at(of, t - 1), response = at(of, t) - before, value = before + response;
    lanes others = {before, response, value, 1.0};
    for (int lag = 0; lag < LANES; lag++)
        sums[lag] += all_lanes(lags[lag]) * lags;
    sums[4] += all_lanes(before) * lags;
    sums[5] += all_lanes(response) * lags;
    sums[6] += lags;
    sums[7] += all_lanes(before) * others;
    sums[8] += all_lanes(response) * others;
    sums[9] += all_lanes(value) * others;
}

/* Add the rows from `begin` up to `end` to `sums`, which may be `source`. */
static inline void add_rows(series of, int64_t begin, int64_t end, const double *source, double *target)
{
    lanes sums[SUM_VECTORS];
    for (int j = 0; j < SUM_VECTORS; j++)
        sums[j] = load(source + j * LANES);
    for (int64_t t = begin > ORDER ? begin : ORDER; t < end; t++)
        add_row(of, t, sums);
    for (int j = 0; j < SUM_VECTORS; j++)
        store(target + j * LANES, sums[j]);
}

/* Four origins: what is known at them, and what is fitted. */
typedef struct {
    lanes count;
    lanes moments[COLUMNS][COLUMNS]; /* about the mean, lower triangle; then what the factorisation leaves */
    lanes sums[COLUMNS];
    lanes squares[COLUMNS];          /* the moments' diagonal */
    lanes factor[COLUMNS][COLUMNS];  /* the unit lower triangle of L D L^T */
    lanes explained[ORDER];
    lanes residuals[COLUMNS];        /* sum of squares of each order */
    lanes mean;                      /* what order 0 forecasts */
    lanes order;
    lanes intercept;
    lanes slopes[ORDER];
} fit;

static inline lanes side_by_side(const double sums[LANES][SUMS], int64_t j)
{
    return (lanes){sums[0][j], sums[1][j], sums[2][j], sums[3][j]};
}

static inline void read_moments(fit *f, const double sums[LANES][SUMS])
{
    for (int i = 0; i < COLUMNS; i++)
        f->sums[i] = side_by_side(sums, OF_COLUMN[i]);
    for (int i = 0; i < COLUMNS; i++) {
        for (int j = 0; j <= i; j++)
            f->moments[i][j] = side_by_side(sums, OF_PRODUCT[i][j]) - f->sums[i] * f->sums[j] / f->count;
        f->squares[i] = f->moments[i][i];
    }
}

/* One L D L^T of the augmented moments holds the residual sums of squares of all nested orders and the coefficients of
 * any. */
static inline void factorise(fit *f)
{
    for (int j = 0; j < ORDER; j++) {
        mask usable = less(all_lanes(DEPENDENT) * f->squares[j], f->moments[j][j]);
        lanes pivot = choose(usable, f->moments[j][j], all_lanes(1.0));
        for (int i = j + 1; i < COLUMNS; i++) {
            /* a lag that repeats the others explains nothing */
            f->moments[i][j] = choose(usable, f->moments[i][j], all_lanes(0.0));
            f->factor[i][j] = f->moments[i][j] / pivot;
        }
        for (int i = j + 1; i < COLUMNS; i++)
            for (int k = j + 1; k <= i; k++)
                f->moments[i][k] -= f->factor[i][j] * f->moments[k][j];
        f->explained[j] = f->factor[RESPONSE][j] * f->moments[RESPONSE][j];
    }
}

static inline lanes unless_rounding(lanes residual, lanes total)
{
    return choose(less(all_lanes(EXACT) * total, residual), residual, all_lanes(0.0));
}

static inline void add_up_residuals(fit *f, const double sums[LANES][SUMS])
{
    lanes total = side_by_side(sums, OF_VALUE), spread = side_by_side(sums, OF_SQUARED_VALUE);
    f->mean = total / f->count;
    f->residuals[0] = unless_rounding(spread - total * f->mean, spread);
    lanes residual = f->squares[RESPONSE];
    for (int j = 0; j < ORDER; j++) {
        residual -= f->explained[j];
        f->residuals[j + 1] = unless_rounding(residual, f->squares[RESPONSE]);
    }
}

/* RSS exp(penalty / n) is in the order of AICc = n ln(RSS / n) + penalty, with no logarithm of data. The least counts,
 * ties go to the lower order. penalties: infinite where an order has too few rows. */
static inline void choose_order(fit *f, const double *const penalties[LANES])
{
    f->order = all_lanes(0.0);
    lanes least = all_lanes(INFINITY);
    for (int order = 0; order < COLUMNS; order++) {
        lanes penalty = {penalties[0][order], penalties[1][order], penalties[2][order], penalties[3][order]};
        lanes criterion = choose(less(penalty, all_lanes(INFINITY)), f->residuals[order] * penalty, all_lanes(INFINITY));
        mask better = less(criterion, least);
        least = choose(better, criterion, least);
        f->order = choose(better, all_lanes((double)order), f->order);
    }
}

/* Solve from the last lag back; zeros beyond the order leave its leading block's solution. */
static inline void solve(fit *f)
{
    for (int j = ORDER - 1; j >= 0; j--) {
        f->slopes[j] = choose(less(all_lanes((double)j), f->order), f->factor[RESPONSE][j], all_lanes(0.0));
        for (int i = j + 1; i < ORDER; i++)
            f->slopes[j] -= f->factor[i][j] * f->slopes[i];
    }
    f->intercept = f->sums[RESPONSE] / f->count;
    for (int j = 0; j < ORDER; j++)
        f->intercept -= f->slopes[j] * (f->sums[j] / f->count);
}

/* Write the forecasts of the series, and of the path where the series is its changes. lengths: of the series. */
static inline void iterate(const fit *f, series of, const int64_t lengths[LANES], double *const out[LANES],
                           int64_t horizon)
{
    lanes value, sum = all_lanes(0.0), newest = all_lanes(0.0), recent[ORDER - 1];
    for (int lane = 0; lane < LANES; lane++) {
        int64_t t = lengths[lane] - 1;
        value[lane] = at(of, t - 1) + change(of, t);
        newest[lane] = of.values[lengths[lane] - !of.differenced];
        for (int lag = 0; lag < ORDER - 1; lag++)
            recent[lag][lane] = change(of, t - lag);
    }
    for (int64_t h = 0; h < horizon; h++) {
        lanes ahead = f->intercept + f->slopes[0] * value;
        for (int lag = 1; lag < ORDER; lag++)
            ahead += f->slopes[lag] * recent[lag - 1];
        value += ahead;
        for (int lag = ORDER - 2; lag > 0; lag--)
            recent[lag] = recent[lag - 1];
        recent[0] = ahead;
        lanes forecast = all_lanes(of.base) + choose(equal(f->order, all_lanes(0.0)), f->mean, value);
        sum = h == 0 ? forecast : sum + forecast;
        lanes result = of.differenced ? newest + sum : forecast;
        for (int lane = 0; lane < LANES; lane++)
            out[lane][h] = result[lane];
    }
}

/* Origins that wait until there are four of them. */
typedef struct {
    double sums[LANES][SUMS];
    int64_t lengths[LANES];
    const double *penalties[LANES];
    double *out[LANES];
    int count;
} group;

static inline void forecast(group *g, series of, int64_t horizon)
{
    fit f;
    for (int lane = g->count; lane < LANES; lane++) {
        /* the last origin again, which writes the same numbers */
        memcpy(g->sums[lane], g->sums[g->count - 1], sizeof g->sums[lane]);
        g->lengths[lane] = g->lengths[g->count - 1];
        g->penalties[lane] = g->penalties[g->count - 1];
        g->out[lane] = g->out[g->count - 1];
    }
    const int64_t *lengths = g->lengths;
    f.count = (lanes){(double)lengths[0], (double)lengths[1], (double)lengths[2], (double)lengths[3]} - all_lanes(ORDER);
    read_moments(&f, (const double(*)[SUMS])g->sums);
    factorise(&f);
    add_up_residuals(&f, (const double(*)[SUMS])g->sums);
    choose_order(&f, g->penalties);
    solve(&f);
    iterate(&f, of, g->lengths, g->out, horizon);
    g->count = 0;
}

static inline void run(series of, int64_t first, int64_t last, const int64_t *lengths, int64_t origins, double *out,
                       int64_t stride, int64_t horizon, const double *penalties, double *state)
{
    int64_t t = first > of.differenced ? first - of.differenced : 0, end = last - of.differenced;
    group waiting;
    waiting.count = 0;
    of.base = end > ORDER ? typical(of) : 0.0;
    if (first == 0)
        memset(state, 0, SUMS * sizeof *state);
    for (int64_t i = 0; i < origins; i++) {
        int64_t length = lengths[i] - of.differenced;
        double *forecasts = out + i * stride;
        if (length <= TOO_SHORT) {
            write_flat(forecasts, horizon, NAN);
            continue;
        }
        add_rows(of, t, length, state, state);
        t = length;
        int lane = waiting.count++;
        memcpy(waiting.sums[lane], state, sizeof waiting.sums[lane]);
        waiting.lengths[lane] = length;
        waiting.penalties[lane] = penalties + (lengths[i] - first - 1) * COLUMNS;
        waiting.out[lane] = forecasts;
        if (waiting.count == LANES)
            forecast(&waiting, of, horizon);
    }
    if (waiting.count > 0)
        forecast(&waiting, of, horizon);
    add_rows(of, t, end, state, state);
}

/* penalties (last - first, ORDER + 1): exp(penalty / n) of each order at lengths first + 1 .. last, see `choose_order`;
 * state (40,). */
PULSE_EXPORT void pulse_ar(const double *values, int64_t first, int64_t last, const int64_t *lengths, int64_t origins,
                           double *out, int64_t stride, int64_t horizon, const double *penalties, double *state)
{
    run((series){values, 0.0, 0}, first, last, lengths, origins, out, stride, horizon, penalties, state);
}

/* The same on first differences, forecasts summed. */
PULSE_EXPORT void pulse_ari(const double *values, int64_t first, int64_t last, const int64_t *lengths, int64_t origins,
                            double *out, int64_t stride, int64_t horizon, const double *penalties, double *state)
{
    run((series){values, 0.0, 1}, first, last, lengths, origins, out, stride, horizon, penalties, state);
}
