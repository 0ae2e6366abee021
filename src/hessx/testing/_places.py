"""Runs of an approximation everywhere it fits."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

import hessx
from hessx._xp import Array
from hessx.core import Offer, Wants
from hessx.testing._posed import Posed, expect

__all__ = ["check_places"]


def check_places(posed: Posed) -> None:
    """Minimise a convex function in a line search, in a trust region and as a preconditioner.

    With the scale of the frame, if it has one, as ``x_scale``.
    """
    part, scale = posed.approximation, posed.frame.scale
    squares = Wants.RESIDUAL in part.wants
    B = hessx.GaussNewton() if squares else hessx.Exact()
    scaled: dict[str, Any] = {} if scale is None else {"x_scale": scale}
    methods: dict[str, Any] = {}
    if part.positive and not part.only_preconditions:
        methods["a line search"] = hessx.LineSearchMethod(part, hessx.HagerZhang(), **scaled)
    if part.positive:
        methods["a preconditioner"] = hessx.TrustRegionMethod(B, preconditioner=part, **scaled)
    if (Offer.MATVEC in part.offers or part.positive) and not part.only_preconditions:
        methods["a trust region"] = hessx.TrustRegionMethod(part, **scaled)
    for place, method in methods.items():
        where = place if scale is None else f"{place} with an array x_scale"
        _check_run(posed, where, method, products=place == "a preconditioner")


def _check_run(posed: Posed, where: str, method: Any, *, products: bool) -> None:
    """See where a run ends, and that one which is put down and taken up ends there too."""
    space = posed.space
    H, center = posed.there(posed.H), posed.there(np.ones(space.n))
    x0, unit = space.shaped(posed.there(np.zeros(space.n))), posed.there(np.eye(space.n))

    def fun(x: Array) -> tuple[Array, Array]:
        e = space.flat(x) - center
        g, square = H @ e, e @ e
        return 0.5 * (e @ g) + 0.25 * square * square, space.shaped(g + e * square)

    def hess(x: Array) -> Array:
        e = space.flat(x) - center
        return H + (e @ e) * unit + 2.0 * e[:, None] * e[None, :]

    tolerance = space.eps**0.375
    given: dict[str, Any] = {"fun": fun, "jac": True, "method": method}
    if Wants.RESIDUAL in posed.approximation.wants:
        given = {"fun": _sum_of_squares(posed, center), "method": method}
    elif products or Wants.HESSIAN in posed.approximation.wants:
        given["hess"] = hess

    def run(maxiter: int, **more: Any) -> Any:
        options = {"gtol": tolerance, "norm": 2, "maxiter": maxiter}
        return hessx.minimize(x0=x0, options=options, **given, **more)

    result = run(2000)
    expect(result.success, f"in {where}: {result.message}")
    mismatch = space.mismatch(space.flat(result.x))
    expect(mismatch is None, f"in {where} x became an array of another kind: {mismatch}")
    error = np.linalg.norm(posed.host(space.flat(result.x)) - 1.0)  # eigenvalues are at least 1
    most = tolerance * (1.0 + space.eps**0.5)
    expect(error <= most, f"in {where}: x is off by {error:.2g}, at most {most:.2g} expected")
    file = io.BytesIO()
    try:
        hessx.save(file, run(min(3, result.nit - 1)))
    except TypeError as error:
        msg = f"in {where} a run cannot be saved: {error}"
        raise AssertionError(msg) from error
    file.seek(0)
    resumed = run(2000, resume=file)
    same = bool((posed.host(resumed.x) == posed.host(result.x)).all())
    expect(same, f"in {where} a run that was saved and taken up ends elsewhere")


def _sum_of_squares(posed: Posed, center: Array) -> hessx.SumOfSquares:
    """Give the same function as a sum of squares."""
    space, xp, R = posed.space, posed.space.xp, posed.there(posed.root())

    def residual(x: Array) -> Array:
        e = space.flat(x) - center
        return xp.concat([R @ e, xp.reshape(e @ e, (1,)) * 0.5**0.5])

    def jacobian(x: Array) -> Array:
        e = space.flat(x) - center
        return xp.concat([R, xp.reshape(e, (1, -1)) * 2.0**0.5])

    return hessx.SumOfSquares(residual, jacobian)
