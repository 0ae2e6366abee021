"""Vectors that Newton's methods hold, as NumPy reports its memory, beside their bound."""

import tracemalloc

import numpy as np
import pytest

import hessx

N = 2**19
WORK = 0.3  # a block of 2^17 entries, and what is small


@pytest.mark.parametrize(
    ("method", "max_inner", "most"),
    [
        ("newton-cg", None, 13), ("newton-cg", 2, 14),
        ("trust-ncg", None, 10), ("trust-ncg", 2, 13),
        ("trust-krylov", None, hessx.GLTR().max_basis + 11),
    ],
)  # fmt: skip
def test_vectors_beside_x0(method, max_inner, most):
    """Short solves set the learning of a diagonal off; each step is accepted or rejected."""
    D, x0 = np.linspace(1.0, 1e2, N), np.linspace(-0.1, 0.2, N)

    def fun(x):  # sum D (x^4 / 4 - x^2 / 2)
        g = x * x
        value = 0.25 * float(np.einsum("i,i,i", D, g, g)) - 0.5 * float(D @ g)
        g -= 1.0
        g *= x
        g *= D
        return value, g

    def hessp(x, v):
        Hv = x * x
        Hv *= 3.0
        Hv -= 1.0
        Hv *= D
        Hv *= v
        return Hv

    options = {"maxiter": 30, "gtol": 1e-10, "max_inner": max_inner}
    tracemalloc.start()
    try:
        hessx.minimize(fun, x0, jac=True, hessp=hessp, method=method, options=options)
        assert tracemalloc.get_traced_memory()[1] <= (most + WORK) * x0.nbytes
    finally:
        tracemalloc.stop()
