"""What does not fit is refused when parts are put together, and the message says what would."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from _helpers.runs import bowl
from hessx import Offer, SettingsError
from hessx._xp import space_of
from hessx.core import Frame
from hessx.directions._fitting import begun


class Needy(hessx.Subproblem):
    """It wants what it says."""

    takes = (hessx.Ball, hessx.Free)

    def __init__(self, needs):
        self.wanted = needs

    @property
    def needs(self):
        return self.wanted

    def __call__(self, model):
        return hessx.TruncatedCG()(model)


class DuckTyped:
    """It has what an approximation has, and is none."""

    offers = Offer.SOLVE | Offer.MATVEC
    positive = True

    def begin(self, frame):
        raise AssertionError("it must be refused before")


class Worded(hessx.Approximation):
    """It says in words what is compared as sets."""

    offers, learns = "solve", "accepted"


class Beginner(hessx.Approximation):
    """It begins as something else."""

    def begin(self, frame):
        return object()


def line(direction):
    return hessx.LineSearchMethod(direction, hessx.HagerZhang())


def region(*given, **settings):
    return hessx.TrustRegionMethod(*given, **settings)


MISFITS = {
    "SR1 bare in a line search": (
        lambda: line(hessx.SR1()),
        (
            r"SR1\(\) may be indefinite, and a line search needs descent: expected "
            r"hessx\.NewtonCG\(approximation=hessx\.SR1\(\)\), "
            r"hessx\.TrustRegionMethod\(hessx\.SR1\(\)\), .* such as hessx\.LBFGS\(\)"
        ),
    ),
    "Exact bare in a line search": (
        lambda: line(hessx.Exact()),
        r"Exact\(\) may be indefinite, .* hessx\.NewtonCG\(approximation=hessx\.Exact\(\)\)",
    ),
    "Gauss-Newton without damping in a line search": (
        lambda: line(hessx.GaussNewton(dense=True)),
        r"expected hessx\.GaussNewton\(dense=True, damping=\.\.\.\) with a damping > 0",
    ),
    "a patient diagonal in a line search": (
        lambda: line(hessx.LearntDiagonal()),
        r"LearntDiagonal\(...\) learns from the solves that it preconditions, and would stay I",
    ),
    "pairs of solves as B": (
        lambda: region(hessx.PairPreconditioner()),
        r"PairPreconditioner\(...\) learns from the solves that it preconditions",
    ),
    "a subproblem in the place of B": (
        lambda: region(hessx.GLTR()),
        r"approximation is a GLTR: expected an approximation; .* subproblem=",
    ),
    "words for sets": (
        lambda: line(Worded()),
        r"Worded has offers = 'solve' and learns = 'accepted': expected members of hessx.Offer",
    ),
    "Exact in QuasiNewton": (
        lambda: hessx.QuasiNewton(hessx.Exact()),
        r"Exact\(\) may be indefinite",
    ),
    "SR1 as a preconditioner": (
        lambda: region(preconditioner=hessx.SR1()),
        r"preconditioner = SR1\(\) may be indefinite: expected .* hessx\.LearntDiagonal\(\)",
    ),
    "Exact as a preconditioner of NewtonCG": (
        lambda: hessx.NewtonCG(preconditioner=hessx.Exact()),
        r"preconditioner = Exact\(\) may be indefinite",
    ),
    "a subproblem that factorises, and products": (
        lambda: region(hessx.Exact(), subproblem=Needy(Offer.DENSE)),
        (
            r"Exact\(\) offers Offer\.MATVEC, and subproblem = Needy\(.* needs Offer\.DENSE.*: "
            r"expected one that offers it, such as hessx\.Exact\(dense=True\), hessx\.Newton\(\), "
            r"hessx\.BFGS\(\) or hessx\.SR1\(\)"
        ),
    ),
    "More & Sorensen's subproblem, and products": (
        lambda: region(hessx.Exact(), hessx.MoreSorensen()),
        r"Exact\(\) offers Offer\.MATVEC, and subproblem = MoreSorensen\(.* needs Offer\.DENSE",
    ),
    "More & Sorensen's subproblem, and Jacobi, in a line search": (
        lambda: hessx.NewtonCG(approximation=hessx.Jacobi(), subproblem=hessx.MoreSorensen()),
        r"Jacobi\(\) offers .* needs Offer\.DENSE.* such as hessx\.Exact\(dense=True\)",
    ),
    "a dogleg, and an indefinite matrix": (
        lambda: region(hessx.Exact(dense=True), hessx.Dogleg()),
        (
            r"Exact\(dense=True\) may be indefinite, and subproblem = Dogleg\(\.\.\.\) needs a "
            r"positive definite one: expected hessx\.Newton\(\), hessx\.BFGS\(\) or hessx\.LBFGS"
        ),
    ),
    "a dogleg, and SR1": (
        lambda: region(hessx.SR1(), hessx.Dogleg()),
        r"SR1\(\) may be indefinite, and subproblem = Dogleg\(",
    ),
    "a dogleg in a line search": (
        lambda: hessx.NewtonCG(approximation=hessx.BFGS(), subproblem=hessx.Dogleg()),
        r"Dogleg\(\.\.\.\) takes Ball, and models are under Free: expected .*MoreSorensen\(\)",
    ),
    "a dogleg and a cubic term": (
        lambda: region(hessx.BFGS(), hessx.Dogleg(), hessx.CubicRule()),
        r"Dogleg\(...\) takes Ball, .* Cubic: .*hessx\.GLTR\(\) or hessx\.MoreSorensen\(\)",
    ),
    "a preconditioner of a dense subproblem": (
        lambda: region(hessx.BFGS(), hessx.MoreSorensen(), preconditioner="jacobi"),
        (
            r"preconditioner = Jacobi\(...\): subproblem = MoreSorensen\(...\) works without "
            r"products and in the 2-norm: expected preconditioner = None, or .*hessx\.GLTR\(\)"
        ),
    ),
    "a preconditioner of a dogleg": (
        lambda: region(hessx.BFGS(), hessx.Dogleg(), preconditioner=lambda r: r),
        r"preconditioner = Given\(...\): subproblem = Dogleg\(...\) works without products",
    ),
    "a subproblem that factorises, and Jacobi": (
        lambda: region(hessx.Jacobi(), subproblem=Needy(Offer.DENSE)),
        r"Jacobi\(\) offers .*, and subproblem = Needy\(\.\.\.\) needs Offer\.DENSE",
    ),
    "a subproblem that solves, and SR1": (
        lambda: region(hessx.SR1(), subproblem=Needy(Offer.SOLVE)),
        r"SR1\(\) offers .* needs Offer\.SOLVE.* positive definite only",
    ),
    "the same in a line search": (
        lambda: hessx.NewtonCG(approximation=hessx.SR1(), subproblem=Needy(Offer.SOLVE)),
        r"SR1\(\) offers .* needs Offer\.SOLVE",
    ),
    "a cubic term and CG": (
        lambda: region(region=hessx.CubicRule()),
        (
            r"TruncatedCG\(\.\.\.\) takes Ball, Damped, Free, and models are under Cubic: expected "
            r"subproblem = hessx\.GLTR\(\), or region = hessx\.RadiusRule\(\) or hessx\.Nielsen"
        ),
    ),
    "Zero in a line search": (
        lambda: line(hessx.Zero()),
        (
            r"expected hessx\.Identity\(\), hessx\.TrustRegionMethod\(hessx\.Zero\(\), "
            r"hessx\.SteepestStep\(\), hessx\.NielsenRule\(\)\), or a positive definite"
        ),
    ),
    "A alone, and a matrix wanted": (
        lambda: region(hessx.Given(lambda r: r), hessx.MoreSorensen()),
        (
            r"Given\(inverse=\.\.\.\) offers Offer\.SOLVE, and subproblem = MoreSorensen\(\.\.\.\) "
            r"needs Offer\.DENSE: expected one that offers it, such as .*, or subproblem = "
            r"hessx\.TruncatedCG\(\) or hessx\.GLTR\(\)$"
        ),
    ),
    "a setting that takes offers away": (
        lambda: region(hessx.LBFGS(memory=4, hess_inv0=hessx.Jacobi()), hessx.MoreSorensen()),
        r"approximation = LBFGS\(memory=4, hess_inv0=Jacobi\(\)\) offers Offer\.SOLVE, and",
    ),
    "a setting without which it does not learn": (
        lambda: region(hessx.LearntDiagonal(patient=False), hessx.MoreSorensen()),
        r"approximation = LearntDiagonal\(patient=False\) offers",
    ),
    "a damping, a dogleg and products": (
        lambda: region(hessx.Exact(), hessx.Dogleg(), hessx.NielsenRule()),
        r"Dogleg\(\.\.\.\) takes Ball, .* Damped: expected subproblem = hessx\.TruncatedCG\(\)$",
    ),
    "a damping, a dogleg and SR1": (
        lambda: region(hessx.SR1(), hessx.Dogleg(), hessx.NielsenRule()),
        r"Damped: expected subproblem = hessx\.TruncatedCG\(\) or hessx\.MoreSorensen\(\)$",
    ),
    "a damping, Lanczos and A alone": (
        lambda: region(hessx.Given(lambda r: r), hessx.GLTR(), hessx.NielsenRule()),
        (
            r"Damped: expected subproblem = hessx\.TruncatedCG\(\), or region = "
            r"hessx\.RadiusRule\(\) or hessx\.CubicRule\(\)$"
        ),
    ),
    "a cubic term, no curvature wanted, and BFGS": (
        lambda: region(hessx.BFGS(), hessx.SteepestStep(), hessx.CubicRule()),
        r"hessx\.Zero\(\), or subproblem = hessx\.GLTR\(\) or hessx\.MoreSorensen\(\)$",
    ),
    "a class in a line search": (
        lambda: line(hessx.BFGS),
        r"direction is the class BFGS: expected an object, BFGS\(\)",
    ),
    "a class in a region": (
        lambda: region(hessx.SR1),
        r"approximation is the class SR1: expected an object, SR1\(\)",
    ),
    "a class as a preconditioner": (
        lambda: region(preconditioner=hessx.LBFGS),
        r"preconditioner is the class LBFGS: expected an object",
    ),
    "a class in QuasiNewton": (
        lambda: hessx.QuasiNewton(hessx.LBFGS),
        r"approximation is the class LBFGS",
    ),
    "a duck-typed object in a line search": (
        lambda: line(DuckTyped()),
        r"direction is a DuckTyped: expected .*one's own is a subclass of hessx\.Approximation",
    ),
    "a duck-typed object in a region": (
        lambda: region(DuckTyped()),
        r"approximation is a DuckTyped: expected .*subclass of hessx\.Approximation",
    ),
    "a duck-typed object in NewtonCG": (
        lambda: hessx.NewtonCG(approximation=DuckTyped()),
        r"approximation is a DuckTyped: expected .*subclass of hessx\.Approximation",
    ),
    "a direction in a region": (
        lambda: region(hessx.QuasiNewton(hessx.LBFGS())),
        r"approximation is a QuasiNewton: expected an approximation",
    ),
    "pairs of a solve that hands none back": (
        lambda: region(subproblem=hessx.GLTR(), preconditioner="pairs"),
        r"GLTR\(\.\.\.\) hands none back: expected hessx\.TruncatedCG\(\)",
    ),
}


@pytest.mark.parametrize("name", MISFITS)
def test_misfits_are_refused(name):
    make, message = MISFITS[name]
    with pytest.raises(SettingsError, match=message):
        make()


@pytest.mark.parametrize("subproblem", [hessx.MoreSorensen(), hessx.Dogleg()])
def test_a_subproblem_in_the_2_norm_leaves_the_default_preconditioner_out(subproblem):
    assert region(hessx.BFGS(), subproblem).preconditioner is None
    assert region(hessx.BFGS()).preconditioner is not None


@pytest.mark.parametrize(
    "B", [hessx.BFGS(), hessx.SR1(), hessx.Identity(), hessx.Exact(dense=True), hessx.Newton()]
)
def test_what_is_offered_fits(B):
    assert region(B, subproblem=Needy(Offer.DENSE | Offer.MATVEC)).approximation is B


class Weighted(hessx.Approximation):
    """diag(w), of which one side alone is written."""

    def __init__(self, side):
        self.side = side

    @property
    def offers(self):
        return Offer.MATVEC if self.side is Products else Offer.SOLVE

    def begin(self, frame):
        space = frame.space
        return self.side(space.xp.arange(1, space.n + 1, dtype=space.dtype, device=space.device))


class Products(hessx.Curvature):
    def __init__(self, w):
        self.w = w

    def matvec(self, v):
        return self.w * v


class Solves(Products):
    matvec = hessx.Curvature.matvec

    def solve(self, v):
        return v / self.w


class Neither(hessx.Curvature):
    def __init__(self, w):
        pass


PLACES = {
    "line search": line,
    "trust region": region,
    "NewtonCG": lambda part: line(hessx.NewtonCG(approximation=part)),
    "preconditioner": lambda part: region(preconditioner=part),
    "preconditioner of NewtonCG": lambda part: line(hessx.NewtonCG(preconditioner=part)),
}


@pytest.mark.parametrize("side", [Products, Solves])
@pytest.mark.parametrize("place", PLACES)
def test_one_side_alone_goes_everywhere(backend, place, side):
    """The other is solved for by conjugate gradients."""
    if backend.lazy and place != "line search":
        pytest.skip("takes long on a lazy library")
    x0 = backend.asarray([2.0, 0.5, 1.5])
    gtol = 1e-5 if backend.dtype_name == "float64" else 1e-3

    def hessp(x, v):
        e = x - 1.0
        return v + 6.0 * (e * e * v)

    result = hessx.minimize(
        bowl, x0, jac=True, hessp=hessp if "preconditioner" in place else None,
        method=PLACES[place](Weighted(side)), options={"gtol": gtol},
    )  # fmt: skip
    assert result.success, result.message
    backend.assert_same_kind(result.x, x0)
    np.testing.assert_allclose(backend.to_numpy(result.x), 1.0, atol=1.1 * gtol)


@pytest.mark.parametrize("side", [Products, Solves])
def test_the_side_that_is_solved_for_is_the_inverse(backend, side):
    v = backend.asarray([3.0, -1.0, 2.0, 5.0])
    part = side(backend.asarray([1.0, 2.0, 4.0, 8.0]))
    w = np.array([1.0, 2.0, 4.0, 8.0])
    host = np.array([3.0, -1.0, 2.0, 5.0])
    for apply, expected in ((part.solve, host / w), (part.matvec, host * w)):
        found = apply(v)
        backend.assert_same_kind(found, v)
        small = 100 * backend.eps**0.75 * abs(expected).max()
        np.testing.assert_allclose(backend.to_numpy(found), expected, atol=small)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda part: part.solve(np.ones(2)), "Neither has no solve, nor matvec"),
        (lambda part: part.matvec(np.ones(2)), "Neither has no matvec, nor solve"),
        (lambda part: part.dense(), "Neither has no dense: its approximation must not offer it"),
        (lambda part: part.diagonal(), "Neither has no diagonal"),
        (lambda part: part.solve_shifted(np.ones(2), 1.0), "Neither has no solve_shifted"),
    ],
)
def test_what_is_not_written_is_named(ask, words):
    with pytest.raises(NotImplementedError, match=words):
        ask(Neither(None))


def test_an_approximation_without_begin_is_named():
    class Settings(hessx.Approximation):
        pass

    with pytest.raises(NotImplementedError, match=r"Settings has no begin\(frame\), which gives"):
        hessx.minimize(bowl, np.ones(2), jac=True, method=line(Settings()))


@pytest.mark.parametrize(
    "method", [line(Beginner()), region(Beginner()), region(preconditioner=Beginner())]
)
def test_what_begins_as_something_else_is_named(method):
    with pytest.raises(TypeError, match=r"begin of Beginner gave a object: expected a hessx\.Curv"):
        hessx.minimize(bowl, np.zeros(2), jac=True, method=method)


@pytest.mark.parametrize(
    "approximation",
    [
        hessx.Spectral(), hessx.DiagonalBFGS(), hessx.DiagonalPSB(), hessx.Zero(),
        hessx.Identity(), hessx.WeakSecant(), hessx.LBFGS(), hessx.LSR1(),
    ],
    ids=lambda B: type(B).__name__,
)  # fmt: skip
def test_a_matrix_that_is_too_large_is_refused_before_the_first_step(approximation):
    """n^2 numbers of 8 bytes, by hand: 10^10 numbers are 74.5 GiB."""
    asked = []

    def fun(x):
        asked.append(x)
        return x @ x, 2.0 * x

    exactly = hessx.MoreSorensen()
    methods = [hessx.TrustRegionMethod(approximation, subproblem=exactly)]
    if approximation.positive:
        direction = hessx.NewtonCG(approximation=approximation, subproblem=exactly)
        methods.append(hessx.LineSearchMethod(direction, hessx.HagerZhang()))
    message = (
        rf"{type(approximation).__name__}\(\.\.\.\) .* 74.5 GiB, more than 4 GiB: .*TruncatedCG"
    )
    for method in methods:
        with pytest.raises(SettingsError, match=message):
            hessx.minimize(fun, np.ones(10**5), jac=True, method=method)
    assert not asked


def test_a_larger_matrix_may_be_allowed():
    """The limit is that of the approximation, where it has one."""
    space = space_of(np.ones(30000))  # 6.7 GiB
    begun(hessx.Newton(max_bytes=2**33), Frame(space), Offer.DENSE)
    with pytest.raises(SettingsError, match="max_bytes"):
        begun(hessx.Newton(), Frame(space), Offer.DENSE)
