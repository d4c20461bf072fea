"""The bits that every build of the kernel gives, on every machine."""

from __future__ import annotations

import hashlib

import numpy as np

from pulse_core.kernel import special


def test_every_build_gives_these_bits_of_special_functions():
    random = np.random.default_rng(10)
    u = random.uniform(size=(5, 500))
    a, b, nu = 1 + 5000 * u[0], 1 + 5000 * u[1] * u[1], 1 + 20000 * u[2]
    values = [
        special.exp(700 * (u[0] - u[1])), special.log(u[0] / u[1]), special.log_beta(a, b),
        special.beta_cdf(a, b, u[3]), special.beta_sf(a, b, u[3]), special.beta_quantile(a, b, u[3]),
        special.student_t_cdf(nu, 20 * u[4] - 15),
        special.student_t_quantile(nu, u[4]), special.kolmogorov_sf(3 * u[4]),
    ]  # fmt: skip
    assert hashlib.sha256(np.concatenate(values).astype("<f8").tobytes()).hexdigest()[:16] == "400fef483cabdb24"
