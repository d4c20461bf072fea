/* Sums per batch, from which every mergeable score of a run of batches follows.
 *
 * Pinball losses, widths and coverage follow from the sums of d = actual - quantile and of min(d, 0), and from how often
 * d was below or above zero: tau d - min(d, 0) is the loss, and quantiles do not cross. So an origin adds two numbers a
 * level.
 */
#include "learners.h"

#include <string.h>

enum { SCORED, CERTAIN, HITS, CALLS, BELOW, ABOVE = BELOW + MIDDLE, FLAGS = ABOVE + MIDDLE };
enum { ERROR, ABSOLUTE, SQUARE, SCALED_ABSOLUTE, SCALED_SQUARE, PERCENTAGE };
/* What is summed over the origins that are scored for a forecaster and the benchmark alike. */
enum { COMMON_ABSOLUTE, COMMON_SQUARE, COMMON_ABOVE, COMMON_BELOW = COMMON_ABOVE + LEVELS, COMMON = COMMON_BELOW + LEVELS };

const double pulse_crps_weights[LEVELS] = {
    0.05 - 0.0, 0.1 - 0.025, 0.25 - 0.05, 0.5 - 0.1, 0.75 - 0.25, 0.9 - 0.5, 0.95 - 0.75, 0.975 - 0.9, 1.0 - 0.95,
};

static const double MISS = 0.05;

static double pinball(double above, double below, double level)
{
    double loss = level * above - below;
    return loss <= 0.0 ? 0.0 : loss; /* rounding may leave a sum of nothing a little below zero */
}

static double crps_of(const double *above, const double *below, int64_t step)
{
    double total = 0.0;
    for (int k = 0; k < LEVELS; k++)
        total = total + pulse_crps_weights[k] * pinball(above[k * step], below[k * step], pulse_levels[k]);
    return total;
}

/* Put the sums of the batch under way into their row, and begin anew. */
void sums_close(struct pass *pass)
{
    struct batch_sums *sums = &pass->running;
    const int64_t stride = pass->stride, horizons = pass->horizons;
    if (sums->batch < 0)
        return;
    for (int64_t cell = 0; cell < pass->forecasters * horizons; cell++) {
        double *to = pass->sums + ((sums->batch - pass->first_batch) * pass->forecasters * horizons + cell) * SUMS;
        const double *above = sums->above + cell, *below = sums->below + cell;
        const int64_t *flag = sums->flag + cell;
        int64_t rival = pass->benchmark * horizons + cell % horizons;
        int64_t certain = sums->complete + flag[CERTAIN * stride];
        *to++ = (double)(sums->complete + flag[SCORED * stride]);
        for (int term = 0; term < POINT_TERMS; term++)
            *to++ = sums->term[term * stride + cell];
        *to++ = (double)flag[HITS * stride];
        *to++ = (double)flag[CALLS * stride];
        const double *own = sums->common + cell, *other = own + COMMON * stride;
        for (int term = 0; term < 2; term++) {
            *to++ = sums->apart ? own[term * stride] : sums->term[(ABSOLUTE + term) * stride + cell];
            *to++ = sums->apart ? other[term * stride] : sums->term[(ABSOLUTE + term) * stride + rival];
        }
        *to++ = (double)certain;
        for (int k = 0; k < LEVELS; k++)
            *to++ = pinball(above[k * stride], below[k * stride], pulse_levels[k]);
        for (int i = 0; i < INTERVALS; i++)
            *to++ = (double)(certain - flag[(BELOW + MIDDLE - 1 - i) * stride] - flag[(ABOVE + i) * stride]);
        for (int i = 0; i < INTERVALS; i++)
            *to++ = above[(MIDDLE - 1 - i) * stride] - above[(MIDDLE + 1 + i) * stride];
        *to++ = sums->interval[cell];
        *to++ = sums->apart ? crps_of(own + COMMON_ABOVE * stride, own + COMMON_BELOW * stride, stride)
                            : crps_of(above, below, stride);
        *to++ = sums->apart ? crps_of(other + COMMON_ABOVE * stride, other + COMMON_BELOW * stride, stride)
                            : crps_of(sums->above + rival, sums->below + rival, stride);
    }
    memset(sums->term, 0, (size_t)(POINT_TERMS * stride) * sizeof(double));
    memset(sums->above, 0, (size_t)(LEVELS * stride) * sizeof(double));
    memset(sums->below, 0, (size_t)(LEVELS * stride) * sizeof(double));
    memset(sums->interval, 0, (size_t)stride * sizeof(double));
    memset(sums->flag, 0, (size_t)(FLAGS * stride) * sizeof(int64_t));
    sums->complete = 0;
    sums->apart = 0;
    sums->batch = -1;
}

/* Begin to keep the sums over common origins apart: so far they were everybody's own. */
static void part(struct pass *pass)
{
    struct batch_sums *sums = &pass->running;
    const int64_t stride = pass->stride, horizons = pass->horizons;
    for (int row = 0; row < COMMON; row++) {
        const double *from = row < COMMON_ABOVE   ? sums->term + (ABSOLUTE + row) * stride
                             : row < COMMON_BELOW ? sums->above + (row - COMMON_ABOVE) * stride
                                                  : sums->below + (row - COMMON_BELOW) * stride;
        for (int64_t cell = 0; cell < pass->forecasters * horizons; cell++) {
            sums->common[row * stride + cell] = from[cell];
            sums->common[(COMMON + row) * stride + cell] = from[pass->benchmark * horizons + cell % horizons];
        }
    }
    sums->apart = 1;
}

/* Add the losses, own and the benchmark's, where both are scored. `error` is 0 where nothing is scored. */
static void add_common(struct pass *pass, const double *error, const double *certain_error, const double *certain_size,
                       const int64_t *scored, const int64_t *certain, const double *offset)
{
    struct batch_sums *sums = &pass->running;
    const int64_t stride = pass->stride, horizons = pass->horizons, cells = pass->forecasters * horizons;
    for (int64_t cell = 0; cell < cells; cell++) {
        int64_t rival = pass->benchmark * horizons + cell % horizons;
        for (int side = 0; side < 2; side++) {
            int64_t from = side ? rival : cell;
            double *common = sums->common + side * COMMON * stride + cell;
            /* times 0 where not both are: what is infinite there makes a sum that is none */
            double both = scored[cell] && scored[rival] ? 1.0 : 0.0, e = error[from], size = e < 0.0 ? -e : e;
            common[COMMON_ABSOLUTE * stride] += size * both;
            common[COMMON_SQUARE * stride] += e * e * both;
            both = certain[cell] && certain[rival] ? 1.0 : 0.0;
            for (int k = 0; k < LEVELS; k++) {
                double difference = certain_error[from] - certain_size[from] * offset[k * stride + from];
                double above = certain[from] ? difference * both : 0.0;
                common[(COMMON_ABOVE + k) * stride] += above;
                common[(COMMON_BELOW + k) * stride] += above >= 0.0 ? 0.0 : above;
            }
        }
    }
}

/* Which cells are scored, and which of these have quantiles; whether any differs from the benchmark's in that. */
static int64_t mark_scored(const struct pass *pass, const double *actual, const double *forecast, const double *size)
{
    const int64_t stride = pass->stride, horizons = pass->horizons, cells = pass->forecasters * horizons;
    double *error = pass->scratch + stride, *certain_error = error + stride, *certain_size = certain_error + stride;
    int64_t *scored = (int64_t *)(certain_size + stride), *certain = scored + stride, differ = 0;
    for (int64_t cell = 0; cell < stride; cell += LANES) {
        lanes e = load(actual + cell) - load(forecast + cell), s = load(size + cell);
        mask counts = is_finite(e), sure = counts & is_finite(s);
        store(error + cell, choose(counts, e, all_lanes(0.0)));
        store(certain_error + cell, choose(sure, e, all_lanes(0.0)));
        store(certain_size + cell, choose(sure, s, all_lanes(0.0)));
        *(mask *)(scored + cell) = counts;
        *(mask *)(certain + cell) = sure;
    }
    for (int64_t first = 0; first < cells; first += horizons)
        for (int64_t h = 0; h < horizons; h++) {
            int64_t rival = pass->benchmark * horizons + h;
            differ |= (scored[first + h] ^ scored[rival]) | (certain[first + h] ^ certain[rival]);
        }
    return differ;
}

/* Whether all cells are scored and have quantiles, as at nearly every origin. */
static int all_scored(const double *actual, const double *forecast, const double *size, int64_t cells)
{
    mask scored = equal(all_lanes(0.0), all_lanes(0.0));
    int64_t cell = 0;
    for (; cell + LANES <= cells; cell += LANES)
        scored &= is_finite(load(actual + cell) - load(forecast + cell)) & is_finite(load(size + cell));
    int every = !holds_anywhere(~scored);
    for (; cell < cells; cell++)
        every &= finite(actual[cell] - forecast[cell]) & finite(size[cell]);
    return every;
}

/* Sums of one vector of cells: pointers to their numbers in each row. */
struct cells_of_sums {
    double *term, *above, *below, *interval;
    int64_t *flag;
    int64_t stride;
};

static inline void add_flag(int64_t *count, mask flag) { *(mask *)count -= flag; }

static inline void add_points(const struct cells_of_sums *to, lanes point, lanes y, lanes error, mask counts, lanes newest,
                              lanes per_scale, lanes per_square)
{
    const lanes zero = all_lanes(0.0);
    lanes size = absolute(error), square = error * error, sum = absolute(point) + absolute(y);
    sum = choose(equal(sum, zero), all_lanes(1.0), sum);
    lanes term[POINT_TERMS] = {error, size, square, (lanes)(counts & (mask)(size * per_scale)),
                               (lanes)(counts & (mask)(square * per_square)),
                               (lanes)(counts & (mask)(size / sum * all_lanes(200.0)))};
    UNROLL_LEVELS
    for (int k = 0; k < POINT_TERMS; k++)
        store(to->term + k * to->stride, load(to->term + k * to->stride) + term[k]);
    mask up = less(newest, point), down = less(point, newest), rose = less(newest, y), fell = less(y, newest);
    add_flag(to->flag + HITS * to->stride, ((up & rose) | (down & fell)) & counts);
    add_flag(to->flag + CALLS * to->stride, (up | down) & (rose | fell) & counts);
}

static inline void add_quantiles(const struct cells_of_sums *to, lanes error, lanes size, const double *offset, mask sure,
                                 lanes widest)
{
    const int64_t stride = to->stride;
    const lanes zero = all_lanes(0.0);
    lanes ends[2] = {zero, zero};
    UNROLL_LEVELS
    for (int k = 0; k < LEVELS; k++) {
        lanes above = (lanes)(sure & (mask)(error - size * load(offset + k * stride)));
        mask outside = less(above, zero);
        lanes below = (lanes)(outside & (mask)above);
        store(to->above + k * stride, load(to->above + k * stride) + above);
        store(to->below + k * stride, load(to->below + k * stride) + below);
        if (k < MIDDLE)
            add_flag(to->flag + (BELOW + k) * stride, outside);
        if (k > MIDDLE)
            add_flag(to->flag + (ABOVE + k - MIDDLE - 1) * stride, less(zero, above));
        if (k == 0 || k == LEVELS - 1)
            ends[k > 0] = above * all_lanes(pulse_levels[k]) - below;
    }
    store(to->interval, load(to->interval) + (lanes)(sure & (mask)((ends[0] + ends[1]) * widest)));
}

/* Add an origin of the period to the sums of its batch; `actual` (stride) by cell. */
void sums_add(struct pass *pass, int64_t origin, const double *actual, const double *offset, const double *size)
{
    struct batch_sums *sums = &pass->running;
    const int64_t stride = pass->stride;
    const double *forecast = pass->forecasts + origin * stride;
    const double *error = pass->scratch + stride, *certain_error = error + stride, *certain_size = certain_error + stride;
    const int64_t *scored = (const int64_t *)(certain_size + stride), *certain = scored + stride;
    if (pass->batch[origin] != sums->batch) {
        sums_close(pass);
        sums->batch = pass->batch[origin];
    }
    const int every = !sums->apart && all_scored(actual, forecast, size, pass->forecasters * pass->horizons);
    if (every)
        sums->complete += 1;
    else if (mark_scored(pass, actual, forecast, size) && !sums->apart)
        part(pass);
    if (sums->apart)
        add_common(pass, error, certain_error, certain_size, scored, certain, offset);

    const double unit = 1.0 / pass->scale[origin];
    const lanes newest = all_lanes(pass->newest[origin]), widest = all_lanes(2.0 / MISS * unit);
    const lanes per_scale = all_lanes(unit), per_square = all_lanes(1.0 / pass->square_scale[origin]);
    const mask yes = equal(newest, newest);
    for (int64_t cell = 0; cell < stride; cell += LANES) {
        const struct cells_of_sums to = {sums->term + cell, sums->above + cell, sums->below + cell,
                                         sums->interval + cell, sums->flag + cell, stride};
        lanes point = load(forecast + cell), y = load(actual + cell);
        if (every) {
            add_points(&to, point, y, y - point, yes, newest, per_scale, per_square);
            add_quantiles(&to, y - point, load(size + cell), offset + cell, yes, widest);
            continue;
        }
        mask counts = *(const mask *)(scored + cell), sure = *(const mask *)(certain + cell);
        add_flag(to.flag + SCORED * stride, counts);
        add_flag(to.flag + CERTAIN * stride, sure);
        add_points(&to, point, y, load(error + cell), counts, newest, per_scale, per_square);
        add_quantiles(&to, load(certain_error + cell), load(certain_size + cell), offset + cell, sure, widest);
    }
}
