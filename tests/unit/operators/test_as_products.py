"""What users give as a matrix of any shape, with its transpose."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from hessx._xp import space_of
from hessx.operators import as_products


def test_products_with_a_matrix_and_its_transpose(backend, data):
    """Of shape (3, 4): an array, an operator, an object of neither."""

    class Object:
        def matvec(self, v):
            return data.xA @ v

        def rmatvec(self, u):
            return data.xA.T @ u

    u, v = backend.asarray([1.0, -2.0, 3.0]), data.xd
    for given in (data.xA, hessx.DenseOperator(data.xA), Object()):
        matvec, rmatvec = as_products(space_of(u), given, "A", 4)
        for product, expected in (
            (matvec(v), data.A @ data.d),
            (rmatvec(u), data.A.T @ [1, -2, 3]),
        ):
            backend.assert_same_kind(product, backend.asarray(expected))
            np.testing.assert_allclose(
                backend.to_numpy(product), expected, atol=100 * backend.eps * abs(data.A).max()
            )
    for given in (data.xA, hessx.DenseOperator(data.xA)):
        with pytest.raises(ValueError, match=r"A has shape \(3, 4\): expected \(3, 3\)"):
            as_products(space_of(u), given, "A", 3)
        with pytest.raises(ValueError, match=r"A has shape \(3, 4\): expected \(4, n\)"):
            as_products(space_of(v), given, "A")
    with pytest.raises(TypeError, match=r"A is a function: expected an array of shape .* rmatvec"):
        as_products(space_of(u), lambda v: v, "A")


def test_an_operator_elsewhere_has_no_products_here(backend, data):
    here = backend.family == "numpy" and backend.dtype_name == "float64"
    elsewhere = np.float32 if here else np.float64
    operator = hessx.DenseOperator(data.A.astype(elsewhere))
    with pytest.raises(TypeError, match=r"the operators hold arrays of .* and of numpy"):
        as_products(space_of(backend.asarray(np.ones(3))), operator, "A")
