/* The mean absolute and the mean squared (seasonal) step of what each origin knows. */
#include "kernel.h"

#include <math.h>

/* `values` (n) of one path; origin i knows the first lengths[i], not fewer than the one before. `state` (3) holds two
 * sums and the time they have come to; zeros at first. NaN where a scale is zero. */
PULSE_EXPORT void pulse_scales(const double *values, const int64_t *lengths, int64_t origins, int64_t season,
                               double *state, double *scale, double *square_scale)
{
    double absolute = state[0], square = state[1];
    int64_t time = (int64_t)state[2];
    for (int64_t i = 0; i < origins; i++) {
        for (; time < lengths[i]; time++) {
            if (time < season)
                continue;
            double step = fabs(values[time] - values[time - season]);
            absolute = absolute + step;
            square = square + step * step;
        }
        double count = lengths[i] > season ? (double)(lengths[i] - season) : 0.0;
        scale[i] = (absolute > 0.0 ? absolute : NAN) / count;
        square_scale[i] = (square > 0.0 ? square : NAN) / count;
    }
    state[0] = absolute;
    state[1] = square;
    state[2] = (double)time;
}
