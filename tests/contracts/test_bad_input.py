"""Bad input raises at once and says what was given, what was expected, what to do."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

import hessx
from _helpers.runs import bowl
from hessx import Outcome, SettingsError


def run(fun, x0=(1.0, 2.0), **settings):
    return hessx.minimize(fun, x0, **({"jac": True} | settings))


def never(x):
    raise AssertionError("f was called")


@pytest.mark.parametrize(
    ("x0", "error", "message"),
    [
        (np.array([1.0 + 2.0j]), TypeError, "complex dtype complex128: expected a real.*two real"),
        ([1.0, 2.0j], TypeError, "complex"),
        (np.array([]), ValueError, r"shape \(0,\): expected at least one variable"),
        ([], ValueError, "at least one variable"),
        ([[1.0, 2.0], [3.0]], TypeError, "expected an array or .*lists of numbers of equal length"),
        ("1.0", TypeError, "x0 has dtype <U3: expected real numbers"),
        (None, TypeError, "x0 has dtype object: expected real numbers"),
        (np.array(["a"]), TypeError, "x0 has dtype <U1: expected real numbers"),
        (np.array([1.0, None]), TypeError, "x0 has dtype object"),
    ],
)
def test_x0_on_the_host(x0, error, message):
    with pytest.raises(error, match=message):
        run(never, x0)


def test_complex_x0(backend, xp):
    x0 = backend.asarray([1.0, 2.0])
    kind = "complex128" if backend.has_float64 else "complex64"
    with pytest.raises(TypeError, match=f"{kind}: expected a real floating array"):
        run(never, xp.astype(x0, getattr(xp, kind)))


@pytest.mark.parametrize("dtype", ["int32", "bool"])
def test_integer_x0(backend, dtype):
    """NumPy's become float64, as in SciPy; elsewhere nobody can tell which dtype is meant."""
    x0 = backend.asarray([1, 0, 1], dtype=dtype)
    if backend.family == "numpy":
        result = run(bowl, x0)
        assert result.x.dtype == np.float64
        np.testing.assert_allclose(result.x, 1.0, atol=1e-5)
    else:
        with pytest.raises(TypeError, match=f"{dtype}: expected a real floating.*convert x0 first"):
            run(never, x0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("method", ["lbfgs", "cg", "gd", "newton-cg", "trust-ncg", "trust-krylov"])
def test_x0_that_is_not_finite(backend, bad, method):
    """An outcome, as in SciPy, even where f does not notice."""
    x0 = backend.asarray([1.0, bad, 2.0])
    for fun in (bowl, lambda x: (1.0, x * 0.0 + 1.0), lambda x: (1.0, x0[:1] * x)):
        with np.errstate(invalid="ignore"):
            result = run(fun, x0, method=method)
        assert result.outcome is Outcome.FAILED_NONFINITE
        assert (result.success, result.status, result.nfev, result.nit) == (False, 3, 1, 0)
        assert "x0 has entries that are not finite" in result.message
        backend.assert_same_kind(result.x, x0)
        np.testing.assert_array_equal(backend.to_numpy(result.x), [1.0, bad, 2.0])


@pytest.mark.parametrize("name", ["lbfgs", "cg", "gd"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_f_that_is_not_finite_at_x0(backend, name, bad):
    """Numerical trouble raises nothing: the start comes back with its numbers."""
    x0 = backend.asarray([1.0, 2.0])
    for value, grad in [(bad, x0), (x0[0] * bad, x0), (1.0, x0 * bad)]:
        with np.errstate(invalid="ignore"):
            result = run(lambda x, answer=(value, grad): answer, x0, method=name)
        assert result.outcome is Outcome.FAILED_NONFINITE
        assert (result.success, result.status, result.nfev) == (False, 3, 1)
        assert "x0" in result.message
        backend.assert_same_kind(result.x, x0)
        np.testing.assert_array_equal(backend.to_numpy(result.x), [1.0, 2.0])


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (np.ones(2), ValueError, r"array of shape \(2,\): expected one number \(0-d\)"),
        ("1.0", TypeError, "fun returned a str: expected a number or a 0-d array"),
        (None, TypeError, "fun returned a NoneType"),
        ([1.0, 2.0], ValueError, r"array of shape \(2,\): expected one number"),
        ([], ValueError, r"array of shape \(0,\): expected one number"),
        ([None], TypeError, "fun returned a list"),
        ((1.0, np.ones(2)), TypeError, r"fun returned a tuple of two: .* jac=True where it is"),
        (1.0j, TypeError, "fun returned a complex"),
        (np.complex64(1.0), TypeError, "complex64: expected a real number"),
        (np.str_("1.0"), TypeError, "<U3: expected a real number"),
        (np.complex128(1.0), TypeError, "complex128: expected a real number"),
    ],
)
def test_values_that_are_no_real_number(value, error, message):
    with pytest.raises(error, match=message):
        run(lambda x: (value, x))
    with pytest.raises(error, match=message):
        run(lambda x: value, jac=lambda x: x)
    with pytest.raises(error, match=message):
        run(lambda x: value, jac="2-point")


def test_a_vector_as_value(backend, xp):
    with pytest.raises(ValueError, match=r"shape \(2,\): expected one number"):
        run(lambda x: (x, x), backend.asarray([1.0, 2.0]))


@pytest.mark.parametrize(
    "number", [1, 1.5, True, np.float32(1.5), np.float64(1.5), np.int64(3), np.array(1.5)]
)
def test_numbers_of_the_host_are_values(backend, number):
    result = run(lambda x: (number, x * 0.0), backend.asarray([1.0, 2.0]))
    assert result.success
    assert type(result.fun) is float
    assert result.fun == float(number)


@pytest.mark.parametrize("huge", [10**400, Fraction(10**400)])
@pytest.mark.parametrize("method", ["lbfgs", "trust-ncg"])
def test_integers_beyond_floats_are_infinite(backend, method, huge):
    """Behind a wall and at the start: the run is that with inf, and nothing raises."""
    ends = []
    for wall in (huge, math.inf):
        walls = iter([None, wall])

        def fun(x, walls=walls):
            value, grad = bowl(4.0 * x)
            return next(walls, None) or value, 4.0 * grad

        result = run(fun, backend.asarray([1.0, 2.0]), method=method)
        assert result.success
        ends.append([result.nfev, *backend.to_numpy(result.x)])
    assert ends[0] == ends[1]
    for sign, outcome in ((1, Outcome.FAILED_NONFINITE), (-1, Outcome.UNBOUNDED_BELOW)):
        assert run(lambda x, sign=sign: (sign * huge, x), method=method).outcome is outcome


def test_gradients_of_integers_beyond_floats():
    result = run(lambda x: (1.0, [10**400, -(10**400)]))
    assert result.outcome is Outcome.FAILED_NONFINITE
    np.testing.assert_array_equal(result.jac, [np.inf, -np.inf])


def test_one_number_in_an_array_is_a_value(backend):
    result = run(lambda x: ((x * x)[:1], x * 0.0), backend.asarray([3.0, 2.0]))
    assert result.fun == 9.0


def other_library(backend):
    """An array of a library that is not the backend's, and does not turn into NumPy's by itself."""
    if backend.family == "numpy":
        strict = pytest.importorskip("array_api_strict")
        return lambda a: strict.asarray(a, device=strict.Device("device1"))
    return np.asarray


def test_another_library(backend):
    other = other_library(backend)
    x0 = backend.asarray([1.0, 2.0])
    with pytest.raises(TypeError, match=r"the gradient has (an array of|ndarray).*, expected"):
        run(lambda x: (1.0, other([1.0, 2.0])), x0)
    if backend.family == "numpy":
        with pytest.raises(TypeError, match=r"fun returned .* array: expected one of numpy"):
            run(lambda x: (other(1.0), x), x0)


@pytest.mark.backends("strict-device1", "fakegpu")
def test_another_device(backend, xp):
    x0 = backend.asarray([1.0, 2.0])
    elsewhere = xp.asarray([1.0, 2.0], dtype=backend.dtype)
    with pytest.raises(ValueError, match=r"the gradient has device .*, expected"):
        run(lambda x: (1.0, elsewhere), x0)
    with pytest.raises(ValueError, match=r"fun returned a value on device .*: expected"):
        run(lambda x: (elsewhere[0], x), x0)


@pytest.mark.parametrize("form", ["pair", "separate"])
def test_gradients_of_another_shape_or_dtype(backend, xp, form):
    other = {"float64": "float32", "float32": "int32"}[backend.dtype_name]
    cases = [
        (lambda x: x[:1], ValueError, r"the gradient has shape \(1,\): expected \(2,\) \(that of"),
        (lambda x: xp.sum(x), ValueError, r"the gradient has shape \(\): expected \(2,\)"),
        (lambda x: None, TypeError, "the gradient has type NoneType"),
    ]
    if backend.family == "numpy":
        cases += [
            (lambda x: x[None, :1], ValueError, r"shape \(1, 1\): expected \(2,\)"),
            (lambda x: [1.0], ValueError, r"the gradient has shape \(1,\): expected \(2,\)"),
            (lambda x: [1.0, None], TypeError, "the gradient has type list, expected an array of"),
            (lambda x: [1.0, [2.0]], TypeError, "the gradient has type list, expected an array of"),
            (lambda x: ["1.0", "2.0"], TypeError, "the gradient has type list"),
            (lambda x: x + 0j, TypeError, "the gradient has dtype complex"),
            (lambda x: 1.0, ValueError, r"the gradient has shape \(\): expected \(2,\)"),
        ]
    else:
        cases += [
            (lambda x: x[None, :], ValueError, r"the gradient has shape \(1, 2\): expected \(2,\)"),
            (
                lambda x: xp.astype(x, getattr(xp, other)),
                TypeError,
                f"the gradient has dtype .*{other}",
            ),
            (lambda x: [1.0, 2.0], TypeError, "the gradient has type list, expected an array of"),
            (lambda x: 1.0, TypeError, "the gradient has type float"),
        ]
    for grad, error, message in cases:
        with pytest.raises(error, match=message):
            if form == "pair":
                run(lambda x, grad=grad: (1.0, grad(x)), backend.asarray([1.0, 2.0]))
            else:
                run(lambda x: 1.0, backend.asarray([1.0, 2.0]), jac=grad)


def test_jac_true_wants_a_pair():
    for answer in (1.0, np.ones(2), (1.0, np.ones(2), 3.0)):
        with pytest.raises(TypeError, match=r"expected \(value, gradient\) because of jac=True"):
            run(lambda x, answer=answer: answer)


class OwnError(Exception):
    """Raised by the user's function."""


@pytest.mark.parametrize("part", ["fun", "jac"])
def test_an_exception_of_f_passes_after_observers_saw_the_last_state(backend, part):
    seen, calls, raised = [], [], OwnError("mine")

    def value(x):
        calls.append(x)
        if part == "fun" and len(calls) == 5:
            raise raised
        return bowl(x)[0]

    def gradient(x):
        if part == "jac" and len(calls) == 5:
            raise raised
        return bowl(x)[1]

    x0 = backend.asarray([3.0, -2.0, 0.5])
    with pytest.raises(OwnError) as caught:
        hessx.minimize(value, x0, jac=gradient, callback=lambda x: seen.append(x))
    assert caught.value is raised
    assert seen
    last = backend.to_numpy(seen[-1])
    assert any(np.array_equal(last, backend.to_numpy(x)) for x in calls[:4])
    accepted = []
    options = {"maxfun": 4}
    hessx.minimize(bowl, x0, jac=True, callback=lambda x: accepted.append(x), options=options)
    assert len(accepted) == len(seen)


def test_unknown_names_say_the_known_ones():
    with pytest.raises(
        ValueError, match=r"unknown method 'bfsg'.*: expected one of .*lbfgs.*cg.*gd"
    ):
        run(never, method="bfsg")
    with pytest.raises(
        ValueError, match=r"unknown option 'gtoll'.*: expected one of .*gtol.*maxiter"
    ):
        run(never, options={"gtoll": 1.0})
    with pytest.raises(ValueError, match=r"unknown option 'maxcor': expected one of .*beta"):
        run(never, method="cg", options={"maxcor": 5})
    with pytest.raises(TypeError, match=r"method is a int: expected a name \(.*lbfgs"):
        run(never, method=3)
    with pytest.raises(ValueError, match="jac = '4-point': expected a callable, True, '2-point'"):
        run(never, jac="4-point")


@pytest.mark.parametrize("options", [[1], [("gtol", 1.0)], [], "x", 3, np.ones(2), {"gtol"}])
def test_options_that_are_no_dict(options):
    kind = type(options).__name__
    for method in (None, hessx.TrustRegionMethod()):
        with pytest.raises(TypeError, match=f"^options is a {kind}: expected a dict, such as"):
            run(never, method=method, options=options)
        with pytest.raises(TypeError, match=f"^options is a {kind}: expected a dict, such as"):
            hessx.AskTell([1.0, 2.0], method, options)


def test_arrays_in_the_place_of_functions(backend):
    x0 = backend.asarray([1.0, 2.0])
    kind = type(x0).__name__
    with pytest.raises(ValueError, match=f"^jac is a {kind}: expected a callable, True, '2-point'"):
        run(never, x0, jac=x0)
    with pytest.raises(TypeError, match=f"^hess is a {kind}: expected a callable, '2-point'"):
        run(never, x0, method="newton-cg", hess=x0[:, None] * x0)


def test_bounds_and_constraints_are_refused():
    with pytest.raises(NotImplementedError, match=r"bounds were given.*unconstrained so far"):
        run(never, bounds=5.0)
    with pytest.raises(NotImplementedError, match=r"bounds were given.*unconstrained so far"):
        run(never, bounds=[(0.0, 1.0), (0.0, None)])
    with pytest.raises(NotImplementedError, match=r"constraints were given.*leave constraints out"):
        run(never, constraints={"type": "eq", "fun": lambda x: x[0]})
    assert run(bowl, bounds=None, constraints=[]).success


def test_what_must_be_callable():
    with pytest.raises(TypeError, match=r"fun is a float: expected a callable fun\(x, \*args\)"):
        run(1.0)
    with pytest.raises(TypeError, match="callback is a int: expected a callable or None"):
        run(never, callback=3)
    with pytest.raises(
        TypeError, match="hess = 'exact': expected a callable, '2-point', '3-point', an approx"
    ):
        run(never, hess="exact")
    with pytest.raises(TypeError, match="hessp is a float: expected a callable hessp"):
        run(never, hessp=1.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gtol": -1.0}, r"gtol = -1.0: expected a number in \[0, inf\)"),
        ({"gtol": float("nan")}, "gtol = nan"),
        ({"ftol": "small"}, "ftol = 'small'"),
        ({"maxiter": -1}, "^maxiter = -1: expected a number >= 0"),
        ({"maxiter": float("nan")}, "^maxiter = nan: expected a number >= 0"),
        ({"maxiter": True}, "^maxiter = True: expected a number >= 0"),
        ({"maxfun": "many"}, "^maxfun = 'many': expected a number >= 0"),
        ({"maxfev": -0.5}, "^maxfev = -0.5: expected a number >= 0"),
        ({"max_products": -1}, "^max_products = -1: expected a number >= 0"),
        ({"maxcor": 0}, "^maxcor = 0: expected an integer >= 1"),
        ({"maxcor": 2.5}, "^maxcor = 2.5: expected an integer >= 1"),
        ({"maxls": 0}, "^maxls = 0: expected an integer >= 1"),
        ({"c1": 0.7}, r"c1 = 0.7: expected a number in \(0, 0.5\)"),
        ({"c1": 0.2, "c2": 0.1}, "expected c1 <= c2"),
        ({"norm": 1}, "norm = 1: expected inf or 2"),
        ({"damping": 1.5}, "damping = 1.5"),
        ({"x_scale": 0.0}, "x_scale = 0.0"),
        ({"max_seconds": -1.0}, "max_seconds = -1.0"),
        ({"lower_limit": float("nan")}, r"^lower_limit = nan: expected a number in \[-inf, inf\)$"),
        ({"lower_limit": "low"}, "^lower_limit = 'low': expected a number"),
        ({"norm": np.ones(2)}, r"^norm = array\(\[1., 1.\]\): expected inf or 2$"),
        ({"gtol": 10**400}, r"^gtol = 10+: expected a number in \[0, inf\)$"),
        ({"maxls": float("inf")}, "^maxls = inf: expected an integer >= 1"),
        ({"disp": "no"}, "^disp = 'no': expected True or False$"),
        ({"return_all": "x"}, "^return_all = 'x': expected True or False$"),
        ({"return_all": 2}, "^return_all = 2: expected True or False$"),
    ],
)
def test_settings_out_of_range(options, message):
    with pytest.raises(SettingsError, match=message):
        run(never, options=options)


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("trust-ncg", {"initial_trust_radius": 0}, "^initial_trust_radius = 0: expected a number"),
        ("trust-ncg", {"max_trust_radius": -2.0}, "^max_trust_radius = -2.0: expected a number"),
        ("trust-krylov", {"eta": 0.3}, r"^eta = 0.3: expected a number in \[0, 0.25\)$"),
        ("trust-ncg", {"eta": 0.25}, r"^eta = 0.25: expected a number in \[0, 0.25\)$"),
        (
            "trust-ncg",
            {"initial_trust_radius": 2.0, "max_trust_radius": 1.0},
            r"^initial_trust_radius = 2.0 and max_trust_radius = 1.0: expected initial_.* <= max_",
        ),
        ("trust-krylov", {"max_basis": 1}, "^max_basis = 1"),
        ("trust-ncg", {"check_every": 0}, "^check_every = 0"),
        ("newton-cg", {"max_inner": 0}, "^max_inner = 0"),
        ("newton-cg", {"forcing": 0}, "^forcing is a int: expected hessx.Forcing"),
        ("cg", {"maxls": -1}, "^maxls = -1"),
        ("gd", {"maxls": 1.5}, "^maxls = 1.5"),
        ("gd", {"finite_diff_rel_step": -1.0}, "^finite_diff_rel_step = -1.0"),
    ],
)
def test_settings_are_named_as_the_user_did(method, options, message):
    with pytest.raises(SettingsError, match=message):
        hessx.minimize(never, np.ones(2), method=method, options=options)


def test_tol_is_named_as_tol():
    for method in ("L-BFGS-B", "CG", "trust-ncg"):
        with pytest.raises(SettingsError, match=r"^tol = -1: expected"):
            run(never, method=method, tol=-1)
        with pytest.raises(SettingsError, match=r"^gtol = -2: expected"):
            run(never, method=method, tol=1e-3, options={"gtol": -2})


@pytest.mark.parametrize("jac", [None, "2-point", True, bowl])
@pytest.mark.parametrize("option", ["eps", "finite_diff_rel_step"])
def test_difference_steps_must_be_positive(option, jac):
    """Also where no differences are taken."""
    for bad in (0.0, -1e-8, np.nan, np.array(-1.0)):
        with pytest.raises(
            SettingsError, match=rf"^{option} = .*: expected a number in \(0, inf\)"
        ):
            run(never, jac=jac, options={option: bad})
    with pytest.raises(SettingsError, match=rf"^{option} has entries in \[-1, 1\]: expected pos"):
        run(never, jac=jac, options={option: [1.0, -1.0]})


@pytest.mark.parametrize("name", ["maximize", "history", "progress"])
def test_switches_are_true_or_false(name):
    for bad in ("yes", 2, 0.5, None, [True], np.ones(2, bool)):
        with pytest.raises(SettingsError, match=rf"^{name} = .*: expected True or False$"):
            run(never, **{name: bad})
        if name != "progress":
            with pytest.raises(SettingsError, match=rf"^{name} = .*: expected True or False$"):
                hessx.AskTell([1.0, 2.0], **{name: bad})
    for on, off in (
        (True, False),
        (1, 0),
        (np.True_, np.False_),
        (np.array(True), np.array(False)),
    ):
        assert run(bowl, **{name: off}).success
        sign = -1.0 if name == "maximize" else 1.0
        assert run(
            lambda x, sign=sign: (sign * bowl(x)[0], sign * bowl(x)[1]), **{name: on}
        ).success
