"""Is a point a minimum, a saddle or a valley?  The Hessian's eigenvalues tell."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hessx._xp import (
    Array,
    Space,
    eigh,
    extremes,
    fetch,
    norm_inf,
    normal,
    quiet,
    space_of,
    to_point,
)
from hessx.core import Oracle, Request, Wants, check_integer, check_real
from hessx.objectives import (
    DifferenceProduct,
    GivenOracle,
    HessianAt,
    as_oracle,
    make_objective,
)
from hessx.operators import DenseOperator, LanczosRun, count_signs, rounding, search
from hessx.solvers._curvature_report import CurvatureReport, Spectrum
from hessx.solvers._unconstrained import refuse_derivatives

__all__ = ["curvature"]

_Found = tuple[Any, Array, Spectrum]  # all eigenvalues or None, eigenvectors of both ends

_SYMMETRY_SEED = 1  # that of Lanczos is the user's
_NOT_FINITE = "the Hessian at x is not finite: expected finite products"
_UNSETTLED = 3 / 4  # of the noise of differences: what is larger does not go to zero with them
_UNSYMMETRIC = 1 / 4  # power of eps: products may have been computed in a lower precision


def curvature(
    fun: Callable[..., Any] | Oracle,
    x: Any,
    *,
    args: Any = (),
    jac: Any = None,
    hess: Any = None,
    hessp: Any = None,
    gtol: float | None = None,
    products: int = 100,
    rtol: float = 1e-3,
    x_scale: Any = 1.0,
    seed: int = 0,
) -> CurvatureReport:
    r"""Tell what kind of point x is by the gradient and the ends of the Hessian's spectrum.

    Where n is at most ``products``, by all eigenvalues of the dense Hessian; otherwise by Lanczos
    from a random vector, from both ends at once, until the signs are decided.

    Parameters
    ----------
    fun, args, jac, hess, hessp
        As in `minimize`: the products are hessp's, hess's, or differences of a gradient that is
        given; or an oracle, such as `FiniteSum`, that offers the Hessian.
    x : array of any shape, or dict, list or tuple of arrays, or numbers
        The point.
    gtol : float, optional
        x is stationary where norm_inf(g) <= gtol; >= 0, by default 1e-5, in float32 1e-3.
    products : int
        At most, but for up to 8 that check them.
    rtol : float
        Lanczos goes on until the residuals of both ends are below rtol times the largest absolute
        Ritz value too; in (0, 1).
    x_scale : float or array
        Natural size of the variables, for differences.
    seed : int
        Of the start of Lanczos.

    Returns
    -------
    CurvatureReport
        The kind of point, the eigenvalues that say so, their errors, and a message.

    Raises
    ------
    TypeError, ValueError
        Input that cannot be meant, as in `minimize`; nothing to form products from; a gradient or a
        product that is not finite; products that are not symmetric: u'Hv and v'Hu of random u and v
        differ by more than eps^(1/4) of norm(Hu) + norm(Hv), or entries of a matrix likewise.
    SettingsError
        A setting is out of range.

    Notes
    -----
    Negative curvature that is found is there: Ritz values lie between the eigenvalues.  That there
    is none is as good as certain, and no more, where the least Ritz value has converged; where it
    has not, the message says that none was found.  About (largest / abs(least))^(1/2) products
    are needed.

    Eigenvalues within 4 eps n^(1/2) of the largest absolute one count as 0.  Where products are
    differences their noise counts too: 4 eps^(1/2) of it (3-point: eps^(2/3)), and what the
    differences of half the length, plus and minus the outermost eigenvectors, leave open; their
    mean, a central difference, takes the eigenvalue's place.

    Cost: one value and gradient, at most ``products`` products and 8 more; one fetch for every 8
    products, and at most three.  Memory: ``products`` vectors.

    References
    ----------
    Nocedal & Wright (2006), Numerical Optimization, theorems 2.3 and 2.4; Parlett (1998), The
    Symmetric Eigenvalue Problem, section 13.2.

    Examples
    --------
    >>> import hessx, numpy as np
    >>> fun, jac = lambda x: x[0] ** 2 - x[1] ** 2, lambda x: np.array([2.0, -2.0]) * x
    >>> report = hessx.curvature(fun, np.zeros(2), jac=jac, hess=lambda x: np.diag([2.0, -2.0]))
    >>> report.kind, report.least, report.inertia.negative
    ('saddle', -2.0, 1)
    >>> hessx.curvature(fun, np.ones(2), jac=jac).kind
    'not stationary'

    >>> valley = lambda x: ((x[0] + x[1]) ** 4, 4.0 * (x[0] + x[1]) ** 3 * np.ones(2))
    >>> hessx.curvature(valley, np.array([1.0, -1.0]), jac=True).kind
    'singular'
    """
    most, seed = check_integer("products", products, 1), check_integer("seed", seed)
    rtol = check_real("rtol", rtol, 0.0, 1.0)
    point = to_point(x, "x")
    space = space_of(point)
    if gtol is None:
        gtol = 1e-3 if space.eps > 2.0**-30 else 1e-5
    gtol = check_real("gtol", gtol, 0.0, math.inf, "[]")
    given, flat = as_oracle(fun), space.flat(point)
    oracle: Oracle
    if given is not None:
        refuse_derivatives(given, args=args or None, jac=jac, hess=hess, hessp=hessp)
        oracle = GivenOracle(given, space, 1.0, Wants.HESSIAN)
    else:
        args = args if isinstance(args, tuple) else (args,)
        oracle = make_objective(fun, jac, args, space, hess=hess, hessp=hessp, x_scale=x_scale)
    grad = space.copy(oracle.answer(Request(flat, 0)).grad)

    def hessian(coarse: float) -> HessianAt:
        request = Request(flat, 1, Wants.HESSIAN, grad=lambda: grad, coarse=coarse)
        answer: HessianAt = oracle.answer(request).hessian
        return answer

    H = hessian(1.0)
    by_differences = [part for part in (H.apply, H.given) if isinstance(part, DifferenceProduct)]
    grad_norm = _check(space, H, grad, symmetric=len(by_differences) > 0)
    w, ends, found = (_of_all if most >= space.n else _by_lanczos)(space, H, most, rtol, seed)
    noise = 0.0
    if by_differences:
        power = 2 / 3 if by_differences[0].central else 1 / 2
        found, noise = _refined(space, H, hessian(0.5), found, ends, power)
    return CurvatureReport.of(
        found,
        grad_norm,
        gtol,
        noise,
        oracle.counts.products,
        None if w is None else count_signs(w, found.threshold),
        space.shaped(ends[0, ...]),
    )


def _check(space: Space, H: HessianAt, grad: Array, *, symmetric: bool) -> float:
    """Give norm_inf of the gradient; refuse one that is not finite, and products likewise."""
    scalars = [*extremes(space, grad)]
    if not (symmetric or isinstance(H.operator, DenseOperator)):
        u, v = (normal(space, (_SYMMETRY_SEED, i))[0, ...] for i in range(2))
        Hu, Hv = space.copy(H(u)), H(v)
        with quiet():  # divided by its size, no square over- or underflows
            size = norm_inf(space, Hu + Hv) + space.smallest
            Hu, Hv = Hu / size, Hv / size
            scalars += [u @ Hv, v @ Hu, Hu @ Hu, Hv @ Hv]
    (high, low, *of_H), _ = fetch(space, scalars)
    grad_norm = max(high, -low)
    if not math.isfinite(high - low):
        msg = f"the gradient at x is not finite: its entries are from {low} to {high}"
        raise ValueError(msg)
    if of_H:
        gap, scale = abs(of_H[0] - of_H[1]), math.sqrt(of_H[2]) + math.sqrt(of_H[3])
        if not math.isfinite(gap + scale):
            raise ValueError(_NOT_FINITE)
        if gap > space.eps**_UNSYMMETRIC * scale:
            msg = (
                f"the Hessian is not symmetric: u'Hv and v'Hu of random u and v differ by "
                f"{gap / scale:.3g} of norm(Hu) + norm(Hv): check hess or hessp, for one by "
                "hessx.check_product"
            )
            raise ValueError(msg)
    return float(grad_norm) + 0.0  # -0.0 of a gradient of zeros reads badly


def _of_all(space: Space, H: HessianAt, most: int, rtol: float, seed: int) -> _Found:  # noqa: ARG001
    """By the dense Hessian."""
    w, V, _ = eigh(space, H.dense())
    if not math.isfinite(w[0] + w[-1]):
        raise ValueError(_NOT_FINITE)
    ends = space.xp.stack([V[:, 0], V[:, space.n - 1]])
    return w, ends, Spectrum(float(w[0]), float(w[-1]), 0.0, 0.0, rounding(space, w))


def _by_lanczos(space: Space, H: HessianAt, most: int, rtol: float, seed: int) -> _Found:
    """By Ritz values."""

    def spectrum(run: LanczosRun) -> Spectrum:
        theta, _, residuals = run.ritz()
        ends = float(theta[0]), float(theta[-1]), float(residuals[0]), float(residuals[-1])
        return Spectrum(*ends, threshold=rounding(space, theta))

    def done(run: LanczosRun) -> bool:
        found = spectrum(run)
        close = rtol * max(-found.least, found.largest)
        converged = max(found.least_error, found.largest_error) <= close
        return run.invariant or (converged and found.definiteness != "undecided")

    run = search(space, H, most, seed, done)
    if not run.finite:
        raise ValueError(_NOT_FINITE)
    _, S, _ = run.ritz()
    return None, run.lift(S[:, [0, -1]].T), spectrum(run)


def _refined(
    space: Space, H: HessianAt, half: HessianAt, found: Spectrum, ends: Array, power: float
) -> tuple[Spectrum, float]:
    """Take differences of half the length, both ways along the outermost eigenvectors: one fetch.

    Third derivatives make the two ways differ, fourth ones the lengths: those along a vector, and
    those along a variable that a dense Hessian is made of.  The mean of both ways is the central
    difference.  With f about abs(x)^p, that of half the length is as large as the noise for p = 1,
    and half of it for p = 3.
    """
    scalars = []
    for i in range(2):
        u = ends[i, ...]
        scalars += [u @ half(u), u @ half(-u), u @ H(u)]
    values, _ = fetch(space, scalars)
    if not math.isfinite(math.fsum(values)):
        raise ValueError(_NOT_FINITE)
    least, largest = 0.5 * (values[0] - values[1]), 0.5 * (values[3] - values[4])
    bends = abs(values[0] + values[1]), abs(values[3] + values[4])
    changes = least - found.least, least - values[2], largest - found.largest, largest - values[5]
    shifts = [2.0 * abs(change) for change in changes]
    size = max(abs(least), abs(largest))
    noise = max(4.0 * space.eps**power * size, *bends, *shifts)
    threshold = found.threshold + noise
    noisy = size > _UNSETTLED * noise
    return replace(found, least=least, largest=largest, threshold=threshold, noisy=noisy), noise
