/* Scores from the sums over any run of batches; NaN where a score is impossible. See scores/measures.py for each. */
#include "learners.h"

#include <math.h>

enum { COUNT, ERROR, ABSOLUTE, SQUARE, SCALED_ABSOLUTE, SCALED_SQUARE, PERCENTAGE, HITS, CALLS, COMMON_ABSOLUTE,
       BENCHMARK_ABSOLUTE, COMMON_SQUARE, BENCHMARK_SQUARE, QUANTILE_COUNT, PINBALL, COVERED = PINBALL + LEVELS,
       WIDTH = COVERED + INTERVALS, SCALED_INTERVAL = WIDTH + INTERVALS, COMMON_CRPS, BENCHMARK_CRPS };
enum { MEASURES = 33 };

static double ratio(double numerator, double denominator) { return denominator > 0.0 ? numerator / denominator : NAN; }

/* The measures of some `rows` of `sums` (.., SUMS), in the scale of the sums: measure k of row i is columns[k * stride +
 * i]; NaN for what is not finite. */
PULSE_EXPORT void pulse_measures(const double *all_sums, const int64_t *rows, int64_t count_of_rows, double *columns,
                                 int64_t stride)
{
    for (int64_t row = 0; row < count_of_rows; row++) {
        const double *sums = all_sums + rows[row] * SUMS;
        double table[MEASURES], *measures = table;
        double count = sums[COUNT], certain = sums[QUANTILE_COUNT], loss[LEVELS], crps = 0.0, all_levels = 0.0;
        for (int k = 0; k < LEVELS; k++) {
            loss[k] = ratio(sums[PINBALL + k], certain);
            crps = k ? crps + pulse_crps_weights[k] * loss[k] : pulse_crps_weights[k] * loss[k];
            all_levels = k ? all_levels + loss[k] : loss[k];
        }
        *measures++ = count;
        *measures++ = ratio(sums[ERROR], count);
        *measures++ = ratio(sums[ABSOLUTE], count);
        *measures++ = sqrt(ratio(sums[SQUARE], count));
        *measures++ = ratio(sums[SCALED_ABSOLUTE], count);
        *measures++ = sqrt(ratio(sums[SCALED_SQUARE], count));
        *measures++ = ratio(sums[PERCENTAGE], count);
        *measures++ = ratio(sums[HITS], sums[CALLS]);
        *measures++ = sums[CALLS];
        *measures++ = 1.0 - ratio(sums[COMMON_ABSOLUTE], sums[BENCHMARK_ABSOLUTE]);
        *measures++ = 1.0 - ratio(sums[COMMON_SQUARE], sums[BENCHMARK_SQUARE]);
        *measures++ = crps;
        *measures++ = 1.0 - ratio(sums[COMMON_CRPS], sums[BENCHMARK_CRPS]);
        *measures++ = 2.0 * all_levels / LEVELS;
        for (int k = 0; k < LEVELS; k++)
            *measures++ = loss[k];
        for (int i = 0; i < INTERVALS; i++)
            *measures++ = ratio(sums[COVERED + i], certain);
        for (int i = 0; i < INTERVALS; i++)
            *measures++ = ratio(sums[WIDTH + i], certain);
        *measures++ = 2.0 / 0.05 * (loss[0] + loss[LEVELS - 1]);
        *measures++ = ratio(sums[SCALED_INTERVAL], certain);
        for (int k = 0; k < MEASURES; k++)
            columns[k * stride + row] = finite(table[k]) ? table[k] : NAN;
    }
}
