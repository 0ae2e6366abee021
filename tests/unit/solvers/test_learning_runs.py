"""Runs of models that learn from steps: where they end, what they cost, what they need not know."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from _helpers.runs import chained_rosenbrock
from _helpers.solvers import LEARNING
from hessx import Learns, Offer, _xp

each = pytest.mark.parametrize("name", LEARNING)


@each
@pytest.mark.parametrize("n", [2, 10])
def test_rosenbrock(name, n):
    if name == "ldfp" and n > 2:
        pytest.skip("thousands of steps: what DFP is known for")
    x0 = np.tile([-1.2, 1.0], n // 2)
    result = hessx.minimize(chained_rosenbrock, x0, jac=True, method=LEARNING[name])
    assert result.success, result.message
    assert result.nfev <= 25 * (n + 1)
    assert result.nhev == 0
    assert abs(chained_rosenbrock(result.x)[1]).max() <= 1e-5


@each
def test_a_saddle_is_left(name):
    """f = x^4 / 4 - x^2 / 2 + y^2, beside the ridge x = 0."""

    def fun(x):
        return x[0] ** 4 / 4 - x[0] ** 2 / 2 + x[1] ** 2, np.array([x[0] ** 3 - x[0], 2 * x[1]])

    result = hessx.minimize(fun, [1e-3, 1.0], jac=True, method=LEARNING[name])
    assert result.success, result.message
    np.testing.assert_allclose(result.x, [1.0, 0.0], atol=1e-4)


@each
def test_a_convex_quadratic(backend, name):
    weights = backend.asarray([1.0, 2.0, 5.0, 10.0])
    x0 = backend.asarray([1.0, -1.0, 1.0, 2.0])
    if backend.lazy and name != "trust-bfgs":
        pytest.skip("takes long on a lazy library")
    gtol = 1e-5 if backend.dtype_name == "float64" else 1e-3
    result = hessx.minimize(
        lambda x: ((weights * x) @ x / 2, weights * x), x0, jac=True, method=LEARNING[name],
        options={"gtol": gtol},
    )  # fmt: skip
    assert result.success, result.message
    assert result.nfev <= 30
    backend.assert_same_kind(result.x, x0)
    np.testing.assert_allclose(backend.to_numpy(result.x), 0.0, atol=1.001 * gtol)


@pytest.mark.parametrize("kind", ["SR1", "LSR1", "PSB", "DiagonalPSB"])
def test_no_size_is_learnt_from_far_out(kind):
    """The first trial's curvature is 1e40 times that at x0, where the minimum is 0.01 away."""

    def fun(x):
        far = np.exp(100.0 * np.minimum(x, 1.0))
        return (x - 0.01) @ (x - 0.01) + 1e-4 * far.sum(), 2.0 * (x - 0.01) + 0.01 * far

    method = hessx.TrustRegionMethod(getattr(hessx, kind)())
    result = hessx.minimize(fun, [-0.01, 0.0], jac=True, method=method)
    assert result.success, result.message
    assert abs(fun(result.x)[1]).max() <= 1e-5


class Bending(hessx.Approximation):
    """It says that it is positive definite, and with the third pair it is no more."""

    offers = Offer.SOLVE | Offer.MATVEC
    learns = Learns.ACCEPTED

    def __init__(self):
        self.forgot = 0

    def begin(self, frame):
        return BendingCurvature(self)


class BendingCurvature(hessx.Curvature):
    def __init__(self, settings):
        self.settings, self.pairs, self.sign = settings, 0, 1.0

    def solve(self, v):
        return v * self.sign

    def matvec(self, v):
        return v * self.sign

    def update(self, pair):
        self.pairs += 1
        self.sign = -1.0 if self.pairs == 3 else 1.0
        return ""

    def reset(self):
        had, self.sign = self.sign < 0.0, 1.0
        self.settings.forgot += had
        return had


@pytest.mark.parametrize("subproblem", [hessx.TruncatedCG(), hessx.Dogleg()], ids=str)
def test_a_matrix_that_cannot_be_is_forgotten(subproblem):
    B = Bending()
    method = hessx.TrustRegionMethod(B, subproblem, preconditioner=None)
    weights = np.array([1.0, 0.6])
    result = hessx.minimize(
        lambda x: (x @ (weights * x) / 2, weights * x), np.ones(2), jac=True, method=method
    )
    assert result.success, result.message
    assert B.forgot == 1


class Stiff(hessx.Approximation):
    """B = 1e12 I until it is reset, and without a size from then on."""

    offers = Offer.SOLVE | Offer.MATVEC
    learns = Learns.ACCEPTED

    def begin(self, frame):
        return StiffCurvature()


class StiffCurvature(hessx.Curvature):
    sized = True

    def solve(self, v):
        return v * (1e-12 if self.sized else 1.0)

    def matvec(self, v):
        return v * (1e12 if self.sized else 1.0)

    def update(self, pair):
        return ""

    def reset(self):
        had, self.sized = self.sized, False
        return had


@pytest.mark.parametrize("subproblem", [hessx.TruncatedCG(), hessx.Dogleg()], ids=str)
def test_short_steps_promise_nothing(subproblem):
    """The last steps change f by less than its rounding, and f could fall by 1."""
    method = hessx.TrustRegionMethod(Stiff(), subproblem, preconditioner=None)
    result = hessx.minimize(
        lambda x: (1e6 + x @ x / 2, x * 1.0), np.ones(2), jac=True, method=method
    )
    assert not result.success, result.message


class Counted(hessx.Subproblem):
    """Truncated CG that counts its products."""

    takes = hessx.TruncatedCG.takes

    def __init__(self):
        self.products = 0

    def __call__(self, model):
        p = hessx.TruncatedCG()(model)
        self.products += p.products
        return p


KINDS = {
    "BFGS": hessx.BFGS(),
    "SR1": hessx.SR1(),
    "LBFGS": hessx.LBFGS(memory=3),
    "LBFGS, damped": hessx.LBFGS(memory=3, damping=0.2),
    "LSR1": hessx.LSR1(memory=3),
    "LDFP": hessx.LDFP(memory=3),
    "Spectral": hessx.Spectral(),
    "DiagonalBFGS": hessx.DiagonalBFGS(),
    "WeakSecant": hessx.WeakSecant(),
    "DiagonalPSB": hessx.DiagonalPSB(),
}


@pytest.mark.backends("numpy", "fakegpu", "dask")
@pytest.mark.parametrize("place", ["trust region", "NewtonCG", "line search"])
@pytest.mark.parametrize("kind", KINDS)
def test_learning_costs_no_fetch(backend, kind, place):
    """One fetch per trial, and one per step of CG."""
    counted, B = Counted(), KINDS[kind]
    if place == "trust region":
        method = hessx.TrustRegionMethod(B, subproblem=counted, preconditioner=None)
    elif B.positive and place == "line search":
        method = hessx.LineSearchMethod(B, hessx.HagerZhang())
    else:
        direction = hessx.NewtonCG(approximation=B, subproblem=counted, preconditioner=None)
        method = hessx.LineSearchMethod(direction, hessx.HagerZhang())
    x0 = backend.asarray([-1.2, 1.0, 0.8, 0.5])
    options = {"maxfun": 6 if backend.lazy else 14, "gtol": 0.0}
    with _xp.record_fetches() as ledger:
        result = hessx.minimize(chained_rosenbrock, x0, jac=True, method=method, options=options)
    assert result.nfev == options["maxfun"]
    assert ledger.fetches == result.nfev + counted.products


@pytest.mark.backends("fakegpu")
@pytest.mark.parametrize("place", [hessx.TrustRegionMethod, "line search"])
@pytest.mark.parametrize(
    "kind", ["BFGS", "LBFGS", "LDFP", "Spectral", "DiagonalBFGS", "WeakSecant"]
)
def test_the_host_waits_at_the_doors_alone(backend, kind, place):
    line = place == "line search"
    method = hessx.LineSearchMethod(KINDS[kind], hessx.HagerZhang()) if line else place(KINDS[kind])
    x0 = backend.asarray([-1.2, 1.0, 0.8, 0.5])
    with (
        backend.meter.tally() as tally,
        _xp.record_fetches() as ledger,
        backend.meter.forbid_waits(_xp.fetch, _xp.upload),
    ):
        hessx.minimize(chained_rosenbrock, x0, jac=True, method=method, options={"maxiter": 8})
    assert (ledger.fetches, ledger.uploads) == (tally.reads.total(), tally.uploads.total())


class Names(hessx.Approximation):
    """B = I / gamma, which asks for scalars under names that methods use too."""

    offers = Offer.SOLVE | Offer.MATVEC
    learns = Learns.ACCEPTED

    def begin(self, frame):
        return NamesCurvature()


class NamesCurvature(hessx.Curvature):
    gamma = 1.0
    NAMES = ("g_g", "slope", "p_p", "s_y", "y_y", "d_d", "square", "value", "high", "low", "turn")

    def solve(self, v):
        return v * self.gamma

    def matvec(self, v):
        return v / self.gamma

    def measure(self, pair, packet):
        packet.ask(**dict.fromkeys(self.NAMES, (pair.s @ pair.s) * 0.0 - 7.0))

    def update(self, pair):
        assert pair.numbers == dict.fromkeys(self.NAMES, -7.0)
        if not pair.s_y > 0.0:
            return "skipped"
        self.gamma = pair.s_y / pair.y_y
        return ""


class Quiet(Names):
    """The same that asks for nothing."""

    def begin(self, frame):
        return QuietCurvature()


class QuietCurvature(NamesCurvature):
    NAMES = ()


@pytest.mark.parametrize("place", ["line search", "trust region", "NewtonCG", "preconditioner"])
def test_what_a_part_asks_for_has_names_of_its_own(place):
    def run(part):
        method = {
            "line search": lambda: hessx.LineSearchMethod(part, hessx.HagerZhang()),
            "trust region": lambda: hessx.TrustRegionMethod(part),
            "NewtonCG": lambda: hessx.LineSearchMethod(
                hessx.NewtonCG(approximation=part), hessx.HagerZhang()
            ),
            "preconditioner": lambda: hessx.TrustRegionMethod(preconditioner=part),
        }[place]()
        return hessx.minimize(
            chained_rosenbrock, np.array([-1.2, 1.0, 0.8]), jac=True, method=method,
            options={"maxfun": 20, "norm": 2},
        )  # fmt: skip

    np.testing.assert_array_equal(run(Names()).x, run(Quiet()).x)


def double_wells(x):
    """A chain of double wells: the Hessian is indefinite at the start."""
    jump = np.diff(x)
    g = x**3 - x
    g[1:] += jump
    g[:-1] -= jump
    return ((x * x - 1.0) ** 2).sum() / 4.0 + jump @ jump / 2.0, g


VALLEY, WELLS = (chained_rosenbrock, np.full(20, -1.0)), (double_wells, np.linspace(-0.1, 0.5, 50))


@pytest.mark.parametrize(
    ("B", "subproblem", "rule", "fun", "x0"),
    [
        (hessx.SR1(), hessx.MoreSorensen(), hessx.CubicRule(), *VALLEY),
        (hessx.SR1(), hessx.MoreSorensen(), hessx.CubicRule(), *WELLS),
        (hessx.PSB(), hessx.MoreSorensen(), hessx.CubicRule(), *VALLEY),
        (hessx.LSR1(memory=10), hessx.GLTR(), hessx.CubicRule(), *VALLEY),
        (hessx.SR1(), hessx.MoreSorensen(), hessx.NielsenRule(), *VALLEY),
        (hessx.PSB(), hessx.MoreSorensen(), hessx.NielsenRule(), *WELLS),
    ],
)
def test_a_trial_from_far_out_teaches_nothing(B, subproblem, rule, fun, x0):
    """A model with negative curvature and a small sigma goes out to 1e9, and comes back unharmed.

    The evaluations are those of a region, twice over and more.
    """
    method = hessx.TrustRegionMethod(B, subproblem, rule)
    result = hessx.minimize(fun, x0, jac=True, method=method, options={"maxfun": 700})
    assert result.success, result.message
    assert abs(fun(result.x)[1]).max() <= 1e-5
