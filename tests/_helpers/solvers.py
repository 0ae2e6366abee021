"""Every solver, and a quadratic that each of them minimises in a dozen iterations."""

from __future__ import annotations

from typing import Any

import array_api_compat as compat
import numpy as np

import hessx
from _helpers.runs import matrix_of, product_of

__all__ = [
    "DENSE",
    "EVERY",
    "LEARNING",
    "MEMORY",
    "MINIMISER",
    "NEWTON",
    "PLAIN",
    "SAMPLED",
    "SOLVERS",
    "WEIGHTS",
    "Quadratic",
    "products",
    "quadratic_at",
]

WEIGHTS = np.array([[1.0, 1.5, 2.0], [1.25, 1.75, 1.0]])
MEMORY = 4  # pairs; a dozen iterations go several times round
MINIMISER = np.array([[1.0, -2.0, 0.5], [3.0, 0.0, -1.0]])


def _along(curvature: Any, rule: Any) -> Any:
    return hessx.LineSearchMethod(curvature, rule)


SOLVERS = {
    "lbfgs-hz": _along(hessx.LBFGS(memory=MEMORY), hessx.HagerZhang()),
    "lbfgs-mt": _along(hessx.LBFGS(memory=MEMORY), hessx.MoreThuente()),
    "cg-hz": _along(hessx.NonlinearCG("hz"), hessx.HagerZhang(c2=0.1)),
    "cg-hs+": _along(hessx.NonlinearCG("hs+"), hessx.MoreThuente(c2=0.1)),
    "cg-pr+": _along(hessx.NonlinearCG("pr+"), hessx.HagerZhang(c2=0.1)),
    "gd-armijo": _along(hessx.Identity(), hessx.Armijo()),
    "fixed": _along(hessx.Identity(), hessx.FixedStep(0.6)),
    "decaying": _along(hessx.Identity(), hessx.DecayingStep(0.7, rate=0.05)),
    "bb-long": _along(hessx.Identity(), hessx.BarzilaiBorwein("long")),
    "bb-short": _along(hessx.Identity(), hessx.BarzilaiBorwein("short")),
    "inverse": _along(hessx.ExactInverse(np.diag(WEIGHTS.ravel())), hessx.FixedStep(0.75)),
    "lbfgs-hz-max": _along(hessx.LBFGS(memory=MEMORY), hessx.NonMonotone(hessx.HagerZhang())),
    "spectral-max": _along(hessx.Spectral(), hessx.NonMonotone(memory=4)),
    "diagonal-bfgs-average": _along(hessx.DiagonalBFGS(), hessx.NonMonotoneAverage()),
    "trust-weak-secant": hessx.TrustRegionMethod(hessx.WeakSecant()),
    "trust-diagonal-psb": hessx.TrustRegionMethod(hessx.DiagonalPSB()),
    "r2": hessx.TrustRegionMethod(hessx.Zero(), hessx.SteepestStep(), hessx.NielsenRule()),
}


# Second order; those with "jacobi" in their names ask for a diagonal.
_DENSE = hessx.Exact(dense=True)
_BY_THREES = hessx.TruncatedCG(check_every=3)
NEWTON = {
    "newton-hz": _along(hessx.NewtonCG(), hessx.HagerZhang()),
    "newton-mt-by-threes": _along(hessx.NewtonCG(subproblem=_BY_THREES), hessx.MoreThuente()),
    "newton-armijo-jacobi": _along(hessx.NewtonCG(preconditioner="jacobi"), hessx.Armijo()),
    "newton-hz-pairs": _along(hessx.NewtonCG(preconditioner="pairs"), hessx.HagerZhang()),
    "trust": hessx.TrustRegionMethod(),
    "trust-by-threes": hessx.TrustRegionMethod(
        subproblem=_BY_THREES, forcing=hessx.EisenstatWalker()
    ),
    "trust-jacobi": hessx.TrustRegionMethod(preconditioner="jacobi"),
    "trust-gltr": hessx.TrustRegionMethod(subproblem=hessx.GLTR()),
    "trust-damped": hessx.TrustRegionMethod(region=hessx.NielsenRule()),
    "arc": hessx.TrustRegionMethod(subproblem=hessx.GLTR(), region=hessx.CubicRule()),
    "newton-dense": _along(hessx.Newton(), hessx.HagerZhang()),
    "trust-hutchinson": hessx.TrustRegionMethod(preconditioner="hutchinson"),
    "trust-nystrom": hessx.TrustRegionMethod(preconditioner="nystrom"),
    "newton-cholesky": _along(hessx.Newton("cholesky"), hessx.MoreThuente()),
    "trust-exact": hessx.TrustRegionMethod(_DENSE, hessx.MoreSorensen()),
    "arc-exact": hessx.TrustRegionMethod(_DENSE, hessx.MoreSorensen(), hessx.CubicRule()),
    "damped-exact": hessx.TrustRegionMethod(_DENSE, hessx.MoreSorensen(), hessx.NielsenRule()),
    "dogleg": hessx.TrustRegionMethod(hessx.Newton(), hessx.Dogleg()),
    "trust-pairs": hessx.TrustRegionMethod(preconditioner=hessx.PairPreconditioner(memory=3)),
}
EVERY = SOLVERS | NEWTON
# They differ from the others in an approximation or a rule with tests of its own.
PLAIN = (
    "lbfgs-hz-max", "spectral-max", "diagonal-bfgs-average", "trust-weak-secant",
    "trust-diagonal-psb", "r2",
)  # fmt: skip
# they have the Hessian as an array
DENSE = ("newton-dense", "newton-cholesky", "trust-exact", "arc-exact", "damped-exact", "dogleg")

# They are made of samples of the Hessian, and do not look for negative curvature.
_HUTCHINSON, _BLOCK = hessx.Hutchinson(samples=2), hessx.Partial("exact", slice(1, 4))
SAMPLED = {
    "hutchinson-hz": _along(_HUTCHINSON, hessx.HagerZhang()),
    "chebyshev-hz": _along(hessx.TruncatedInverse(degree=2, products=3), hessx.HagerZhang()),
    "minres-hz": _along(hessx.TruncatedInverse(by="minres", degree=3), hessx.HagerZhang()),
    "partial-hz": _along(hessx.Partial(_HUTCHINSON, slice(1, 4)), hessx.HagerZhang()),
    "blocks-hz": _along(hessx.Blockwise(_HUTCHINSON), hessx.HagerZhang()),
    "lbfgs-hutchinson": _along(
        hessx.LBFGS(memory=MEMORY, hess_inv0=_HUTCHINSON), hessx.HagerZhang()
    ),
    "trust-hutchinson-dogleg": hessx.TrustRegionMethod(_HUTCHINSON, hessx.Dogleg()),
    "trust-partial": hessx.TrustRegionMethod(_BLOCK),
    "newton-partial": _along(hessx.NewtonCG(approximation=_BLOCK), hessx.HagerZhang()),
}

# They learn their models from steps; the steps of CG are fetches too.
LEARNING = {
    "bfgs": _along(hessx.BFGS(), hessx.HagerZhang()),
    "trust-bfgs": hessx.TrustRegionMethod(hessx.BFGS(), hessx.Dogleg()),
    "trust-sr1": hessx.TrustRegionMethod(hessx.SR1()),
    "trust-bfgs-exact": hessx.TrustRegionMethod(hessx.BFGS(), hessx.MoreSorensen()),
    "trust-bfgs-cg": hessx.TrustRegionMethod(hessx.BFGS()),
    "trust-sr1-exact": hessx.TrustRegionMethod(hessx.SR1(), hessx.MoreSorensen()),
    "trust-lbfgs": hessx.TrustRegionMethod(hessx.LBFGS(memory=MEMORY), hessx.Dogleg(double=True)),
    "trust-lsr1": hessx.TrustRegionMethod(hessx.LSR1(memory=MEMORY)),
    "ldfp": _along(hessx.LDFP(memory=MEMORY), hessx.HagerZhang()),
    "lbfgs-learnt": _along(
        hessx.LBFGS(memory=MEMORY, hess_inv0=hessx.LearntDiagonal(patient=False)),
        hessx.HagerZhang(),
    ),
    "trust-lbfgs-damped": hessx.TrustRegionMethod(hessx.LBFGS(memory=MEMORY, damping=0.2)),
    "newton-bfgs": _along(hessx.NewtonCG(approximation=hessx.BFGS()), hessx.HagerZhang()),
    "newton-sr1": _along(hessx.NewtonCG(approximation=hessx.SR1()), hessx.HagerZhang()),
    "newton-lbfgs": _along(
        hessx.NewtonCG(approximation=hessx.LBFGS(memory=MEMORY)), hessx.MoreThuente()
    ),
}


def products(name: str, fun: Any) -> dict[str, Any]:
    """What a method has to be given besides f: hess for a diagonal, hessp for other Newton kinds.

    ``fun`` is a function of `_helpers.runs`, or an object with ``hessp``.
    """
    if name not in NEWTON:
        return {}
    return {"hess": matrix_of(fun)} if "jacobi" in name else {"hessp": product_of(fun)}


class Quadratic:
    """f = half of sum w (x - c)^2 with weights between 1 and 2; counts its calls."""

    def __init__(self, backend: Any, shape: tuple[int, ...] = (2, 3)) -> None:
        self.w = backend.asarray(np.reshape(WEIGHTS, shape))
        self.c = backend.asarray(np.reshape(MINIMISER, shape))
        self.calls = self.products = 0

    def hessp(self, x: Any, v: Any) -> Any:
        self.products += 1
        return self.w * v

    def __call__(self, x: Any) -> tuple[Any, Any]:
        self.calls += 1
        xp = compat.array_namespace(x)
        error = x - self.c
        grad = self.w * error
        return xp.sum(grad * error) / 2.0, grad


def quadratic_at(x: np.ndarray) -> tuple[float, np.ndarray]:
    """The same function of a flat NumPy vector, in float64."""
    error = x.astype(np.float64) - MINIMISER.ravel()
    grad = WEIGHTS.ravel() * error
    return float(grad @ error) / 2.0, grad
