"""Models where methods meet them: as finite sums, and as what K-FAC learns from."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

import hessx
from _helpers.backends import Backend
from _helpers.models import CASES, ROWS, make_data
from hessx import Request, Sample, Wants
from hessx._xp import space_of
from hessx.core import Frame

L2 = 0.3
NUMPY = Backend("numpy", np, "cpu")
ENDS = (0, 8, 16, ROWS)


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


def test_batches_of_an_epoch_make_the_whole(case, rng):
    X, y, flat = make_data(case, rng)
    model, w = case.make(X, y, L2), case.w(NUMPY, flat)
    loss, order = hessx.FiniteSum(model), hessx.Shuffled(3)
    value, grad, total = 0.0, np.zeros(case.n), np.zeros(case.n)
    wants = Wants.VALUE | Wants.GRADIENT | Wants.PER_SAMPLE
    for start, stop in pairwise(ENDS):
        request = Request(w, 0, wants, sample=Sample(order, 1, start, stop))
        reply, share = loss.answer(request), (stop - start) / ROWS
        value = value + share * reply.value
        grad = grad + share * case.flat(NUMPY, reply.grad)
        total += share * reply.per_sample.mean(reply.per_sample.coefficients)
    f, g = model(w)
    np.testing.assert_allclose(value, f, rtol=1e-13)
    np.testing.assert_allclose(grad, case.flat(NUMPY, g), rtol=1e-12, atol=1e-14)
    expected = case.flat(NUMPY, g) - L2 * case.penalised * flat
    np.testing.assert_allclose(total, expected, rtol=1e-12, atol=1e-14)
    assert loss.counts.rows == ROWS


def test_factors_are_what_kfac_inverts(case, rng):
    """Kronecker products of the means of a a' and of s s', from the rows' own gradients."""
    X, y, flat = make_data(case, rng)
    model, w = case.make(X, y, L2), case.w(NUMPY, flat)
    part = hessx.KFAC(damping=0.5, beta=0.0).begin(Frame(space_of(flat)))
    factors = model.gauss_newton(w).factors(2)
    part.update(factors)
    B = part.dense()
    for layer in factors:
        A, G = (a.T @ a / ROWS for a in (layer.inputs, layer.slopes))
        pi = np.sqrt(np.trace(A) / len(A) / (np.trace(G) / len(G)))
        root = np.sqrt(0.5)
        left, right = A + pi * root * np.eye(len(A)), G + root / pi * np.eye(len(G))
        expected = np.kron(left, right)
        np.testing.assert_allclose(B[layer.span, layer.span], expected, rtol=1e-9, atol=1e-10)
        B[layer.span, layer.span] = 0.0
    assert not B.any()
