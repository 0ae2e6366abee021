"""Blocks over the leaves of a tree beside the approximations of each leaf alone."""

from __future__ import annotations

import io

import numpy as np
import pytest

import hessx
from hessx import Blockwise, SettingsError
from hessx._xp import space_of
from hessx.core import Counts, Frame
from hessx.objectives import HessianAt
from hessx.testing._posed import Posed

n = 7  # W of shape (2, 2), and two vectors in a list
SPANS = [slice(0, 4), slice(4, 6), slice(6, 7)]


def tree(backend):
    leaf = backend.asarray
    return {"W": leaf(np.zeros((2, 2))), "b": [leaf(np.zeros(2)), leaf(np.zeros(1))]}


def posed(backend, rng, approximation, scale=None):
    frame = Frame(space_of(tree(backend)), None if scale is None else backend.asarray(scale))
    asked = Posed(frame, approximation, rng)
    asked.there = backend.asarray  # flat, whatever the tree
    return asked


def curved(d, rng):
    """A convex function whose Hessian is diagonal and changes, and its tree."""
    x0 = {"W": np.zeros((2, 2)), "b": [np.zeros(2), np.zeros(1)]}

    def flat(x):
        return np.concatenate([x["W"].ravel(), *x["b"]])

    def shaped(v):
        return {"W": v[:4].reshape(2, 2), "b": [v[4:6], v[6:]]}

    given = {
        "jac": lambda x: shaped(d * flat(x) - 1.0 + flat(x) ** 3),
        "hessp": lambda x, v: shaped((d + 3.0 * flat(x) ** 2) * flat(v)),
    }
    return (
        lambda x: flat(x) @ (d * flat(x)) / 2 - flat(x).sum() + (flat(x) ** 4).sum() / 4,
        x0,
        given,
    )


@pytest.mark.backends("numpy", "torch-float32", "fakegpu", "strict")
@pytest.mark.parametrize("make", [hessx.BFGS, hessx.LSR1], ids=["BFGS", "LSR1"])
@pytest.mark.parametrize("scale", [None, 2.0 ** np.arange(-3, 4)], ids=["", "scale"])
def test_each_leaf_learns_as_if_it_were_alone(backend, rng, make, scale):
    asked = posed(backend, rng, Blockwise(make()), scale)
    part, alone = asked.approximation.begin(asked.frame), []
    for span in SPANS:
        space = space_of(backend.asarray(np.zeros(n)[span]))
        cut = None if scale is None else backend.asarray(scale[span])
        alone.append(Posed(Frame(space, cut), make(), rng))
    parts = [one.approximation.begin(one.frame) for one in alone]
    for _ in range(3):
        s, y = (asked.host(v) for v in asked.pair())
        y = y + 20.0 * s  # so that no block is skipped
        pair = asked.there(s), asked.there(y)
        assert asked.teach(part, pair, known=part.sized) == ""
        for one, own, span in zip(alone, parts, SPANS, strict=True):
            one.teach(own, (one.there(s[span]), one.there(y[span])), known=own.sized)
    v = rng.standard_normal(n)
    found = asked.host(part.matvec(asked.there(v)))
    for one, own, span in zip(alone, parts, SPANS, strict=True):
        expected = one.host(own.matvec(one.there(v[span])))
        np.testing.assert_allclose(found[span], expected, rtol=500 * backend.eps)


def test_products_are_those_of_the_blocks(backend, rng):
    blocks = {"W": hessx.Newton(), "['b'][0]": hessx.Hutchinson(samples=2), "b": hessx.Jacobi()}
    asked, counts = posed(backend, rng, Blockwise(blocks)), Counts()
    part, space = asked.approximation.begin(asked.frame), asked.frame.space
    M, d = backend.asarray(asked.H), backend.asarray(np.arange(1.0, n + 1.0))
    with_diagonal = hessx.LinearOperator((n, n), lambda v: M @ v, diagonal=d, symmetric=True)
    part.at(HessianAt(space, lambda v: M @ v, counts, 1.0, with_diagonal))
    assert part.prepare()
    assert counts.products == 4  # of W: the diagonal is known to the other two
    found = asked.matrix(part.solve)
    expected = np.diag(1.0 / np.arange(1.0, n + 1.0))
    expected[:4, :4] = np.linalg.inv(asked.H[:4, :4])
    np.testing.assert_allclose(found, expected, atol=500 * backend.eps)
    counts.products = 0
    part.leave()
    part.at(HessianAt(space, lambda v: M @ v, counts, 1.0, hessx.DenseOperator(M, True)))
    assert part.prepare()
    assert counts.products == 0


@pytest.mark.backends("numpy")
def test_a_diagonal_block_costs_a_product_per_sample(backend, rng):
    asked, counts = posed(backend, rng, Blockwise(hessx.Hutchinson())), Counts()
    part, space = asked.approximation.begin(asked.frame), asked.frame.space
    M = backend.asarray(asked.H)
    part.at(HessianAt(space, lambda v: M @ v, counts, 1.0))
    part.prepare()
    assert counts.products == 3


@pytest.mark.backends("numpy", "torch-float32")
def test_a_leaf_without_a_size_has_that_of_the_step(backend, rng):
    blocks = Blockwise({"W": hessx.DiagonalBFGS()}, otherwise=hessx.Identity())
    asked = posed(backend, rng, blocks)
    part = asked.approximation.begin(asked.frame)
    assert not part.sized
    s, y = pair = asked.pair()
    asked.teach(part, pair)
    s, y = asked.host(s), asked.host(y)
    assert part.sized
    found = np.diag(asked.matrix(part.matvec))[4:]
    np.testing.assert_allclose(found, y @ y / (s @ y), rtol=50 * backend.eps)


@pytest.mark.parametrize(
    "blocks",
    [
        Blockwise(hessx.LBFGS(memory=2)),
        Blockwise({"W": hessx.Newton(), "b": hessx.LBFGS(memory=3)}),
        Blockwise({"W": hessx.Hutchinson()}, otherwise=hessx.BFGS()),
        Blockwise({"['b'][1]": hessx.Spectral()}, otherwise=hessx.SSBroyden()),
    ],
    ids=["all", "keys", "otherwise", "path"],
)
@pytest.mark.parametrize("place", ["line", "region", "preconditioner"])
def test_runs_of_trees_end_and_are_taken_up_again(rng, blocks, place):
    fun, x0, given = curved(np.geomspace(1.0, 1e3, n), rng)
    method = {
        "line": lambda: hessx.LineSearchMethod(blocks, hessx.HagerZhang()),
        "region": lambda: hessx.TrustRegionMethod(blocks),
        "preconditioner": lambda: hessx.TrustRegionMethod(preconditioner=blocks),
    }[place]()
    if place != "preconditioner" and not blocks.wants:
        del given["hessp"]

    def run(maxiter, **more):
        return hessx.minimize(fun, x0, **given, method=method, options={"maxiter": maxiter}, **more)

    whole, file = run(300), io.BytesIO()
    assert whole.success, whole.message
    hessx.save(file, run(min(3, whole.nit - 1)))
    file.seek(0)
    resumed = run(300, resume=file)
    assert (resumed.x["W"] == whole.x["W"]).all()
    assert resumed.nit == whole.nit


@pytest.mark.backends("numpy", "torch-float32")
def test_the_inverse_of_a_result_is_an_operator(backend, rng):
    asked = posed(backend, rng, Blockwise(hessx.LBFGS()), 2.0 ** np.arange(-3, 4))
    part = asked.approximation.begin(asked.frame)
    asked.teach(part, asked.pair())
    D = np.diag(2.0 ** np.arange(-3, 4))
    operator = asked.matrix(part.operator(inverse=True).matvec)
    found = asked.matrix(part.solve)
    np.testing.assert_allclose(operator, D @ found @ D, rtol=500 * backend.eps, atol=backend.eps)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (({"W": hessx.BFGS()},), r"nothing for leaf \"\['b'\]\[0\]\""),
        (({"W": hessx.BFGS(), "c": hessx.BFGS()},), "'c', which names no leaf"),
        (({},), "blocks is empty"),
        (({"W": 1.0},), "blocks is a float"),
        ((hessx.BFGS,), "class BFGS"),
        ((hessx.KFAC(),), "KFAC"),
        ((hessx.Exact(), hessx.Given(lambda r: r)), "all offer SOLVE"),
    ],
)
def test_bad_blocks(given, text):
    with pytest.raises(SettingsError, match=text):
        Blockwise(*given).begin(Frame(space_of(curved(np.ones(n), None)[1])))
