"""What theory says of approximations, seen on real data."""

from __future__ import annotations

from statistics import median

import numpy as np
import pytest

import hessx
from hessx.comparison import CHAIN
from hessx.models import LogisticRegression, Perceptron

datasets = pytest.importorskip("sklearn.datasets")


@pytest.fixture(scope="module")
def logistic():
    X, y = datasets.load_breast_cancer(return_X_y=True)
    return LogisticRegression((X - X.mean(axis=0)) / X.std(axis=0), y * 1.0, l2=1e-3)


def test_the_dennis_more_ratio_of_bfgs_goes_to_zero_and_that_of_gradient_descent_does_not(logistic):
    found = hessx.compare_hessians(
        logistic, np.zeros(31), ["gd", "bfgs"], iterations=60, options={"gtol": 1e-12}
    )
    ratios = {name: [row.dennis_more for row in found.of(name)[:-1]] for name in found.names}
    first = {name: ratio[0] for name, ratio in ratios.items()}
    last = {name: median(ratio[-9:]) for name, ratio in ratios.items()}
    assert last["bfgs"] < 2e-3 * first["bfgs"]
    assert last["gd"] > 0.3 * first["gd"]
    # what is left for a preconditioned solver
    assert found.last("bfgs").preconditioned_condition < 20.0
    assert found.last("bfgs").hessian_condition > 100.0


@pytest.fixture(scope="module")
def network():
    X, y = (part[:300] for part in datasets.load_digits(return_X_y=True))
    pixels = X.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(len(X), -1)
    return Perceptron(pixels / 16.0, y, layers=(6,))


def test_each_link_of_the_chain_is_further_from_the_hessian(network):
    found = hessx.compare_hessians(network, network.start(0), iterations=40, every=20)
    assert found.names == [*CHAIN]
    for point in range(3):
        rows = [found.of(name)[point] for name in CHAIN]
        errors = [row.error for row in rows]
        assert errors == sorted(errors)
        assert [row.link for row in rows] == [1, 2, 3, 4]
        # the first two are parts of H, and what they leave out are parts of it too
        assert rows[0].added == pytest.approx(rows[0].error)
        assert rows[0].error <= rows[1].error <= rows[0].error + rows[1].added + 1e-12


def test_the_chain_is_that_of_matrices_written_out(network):
    w = network.start(1)
    found = hessx.compare_hessians(network, w, points=[w])
    n = network.n
    H, G = (
        operator(w).dense(like=np.zeros(1)) for operator in (network.hessian, network.gauss_newton)
    )
    layers, spans = np.zeros((n, n)), [layer.span for layer in network.gauss_newton(w).factors()]
    for span in spans:
        layers[span, span] = G[span, span]
    size = np.linalg.norm(H)
    for name, B in (("gauss-newton", G), ("layers", layers), ("diagonal", np.diag(np.diag(G)))):
        assert found.first(name).error == pytest.approx(np.linalg.norm(B - H) / size, rel=1e-12)
    assert found.first("layers").added == pytest.approx(np.linalg.norm(layers - G) / size)


def test_layers_in_expectation_are_what_draws_tend_to(network):
    w = network.start(1)
    exact = hessx.compare_hessians(network, w, "kfac", points=[w]).first("kfac")
    drawn = hessx.compare_hessians(network, w, "kfac", points=[w], draws=60).first("kfac")
    assert drawn.error == pytest.approx(exact.error, rel=0.02)
    assert drawn.largest == pytest.approx(exact.largest, rel=0.05)
    assert (exact.gradients, drawn.gradients) == (10.0, 60.0)
