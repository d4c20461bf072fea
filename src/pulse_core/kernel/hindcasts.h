/* What all functions that make hindcasts have in common.
 *
 * They run along one path, stretch by stretch, and forecast at its origins:
 *
 *   values (n,)         the path
 *   first, last         the stretch: earlier calls have taken values[0..first), this one takes values[first..last)
 *   lengths (origins,)  how many values the origins of this stretch know: nondecreasing, first < length <= last
 *   out, stride         forecasts (origins, horizon): step h of origin i is out[i * stride + h]; NaN where there is none
 *   state               what a call leaves to the next one; needs no content where first is 0
 *
 * A grid of parameters is padded to a multiple of LANES with copies of its last point, which never win: ties go to the
 * first.
 */
#ifndef PULSE_HINDCASTS_H
#define PULSE_HINDCASTS_H

#include <math.h>

#include "kernel.h"

static inline void write_flat(double *out, int64_t horizon, double forecast)
{
    for (int64_t h = 0; h < horizon; h++)
        out[h] = forecast;
}

#endif
