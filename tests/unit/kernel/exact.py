"""Distributions in mpmath, by series of positive terms, with as many digits as their cancellation takes."""

from __future__ import annotations

from mpmath import exp, log, log1p, loggamma, mp, mpf, pi, sqrt

BITS = 1300


def log_beta(a: mpf, b: mpf) -> mpf:
    return loggamma(a) + loggamma(b) - loggamma(a + b)


def beta(a: float, b: float, x: float) -> tuple[mpf, mpf]:
    """I_x(a, b) and 1 - I_x(a, b)."""
    with mp.workprec(BITS):
        if x <= 0.5:
            lower = _beta_series(mpf(a), mpf(b), mpf(x))
            return lower, 1 - lower
        upper = _beta_series(mpf(b), mpf(a), 1 - mpf(x))
        return 1 - upper, upper


def beta_density(a: float, b: float, x: float) -> mpf:
    with mp.workprec(200):
        a, b, x = mpf(a), mpf(b), mpf(x)
        return exp((a - 1) * log(x) + (b - 1) * log1p(-x) - log_beta(a, b))


def student_t(nu: float, t: float) -> mpf:
    """P(T <= t)."""
    with mp.workprec(BITS):
        nu, t = mpf(nu), mpf(t)
        x, y = nu / (nu + t * t), t * t / (nu + t * t)
        both = _beta_series(nu / 2, mpf(0.5), x) if x <= 0.5 else 1 - _beta_series(mpf(0.5), nu / 2, y)
        return both / 2 if t < 0 else 1 - both / 2


def student_t_density(nu: float, t: float) -> mpf:
    with mp.workprec(200):
        nu, t = mpf(nu), mpf(t)
        return exp(-log_beta(nu / 2, mpf(0.5)) - log(nu) / 2 - (nu + 1) / 2 * log1p(t * t / nu))


def kolmogorov(x: float) -> mpf:
    """P(K > x)."""
    with mp.workprec(400):
        x = mpf(x)
        if x > 1:
            return 2 * sum((-1) ** (k - 1) * exp(-2 * k * k * x * x) for k in range(1, 20))
        return 1 - sqrt(2 * pi) / x * sum(exp(-((k * pi / x) ** 2) / 8) for k in range(1, 20, 2))


def _beta_series(a: mpf, b: mpf, x: mpf) -> mpf:
    """DLMF 8.17.8."""
    term = total = mpf(1)
    index = 0
    while term > total * mp.eps:
        term = term * (a + b + index) / (a + 1 + index) * x
        total += term
        index += 1
    return exp(a * log(x) + b * log1p(-x) - log(a) - log_beta(a, b)) * total
