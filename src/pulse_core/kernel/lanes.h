/* Operations on lanes that compilers have no sign for. */
#ifndef PULSE_LANES_H
#define PULSE_LANES_H

#include "kernel.h"

#if defined(__AVX__)
#include <immintrin.h>
#endif

/* Lanes in an array of doubles, which gcc and clang let vectors of doubles alias. (gcc lowers a memcpy to them by way of
 * the stack, which costs ten times as much.) */
static inline lanes load(const double *source)
{
    return *(const lanes *)source;
}

static inline void store(double *target, lanes numbers)
{
    *(lanes *)target = numbers;
}

static inline lanes all_lanes(double number)
{
    return (lanes){number, number, number, number};
}

/* Comparisons. Where registers hold two numbers, gcc would compare lanes one by one, at ten times the cost: here the
 * halves are compared. */
#if defined(__AVX__)
#define COMPARE(a, sign, b) return (a) sign (b)
#else
typedef double half __attribute__((vector_size(16)));
typedef int64_t half_mask __attribute__((vector_size(16)));

#define LOW(a) ((half){(a)[0], (a)[1]})
#define HIGH(a) ((half){(a)[2], (a)[3]})
#define COMPARE(a, sign, b)                                                              \
    half_mask low = LOW(a) sign LOW(b), high = HIGH(a) sign HIGH(b);                     \
    return (mask){low[0], low[1], high[0], high[1]}
#endif

static inline mask less(lanes a, lanes b)
{
    COMPARE(a, <, b);
}

static inline mask equal(lanes a, lanes b)
{
    COMPARE(a, ==, b);
}

static inline mask less_or_equal(lanes a, lanes b)
{
    COMPARE(a, <=, b);
}

static inline mask is_nan(lanes a)
{
    COMPARE(a, !=, a);
}

static inline mask is_finite(lanes a)
{
    return equal(a - a, all_lanes(0.0));
}

/* `yes` where the condition holds, `no` elsewhere. */
static inline lanes choose(mask condition, lanes yes, lanes no)
{
#if defined(__AVX__)
    return _mm256_blendv_pd(no, yes, (lanes)condition);
#else
    return (lanes)((condition & (mask)yes) | (~condition & (mask)no));
#endif
}

/* `value` where the condition holds, 0 elsewhere. */
static inline lanes only(mask condition, lanes value)
{
    return (lanes)(condition & (mask)value);
}

/* The lesser and the larger; `b` where they are equal or one is a NaN. */
static inline lanes lesser(lanes a, lanes b)
{
#if defined(__AVX__)
    return _mm256_min_pd(a, b);
#else
    return choose(less(a, b), a, b);
#endif
}

static inline lanes larger(lanes a, lanes b)
{
#if defined(__AVX__)
    return _mm256_max_pd(a, b);
#else
    return choose(less(b, a), a, b);
#endif
}

static inline lanes square_root(lanes a)
{
#if defined(__AVX__)
    return _mm256_sqrt_pd(a);
#else
    return (lanes){__builtin_sqrt(a[0]), __builtin_sqrt(a[1]), __builtin_sqrt(a[2]), __builtin_sqrt(a[3])};
#endif
}

static inline lanes absolute(lanes a)
{
    return (lanes)((mask)a & (mask){INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX});
}

/* Four of the eight numbers of two vectors. gcc has clang's word for it since version 12. */
#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#endif
#endif
#if !defined(SHUFFLE)
#define SHUFFLE(a, b, i, j, k, l) __builtin_shuffle(a, b, (mask){i, j, k, l})
#endif

/* Make the rows of a square of numbers its columns. */
static inline void transpose(lanes *rows)
{
    lanes low01 = SHUFFLE(rows[0], rows[1], 0, 4, 2, 6);
    lanes high01 = SHUFFLE(rows[0], rows[1], 1, 5, 3, 7);
    lanes low23 = SHUFFLE(rows[2], rows[3], 0, 4, 2, 6);
    lanes high23 = SHUFFLE(rows[2], rows[3], 1, 5, 3, 7);
    rows[0] = SHUFFLE(low01, low23, 0, 1, 4, 5);
    rows[1] = SHUFFLE(high01, high23, 0, 1, 4, 5);
    rows[2] = SHUFFLE(low01, low23, 2, 3, 6, 7);
    rows[3] = SHUFFLE(high01, high23, 2, 3, 6, 7);
}

/* A bit for each lane, the lowest for the first. */
static inline int bits_of(mask condition)
{
#if defined(__AVX__)
    return __builtin_ia32_movmskpd256((lanes)condition);
#else
    return (int)((condition[0] & 1) | (condition[1] & 2) | (condition[2] & 4) | (condition[3] & 8));
#endif
}

static inline int holds_anywhere(mask condition)
{
    return bits_of(condition) != 0;
}

/* The index of the first NaN if there is one, else of the first least number, as numpy's argmin. The numbers are sums of
 * squares: none is below zero, so that their sum is a NaN if and only if one of them is. `count` is a multiple of LANES.
 */
static inline int64_t first_least(const double *numbers, int64_t count)
{
    /* two chains: one comparison need not wait for the one before it */
    lanes even = load(numbers), odd = even, total = even;
    int64_t j = LANES;
    for (; j + LANES < count; j += 2 * LANES) {
        lanes next = load(numbers + j), after = load(numbers + j + LANES);
        even = lesser(next, even);
        odd = lesser(after, odd);
        total += next + after;
    }
    if (j < count) {
        lanes next = load(numbers + j);
        even = lesser(next, even);
        total += next;
    }
    even = lesser(odd, even);
    double sum = total[0] + total[1] + total[2] + total[3], least = even[0];
    for (int lane = 1; lane < LANES; lane++)
        least = even[lane] < least ? even[lane] : least;
    j = 0;
    if (sum != sum) {
        while (numbers[j] == numbers[j])
            j++;
        return j;
    }
    while (!holds_anywhere(equal(load(numbers + j), all_lanes(least))))
        j += LANES;
    while (numbers[j] != least)
        j++;
    return j;
}

#endif
