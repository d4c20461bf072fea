/* Numbers of twice the precision: the unevaluated sum of a double and of what rounding it left.
 *
 * Every operation is exact or correct to some 2^-104 of its result, without fused operations, for magnitudes between
 * 2^-900 and 2^900. Source: Dekker (1971), A floating-point technique for extending the available precision,
 * Numerische Mathematik 18; Knuth, The Art of Computer Programming 2, 4.2.2.
 */
#ifndef PULSE_DOUBLE_DOUBLE_H
#define PULSE_DOUBLE_DOUBLE_H

typedef struct {
    double high, low;
} dd;

/* The exact sum where |a| >= |b|. */
static inline dd dd_ordered_sum(double a, double b)
{
    double sum = a + b;
    return (dd){sum, b - (sum - a)};
}

/* The exact sum. */
static inline dd dd_sum(double a, double b)
{
    double sum = a + b, part = sum - a;
    return (dd){sum, (a - (sum - part)) + (b - part)};
}

/* The upper 26 bits. */
static inline double dd_upper_half(double a)
{
    double shifted = 0x1.0000002p27 * a;
    return shifted - (shifted - a);
}

/* The exact product. */
static inline dd dd_product(double a, double b)
{
    double product = a * b;
    double a1 = dd_upper_half(a), a2 = a - a1, b1 = dd_upper_half(b), b2 = b - b1;
    return (dd){product, ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2};
}

static inline dd dd_negative(dd a)
{
    return (dd){-a.high, -a.low};
}

static inline dd dd_add(dd a, dd b)
{
    dd high = dd_sum(a.high, b.high), low = dd_sum(a.low, b.low);
    high = dd_ordered_sum(high.high, high.low + low.high);
    return dd_ordered_sum(high.high, high.low + low.low);
}

static inline dd dd_subtract(dd a, dd b)
{
    return dd_add(a, dd_negative(b));
}

static inline dd dd_multiply(dd a, dd b)
{
    dd product = dd_product(a.high, b.high);
    return dd_ordered_sum(product.high, product.low + (a.high * b.low + a.low * b.high));
}

static inline dd dd_scale(double factor, dd a)
{
    dd product = dd_product(factor, a.high);
    return dd_ordered_sum(product.high, product.low + factor * a.low);
}

static inline dd dd_divide(dd a, dd b)
{
    double first = a.high / b.high;
    dd remainder = dd_subtract(a, dd_scale(first, b));
    double second = remainder.high / b.high;
    remainder = dd_subtract(remainder, dd_scale(second, b));
    dd quotient = dd_ordered_sum(first, second);
    return dd_ordered_sum(quotient.high, quotient.low + remainder.high / b.high);
}

#endif
