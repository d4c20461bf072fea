/* The pass over the origins of one variable: what learners, scores and trust share.
 *
 * A cell is a forecaster at a horizon: cell = forecaster * horizons + (steps ahead - 1). Rows of cells are `stride`
 * numbers long, the number of cells rounded up to LANES; the numbers behind the last cell are NaN in forecasts, and
 * nothing reads what becomes of them.
 */
#ifndef PULSE_LEARNERS_H
#define PULSE_LEARNERS_H

#include "kernel.h"
#include "lanes.h"

enum { LEVELS = 9, MIDDLE = 4, INTERVALS = 4, POINT_TERMS = 6, SUMS = 34 };
enum { CONFORMAL = 0, EMPIRICAL = 1 };
enum { BY_ABSOLUTE_ERROR = 0, BY_CRPS = 1 };
/* The parts of the ensemble. */
enum { SHARES = 0, ML_POLY = 1, PARTS = 2 };
/* What is kept of a pair at a horizon of h + 1 steps, in rows: faded number, its square fade, d, d^2 and number with
 * ties; from SIZE on d^2, faded number and number, by which bets are sized; from WINS on wins and losses; from FIXED on,
 * for each of h lags, products of d so many origins apart and their number; then the CAPITALS of each of h + 1
 * interleaved processes. What is told of it is the mean difference over its standard deviation, the effective number,
 * the inflation of its variance by overlap, the faded numbers of differences and of comparisons, wins and losses. */
enum { SIZE = 5, WINS = 8, FIXED = 10, CAPITALS = 6, STATE = 7 };
/* Origins of whose differences products are learned together, at most. */
enum { TOGETHER = 64 };

/* Before a loop over levels: unrolled, each step has its constants and no branch on the level is left. */
#define UNROLL_LEVELS _Pragma("GCC unroll 9")

extern const double pulse_levels[LEVELS];
extern const double pulse_crps_weights[LEVELS];

/* Origins of a horizon whose errors are not known yet, oldest first, in rows of `past` from `first` on. */
struct queue {
    int64_t first;
    int64_t depth;
    int64_t oldest;         /* the row of the next error to be learned from */
    int64_t next;           /* the row of the next origin */
};

/* Quantiles around a point: offset[level] * size, both learned from errors. NaN in size: no quantiles yet.
 *
 * What a conformal calibrator remembers is ordered by horizon, `width` forecasters side by side: their number rounded up
 * to LANES. In (.., width, LEVELS) the numbers of LANES forecasters stand level by level: (.., width / LANES, LEVELS, LANES).
 */
struct calibrator {
    int64_t kind;           /* CONFORMAL or EMPIRICAL */
    int64_t forecasters;
    int64_t horizons;
    int64_t width;
    int64_t stride;
    double *error;          /* (horizons, width) scratch for the errors to be learned from */
    double *offset;         /* (LEVELS, stride) quantiles as quoted, in sizes; EMPIRICAL: the quantiles themselves */
    double *size;           /* (stride) the scale of errors; EMPIRICAL: 1 */
    /* CONFORMAL */
    int64_t brings_spread;  /* whether the scale one step ahead is brought along and not learned */
    int64_t asleep;         /* how many forecasters have not begun */
    double *raw;            /* (horizons, width, LEVELS) quantiles of errors over their scale, as tracked */
    double *slope;          /* (horizons, width, LEVELS) by how much they rise with the lean; NULL without one */
    double *fit;            /* (horizons, width, LEVELS) their isotonic fit where they cross */
    int64_t *crossed;       /* (horizons, width / LANES) whether any of LANES do */
    double *square;         /* (horizons, width) mean squares of errors one step ahead */
    double *history;        /* (horizons, width) what of these is still the history's mean square, not yet scaled */
    double *start;          /* (width) the history's mean square */
    double *scaling;        /* (3, width) by what that is scaled: sums of squared errors and of steps, their ratio */
    double *ratio;          /* (horizons, width) mean squares of errors over these, as of their origins */
    double *growth;         /* (horizons, width) the same with the prior */
    double *learned;        /* (horizons, width) how many errors were learned from */
    double *largest;        /* (width) squares of rare large errors, one step ahead */
    double *steps;          /* (width) how many steps stand behind `square` at one step ahead; NaN before the first */
    double *scratch;        /* (horizons + 2, width) */
    const double *root;     /* (horizons) sqrt(steps ahead) */
    const double *exponent; /* (horizons) of the prior of growth */
    struct queue *queue;    /* (horizons) */
    double *past_square;    /* (rows of queues, width) squares as they stood at an origin */
    double *past;           /* (rows of queues, width, LEVELS) quantiles as they stood at an origin, before widening */
    /* EMPIRICAL */
    double *errors;         /* (cells, capacity) all errors so far, sorted */
    int64_t *count;         /* (cells) how many there are */
    int64_t capacity;
};

/* What the steps so far tell of the size of errors: see volatility.c. Without it `scale` is NULL, and `first` is the number
 * of origins. */
struct volatility_at_origins {
    int64_t first;          /* the origin with which it begins */
    const double *scale;    /* (origins, horizons) what errors are measured in; 1 before the first */
    const double *lean;     /* (origins) how far it is from what it has been, from -1 to 1; 0 before the first */
    const double *rate;     /* (origins) at least at which mean squares of an origin's errors are learned */
};

/* What a calibrator learns of origins at a time, by horizon, -1 for none, and of their steps ahead. */
struct lesson {
    const int64_t *origin;  /* (horizons) */
    double step;            /* the series' own step, which naive errs by, behind the origin at one step ahead */
    const struct volatility_at_origins *volatility; /* NULL without one */
};

/* See ensemble.c; rows of members are `width` numbers long, the members rounded up to LANES. */
struct ensemble {
    int64_t members;        /* forecasters that are weighed; 0 without an ensemble */
    int64_t row;            /* the ensemble's own row among the forecasters */
    int64_t width;
    int64_t window;         /* the most origins that wait for an actual at a time */
    const int64_t *rows;    /* (members) their rows among the forecasters */
    double *regret;         /* (horizons, width) sums of loss of the ensemble - loss of the member */
    double *lost;           /* (horizons, width) sums of losses, the part's own where the member slept */
    double *followed;       /* (horizons, width) sums of ML-Poly's regrets r, up to the horizon */
    double *squares;        /* (horizons, width) sums of r^2 */
    double *largest;        /* (horizons) the largest r^2 so far */
    double *potential;      /* (1) what ML-Poly's bound at one step ahead is made of */
    double *rest;           /* (width) sums of the other part's regret at one step ahead, by its proportion */
    double *known;          /* (1) how many errors one step ahead were learned from */
    double *past;           /* (window, horizons, PARTS) the parts' forecasts at origins that wait, each at its number mod window */
    double *past_proportion;    /* (window) ML-Poly's proportion then */
    double *weight;         /* (horizons, width) the weights of the newest origin */
    double *scratch;        /* (4 + PARTS, width) */
};

/* Sums of the batch that is under way; rows are `stride` numbers long. */
struct batch_sums {
    double *term;           /* (POINT_TERMS, stride) */
    double *above;          /* (LEVELS, stride) sums of d = actual - quantile */
    double *below;          /* (LEVELS, stride) sums of min(d, 0) */
    double *interval;       /* (stride) 95 % interval score over the scale */
    int64_t *flag;          /* (4 + 2 MIDDLE, stride) scored, with quantiles, hits, calls, below and above the ends */
    double *common;         /* (2, 2 + 2 LEVELS, stride) own and the benchmark's losses on common origins */
    int64_t complete;       /* origins at which all cells were scored, with quantiles: not counted in the flags */
    int64_t apart;          /* whether common origins differ from a forecaster's own since the batch began */
    int64_t batch;          /* the batch under way, or -1 */
};

/* Trust and evidence; rows of pairs are `width` numbers long, the forecasters rounded up to LANES. */
struct trust {
    int64_t width;
    int64_t first;          /* the first origin of the period */
    int64_t window;         /* the most origins that wait for their actuals at a time */
    int64_t rows;           /* of `difference`: of so many origins differences are kept, each in the place of its number
                               mod rows, which is enough for all that is to be learned from */
    double fade;            /* of the sums of differences at each step */
    double level_fade;      /* of the benchmark's absolute error */
    double size_fade;       /* of the sizes of differences */
    double win_fade;        /* of wins and losses */
    double *level;          /* (horizons, 2) the benchmark's absolute errors, faded, and their faded number */
    double *difference;     /* (rows, horizons, width) d, 0 for a tie, NaN for none */
    double *bet;            /* (window, horizons, width) of the origins that wait, each in the place of its number mod window */
    int64_t *learned;       /* (horizons) origins of the period that are learned from */
    int64_t *multiplied;    /* (horizons) of these, those whose products of lags are learned */
    double *recent;         /* (horizons - 1 + TOGETHER, LANES) scratch for differences of a pair */
    double *pairs;          /* by horizon, (width / LANES, rows, LANES): see above; capitals begin at 1 */
    double *ahead;          /* (horizons, width) running sum of the differences in losses, of all origins so far */
    double *counts;         /* (batches from `first_batch` on, horizons, 2, width) wins and losses by the batch in which they became known */
    const int64_t *marks;   /* (mark_count) origins at which the states are wanted, in order */
    int64_t mark_count;
    int64_t next_mark;
    double *marked;         /* (mark_count, STATE, horizons, width) */
    double *marked_ahead;   /* (mark_count, horizons, width) `ahead` of the origins before a mark: it knows what came */
    double *states;         /* (origins of the call, STATE, horizons, width) or NULL */
    double *evidence;       /* (origins of the call, 2, horizons, width) e-values for and against, or NULL */
};

struct pass {
    int64_t origins;
    int64_t forecasters;
    int64_t horizons;
    int64_t stride;
    int64_t first_batch;    /* of the batches that `sums` and `counts` have rows for */
    int64_t benchmark;      /* row of the benchmark */
    int64_t trust_loss;     /* BY_ABSOLUTE_ERROR or BY_CRPS */
    const double *scale;            /* (origins) mean absolute step so far, NaN where zero */
    const double *square_scale;     /* (origins) mean squared step so far, NaN where zero */
    const double *step_square;      /* (origins) mean squared step so far, of whatever season; NaN where zero */
    const double *steps;            /* (origins) how many steps that are */
    const double *newest;           /* (origins) y_n */
    const double *reported;         /* (origins, horizons) actuals that are scored, NaN where not known by the end */
    const double *released;         /* (origins, horizons) first releases, from which is learned */
    const int64_t *batch;           /* (origins) negative before the period */
    const int64_t *known;           /* (origins, horizons) how many origins' errors are known at each origin */
    double *forecasts;              /* (origins, stride); the ensemble's are written */
    struct volatility_at_origins volatility;
    struct calibrator calibrator;
    /* Forecasters with quantiles of their own: as they are in one row, calibrated by their own spread in another. */
    int64_t custom;                 /* how many */
    const int64_t *custom_rows;     /* (custom) rows that quote them as they are */
    const int64_t *calibrated_rows; /* (custom) rows that quote them after calibration */
    const double *custom_offset;    /* (origins, LEVELS, custom, horizons) quantile - point, NaN for none */
    const double *custom_spread;    /* (origins, custom, horizons) NaN for none */
    struct calibrator custom_calibrator;    /* cells are (custom, horizons) */
    struct ensemble ensemble;
    struct batch_sums running;
    struct trust trust;
    double *scratch;                /* (17, stride) */
    double *sums;                   /* (batches from `first_batch` on, forecasters, horizons, SUMS) */
    double *quantiles;              /* (origins of the call, LEVELS, stride) as quoted, or NULL */
    double *weights;                /* (origins of the call, members, horizons) as used, or NULL */
};

static inline int finite(double value) { return value - value == 0.0; }

/* Numbers of each horizon, once for every forecaster: (cells). */
static inline void expand(double *cells, const double *by_horizon, int64_t count, int64_t horizons)
{
    for (int64_t first = 0; first < count; first += horizons)
        for (int64_t h = 0; h < horizons; h++)
            cells[first + h] = by_horizon[h];
}

void calibrator_learn(struct calibrator *state, const struct lesson *lesson);
void calibrator_predict(struct calibrator *state, const double *forecast, double step_square, double steps,
                        const double *scale, double lean, int quotes);
void ensemble_learn(struct pass *pass, const int64_t *origin);
void ensemble_predict(struct pass *pass, int64_t origin, double *weights);
void sums_add(struct pass *pass, int64_t origin, const double *actual, const double *offset, const double *size);
void sums_close(struct pass *pass);
void trust_forecast(struct pass *pass, int64_t origin, const double *actual, const double *offset, const double *size);
void trust_learn(struct pass *pass, const int64_t *origin, int64_t now);
void trust_write(struct pass *pass, int64_t origin, int64_t call);

#endif
