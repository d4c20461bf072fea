/* Special functions by + - * / and sqrt alone, so that they have the same bits on every machine.
 *
 * Logarithms are carried with twice the precision where they are multiplied by a shape: a shape of 1e7 takes seven
 * digits of a logarithm's sixteen. Arguments outside a function's domain give NaN.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "kernel.h"
#include "special.h"
#include "special_tables.h"

static const double HUGE_LOGIT = 1e5;
static const int MOST_FRACTIONS = 100000;
static const int MOST_STEPS = 200;

static uint64_t to_bits(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double from_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* The upper 26 bits: its square is exact, and so are its products with the table's short numbers. */
static double upper_half(double x)
{
    return from_bits(to_bits(x) & ~UINT64_C(0x7ffffff));
}

/* x 2^exponent, rounded once; the exponent lies within -2000 and 2000. */
static double scaled(double x, int64_t exponent)
{
    int64_t half = exponent >> 1;
    double first = from_bits((uint64_t)(half + 1023) << 52);
    double second = from_bits((uint64_t)(exponent - half + 1023) << 52);
    return x * first * second;
}

static double smaller(double a, double b)
{
    return a < b ? a : b;
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

/* Exponential and logarithm ------------------------------------------------------------------------------------- */

/* e^x = 2^exponent (high + low), to some 2^-61 of it; |x| at most 750. By a table of 2^(i/128): Tang (1989),
 * Table-driven implementation of the exponential function, ACM Transactions on Mathematical Software 15. */
static dd exp_parts(dd x, int64_t *exponent)
{
    int64_t step = (int64_t)(x.high * STEPS_PER_UNIT + (x.high < 0.0 ? -0.5 : 0.5));
    const double *power = EXP_TABLE[step & 127];
    dd rest = dd_sum(x.high - (double)step * STEP_HIGH, x.low - (double)step * STEP_LOW);
    double r = rest.high;
    double series = (1.0 / 2 + r * (1.0 / 6)) + r * r * ((1.0 / 24 + r * (1.0 / 120)) + r * r * (1.0 / 720));
    *exponent = step >> 7;
    return dd_ordered_sum(power[0], power[1] + power[0] * (r + (rest.low + r * r * series)));
}

static double exp_dd(dd x)
{
    int64_t exponent;
    dd value;
    if (isnan(x.high))
        return x.high;
    if (x.high > 710.0)
        return INFINITY;
    if (x.high < -746.0)
        return 0.0;
    value = exp_parts(x, &exponent);
    return scaled(value.high, exponent);
}

/* (log(1 + r) - r + r^2/2) / r^3, |r| < 1/127. */
static double log_series(double r)
{
    double r2 = r * r;
    double first = (1.0 / 3 - r * (1.0 / 4)) + r2 * (1.0 / 5 - r * (1.0 / 6));
    double second = (1.0 / 7 - r * (1.0 / 8)) + r2 * (1.0 / 9 - r * (1.0 / 10));
    return first + r2 * r2 * second;
}

/* log(2^exponent (1 + r) / entry[0]); the sums of large parts are exact, what rounding leaves joins the small ones. */
static dd log_sum(double exponent, const double *entry, dd r)
{
    double upper = upper_half(r.high), cube = r.high * r.high * r.high;
    dd base = dd_ordered_sum(exponent * LOG2_HIGH, entry[1]);
    dd line = dd_ordered_sum(r.high, -0.5 * upper * upper);
    dd total = dd_sum(base.high, line.high);
    double small = r.low * (1.0 - r.high * (1.0 - r.high)) - 0.5 * (r.high - upper) * (r.high + upper);
    small += (exponent * LOG2_LOW + entry[2]) + cube * log_series(r.high);
    return dd_ordered_sum(total.high, ((base.low + line.low) + total.low) + small);
}

/* log(x) of a positive number, to some 2^-74. By a table of log(z) near each of 128 z, Tang (1990), Table-driven
 * implementation of the logarithm function, ACM Transactions on Mathematical Software 16. */
static dd log_dd(dd x)
{
    int64_t shift = x.high < 0x1p-1022 ? 54 : 0;
    uint64_t bits = to_bits(shift ? x.high * 0x1p54 : x.high);
    int64_t offset = (int64_t)(bits - to_bits(0.6875)), exponent = offset >> 52;
    const double *entry = LOG_TABLE[(offset >> 45) & 127];
    double z = from_bits(bits - ((uint64_t)exponent << 52)), upper = upper_half(z);
    dd r = dd_sum(upper * entry[0] - 1.0, (z - upper) * entry[0]);
    if (x.low != 0.0)
        r = dd_sum(r.high, r.low + scaled(x.low, shift - exponent) * entry[0]);
    return log_sum((double)(exponent - shift), entry, r);
}

double special_exp(double x)
{
    return exp_dd((dd){x, 0.0});
}

double special_log(double x)
{
    if (isnan(x) || x == INFINITY)
        return x;
    if (x <= 0.0)
        return x == 0.0 ? -INFINITY : NAN;
    return log_dd((dd){x, 0.0}).high;
}

/* Gamma and beta functions -------------------------------------------------------------------------------------- */

/* log Gamma(z), z > 0, to some 1e-18 and 2^-100 of it: DLMF 5.11.1 from 24 on, 5.5.1 below. */
static dd log_gamma(dd z)
{
    dd product = {1.0, 0.0}, value;
    double inverse, sum = 0.0;
    while (z.high < 24.0) {
        product = dd_multiply(product, z);
        z = dd_add(z, (dd){1.0, 0.0});
    }
    inverse = 1.0 / z.high;
    for (int term = 7; term >= 0; term--)
        sum = STIRLING[term] + inverse * inverse * sum;
    value = dd_multiply(dd_add(z, (dd){-0.5, 0.0}), log_dd(z));
    value = dd_add(dd_subtract(value, z), dd_add(HALF_LOG_2PI, (dd){inverse * sum, 0.0}));
    return product.high == 1.0 && product.low == 0.0 ? value : dd_subtract(value, log_dd(product));
}

static dd log_beta(double a, double b)
{
    return dd_subtract(dd_add(log_gamma((dd){a, 0.0}), log_gamma((dd){b, 0.0})), log_gamma(dd_sum(a, b)));
}

/* log Gamma(1/2), as log_gamma has it. */
static const dd LOG_GAMMA_HALF = {0x1.250d048e7a1bdp-1, 0x1.58735ac005p-58};

/* log B(a, 1/2) of Student's t. */
static dd log_beta_half(double a)
{
    return dd_subtract(dd_add(log_gamma((dd){a, 0.0}), LOG_GAMMA_HALF), log_gamma(dd_sum(a, 0.5)));
}

/* Beyond these the fraction takes too long, or needs more digits than it has. */
static int is_shape(double a)
{
    return a >= 1e-3 && a <= 1e10;
}

/* x between 0 and 1 and y = 1 - x, each with its logarithm: none of the four can be had from another one. */
typedef struct {
    dd x, y, log_x, log_y;
} point;

static point between(dd x, dd y)
{
    return (point){x, y, log_dd(x), log_dd(y)};
}

static point mirrored(point at)
{
    return (point){at.y, at.x, at.log_y, at.log_x};
}

/* The continued fraction F of I_x(a, b) = x^a y^b / (B(a, b) F), `lead` = a y - b x not negative. The even part
 * of DLMF 8.17.22, as in Didonato & Morris (1992), Significant digit computation of the incomplete beta function
 * ratios, ACM Transactions on Mathematical Software 18, (9); Lentz's algorithm by Thompson & Barnett (1986), JCP 64. */
static double beta_fraction(double a, double b, double lead, double x)
{
    double value = a * (lead + 1.0) / (a + 1.0), c = value, d = 0.0;
    for (int m = 1; m < MOST_FRACTIONS; m++) {
        double before = a + 2.0 * m - 1.0, pair = m * (b - m) * x / before;
        double numerator = (a + m - 1.0) * (a + b + m - 1.0) * x / before * pair;
        double denominator = m + pair + (a + m) * (lead + 1.0 + m * (2.0 - x)) / (a + 2.0 * m + 1.0);
        d = 1.0 / (denominator + numerator * d);
        c = denominator + numerator / c;
        value *= c * d;
        if (fabs(c * d - 1.0) <= 0x1p-52)
            break;
    }
    return value;
}

/* I_x(a, b) and what is left of 1; the one that the fraction gives, `tail`, and its logarithm. */
typedef struct {
    double lower, upper, tail, fraction;
    dd log_tail;
    int is_lower;
} shares;

static shares beta_shares(double a, double b, dd log_beta_ab, point at)
{
    double lead = dd_subtract(dd_scale(a, at.y), dd_scale(b, at.x)).high;
    shares result = {.is_lower = lead >= 0.0};
    if (!result.is_lower) {
        double other = a;
        a = b, b = other, lead = -lead, at = mirrored(at);
    }
    result.fraction = beta_fraction(a, b, lead, at.x.high);
    result.log_tail = dd_subtract(dd_add(dd_scale(a, at.log_x), dd_scale(b, at.log_y)), log_beta_ab);
    result.log_tail = dd_subtract(result.log_tail, log_dd((dd){result.fraction, 0.0}));
    result.tail = exp_dd(result.log_tail);
    result.lower = result.is_lower ? result.tail : 1.0 - result.tail;
    result.upper = result.is_lower ? 1.0 - result.tail : result.tail;
    return result;
}

static shares beta_at(double a, double b, double x)
{
    if (!is_shape(a) || !is_shape(b) || isnan(x))
        return (shares){.lower = NAN, .upper = NAN};
    if (x <= 0.0 || x >= 1.0)
        return (shares){.lower = x >= 1.0, .upper = x <= 0.0};
    return beta_shares(a, b, log_beta(a, b), between((dd){x, 0.0}, dd_sum(1.0, -x)));
}

/* Quantiles ----------------------------------------------------------------------------------------------------- */

/* The point whose log(x / y) this is. */
static point from_logit(double logit)
{
    double size = fabs(logit);
    int64_t exponent = 0;
    dd ratio = {0.0, 0.0}, total, log_far;
    point at;
    if (size < 700.0) {
        ratio = exp_parts((dd){-size, 0.0}, &exponent);
        ratio = (dd){scaled(ratio.high, exponent), scaled(ratio.low, exponent)};
    }
    total = dd_add((dd){1.0, 0.0}, ratio);
    log_far = dd_negative(log_dd(total));
    at.x = dd_divide(ratio, total);
    at.y = dd_divide((dd){1.0, 0.0}, total);
    at.log_x = dd_add((dd){-size, 0.0}, log_far);
    at.log_y = log_far;
    return logit < 0.0 ? at : mirrored(at);
}

/* The normal quantile from the logarithm of the probability above it, to 4.5e-4: Abramowitz & Stegun 26.2.23. */
static double normal_upper_quantile(double log_above)
{
    double t = sqrt(-2.0 * log_above);
    return t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
}

/* Where to begin: Abramowitz & Stegun 26.5.22, or what one of the tails alone would give. */
static double logit_to_begin_with(double a, double b, double log_beta_ab, double log_p, double log_q)
{
    double mean = special_log(a / b), lower, upper;
    if (a > 1.0 && b > 1.0) {
        double z = log_p < log_q ? normal_upper_quantile(log_p) : -normal_upper_quantile(log_q);
        double u = 1.0 / (2.0 * a - 1.0), v = 1.0 / (2.0 * b - 1.0), h = 2.0 / (u + v), k = (z * z - 3.0) / 6.0;
        return mean - 2.0 * (z * sqrt(larger(h + k, 0.0)) / h - (v - u) * (k + 5.0 / 6.0 - 2.0 / (3.0 * h)));
    }
    lower = (log_p + special_log(a) + log_beta_ab) / a;
    upper = -(log_q + special_log(b) + log_beta_ab) / b;
    if (lower < mean)
        return larger(lower, -HUGE_LOGIT);
    return upper > mean ? smaller(upper, HUGE_LOGIT) : mean;
}

/* The logit of x where I_x(a, b) : 1 - I_x(a, b) = p : q, and the last `correction` to it. Newton's method on
 * log(I / (1 - I)) as a function of log(x / y), nearly straight in both tails; by halves where a step would leave the
 * interval that holds the root. */
static double beta_quantile_logit(double a, double b, double log_p, double log_q, double *correction)
{
    dd log_beta_ab = log_beta(a, b);
    double low = -HUGE_LOGIT, high = HUGE_LOGIT;
    double logit = logit_to_begin_with(a, b, log_beta_ab.high, log_p, log_q);
    for (int step = 0; step < MOST_STEPS; step++) {
        shares at = beta_shares(a, b, log_beta_ab, from_logit(logit));
        double odds = at.log_tail.high - log_dd(dd_sum(1.0, -at.tail)).high;
        double change = (log_p - log_q - (at.is_lower ? odds : -odds)) * (1.0 - at.tail) / at.fraction;
        *correction = change;
        if (fabs(change) < 1e-9)
            break;
        if (change > 0.0)
            low = logit;
        else
            high = logit;
        logit = logit + change > low && logit + change < high ? logit + change : 0.5 * (low + high);
    }
    return logit;
}

static double beta_quantile(double a, double b, double p)
{
    double logit, change;
    point at;
    if (!is_shape(a) || !is_shape(b) || !(p >= 0.0 && p <= 1.0))
        return NAN;
    if (p == 0.0 || p == 1.0)
        return p;
    logit = beta_quantile_logit(a, b, special_log(p), log_dd(dd_sum(1.0, -p)).high, &change);
    at = from_logit(logit);
    return at.x.high + (at.x.low + at.x.high * at.y.high * change);
}

/* Student's t and Kolmogorov's distribution --------------------------------------------------------------------- */

/* nu / (nu + t^2), t > 0. */
static point student_point(double nu, double t)
{
    dd square, total;
    if (t > 1e-100 && t < 1e100) {
        square = dd_product(t, t);
        total = dd_add((dd){nu, 0.0}, square);
        return between(dd_divide((dd){nu, 0.0}, total), dd_divide(square, total));
    }
    square = dd_subtract(log_dd((dd){nu, 0.0}), dd_scale(2.0, log_dd((dd){t, 0.0})));
    if (t < 1.0)
        return (point){{1.0, 0.0}, {exp_dd(dd_negative(square)), 0.0}, {0.0, 0.0}, dd_negative(square)};
    return (point){{exp_dd(square), 0.0}, {1.0, 0.0}, square, {0.0, 0.0}};
}

static int is_freedom(double nu)
{
    return nu >= 1e-2 && nu <= 1e15;
}

/* P(T <= t) = I_x(nu/2, 1/2) / 2 below 0, x = nu / (nu + t^2): DLMF 8.17.7 and Abramowitz & Stegun 26.7.1. `log_beta_nu`
 * is log B(nu/2, 1/2). */
static double student_t_cdf(double nu, double t, dd log_beta_nu)
{
    double tail;
    if (!is_freedom(nu) || isnan(t))
        return NAN;
    if (t == 0.0)
        return 0.5;
    tail = isinf(t) ? 0.0 : 0.5 * beta_shares(0.5 * nu, 0.5, log_beta_nu, student_point(nu, fabs(t))).lower;
    return t < 0.0 ? tail : 1.0 - tail;
}

static const double ROOT_PI = 1.772453850905516;

/* Gamma(x + 1/2) / Gamma(x), x at least 1/2: from 10 on by Stirling's series (DLMF 5.11.8), whose odd terms alone remain. */
static double gamma_half_step(double x)
{
    double factor = 1.0;
    for (; x < 10.0; x += 1.0)
        factor *= x / (x + 0.5);
    double inverse = 1.0 / x, square = inverse * inverse;
    double sum = 31.0 / 18432.0;
    sum = 17.0 / 14336.0 - square * sum;
    sum = 1.0 / 640.0 - square * sum;
    sum = 1.0 / 192.0 - square * sum;
    sum = 1.0 / 8.0 - square * sum;
    return factor * sqrt(x) * special_exp(-inverse * sum);
}

void special_student(struct student *of, double freedom)
{
    *of = (struct student){freedom, gamma_half_step(0.5 * freedom) / (ROOT_PI * sqrt(freedom)), {NAN, 0.0}};
}

/* About the middle the distribution is 1/2 + t density (1 + t^2/nu)^(-(nu+1)/2) F(1, (nu+1)/2; 3/2; y), y = t^2/(nu + t^2),
 * whose terms are all positive: the density's power series, integrated and transformed by DLMF 15.8.1. Elsewhere as
 * above. In one piece (flatten): points and shares then need not pass through memory. */
__attribute__((flatten)) double special_t_cdf(struct student *of, double t)
{
    double nu = of->freedom, square = t * t, order = 0.5 * (nu + 1.0), y = square / (nu + square), term = 1.0, sum = 1.0;
    if (!(t >= -1.5 && t <= 6.0 && square <= nu)) {
        if (isnan(of->log_beta[0])) {
            dd log_beta_nu = log_beta_half(0.5 * nu);
            of->log_beta[0] = log_beta_nu.high, of->log_beta[1] = log_beta_nu.low;
        }
        return student_t_cdf(nu, t, (dd){of->log_beta[0], of->log_beta[1]});
    }
    for (double k = 0.0; term > 0x1p-54 * sum; k += 1.0) {
        term = term * ((order + k) * y / (1.5 + k));
        sum = sum + term;
    }
    return 0.5 + t * of->density * special_exp(-order * special_log(1.0 + square / nu)) * sum;
}

static double student_t_quantile(double nu, double p)
{
    double tail = p < 0.5 ? p : 1.0 - p, logit, change, size;
    if (!is_freedom(nu) || !(p >= 0.0 && p <= 1.0))
        return NAN;
    if (p == 0.5)
        return 0.0;
    if (tail == 0.0)
        return p == 0.0 ? -INFINITY : INFINITY;
    double log_other = log_dd(dd_sum(1.0, -2.0 * tail)).high;
    logit = beta_quantile_logit(0.5 * nu, 0.5, special_log(2.0 * tail), log_other, &change);
    size = sqrt(nu) * special_exp(-0.5 * (logit + change));
    return p < 0.5 ? -size : size;
}

/* P(K > x) = 2 (q - q^4 + q^9 - ...), q = exp(-2 x^2); below 0.8 by Jacobi's transformation of 1 minus it:
 * Marsaglia, Tsang & Wang (2003), Evaluating Kolmogorov's distribution, Journal of Statistical Software 8 (18). */
static double kolmogorov_sf(double x)
{
    dd square = dd_product(x, x), exponent;
    double sum = 0.0;
    if (isnan(x) || x < 0.03)
        return isnan(x) ? x : 1.0;
    if (x > 20.0)
        return 0.0;
    if (x < 0.8) {
        exponent = dd_divide((dd){-PI_SQUARED_EIGHTH_HIGH, -PI_SQUARED_EIGHTH_LOW}, square);
        for (int k = 9; k > 0; k -= 2)
            sum += exp_dd(dd_scale(k * k, exponent));
        return 1.0 - ROOT_2PI / x * sum;
    }
    for (int k = 6; k > 0; k--)
        sum = exp_dd(dd_scale(-2.0 * k * k, square)) - sum;
    return 2.0 * sum;
}

/* Elementwise over arrays of `count` ---------------------------------------------------------------------------- */

PULSE_EXPORT void pulse_exp(int64_t count, const double *x, double *result)
{
    for (int64_t i = 0; i < count; i++)
        result[i] = special_exp(x[i]);
}

PULSE_EXPORT void pulse_log(int64_t count, const double *x, double *result)
{
    for (int64_t i = 0; i < count; i++)
        result[i] = special_log(x[i]);
}

PULSE_EXPORT void pulse_log_beta(int64_t count, const double *a, const double *b, double *result)
{
    for (int64_t i = 0; i < count; i++)
        result[i] = is_shape(a[i]) && is_shape(b[i]) ? log_beta(a[i], b[i]).high : NAN;
}

PULSE_EXPORT void pulse_beta_cdf(int64_t count, const double *a, const double *b, const double *x, double *result)
{
    for (int64_t i = 0; i < count; i++)
        result[i] = beta_at(a[i], b[i], x[i]).lower;
}

PULSE_EXPORT void pulse_beta_sf(int64_t count, const double *a, const double *b, const double *x, double *result)
{
    for (int64_t i = 0; i < count; i++)
        result[i] = beta_at(a[i], b[i], x[i]).upper;
}

PULSE_EXPORT void pulse_beta_quantile(int64_t count, const double *a, const double *b, const double *p, double *result)
{
    for (int64_t i = 0; i < count; i++)
        result[i] = beta_quantile(a[i], b[i], p[i]);
}

/* Neighbours often share their degrees of freedom, of which log B(nu/2, 1/2) takes much of the time. */
PULSE_EXPORT void pulse_student_t_cdf(int64_t count, const double *nu, const double *t, double *result)
{
    dd log_beta_nu = {NAN, 0.0};
    for (int64_t i = 0; i < count; i++) {
        if ((i == 0 || nu[i] != nu[i - 1]) && is_freedom(nu[i]))
            log_beta_nu = log_beta_half(0.5 * nu[i]);
        result[i] = student_t_cdf(nu[i], t[i], log_beta_nu);
    }
}

PULSE_EXPORT void pulse_student_t_quantile(int64_t count, const double *nu, const double *p, double *result)
{
    for (int64_t i = 0; i < count; i++)
        result[i] = student_t_quantile(nu[i], p[i]);
}

PULSE_EXPORT void pulse_kolmogorov_sf(int64_t count, const double *x, double *result)
{
    for (int64_t i = 0; i < count; i++)
        result[i] = kolmogorov_sf(x[i]);
}
