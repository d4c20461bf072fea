"""The kernel's special functions, held to mpmath, to scipy, and to what must be true of any distribution."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
import scipy.special
from hypothesis import assume, example, given
from hypothesis import strategies as st

from pulse_core.kernel import special
from tests.unit.kernel import exact
from tests.unit.kernel.passes import bits
from tools import special_tables

PRECISION = 1e-12
SMALLEST = 5e-324

shapes = st.floats(math.log(0.05), math.log(1e6)).map(math.exp)
freedoms = st.floats(math.log(0.5), math.log(1e7)).map(math.exp)
probabilities = st.one_of(st.floats(1e-300, 1 - 1e-12), st.floats(-600, 0).map(math.exp).filter(lambda p: p < 1))


def most_units_in_the_last_place(computed, function, x) -> float:
    """How far numbers are at most from those of an exact function, in steps between floats there."""
    exact_values = [function(mpmath.mpf(at)) for at in x.tolist()]
    pairs = zip(computed.tolist(), exact_values, strict=True)
    return max(float(abs(value - expected) / math.ulp(float(expected))) for value, expected in pairs)


def relative_error(computed, expected) -> float:
    """0 where the exact number is too small to have a float with all its digits."""
    return 0.0 if abs(expected) < 1e-300 else float(abs(mpmath.mpf(float(computed)) / expected - 1))


@pytest.fixture(autouse=True)
def fifty_digits():
    with mpmath.workdps(50):
        yield


def test_the_tables_are_those_that_mpmath_gives():
    assert special_tables.HEADER.read_text() == special_tables.text()


# exponential and logarithm


@pytest.mark.parametrize(
    ("low", "high", "units"), [(-1e-9, 1e-9, 0.51), (-1, 1, 0.51), (-708, 709.78, 0.51), (-745.2, -708, 1.0)]
)
def test_exp_is_within_a_unit_in_the_last_place(low, high, units):
    x = np.concatenate([np.linspace(low, high, 1000), np.random.default_rng(1).uniform(low, high, 1000)])
    assert most_units_in_the_last_place(special.exp(x), mpmath.exp, x) <= units


@pytest.mark.parametrize(("low", "high"), [(-744, 709), (-1, 1), (-1e-3, 1e-3), (-1e-12, 1e-12)])
def test_log_is_within_half_a_unit_in_the_last_place(low, high):
    x = np.exp(np.concatenate([np.linspace(low, high, 1000), np.random.default_rng(2).uniform(low, high, 1000)]))
    assert most_units_in_the_last_place(special.log(x), mpmath.log, x) <= 0.51


def test_log_is_exact_enough_on_either_side_of_every_interval_of_its_table():
    ends = np.array([float(special_tables.interval(index)[0]) for index in range(special_tables.INTERVALS)])
    x = np.concatenate([np.nextafter(ends, 0), ends, np.nextafter(ends, 2)])
    assert most_units_in_the_last_place(special.log(x), mpmath.log, x) <= 0.51


@pytest.mark.parametrize(
    ("x", "expected"),
    [(math.inf, math.inf), (-math.inf, 0), (0, 1), (-0.0, 1), (1e300, math.inf), (-1e300, 0), (709.79, math.inf)],
)
def test_exp_of_extremes(x, expected):
    assert special.exp(x) == expected


def test_exp_reaches_the_smallest_and_the_largest_number():
    assert special.exp(-745.13) == SMALLEST
    assert special.exp(-745.14) == 0.0
    assert special.exp(709.782712893384) == pytest.approx(1.797693134862273e308, rel=1e-12)
    assert math.isnan(special.exp(math.nan))


def test_log_of_extremes():
    assert special.log([math.inf, 0.0, -0.0, 1.0]).tolist() == [math.inf, -math.inf, -math.inf, 0.0]
    assert special.log(SMALLEST) == math.log(SMALLEST)
    assert np.isnan(special.log([math.nan, -1.0, -math.inf])).all()


@given(st.floats(1e-307, 1e300))
def test_exp_undoes_log(x):
    assert special.exp(special.log(x)) == pytest.approx(x, rel=2e-13)


@given(st.floats(-700, 700), st.floats(0, 1))
def test_exp_does_not_fall(x, step):
    assert special.exp(x) <= special.exp(x + step)


# the beta distribution

CORNERS = [
    (0.05, 0.05, 0.3), (0.05, 1e6, 1e-6), (1e6, 0.05, 1 - 1e-6), (1e6, 1e6, 0.5), (1e6, 1e6, 0.4998), (1e6, 1e6, 0.51),
    (1, 1, 0.25), (1, 1e6, 1e-5), (1e6, 1, 0.9999), (0.5, 0.5, 1e-300), (2, 3, 0.999999999), (5000, 1, 0.5),
    (1, 5000, 0.5), (2501, 2400, 0.5), (300, 20, 0.5), (1e6, 3, 0.99), (0.05, 7, 1e-200), (30, 1e6, 3e-5), (7, 7, 1e-9),
]  # fmt: skip


def drawn_beta_arguments() -> list[tuple[float, float, float]]:
    """Shapes over their whole range, x up to 20 standard deviations of the logit from the mean."""
    random = np.random.default_rng(3)
    a, b = np.exp(random.uniform(math.log(0.05), math.log(1e6), (2, 120)))
    logit = np.log(a / b) + random.uniform(-20, 20, 120) / np.sqrt(a * b / (a + b))
    return [tuple(row) for row in np.stack([a, b, 1 / (1 + np.exp(-logit))], axis=1).tolist() if 0 < row[2] < 1]


@pytest.mark.parametrize("arguments", [CORNERS, drawn_beta_arguments()], ids=["corners", "drawn"])
def test_both_tails_of_the_beta_distribution_are_exact_to_twelve_digits(arguments):
    for a, b, x in arguments:
        lower, upper = exact.beta(a, b, x)
        assert relative_error(special.beta_cdf(a, b, x), lower) < PRECISION, (a, b, x)
        assert relative_error(special.beta_sf(a, b, x), upper) < PRECISION, (a, b, x)


def test_log_beta_is_exact_to_twelve_digits():
    random = np.random.default_rng(4)
    pairs = [*np.exp(random.uniform(math.log(0.05), math.log(1e6), (300, 2))).tolist(), [1, 1], [1e6, 1e6], [24, 23.9]]
    for a, b in pairs:
        expected = exact.log_beta(mpmath.mpf(a), mpmath.mpf(b))
        assert abs(special.log_beta(a, b) - float(expected)) <= 1e-18 + PRECISION * abs(float(expected)), (a, b)


def test_beta_functions_equal_those_of_scipy_where_outcomes_lead():
    random = np.random.default_rng(5)
    a, b, x = random.uniform(1, 5000, 2000), random.uniform(1, 5000, 2000), random.uniform(0, 1, 2000)
    np.testing.assert_allclose(special.beta_cdf(a, b, x), scipy.special.betainc(a, b, x), rtol=1e-11, atol=1e-290)
    np.testing.assert_allclose(special.beta_sf(a, b, x), scipy.special.betaincc(a, b, x), rtol=1e-11, atol=1e-290)
    np.testing.assert_allclose(special.log_beta(a, b), scipy.special.betaln(a, b), rtol=1e-12)
    np.testing.assert_allclose(special.beta_quantile(a, b, x), scipy.special.betaincinv(a, b, x), rtol=1e-12)


def test_beta_quantiles_are_exact_to_twelve_digits():
    random = np.random.default_rng(6)
    shape_a, shape_b = np.exp(random.uniform(math.log(0.05), math.log(1e6), (2, 100)))
    share = np.where(random.uniform(size=100) < 0.5, random.uniform(size=100), np.exp(random.uniform(-40, 0, 100)))
    for a, b, p in np.stack([shape_a, shape_b, share], axis=1).tolist():
        x = float(special.beta_quantile(a, b, p))
        if 1e-300 < x < 1:
            lower, upper = exact.beta(a, b, x)
            mistaken = lower - mpmath.mpf(p)
            error = abs(mistaken) / exact.beta_density(a, b, x)
            assert error < PRECISION * x or upper < 1e-15, (a, b, p)


@given(shapes, shapes, probabilities)
def test_the_beta_distribution_undoes_its_quantile(a, b, p):
    x = special.beta_quantile(a, b, p)
    assume(1e-300 < x < 1 - 1e-9)
    # a rounded x leaves the probability no more exact than the distribution is steep
    steep = 1 + float(exact.beta_density(a, b, float(x))) * x / p
    assert special.beta_cdf(a, b, x) == pytest.approx(p, rel=PRECISION * steep)


@given(shapes, shapes, st.floats(0, 1))
@example(math.exp(0.5), math.exp(0.5), 0.5)
def test_the_tails_of_the_beta_distribution_add_up_and_mirror_each_other(a, b, x):
    assert special.beta_cdf(a, b, x) + special.beta_sf(a, b, x) == pytest.approx(1.0, rel=PRECISION)
    if 1 - (1 - x) == x:
        # at the border of the two sums that are used, each side takes the other one
        assert special.beta_cdf(a, b, x) == pytest.approx(special.beta_sf(b, a, 1 - x), rel=PRECISION)


@given(shapes, shapes, st.floats(0, 1), st.floats(0, 1))
def test_the_beta_distribution_does_not_fall(a, b, first, second):
    low, high = special.beta_cdf(a, b, sorted([first, second]))
    assert low <= high * (1 + PRECISION)


@given(shapes, shapes, probabilities, probabilities)
def test_beta_quantiles_do_not_cross(a, b, first, second):
    low, high = special.beta_quantile(a, b, sorted([first, second]))
    assert low <= high * (1 + PRECISION)


def test_ends_of_the_beta_distribution():
    assert special.beta_cdf(2, 3, [-1, 0, 1, 2]).tolist() == [0, 0, 1, 1]
    assert special.beta_sf(2, 3, [-1, 0, 1, 2]).tolist() == [1, 1, 0, 0]
    assert special.beta_quantile(2, 3, [0, 1]).tolist() == [0, 1]
    assert special.beta_quantile(0.05, 0.05, 1e-300) == 0
    assert special.beta_quantile(1e6, 1e6, SMALLEST) > 0.4


@pytest.mark.parametrize("shape", [0.0, -1.0, 9.9e-4, 1.1e10, math.inf, math.nan])
def test_shapes_outside_the_domain_give_nan(shape):
    for a, b in ((shape, 2.0), (2.0, shape)):
        for function in (special.beta_cdf, special.beta_sf, special.beta_quantile):
            assert math.isnan(function(a, b, 0.5))
        assert math.isnan(special.log_beta(a, b))


@pytest.mark.parametrize("p", [-1e-9, 1.000001, math.nan])
def test_what_is_no_probability_has_no_quantile(p):
    assert math.isnan(special.beta_quantile(2, 3, p))
    assert math.isnan(special.student_t_quantile(3, p))


# Student's t


def drawn_student_arguments() -> list[tuple[float, float]]:
    """Degrees of freedom over their whole range; t up to 30, and far beyond where they are few."""
    random = np.random.default_rng(7)
    nu = np.exp(random.uniform(math.log(0.5), math.log(1e7), 150))
    t = np.exp(random.uniform(-12, np.where(nu < 30, 60, 3.4))) * random.choice([-1, 1], 150)
    return list(zip(nu.tolist(), t.tolist(), strict=True))


STUDENT_CORNERS = [
    (0.5, -1e120), (1, -1e200), (0.5, 1e-120), (1e7, -30), (1e7, -1e-6), (1e7, -1), (1, -1), (2, 3), (4, -1e99),
]  # fmt: skip


@pytest.mark.parametrize("arguments", [STUDENT_CORNERS, drawn_student_arguments()], ids=["corners", "drawn"])
def test_students_distribution_is_exact_to_twelve_digits(arguments):
    for nu, t in arguments:
        assert relative_error(special.student_t_cdf(nu, t), exact.student_t(nu, t)) < PRECISION, (nu, t)


def test_students_quantiles_are_exact_to_twelve_digits():
    random = np.random.default_rng(8)
    nu = np.exp(random.uniform(math.log(0.5), math.log(1e7), 100))
    p = np.where(random.uniform(size=100) < 0.5, random.uniform(size=100), np.exp(random.uniform(-40, 0, 100)))
    for arguments in [*np.stack([nu, p], axis=1).tolist(), (1, 1e-100), (0.5, 1e-100), (3, 0.5 - 1e-9)]:
        t = float(special.student_t_quantile(*arguments))
        mistaken = exact.student_t(arguments[0], t) - mpmath.mpf(arguments[1])
        assert abs(mistaken) / exact.student_t_density(arguments[0], t) < PRECISION * abs(t), arguments


def test_students_functions_equal_those_of_scipy_where_tests_are_made():
    random = np.random.default_rng(9)
    nu, t, p = random.integers(1, 20000, 2000), random.uniform(-8, 8, 2000), random.uniform(0, 1, 2000)
    np.testing.assert_allclose(special.student_t_cdf(nu, t), scipy.special.stdtr(nu, t), rtol=1e-11)
    np.testing.assert_allclose(special.student_t_quantile(nu, p), scipy.special.stdtrit(nu, p), rtol=1e-10, atol=1e-12)


@given(freedoms, st.floats(-30, 30), st.floats(-30, 30))
def test_students_distribution_does_not_fall(nu, first, second):
    low, high = special.student_t_cdf(nu, sorted([first, second]))
    assert low <= high * (1 + PRECISION)


@given(freedoms, st.floats(-600, math.log(0.49)).map(math.exp))
def test_students_distribution_undoes_its_quantile(nu, p):
    t = special.student_t_quantile(nu, p)
    assume(abs(t) < 1e300)
    steep = 1 + float(exact.student_t_density(nu, float(t))) * abs(t) / p
    assert special.student_t_cdf(nu, t) == pytest.approx(p, rel=PRECISION * steep)
    assert special.student_t_cdf(nu, t) + special.student_t_cdf(nu, -t) == pytest.approx(1.0, rel=1e-13)


def test_ends_of_students_distribution():
    assert special.student_t_cdf(3, [-math.inf, 0.0, -0.0, math.inf]).tolist() == [0, 0.5, 0.5, 1]
    assert special.student_t_quantile(3, [0, 0.5, 1]).tolist() == [-math.inf, 0, math.inf]
    assert special.student_t_quantile(7, 0.975) == -special.student_t_quantile(7, 1 - 0.975)


@pytest.mark.parametrize("nu", [0.0, -1.0, 0.0099, 1.1e15, math.inf, math.nan])
def test_degrees_of_freedom_outside_the_domain_give_nan(nu):
    assert math.isnan(special.student_t_cdf(nu, 1.0))
    assert math.isnan(special.student_t_quantile(nu, 0.1))


# Kolmogorov's distribution


@given(
    st.lists(st.tuples(st.sampled_from([0.7, 2.0, 3.5, 200.0, 1e6, -1.0, math.nan, math.inf]), st.floats()), min_size=1)
)
def test_students_distribution_has_the_bits_of_each_alone_whoever_stands_beside_it(arguments):
    nu, t = np.array(arguments).T
    alone = [special.student_t_cdf(*pair).item() for pair in arguments]
    assert bits(special.student_t_cdf(nu, t)) == bits(alone)


def test_kolmogorovs_distribution_is_exact_to_fifteen_digits():
    for x in [*np.linspace(0.031, 2, 150).tolist(), *np.linspace(2, 18.5, 50).tolist(), 0.8, math.nextafter(0.8, 0)]:
        assert relative_error(special.kolmogorov_sf(x), exact.kolmogorov(x)) < 1e-15, x


def test_ends_of_kolmogorovs_distribution():
    assert special.kolmogorov_sf([-math.inf, -1, 0, 0.02, 25, math.inf]).tolist() == [1, 1, 1, 1, 0, 0]
    assert math.isnan(special.kolmogorov_sf(math.nan))


# arrays


def test_arguments_broadcast_and_need_not_lie_in_order():
    a = np.array([[1.0, 2.0], [3.0, 4.0]]).T
    values = special.beta_cdf(a, 2, [0.25, 0.5])
    assert values.shape == (2, 2)
    assert values[0, 1] == special.beta_cdf(3.0, 2.0, 0.5)
    assert special.log(2.0).shape == ()
    assert special.log([]).shape == (0,)
