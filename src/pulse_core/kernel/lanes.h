/* Operations on lanes that compilers have no sign for. */
#ifndef PULSE_LANES_H
#define PULSE_LANES_H

#include "kernel.h"

/* Lanes in an array of doubles. (gcc lowers a memcpy to them by way of the stack, which costs ten times as much.) */
typedef double lanes_in_array __attribute__((vector_size(32), aligned(8), may_alias));

static inline lanes load(const double *source)
{
    return *(const lanes_in_array *)source;
}

static inline void store(double *target, lanes numbers)
{
    *(lanes_in_array *)target = numbers;
}

static inline lanes all_lanes(double number)
{
    return (lanes){number, number, number, number};
}

/* `yes` where the condition holds, `no` elsewhere. */
static inline lanes choose(mask condition, lanes yes, lanes no)
{
    return (lanes)((condition & (mask)yes) | (~condition & (mask)no));
}

static inline int holds_anywhere(mask condition)
{
    return (condition[0] | condition[1] | condition[2] | condition[3]) != 0;
}

/* The index of the first NaN if there is one, else of the first least number, as numpy's argmin. `count` is a multiple
 * of LANES. */
static inline int64_t first_least(const double *numbers, int64_t count)
{
    lanes least = load(numbers);
    mask missing = least != least;
    for (int64_t j = LANES; j < count; j += LANES) {
        lanes next = load(numbers + j);
        missing |= next != next;
        least = choose(next < least, next, least);
    }
    if (holds_anywhere(missing)) {
        int64_t j = 0;
        while (numbers[j] == numbers[j])
            j++;
        return j;
    }
    double value = least[0];
    for (int lane = 1; lane < LANES; lane++)
        value = least[lane] < value ? least[lane] : value;
    int64_t j = 0;
    while (!holds_anywhere(load(numbers + j) == all_lanes(value)))
        j += LANES;
    while (numbers[j] != value)
        j++;
    return j;
}

#endif
