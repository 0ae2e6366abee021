"""SciPy's older functions, each return beside SciPy's."""

from __future__ import annotations

import inspect
import signal

import numpy as np
import pytest

import hessx
from _helpers.runs import bowl, chained_rosenbrock, product_of
from hessx.interop import scipy as ours

theirs = pytest.importorskip("scipy.optimize")

START = np.array([-1.2, 1.0, 0.8])
H = np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 2.0]])
NAMES = ["fmin_bfgs", "fmin_cg", "fmin_ncg", "fmin_l_bfgs_b"]
TUPLES = NAMES[:3]


def beale(x):
    t = np.array([1.5, 2.25, 2.625]) - x[0] * (1 - x[1] ** np.arange(1, 4))
    return t @ t


def beale_der(x):
    k = np.arange(1, 4)
    t = np.array([1.5, 2.25, 2.625]) - x[0] * (1 - x[1] ** k)
    return np.array([-2 * t @ (1 - x[1] ** k), 2 * t @ (x[0] * k * x[1] ** (k - 1))])


PROBLEMS = {
    "rosenbrock": (theirs.rosen, theirs.rosen_der, START),
    "quadratic": (lambda x: x @ H @ x / 2 - x.sum(), lambda x: H @ x - 1, START),
    "beale": (beale, beale_der, np.array([1.0, 0.5])),
    "exponentials": (lambda x: (np.exp(x) - 2 * x).sum(), lambda x: np.exp(x) - 2, START),
}
MINIMA = {
    "rosenbrock": np.ones(3),
    "quadratic": np.linalg.solve(H, np.ones(3)),
    "beale": np.array([3.0, 0.5]),
    "exponentials": np.full(3, np.log(2.0)),
}
# SciPy's Newton-CG ends early on Rosenbrock's valley, where its mean step is short.
LOOSE = {"fmin_ncg": 2e-3}


def call(library, name, f, x0, fprime, **settings):
    """Call one, silently: SciPy's print by default."""
    quiet = {"disp": 0} if library is theirs and name in TUPLES else {}
    return getattr(library, name)(f, x0, fprime, **quiet, **settings)


@pytest.mark.parametrize("name", NAMES)
def test_arguments_are_scipys(name):
    """The same names in the same order."""
    names = [[*inspect.signature(getattr(m, name)).parameters] for m in (theirs, ours)]
    assert names[0] == names[1]


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("name", TUPLES)
@pytest.mark.parametrize(("full", "retall"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_returns_are_scipys(name, problem, full, retall):
    f, fprime, x0 = PROBLEMS[problem]
    given = {"full_output": full, "retall": retall}
    a = call(theirs, name, f, x0, fprime, **given)
    b = call(ours, name, f, x0, fprime, **given)
    if not full and not retall:
        assert type(b) is type(a) is np.ndarray and b.shape == a.shape and b.dtype == a.dtype
        np.testing.assert_allclose(b, MINIMA[problem], atol=1e-4)
        np.testing.assert_allclose(b, a, atol=LOOSE.get(name, 1e-4))
        return
    assert type(b) is type(a) is tuple and len(b) == len(a)
    for mine, other in zip(b, a, strict=True):
        assert isinstance(other, type(mine))  # np.float64 is a float
        if isinstance(mine, np.ndarray):
            assert mine.shape == other.shape
    np.testing.assert_allclose(b[0], MINIMA[problem], atol=1e-4)
    if full:
        assert b[1] == f(b[0])
        np.testing.assert_allclose(b[1], a[1], atol=LOOSE.get(name, 1e-8))
        flags = (b[-2], a[-2]) if retall else (b[-1], a[-1])
        assert flags == (0, 0)
    if full and name == "fmin_bfgs":
        np.testing.assert_array_equal(b[2], fprime(b[0]))
        assert abs(b[2]).max() <= 1e-5
        np.testing.assert_allclose(b[3], b[3].T)
    if retall:
        np.testing.assert_array_equal(b[-1][0], x0)
        for returned in (b, a):
            np.testing.assert_array_equal(returned[-1][-1], returned[0])
        if name != "fmin_ncg":  # where SciPy's are one array many times over
            np.testing.assert_array_equal(a[-1][0], x0)


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("gradient", ["fprime", "both", "differences"])
def test_returns_of_l_bfgs_b_are_scipys(problem, gradient):
    f, fprime, x0 = PROBLEMS[problem]
    given = {"fprime": fprime}
    if gradient == "both":
        given = {}
    elif gradient == "differences":
        given = {"approx_grad": True}

    def func(x):
        return (f(x), fprime(x)) if gradient == "both" else f(x)

    (x, fx, d), (y, fy, e) = (m.fmin_l_bfgs_b(func, x0, **given) for m in (ours, theirs))
    assert type(x) is type(y) and x.shape == y.shape
    assert isinstance(fy, type(fx)) and fx == f(x)
    assert [*d] == [*e]
    for key, entry in d.items():
        assert type(entry) is type(e[key]), key
    assert d["warnflag"] == e["warnflag"] == 0
    np.testing.assert_allclose(x, y, atol=1e-3)
    if gradient != "differences":
        np.testing.assert_array_equal(d["grad"], fprime(x))
    assert d["nit"] < d["funcalls"]


class StopAtTwo:
    def __init__(self):
        self.calls = 0

    def __call__(self, xk):
        self.calls += 1
        if self.calls == 2:
            raise StopIteration


ENDINGS = {
    "converged": (theirs.rosen, theirs.rosen_der, {}),
    "stationary": (lambda x: 1.0, lambda x: 0.0 * x, {}),
    "limit": (theirs.rosen, theirs.rosen_der, {"maxiter": 3}),
    "no iteration": (theirs.rosen, theirs.rosen_der, {"maxiter": 0}),
    "value nan": (lambda x: np.nan, lambda x: np.nan * x, {}),
    "gradient nan": (lambda x: x @ x, lambda x: np.nan * x, {}),
    "wrong gradient": (theirs.rosen, lambda x: -theirs.rosen_der(x), {}),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ending", ENDINGS)
def test_flags_are_scipys(name, ending):
    f, fprime, given = ENDINGS[ending]
    flags = [_flag(call(m, name, f, START, fprime, **_full(name), **given)) for m in (ours, theirs)]
    assert flags[0] == flags[1]


def _full(name):
    return {"full_output": 1} if name in TUPLES else {}


def _flag(returned):
    return returned[-1]["warnflag"] if isinstance(returned[-1], dict) else returned[-1]


@pytest.mark.parametrize("name", NAMES)
def test_flags_where_the_callback_ends_a_run(name):
    f, fprime, _ = PROBLEMS["rosenbrock"]
    flags = []
    for m in (ours, theirs):
        stop = StopAtTwo()
        flags.append(_flag(call(m, name, f, START, fprime, callback=stop, **_full(name))))
        assert stop.calls == 2
    assert flags[0] == flags[1]


@pytest.mark.parametrize("name", TUPLES)
def test_ctrl_c_is_no_success(name):
    f, fprime, _ = PROBLEMS["rosenbrock"]

    def interrupt(xk):
        signal.raise_signal(signal.SIGINT)

    assert _flag(call(ours, name, f, START, fprime, callback=interrupt, **_full(name))) == 99


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
def test_flags_where_f_is_unbounded(name):
    f, fprime = lambda x: -(x**4).sum(), lambda x: -4 * x**3
    assert _flag(call(ours, name, f, START, fprime, **_full(name))) == 2


@pytest.mark.parametrize("name", NAMES)
def test_further_arguments_and_callback_reach_the_functions(name):
    seen = []
    call(
        ours,
        name,
        lambda x, c, e: c @ (x - e) ** 2,
        np.zeros(2),
        lambda x, c, e: 2 * c * (x - e),
        args=(np.array([1.0, 3.0]), 2.0),
        callback=seen.append,
    )
    np.testing.assert_allclose(seen[-1], 2.0, atol=1e-4)


@pytest.mark.parametrize("name", ["fmin_bfgs", "fmin_cg"])
def test_without_a_gradient(name):
    for problem in ("rosenbrock", "quadratic"):
        f, fprime, x0 = PROBLEMS[problem]
        x, *_, flag = call(ours, name, f, x0, None, full_output=True)
        assert flag == 0 and abs(fprime(x)).max() < 1e-4
        coarse = call(ours, name, f, x0, None, epsilon=1e-3, maxiter=2)
        assert not np.array_equal(coarse, call(ours, name, f, x0, None, maxiter=2))


def test_the_inverse_hessian_is_that_of_a_quadratic():
    f, fprime, x0 = PROBLEMS["quadratic"]
    for m in (ours, theirs):
        Bopt = call(m, "fmin_bfgs", f, x0, fprime, gtol=1e-12, full_output=1)[3]
        np.testing.assert_allclose(Bopt, np.linalg.inv(H), atol=1e-2)
    exact = call(ours, "fmin_bfgs", f, x0, fprime, hess_inv0=np.linalg.inv(H), retall=1)
    assert len(exact[1]) == 2  # Newton's step
    for m in (ours, theirs):
        with pytest.raises(ValueError, match="positive definite"):
            call(m, "fmin_bfgs", f, x0, fprime, hess_inv0=-H)


def test_tolerances_and_limits_of_bfgs():
    f, fprime, _ = PROBLEMS["rosenbrock"]
    x, _, g, *_ = call(ours, "fmin_bfgs", f, START, fprime, gtol=1e-2, norm=2, full_output=1)
    assert 1e-9 < np.linalg.norm(g) <= 1e-2
    x, points = call(ours, "fmin_bfgs", f, START, fprime, xrtol=1e-2, retall=1)
    last = np.linalg.norm(points[-1] - points[-2])
    assert last <= 1e-2 * (1e-2 + np.linalg.norm(x)) and abs(fprime(x)).max() > 1e-5
    plain, tight = (call(ours, "fmin_bfgs", f, START, fprime, c2=c2) for c2 in (0.9, 0.01))
    assert not np.array_equal(plain, tight)


def test_the_step_of_ncg_is_tested_as_in_scipy():
    """The mean of abs(s_i), after the last step and no earlier one."""
    f, fprime, x0 = PROBLEMS["rosenbrock"]
    for avextol in (1e-2, 1e-5):
        _, points = call(ours, "fmin_ncg", f, x0, fprime, avextol=avextol, retall=1)
        assert abs(points[-1] - points[-2]).mean() <= avextol
        steps = np.diff(np.array(points), axis=0)
        assert all((s @ s / s.size) ** 0.5 > avextol for s in steps[:-1])


def test_the_hessian_of_ncg():
    f, fprime, x0 = PROBLEMS["rosenbrock"]

    def refused(x, p):
        raise AssertionError("SciPy takes fhess where both are given")

    given = {"fhess": theirs.rosen_hess, "full_output": 1}
    for m in (ours, theirs):
        *_, products, flag = call(m, "fmin_ncg", f, x0, fprime, fhess_p=refused, **given)
        assert products > 0 and flag == 0
    given = {"fhess_p": theirs.rosen_hess_prod, "full_output": 1}
    assert call(ours, "fmin_ncg", f, x0, fprime, **given)[-2] > 0


def test_the_decrease_is_tested_as_in_scipy():
    f, fprime, x0 = PROBLEMS["rosenbrock"]
    for factr in (1e14, 1e7):
        points = []
        _, fx, d = ours.fmin_l_bfgs_b(f, x0, fprime, factr=factr, pgtol=0.0, callback=points.append)
        before = f(points[-2])
        assert (before - fx) / max(before, fx, 1.0) <= factr * np.finfo(float).eps
        assert d["warnflag"] == 0
    d = ours.fmin_l_bfgs_b(f, x0, fprime, factr=0.0, pgtol=1e-3)[2]
    assert abs(d["grad"]).max() <= 1e-3
    assert ours.fmin_l_bfgs_b(f, x0, fprime, maxfun=5)[2]["warnflag"] == 1
    short = ours.fmin_l_bfgs_b(f, x0, fprime, m=1)[2]
    assert short["warnflag"] == 0 and short["nit"] > 20


def test_bounds_are_refused_unless_they_bound_nothing():
    f, fprime, x0 = PROBLEMS["rosenbrock"]
    x, *_ = ours.fmin_l_bfgs_b(f, x0, fprime, bounds=[(None, None)] * 3)
    np.testing.assert_allclose(x, 1.0, atol=1e-4)
    with pytest.raises(NotImplementedError, match="bounds"):
        ours.fmin_l_bfgs_b(f, x0, fprime, bounds=[(0.0, 2.0)] * 3)


@pytest.mark.parametrize("name", NAMES)
def test_output_is_a_bar(name, capsys):
    f, fprime, x0 = PROBLEMS["rosenbrock"]
    call(ours, name, f, x0, fprime)
    assert capsys.readouterr() == ("", "")
    call(ours, name, f, x0, fprime, disp=1)
    shown = capsys.readouterr()
    assert shown.out == "" and "hessx" in shown.err


def test_iprint_is_ignored():
    f, fprime, x0 = PROBLEMS["rosenbrock"]
    with pytest.warns(hessx.OptionWarning, match="iprint") as seen:
        ours.fmin_l_bfgs_b(f, x0, fprime, iprint=1)
    assert [w.filename for w in seen] == [__file__]


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("fmin_l_bfgs_b", {"m": 0}, "m = 0: expected an integer >= 1"),
        ("fmin_l_bfgs_b", {"factr": -1.0}, "factr = -1.0: expected a number in"),
        ("fmin_l_bfgs_b", {"pgtol": "no"}, "pgtol = 'no': expected a number in"),
        ("fmin_ncg", {"avextol": -1.0}, "avextol = -1.0: expected a number in"),
        ("fmin_bfgs", {"norm": 1}, "norm = 1: expected inf or 2"),
        ("fmin_cg", {"c1": 0.5}, "c1 = 0.5"),
        ("fmin_cg", {"retall": "no"}, "return_all = 'no': expected True or False"),
    ],
)
def test_settings_that_cannot_be_meant(name, given, message):
    f, fprime, x0 = PROBLEMS["rosenbrock"]
    with pytest.raises(hessx.SettingsError, match=message):
        call(ours, name, f, x0, fprime, **given)


@pytest.mark.parametrize("name", NAMES)
def test_arrays_stay_where_they_are(backend, name):
    x0 = backend.asarray(START)
    given = {"fhess_p": product_of(bowl)} if name == "fmin_ncg" else {}
    full = {"full_output": 1, "retall": 1} if name in TUPLES else {}
    entries = call(ours, name, lambda x: bowl(x)[0], x0, lambda x: bowl(x)[1], **given, **full)
    arrays = [entries[0]]
    if name == "fmin_l_bfgs_b":
        arrays.append(entries[2]["grad"])
    else:
        arrays += entries[-1]
    if name == "fmin_bfgs":
        arrays += [entries[2], entries[3][0, :]]
        assert tuple(entries[3].shape) == (3, 3)
    for array in arrays:
        backend.assert_same_kind(array, x0)
    assert type(entries[1]) is float
    assert (entries[-1]["warnflag"] if name == "fmin_l_bfgs_b" else entries[-2]) == 0


@pytest.mark.parametrize("name", NAMES)
def test_x_keeps_its_shape(name):
    f, fprime = lambda x: (x * x).sum(), lambda x: 2 * x
    entries = call(ours, name, f, np.ones((2, 3)), fprime, **_full(name))
    assert entries[0].shape == (2, 3)
    numbers = call(ours, name, f, [3, 4], fprime, **_full(name))
    assert numbers[0].dtype == np.float64


def test_both_at_once():
    """value and gradient from one function, as scikit-learn gives them."""
    x, _, d = ours.fmin_l_bfgs_b(chained_rosenbrock, START)
    np.testing.assert_allclose(x, 1.0, atol=1e-4)
    assert d["task"].startswith("converged")
