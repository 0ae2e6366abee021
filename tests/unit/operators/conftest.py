"""Operators of every kind beside their dense matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import hessx
from hessx._xp import space_of
from hessx.operators import SparseOperator, as_operator

m, n, k = 3, 4, 2


class Data:
    """Matrices on the host, exact in float32, and the same on a backend."""

    def __init__(self, backend: Any) -> None:
        rng = np.random.default_rng(5)
        self.backend = backend
        for name, shape in {
            "A": (m, n), "B": (m, n), "M": (n, n), "d": (n,), "U": (n, k), "W": (m, k),
            "C": (k, k), "c": (k,),
        }.items():  # fmt: skip
            self._put(name, rng.standard_normal(shape))
        self._put("S", self.M + self.M.T)
        self._put("G", self.C + self.C.T)
        self._put("P", self.A * (np.abs(self.A) > 0.5))
        self._put("Q", self.S * (np.abs(self.S) > 0.7))

    def _put(self, name: str, host: np.ndarray) -> None:
        host = np.asarray(host, dtype="float32").astype(float)
        setattr(self, name, host)
        setattr(self, f"x{name}", self.backend.asarray(host))


def functions(matrix: Any, **settings: Any) -> hessx.LinearOperator:
    """A and A' as functions of one vector."""
    return hessx.LinearOperator(
        tuple(matrix.shape), lambda v: matrix @ v, lambda u: u @ matrix, **settings
    )


def of_stacks(matrix: Any) -> hessx.LinearOperator:
    """A and A' as functions of the last axis."""
    return hessx.LinearOperator(
        tuple(matrix.shape), lambda v: v @ matrix.T, lambda u: u @ matrix, stacks=True
    )


def given(o: Data, form: Any) -> hessx.LinearOperator:
    """A user's Hessian at an x of shape (2, 2)."""
    return as_operator(space_of(o.backend.asarray(np.ones((2, 2)))), form, "hess(x)")


def sparse(o: Data, name: str, **settings: Any) -> hessx.LinearOperator:
    """The entries of a matrix that are not zero."""
    pattern = hessx.Pattern.of(getattr(o, name))
    values = o.backend.asarray(getattr(o, name)[pattern.rows, pattern.indices])
    space = space_of(o.backend.asarray(np.zeros(pattern.shape[1])))
    return SparseOperator(space, pattern, values, **settings)


def deep(o: Data) -> hessx.LinearOperator:
    """All of the algebra at once."""
    outer = hessx.LowRankOperator(o.xU, o.xc)
    inner = functions(o.xA).T @ hessx.DenseOperator(o.xB)
    return (2.0 * hessx.DiagonalOperator(o.xd) - inner + outer @ functions(o.xM)).shift(0.5).T


dense, low_rank = hessx.DenseOperator, hessx.LowRankOperator
OPERATORS: dict[str, tuple[Callable[[Data], Any], Callable[[Data], np.ndarray]]] = {
    "identity": (lambda o: hessx.IdentityOperator(n), lambda o: np.eye(n)),
    "diagonal": (lambda o: hessx.DiagonalOperator(o.xd), lambda o: np.diag(o.d)),
    "dense": (lambda o: dense(o.xA), lambda o: o.A),
    "dense symmetric": (lambda o: dense(o.xS, symmetric=True), lambda o: o.S),
    "dense square": (lambda o: dense(o.xM), lambda o: o.M),
    "U U'": (lambda o: low_rank(o.xU), lambda o: o.U @ o.U.T),
    "U G U'": (lambda o: low_rank(o.xU, o.xG), lambda o: o.U @ o.G @ o.U.T),
    "U diag(c) U'": (lambda o: low_rank(o.xU, o.xc), lambda o: o.U * o.c @ o.U.T),
    "W C U'": (lambda o: low_rank(o.xW, o.xC, o.xU), lambda o: o.W @ o.C @ o.U.T),
    "W diag(c) U'": (lambda o: low_rank(o.xW, o.xc, o.xU), lambda o: o.W * o.c @ o.U.T),
    "U C U'": (lambda o: low_rank(o.xU, o.xC, o.xU), lambda o: o.U @ o.C @ o.U.T),
    "sparse": (lambda o: sparse(o, "P"), lambda o: o.P),
    "sparse symmetric": (lambda o: sparse(o, "Q", symmetric=True), lambda o: o.Q),
    "sparse square": (lambda o: sparse(o, "Q").T, lambda o: o.Q),
    "functions": (lambda o: functions(o.xA), lambda o: o.A),
    "functions of stacks": (lambda o: of_stacks(o.xA), lambda o: o.A),
    "function": (
        lambda o: hessx.LinearOperator((m, n), lambda v: o.xA @ v),
        lambda o: o.A,
    ),
    "symmetric function": (
        lambda o: hessx.LinearOperator(
            (n, n), lambda v: o.xd * v, diagonal=o.xd, symmetric=True, stacks=True
        ),
        lambda o: np.diag(o.d),
    ),
    "transpose": (lambda o: functions(o.xA).T, lambda o: o.A.T),
    "transpose, diagonal": (lambda o: dense(o.xM).T, lambda o: o.M.T),
    "sum": (lambda o: functions(o.xA) + dense(o.xB), lambda o: o.A + o.B),
    "sum, diagonal": (lambda o: dense(o.xM) + hessx.IdentityOperator(n), lambda o: o.M + np.eye(n)),
    "difference": (lambda o: dense(o.xA) - functions(o.xB), lambda o: o.A - o.B),
    "difference, diagonal": (
        lambda o: hessx.DiagonalOperator(o.xd) - low_rank(o.xU, o.xC, o.xU),
        lambda o: np.diag(o.d) - o.U @ o.C @ o.U.T,
    ),
    "multiple": (lambda o: 3.0 * functions(o.xA), lambda o: 3.0 * o.A),
    "multiple, diagonal": (lambda o: dense(o.xM) * np.float64(-0.5), lambda o: -0.5 * o.M),
    "negative": (lambda o: -dense(o.xM), lambda o: -o.M),
    "shift": (lambda o: dense(o.xM).shift(0.25), lambda o: o.M + 0.25 * np.eye(n)),
    "A B'": (lambda o: dense(o.xA) @ functions(o.xB).T, lambda o: o.A @ o.B.T),
    "A' A": (lambda o: (a := functions(o.xA)).T @ a, lambda o: o.A.T @ o.A),
    "I - I": (
        lambda o: hessx.IdentityOperator(n) - hessx.IdentityOperator(n),
        lambda o: np.zeros((n, n)),
    ),
    "deep": (
        deep,
        lambda o: (
            2 * np.diag(o.d) - o.A.T @ o.B + o.U * o.c @ o.U.T @ o.M + 0.5 * np.eye(n)
        ).T,
    ),
    "given function": (lambda o: given(o, lambda v: o.xS @ v), lambda o: o.S),
    "given array": (lambda o: given(o, o.xS), lambda o: o.S),
    "given array of x's shape": (
        lambda o: given(o, o.backend.asarray(o.S.reshape(2, 2, 2, 2))),
        lambda o: o.S,
    ),
    "given operator": (
        lambda o: given(o, hessx.DiagonalOperator(o.xd)),
        lambda o: np.diag(o.d),
    ),
}  # fmt: skip


@pytest.fixture(params=OPERATORS)
def pair(request: pytest.FixtureRequest, backend: Any) -> tuple[Any, np.ndarray]:
    """An operator on the backend, and the matrix that it should be."""
    make, matrix = OPERATORS[request.param]
    data = Data(backend)
    return make(data), matrix(data)


@pytest.fixture
def data(backend: Any) -> Data:
    """Matrices on the backend and on the host."""
    return Data(backend)
