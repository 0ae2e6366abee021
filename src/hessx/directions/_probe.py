"""Is a stationary start a minimum?  A probe for negative curvature."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from hessx._xp import Array, Space, fetch, normal, upload
from hessx.core import Frame, Restraint, saved
from hessx.hessians import Curvature
from hessx.krylov import KrylovOutcome, ModelStep, QuadraticModel, TruncatedCG

__all__ = ["WayOut", "probe", "way_out"]

_PRODUCTS = 20
_SEED = 0
_CG = TruncatedCG()


@saved
@dataclass(slots=True)
class WayOut:
    """A direction of negative curvature at a stationary point.

    Attributes
    ----------
    unit : array, shape (n,)
        Of length 1.
    curvature : float
        unit'H unit < 0.
    """

    unit: Array
    curvature: float

    def precondition_by(self, M: Callable[[Array], Array] | None) -> None:
        """Change nothing: the direction is what it is."""

    def step_within(self, restraint: Restraint) -> ModelStep:
        """Go as far as the restraint allows."""
        restraint, length = restraint.along(self.curvature)
        step = self.unit * length
        decrease = -0.5 * self.curvature * length * length
        # H p is known along p only, which is all that a step out needs
        product = step * self.curvature
        outcome = KrylovOutcome.NEGATIVE
        return ModelStep(step, product, decrease, 0.0, length, restraint, outcome, 0, basis=self)


def way_out(
    frame: Frame,
    B: Curvature,
    restraint: Restraint,
    watch: Callable[[], bool],
    *,
    probes: bool = True,
) -> tuple[ModelStep | None, str]:
    """Look for a direction of negative curvature by all eigenvalues, where they are known.

    Parameters
    ----------
    frame : Frame
        The variables.
    B : Curvature
        Made of the Hessian at the point.
    restraint : Restraint
        Says how long a step to take, see `Restraint.along`.
    watch : callable
        Ends it early.
    probes : bool
        Use `probe` with B v where they are not; with H v, where B knows it, it is used anyway.

    Returns
    -------
    step : ModelStep or None
        A random combination of the eigenvectors with negative eigenvalues, the more of one the
        more negative it is: along one alone a run would stay where f is symmetric about the others.
        None where no eigenvalue is below -n eps of the largest, or they are not known; where ``B``
        knows no `Curvature.hessian_product`, what is not found in it says nothing of the Hessian.
    text : str
        What was looked at.

    Notes
    -----
    Cost: at most an eigen-decomposition, two fetches and two uploads; or that of `probe`.
    """
    if not B.prepare(watch):
        return None, "second order was not checked: stopped before"
    known, product = B.spectrum(), B.hessian_product()
    if known is None and (probes or product is not None):
        step, text = probe(frame.space, product or B.matvec, restraint, watch)
        if step is not None or product is not None:
            return step, text
    if known is None:
        return None, "second order was not checked"
    w, V = known
    space, least = frame.space, float(w[0])
    negative = w < -space.n * space.eps * abs(w).max()
    if not negative.any():
        return None, f"no negative curvature: the least of all eigenvalues is {least:.3g}"
    (c,), _ = fetch(space, [normal(space, _SEED)[0, ...] @ V])
    c = c * w * negative
    c = c / math.hypot(*c)
    found = WayOut(V @ upload(space, c), float(c @ (w * c)))
    return found.step_within(restraint), f"left along a curvature of {found.curvature:.3g}"


def probe(
    space: Space,
    product: Callable[[Array], Array],
    restraint: Restraint,
    watch: Callable[[], bool],
) -> tuple[ModelStep | None, str]:
    """Look for a direction of negative curvature from a random start.

    CG on H z = b runs through the Krylov space of b, as Lanczos does: the matrix T_k of Lanczos
    stops being positive definite at the step at which CG meets p'Hp < 0.

    Parameters
    ----------
    space : Space
        Where.
    product : callable
        v -> H v.
    restraint : Restraint
        Says how long a step to take, see `Restraint.along`.
    watch : callable
        Ends the probe early.

    Returns
    -------
    step : ModelStep or None
        Along negative curvature; None where none was met.
    text : str
        What was looked at.

    Notes
    -----
    Cost: at most 20 products, one fetch each, and one upload.

    References
    ----------
    Conn, Gould & Toint (2000), Trust-Region Methods, section 5.2, on CG and Lanczos.
    """
    b = normal(space, _SEED)[0, ...]
    b_b = 1.0 * space.n  # the expected square: only ratios count, and the tolerance is 0
    limit = min(_PRODUCTS, 2 * space.n)
    found = _CG(QuadraticModel(space, product, b, b_b, 0.0, limit, watch=watch))
    if found.outcome is not KrylovOutcome.NEGATIVE or found.bend is None:
        return None, f"no negative curvature in {found.products} products ({found.outcome.value})"
    p, curvature = found.bend, found.curvature
    way_out = WayOut(p / space.xp.sqrt(p @ p), curvature)
    return way_out.step_within(restraint), f"left along a curvature of {curvature:.3g}"
