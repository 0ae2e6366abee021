"""Muon beside the polar factor, of matrices in either layout."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from hessx._xp import space_of
from hessx.rules import Chain

linalg = pytest.importorskip("scipy.linalg")


def direction(G: np.ndarray, **settings) -> np.ndarray:
    space, flat = space_of(G), G.ravel()
    chain = Chain.begin(hessx.Muon(beta=0.0, **settings), space, flat)
    return chain.direction(1, flat, flat).reshape(G.shape)


@pytest.mark.parametrize("shape", [(7, 3), (3, 7), (4, 4)])
def test_singular_vectors_stay_and_values_are_near_one(shape):
    G = np.random.default_rng(0).standard_normal(shape)
    U, _ = linalg.polar(G, side="left" if shape[0] < shape[1] else "right")
    d = direction(G, iterations=9) / max(1.0, shape[0] / shape[1]) ** 0.5
    values = np.linalg.svd(d, compute_uv=False)
    assert (values > 0.65).all()
    assert (values < 1.25).all()
    cosine = (d * U).sum() / np.linalg.norm(d) / np.linalg.norm(U)
    assert cosine > 0.95


@pytest.mark.parametrize("shape", [(7, 3), (3, 7)])
def test_a_layer_may_lie_either_way(shape):
    G = np.random.default_rng(1).standard_normal(shape)
    of_columns = direction(np.ascontiguousarray(G.T), outputs="columns").T
    np.testing.assert_allclose(of_columns, direction(G), rtol=1e-12)
