"""Products with the Hessian, in whatever form they are given, beside the closed form."""

from __future__ import annotations

import array_api_compat as compat
import numpy as np
import pytest

import hessx
from _helpers.registry import make_backend
from hessx._xp import space_of
from hessx.core import Counts, Request, Wants
from hessx.objectives import make_objective

n = 6
A = np.array([2.0, -1.0, 0.5, 3.0, 1.0, -2.0])
POINT = np.array([0.5, -1.0, 2.0, 0.25, -0.75, 1.5])
VECTOR = np.array([1.0, 2.0, -0.5, 0.0, 3.0, -1.0])
FORMS = ("hessp", "dense", "operator", "callable", "2-point", "3-point")
forms = pytest.mark.parametrize("form", FORMS)


def true_product(x, v):
    """f = sum x^4 / 4 + (a'x)^2 / 2: H = 3 diag(x^2) + a a'."""
    return 3.0 * x**2 * v + A * (A @ v)


class Function:
    """The function with its derivatives on a backend; x may have any shape; ``args`` scale it."""

    def __init__(self, backend, shape=(n,)):
        self.a, self.shape, self.backend = backend.asarray(A.reshape(shape)), shape, backend
        self.seen = []

    def __call__(self, x, size=1.0):
        xp = compat.array_namespace(x)
        inner = xp.sum(self.a * x)
        value = xp.sum(x * x * x * x) / 4.0 + inner * inner / 2.0
        return value * size, (x * x * x + self.a * inner) * size

    def hessp(self, x, v, size=1.0):
        self.seen.append((tuple(x.shape), tuple(v.shape)))
        xp = compat.array_namespace(x)
        return (3.0 * (x * x) * v + self.a * xp.sum(self.a * v)) * size

    def hess(self, x, size=1.0):
        self.seen.append((tuple(x.shape),))
        host = self.backend.to_numpy(x).astype(float).ravel()
        return self.backend.asarray(size * (np.diag(3.0 * host**2) + np.outer(A, A)))

    def given(self, form):
        if form == "hessp":
            return {"hessp": self.hessp}
        if form == "dense":
            return {"hess": self.hess}
        if form == "operator":
            return {"hess": lambda x, *args: hessx.DenseOperator(self.hess(x, *args))}
        if form == "callable":
            return {"hess": lambda x, *args: lambda v: self.hess(x, *args) @ v}
        return {"hess": form}


def hessian_at(backend, form, shape=(n,), args=(), jac=True, **settings):
    """The Hessian at `POINT`, and what counts."""
    fun, x = Function(backend, shape), backend.asarray(POINT.reshape(shape))
    space = space_of(x)
    objective = make_objective(fun, jac, args, space, **fun.given(form), **settings)
    flat = space.flat(x)
    grad = fun(x, *args)[1]
    sign = -1.0 if settings.get("maximize") else 1.0
    request = Request(flat, 0, Wants.HESSIAN, grad=lambda: space.flat(grad * sign))
    H = objective.answer(request).hessian
    return H, objective, fun


def digits(backend, form):
    """Relative accuracy: differences lose half or a third of the digits."""
    return {"2-point": 200 * backend.eps**0.5, "3-point": 200 * backend.eps ** (2 / 3)}.get(
        form, 50 * backend.eps
    )


@forms
@pytest.mark.parametrize("shape", [(n,), (2, 3)])
def test_products(backend, form, shape):
    H, _, fun = hessian_at(backend, form, shape)
    v = backend.asarray(VECTOR)
    s = H(v)
    backend.assert_same_kind(s, v)
    expected = true_product(POINT, VECTOR)
    atol = digits(backend, form) * np.linalg.norm(expected)
    np.testing.assert_allclose(backend.to_numpy(s), expected, rtol=0.0, atol=atol)
    assert all(shapes == (shape,) * len(shapes) for shapes in fun.seen)


@forms
def test_a_point_is_linearised_once(backend, form):
    H, objective, fun = hessian_at(backend, form)
    v = backend.asarray(VECTOR)
    for _ in range(4):
        H(v)
    assert objective.counts.products == 4
    if form in ("dense", "operator"):
        assert len(fun.seen) == 1
    gradients = {"2-point": 4, "3-point": 8}.get(form, 0)
    assert (objective.counts.values, objective.counts.gradients) == (gradients, gradients)


@pytest.mark.parametrize("form", ["2-point", "3-point"])
@pytest.mark.parametrize("maximize", [False, True])
def test_differences_evaluate_a_gradient_that_they_are_not_given(backend, form, maximize):
    H, objective, _ = hessian_at(backend, form, maximize=maximize)
    x, v = backend.asarray(POINT), backend.asarray(VECTOR)
    again = objective.answer(Request(x, 0, Wants.HESSIAN)).hessian
    assert objective.counts == Counts(1, 1, 0)
    np.testing.assert_array_equal(backend.to_numpy(again(v)), backend.to_numpy(H(v)))


@pytest.mark.parametrize("form", FORMS)
def test_what_is_offered(form):
    fun, x, first = Function(make_backend("numpy")), POINT, Wants.VALUE | Wants.GRADIENT
    for jac, known in ((True, True), (None, form in ("hessp", "dense", "operator", "callable"))):
        objective = make_objective(fun, jac, (), space_of(x), **fun.given(form))
        assert objective.offers == (first | Wants.HESSIAN if known else first)


@forms
def test_maximising_turns_the_sign(backend, form):
    H, _, _ = hessian_at(backend, form, maximize=True)
    expected = -true_product(POINT, VECTOR)
    atol = digits(backend, form) * np.linalg.norm(expected)
    s = backend.to_numpy(H(backend.asarray(VECTOR)))
    np.testing.assert_allclose(s, expected, rtol=0.0, atol=atol)
    if form in ("dense", "operator"):
        diagonal = backend.to_numpy(H.diagonal())
        np.testing.assert_allclose(diagonal, -(3.0 * POINT**2 + A**2), rtol=20 * backend.eps)


@forms
def test_further_arguments(backend, form):
    H, _, _ = hessian_at(backend, form, args=(4.0,))
    expected = 4.0 * true_product(POINT, VECTOR)
    atol = digits(backend, form) * np.linalg.norm(expected)
    s = backend.to_numpy(H(backend.asarray(VECTOR)))
    np.testing.assert_allclose(s, expected, rtol=0.0, atol=atol)


@forms
def test_the_diagonal_where_it_is_known(backend, form):
    H, _, _ = hessian_at(backend, form)
    diagonal = H.diagonal()
    if form in ("dense", "operator"):
        expected = 3.0 * POINT**2 + A**2
        np.testing.assert_allclose(backend.to_numpy(diagonal), expected, rtol=20 * backend.eps)
    else:
        assert diagonal is None


def test_hessp_goes_before_hess(backend):
    fun, x = Function(backend), backend.asarray(POINT)

    def never(x):
        raise AssertionError("hess was called")

    objective = make_objective(fun, True, (), space_of(x), hess=never, hessp=fun.hessp)
    H = objective.answer(Request(x, 0, Wants.HESSIAN, grad=lambda: fun(x)[1])).hessian
    expected = true_product(POINT, VECTOR)
    s = backend.to_numpy(H(backend.asarray(VECTOR)))
    np.testing.assert_allclose(s, expected, rtol=0, atol=1e3 * backend.eps)


@pytest.mark.parametrize("length", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("form", ["2-point", "3-point"])
def test_differences_do_not_depend_on_the_length_of_v(backend, form, length):
    H, _, _ = hessian_at(backend, form)
    unit, v = H(backend.asarray(VECTOR)), H(backend.asarray(length * VECTOR))
    expected = length * backend.to_numpy(unit)
    atol = digits(backend, form) * np.linalg.norm(expected)
    np.testing.assert_allclose(backend.to_numpy(v), expected, rtol=0.0, atol=atol)


@pytest.mark.parametrize("form", ["2-point", "3-point"])
def test_differences_of_a_quadratic_are_exact_but_for_rounding(backend, form):
    w = backend.asarray(np.arange(1.0, n + 1.0))
    x = backend.asarray(POINT)
    objective = make_objective(lambda x: (0.0, w * x), True, (), space_of(x), hess=form)
    H = objective.answer(Request(x, 0, Wants.HESSIAN, grad=lambda: w * x)).hessian
    s = backend.to_numpy(H(backend.asarray(VECTOR)))
    step = backend.eps ** (1 / 2 if form == "2-point" else 1 / 3)
    atol = 100.0 * backend.eps / step
    np.testing.assert_allclose(s, np.arange(1.0, n + 1.0) * VECTOR, rtol=0.0, atol=atol)


@pytest.mark.parametrize("form", ["2-point", "3-point"])
def test_differences_with_a_gradient_that_reuses_its_buffer(form):
    buffer, x = np.empty(n), POINT.copy()

    def fun(x):
        np.multiply(x**2, x, out=buffer)
        return 0.0, buffer

    objective = make_objective(fun, True, (), space_of(x), hess=form)
    H = objective.answer(Request(x, 0, Wants.HESSIAN, grad=lambda: x**3)).hessian
    np.testing.assert_allclose(H(VECTOR), 3.0 * x**2 * VECTOR, atol=1e-5)
    np.testing.assert_allclose(H(VECTOR), H(VECTOR), rtol=0.0, atol=0.0)


def test_differences_use_the_scale_of_x():
    """At x = 0 the step is x_scale's: f = cos(x / 1e6) is resolved with it, and not with 1."""
    big, x = 1e6, np.zeros(n)
    for scale in (big, np.full(n, big)):
        objective = make_objective(
            lambda x: (0.0, np.sinh(x / big)), True, (), space_of(x), hess="2-point", x_scale=scale
        )
        H = objective.answer(Request(x, 0, Wants.HESSIAN, grad=lambda: np.zeros(n))).hessian
        np.testing.assert_allclose(H(VECTOR) * big, VECTOR, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("form", FORMS)
def test_separate_gradients_count_by_themselves(form):
    backend = make_backend("numpy")
    fun = Function(backend)
    x = backend.asarray(POINT)
    objective = make_objective(
        lambda x: fun(x)[0], lambda x: fun(x)[1], (), space_of(x), **fun.given(form)
    )
    H = objective.answer(Request(x, 0, Wants.HESSIAN, grad=lambda: fun(x)[1])).hessian
    H(x)
    assert objective.counts == Counts(0, {"2-point": 1, "3-point": 2}.get(form, 0), 1)


@pytest.mark.backends("fakegpu")
@forms
def test_no_product_waits_for_the_device(backend, form):
    H, _, _ = hessian_at(backend, form)
    if form == "callable":
        pytest.skip("reads the point in each call")
    v = backend.asarray(VECTOR)
    with backend.fetches() as waits:
        H(v)
    assert waits.count == 0


def test_what_cannot_be_meant():
    x = POINT.copy()
    for jac, settings, error, words in [
        (True, {"hessp": 3.0}, TypeError, "hessp is a float"),
        (True, {"hess": 3.0}, TypeError, r"hess = 3.0: expected a callable"),
        (True, {"hess": "exact"}, TypeError, "hess = 'exact': expected"),
        (None, {}, ValueError, "give hessp or hess"),
        ("2-point", {"hess": "2-point"}, ValueError, "give hessp or hess"),
    ]:
        with pytest.raises(error, match=words):
            objective = make_objective(lambda x: (0.0, x), jac, (), space_of(x), **settings)
            objective.answer(Request(x, 0, Wants.HESSIAN, grad=lambda: x))


@forms
@pytest.mark.parametrize("maximize", [False, True])
def test_the_dense_form_is_the_matrix_or_n_products(backend, form, maximize):
    H, objective, _ = hessian_at(backend, form, maximize=maximize)
    expected = np.stack([true_product(POINT, e) for e in np.eye(n)])
    found = H.dense()
    assert objective.counts.products == (0 if form in ("dense", "operator") else n)
    backend.assert_same_kind(found, backend.asarray(expected))
    host = backend.to_numpy(found)
    np.testing.assert_array_equal(host, host.T)
    atol = digits(backend, form) * np.linalg.norm(expected)
    sign = -1.0 if maximize else 1.0
    np.testing.assert_allclose(host, sign * expected, rtol=0.0, atol=atol)


@pytest.mark.backends("numpy")
@pytest.mark.parametrize("last", [1, 4, n])
def test_a_watch_is_asked_after_each_column(backend, last):
    H, objective, _ = hessian_at(backend, "hessp")
    found = H.dense(lambda: objective.counts.products == last)
    assert objective.counts.products == last
    assert (found is None) == (last < n)


@pytest.mark.parametrize("off", [0.0, 1e-2, np.nan])
@pytest.mark.backends("numpy", "strict", "torch", "fakegpu")
def test_a_matrix_with_one_triangle_is_no_hessian(backend, off):
    H = 2.0 * np.eye(n)
    H[0, 3] = off
    x = backend.asarray(POINT)
    objective = make_objective(
        lambda x: (0.0, x), True, (), space_of(x), hess=lambda x: backend.asarray(H)
    )
    at = objective.answer(Request(x, 0, Wants.HESSIAN, grad=lambda: x)).hessian
    # what is rounding in float32 is none in float64; nan is trouble of another kind
    if off > 0.0 and backend.dtype_name == "float64":
        with pytest.raises(ValueError, match=r"differ by 0\.01, and the largest is 2: expected"):
            at.dense()
    assert backend.to_numpy(at.dense(check=False)).shape == (n, n)
