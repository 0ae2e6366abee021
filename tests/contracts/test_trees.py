"""x as a dict, list or tuple of arrays: the run of the flat vector, in the user's containers."""

from __future__ import annotations

import copy
from collections import Counter, OrderedDict

import numpy as np
import pytest

import hessx
from _helpers.runs import bowl, chained_rosenbrock
from _helpers.trees import Layer, containers, cut, glue, leaves
from hessx import _xp

START = np.array([-1.2, 1.0, 0.8, 0.5, 1.5, 0.0])


# six entries, in the order of the flat vector
TREES = {
    "dict": {"w": slice(0, 4), "b": slice(4, 6)},
    "list": [slice(0, 1), slice(1, 6)],
    "tuple": (slice(0, 2), 2, slice(3, 6)),
    "nested": OrderedDict(
        [("layers", [Layer(slice(0, 3), 3), ()]), ("a", {"rest": (slice(4, 6),)})]
    ),
}
METHODS = {
    "lbfgs": "lbfgs",
    "cg": "cg",
    "gd": "gd",
    "more-thuente": hessx.LineSearchMethod(hessx.LBFGS(memory=3), hessx.MoreThuente()),
}


def on_trees(fun, tree):
    """Value and gradient of a function of the flat vector, for trees; keys in another order."""

    def evaluate(x):
        assert containers(x) == containers(tree)
        value, grad = fun(glue(x))
        return value, reordered(cut(tree, grad))

    return evaluate


def reordered(tree):
    if not isinstance(tree, dict):
        return tree
    return {name: tree[name] for name in reversed(tree)}


def assert_same(backend, given, expected, tolerance):
    """A tree has the entries of a flat array: bitwise on NumPy, else to rounding."""
    given, expected = (backend.to_numpy(a) for a in (glue(given), expected))
    if backend.family == "numpy":
        np.testing.assert_array_equal(given, expected)
    else:
        np.testing.assert_allclose(given, expected, rtol=0, atol=tolerance * backend.eps)


RUNS = [(name, "nested") for name in METHODS]
RUNS += [("lbfgs", tree) for tree in TREES if tree != "nested"]


@pytest.mark.parametrize(("name", "tree"), RUNS)
def test_the_run_is_that_of_the_flat_vector(backend, name, tree):
    tree = TREES[tree]
    flat, seen = [], []
    x0 = backend.asarray(START)
    settings = {"jac": True, "method": METHODS[name], "options": {"maxiter": 5}}
    expected = hessx.minimize(chained_rosenbrock, x0, callback=flat.append, **settings)
    fun = on_trees(chained_rosenbrock, tree)
    result = hessx.minimize(fun, cut(tree, x0), callback=seen.append, **settings)
    assert (result.nit, result.nfev) == (expected.nit, expected.nfev)
    for given, vector in zip(
        [*seen, result.x, result.jac], [*flat, expected.x, expected.jac], strict=True
    ):
        assert containers(given) == containers(tree)
        for leaf, like in zip(leaves(given), leaves(cut(tree, x0)), strict=True):
            backend.assert_same_kind(leaf, like)
        size = max(1.0, float(abs(backend.to_numpy(vector)).max()))
        assert_same(backend, given, vector, 1e4 * size)
    np.testing.assert_allclose(result.fun, expected.fun, rtol=1e4 * backend.eps)


def test_least_squares_with_an_intercept(backend, rng, xp):
    """Against the normal equations of [A 1]; the intercept starts as a number."""
    A, y = rng.standard_normal((20, 3)), rng.standard_normal(20)
    expected, *_ = np.linalg.lstsq(np.column_stack([A, np.ones(20)]), y, rcond=None)
    A, y = backend.asarray(A), backend.asarray(y)

    def fun(x):
        residual = A @ x["slopes"] + x["intercept"] - y
        grad = {"slopes": A.T @ residual, "intercept": xp.sum(residual)}
        return residual @ residual / 2.0, grad

    x0 = {"slopes": backend.asarray(np.zeros(3)), "intercept": 0.0}
    result = hessx.minimize(fun, x0, jac=True)
    assert result.success
    backend.assert_same_kind(result.x["intercept"], backend.asarray(0.0))
    found = backend.to_numpy(glue(result.x))
    np.testing.assert_allclose(found, expected, atol=1e-4 if backend.eps < 1e-10 else 1e-3)


@pytest.mark.parametrize("jac", ["2-point", "3-point"])
def test_differences(backend, jac):
    x0, tree = backend.asarray(START), TREES["nested"]
    settings = {"jac": jac, "options": {"maxiter": 2}}
    expected = hessx.minimize(lambda x: bowl(x)[0], x0, **settings)
    result = hessx.minimize(lambda x: bowl(glue(x))[0], cut(tree, x0), **settings)
    assert (result.nfev, result.njev) == (expected.nfev, expected.njev)
    assert containers(result.jac) == containers(tree)
    assert_same(backend, result.x, expected.x, 1e4 / backend.eps**0.5)


@pytest.mark.parametrize("name", ["x_scale", "hess_inv0"])
def test_scales_and_diagonals(backend, name):
    x0, tree = backend.asarray(START), TREES["dict"]
    vector = [2.0, 2.0, 2.0, 2.0, 1.0, 4.0]
    runs = []
    for scale in (
        vector,
        {"b": [1.0, 4.0], "w": backend.asarray([2.0] * 4)},
        {"b": [1, 4], "w": 2},
    ):
        start, fun = (x0, bowl) if scale is vector else (cut(tree, x0), on_trees(bowl, tree))
        options = {"maxiter": 5, name: scale}
        runs.append(hessx.minimize(fun, start, jac=True, options=options))
    for result in runs[1:]:
        assert result.nfev == runs[0].nfev
        assert_same(backend, result.x, runs[0].x, 1e4)


def test_differences_with_a_scale(backend):
    x0, scale = {"a": backend.asarray([0.0]), "b": backend.asarray([0.0])}, {"a": 1e-3, "b": 1e3}
    points = []

    def fun(x):
        points.append(backend.to_numpy(glue(x)))
        return bowl(glue(x))[0]

    hessx.minimize(fun, x0, x_scale=scale, options={"maxfun": 1, "finite_diff_rel_step": 0.5})
    np.testing.assert_allclose(points, [[0.0, 0.0], [5e-4, 0.0], [0.0, 500.0]], rtol=1e-6)


@pytest.mark.parametrize("method", ["trust-ncg", "newton-cg"])
def test_products_with_the_hessian(backend, method):
    """Of sum c (x - 1)^2 / 2: CG inside sees the tree p, and gives a tree back."""
    tree, c = TREES["nested"], backend.asarray([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])

    def fun(x):
        e = x - 1.0
        return e @ (c * e) / 2.0, c * e

    def hessp(x, p):
        assert containers(x) == containers(p) == containers(tree)
        return reordered(cut(tree, c * glue(p)))

    x0 = cut(tree, backend.asarray(START))
    result = hessx.minimize(on_trees(fun, tree), x0, jac=True, hessp=hessp, method=method)
    assert result.success
    assert result.nhev > 0
    np.testing.assert_allclose(backend.to_numpy(glue(result.x)), 1.0, atol=2e-3)


def test_maximize(backend):
    tree = TREES["tuple"]
    fun = on_trees(lambda x: tuple(-part for part in bowl(x)), tree)
    x0 = cut(tree, backend.asarray(START))
    result = hessx.minimize(fun, x0, jac=True, maximize=True)
    assert result.success
    np.testing.assert_allclose(backend.to_numpy(glue(result.x)), 1.0, atol=2e-3)
    assert containers(result.jac) == containers(tree)
    assert_same(backend, result.jac, glue(fun(result.x)[1]), 1e2)


def test_check_gradient(backend):
    tree = TREES["nested"]
    fun = on_trees(chained_rosenbrock, tree)
    x = cut(tree, backend.asarray(START))
    assert hessx.check_gradient(fun, x, directions=2).ok

    def wrong(x):
        value, grad = chained_rosenbrock(glue(x))
        return value, cut(tree, grad * backend.asarray([1.0, 1.0, 1.0, 2.0, 1.0, 1.0]))

    assert not hessx.check_gradient(wrong, x, directions=2).ok


def test_f_may_keep_every_x_and_return_the_same_buffers(backend):
    """Leaves are views of a vector that is never written again."""
    tree, x0 = TREES["dict"], backend.asarray(START)
    kept, buffers = [], cut(tree, backend.asarray(np.zeros(6)))

    def fun(x):
        kept.append((x, backend.to_numpy(glue(x)).copy()))
        value, grad = chained_rosenbrock(glue(x))
        if not backend.writeable or backend.lazy:
            return value, cut(tree, grad)
        for name, part in cut(tree, grad).items():
            buffers[name][...] = part
        return value, buffers

    result = hessx.minimize(fun, cut(tree, x0), jac=True, options={"maxiter": 4})
    for x, then in kept:
        np.testing.assert_array_equal(backend.to_numpy(glue(x)), then)
    plain = hessx.minimize(
        on_trees(chained_rosenbrock, tree), cut(tree, x0), jac=True, options={"maxiter": 4}
    )
    np.testing.assert_array_equal(*(backend.to_numpy(glue(r.x)) for r in (result, plain)))


@pytest.mark.backends("numpy", "strict", "torch", "jax", "dask", "cupy-signatures", "cupy")
def test_results_are_copied_whole(backend):
    tree = TREES["nested"]
    x0 = cut(tree, backend.asarray(START))
    result = hessx.minimize(on_trees(bowl, tree), x0, jac=True)
    twin = copy.deepcopy(result)
    assert containers(twin.x) == containers(tree)
    np.testing.assert_array_equal(*(backend.to_numpy(glue(r.x)) for r in (twin, result)))
    v = backend.asarray(START)
    np.testing.assert_array_equal(*(backend.to_numpy(r.hess_inv @ v) for r in (twin, result)))


@pytest.mark.backends("torch", "torch-float32")
def test_gradients_by_autograd(backend, xp):
    """torch.autograd.grad gives a tuple, whatever the containers of x."""

    def fun(x):
        x = [leaf.detach().requires_grad_() for leaf in x]
        value = ((x[0] - 1.0) ** 2).sum() + (x[1] * x[0].sum() - 2.0) ** 2
        return value, xp.autograd.grad(value, x)

    x0 = [backend.asarray([[0.5, 0.2]]).requires_grad_(), backend.asarray(0.3)]
    result = hessx.minimize(fun, x0, jac=True)
    assert result.success
    assert type(result.x) is list
    assert not result.x[0].requires_grad
    np.testing.assert_allclose(backend.to_numpy(glue(result.x)), 1.0, atol=1e-3)


@pytest.mark.backends("fakegpu")
def test_a_tree_costs_one_concatenation_per_gradient_and_no_wait(backend):
    tree, inside = TREES["nested"], Counter()
    x0 = backend.asarray(START)

    def cost(fun, start):
        inside.clear()

        def counted(x):
            with backend.meter.tally() as tally:
                pair = fun(x)
            inside.update(tally.launches)
            return pair

        with (
            backend.meter.tally() as tally,
            backend.meter.forbid_waits(_xp.fetch, _xp.upload),
        ):
            result = hessx.minimize(counted, start, jac=True, options={"maxiter": 5})
        return result, tally.launches - inside, tally.reads.total(), tally.uploads.total()

    flat, launches, *waits = cost(chained_rosenbrock, x0)
    result, of_tree, *waits_of_tree = cost(on_trees(chained_rosenbrock, tree), cut(tree, x0))
    assert result.nfev == flat.nfev
    assert waits_of_tree == waits
    start = 1 + len(leaves(result.x))  # x0: a copy of each leaf, and one concatenation
    assert of_tree.total() <= launches.total() + result.nfev + start
