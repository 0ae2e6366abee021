"""Inverses by a fixed number of products: polynomials of B, CG or MINRES."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from hessx._xp import Array, Packet
from hessx.core import (
    Frame,
    Learns,
    Offer,
    Pair,
    SettingsError,
    Wants,
    check_part,
    saved,
    store_choice,
    store_integer,
    store_real,
)
from hessx.hessians._exact import Exact
from hessx.hessians._family import Approximation, Curvature
from hessx.krylov import (
    ChebyshevPolynomial,
    SpectralBounds,
    cg_steps,
    minres_steps,
    neumann,
    never,
    spectral_bounds,
)

__all__ = ["TruncatedInverse", "TruncatedInverseCurvature"]

_ROUNDING = 1e2  # eps of the size of the spectrum: what a Ritz value below zero may be by rounding


@saved(fresh=("own", "watch"))
class TruncatedInverseCurvature(Curvature):
    """A near the inverse of B, or of its absolute value.

    Attributes
    ----------
    of : Curvature
        B.
    size : float, optional
        That of the spectrum at this point, as far as it was looked at; 0 where B = 0.
    polynomial : ChebyshevPolynomial, optional
        Of B, or of (B / size)^2 where ``squared``.
    own : Pair, optional
        Of the trial, as B sees it.
    watch : callable, optional
        Asked before each product: once it has ended the run, A = I.
    """

    __slots__ = (
        "frame", "known", "of", "own", "polynomial", "settings", "size", "squared", "watch",
    )  # fmt: skip

    def __init__(self, frame: Frame, settings: TruncatedInverse) -> None:
        self.frame, self.settings, self.of = frame, settings, settings.of.begin(frame)
        self.polynomial: ChebyshevPolynomial | None = None
        self.own: Pair | None = None
        self.watch: Callable[[], bool] | None = None
        self.size, self.squared, self.known = 0.0, False, False

    @property
    def sized(self) -> bool:  # type: ignore[override]
        """Whether B has a size."""
        return self.of.sized and not (self.known and self.size == 0.0)

    @property
    def active(self) -> bool:  # type: ignore[override]
        """Whether B is more than I."""
        return self.of.active

    @property
    def waits(self) -> bool:  # type: ignore[override]
        """Whether B waits for the Hessian."""
        return self.of.waits

    @property
    def broken(self) -> bool:  # type: ignore[override]
        """Whether a product was not finite."""
        return self.of.broken or not math.isfinite(self.size)

    def at(self, hessian: Any) -> None:
        """Hand it to B."""
        self.of.at(hessian)

    def leave(self) -> None:
        """Let go of the point, and of the bounds that held there."""
        self.of.leave()
        self.known, self.polynomial = False, None

    def hold(self, packet: Packet) -> None:
        """Name the arrays of B."""
        self.of.hold(packet)

    def measure(self, pair: Pair, packet: Packet) -> None:
        """Ask for what B learns from; B s is not known, unless B forms it itself."""
        own = self.own = dataclasses.replace(pair, product=None, multiple=1.0)
        self.of.measure(own, packet)
        packet.hold(own, "product")

    def update(self, pair: Pair) -> str:
        """Let B learn."""
        own, self.own = self.own, None
        own = dataclasses.replace(pair, product=own.product, multiple=1.0)  # type: ignore[union-attr]
        return self.of.update(dataclasses.replace(own, s_B_s=math.nan))

    def reset(self) -> bool:
        """Let B forget."""
        self.known, self.polynomial = False, None
        return self.of.reset()

    def prepare(self, watch: Callable[[], bool] = never) -> bool:
        """Let B be made, and bound its spectrum; by one product for CG and MINRES."""
        self.watch = watch
        if not self.of.prepare(watch):
            return False
        if not self.known:
            settings, space = self.settings, self.frame.space
            steps = 1 if settings.by in ("cg", "minres") else min(settings.products, space.n)
            if watch():
                return False
            bounds = spectral_bounds(space, self.of.matvec, steps, settings.seed, watch)
            if bounds.products < steps and watch():
                return False
            self.size, self.known = bounds.size, True
            if settings.by == "chebyshev" and 0.0 < self.size < math.inf:
                self._choose(bounds)
        return True

    def matvec(self, v: Array) -> Array:
        """A^-1 v, by conjugate gradients with A; nan where B is not finite."""
        if not self.known:
            self.prepare()
        return v * math.nan if self.broken else super().matvec(v)

    def solve(self, v: Array) -> Array:
        """A v, by ``degree`` products with B at most; v where a budget ends before them."""
        if not self.known:
            self.prepare()
        if self.broken:
            return v * math.nan
        if self.size == 0.0:
            return v + 0.0
        watch, ended = self.watch or never, False

        def product(u: Array) -> Array:
            nonlocal ended
            ended = ended or watch()
            return u if ended else self.of.matvec(u)

        z = self._inverted(product, v)
        return v + 0.0 if ended else z

    def _inverted(self, product: Callable[[Array], Array], v: Array) -> Array:
        degree, space = self.settings.degree, self.frame.space
        if self.settings.by == "neumann":
            return neumann(product, v, degree, 1.0 / self.size)
        if self.polynomial is not None:
            if not self.squared:
                return self.polynomial.apply(product, v)
            squared = partial(self._squared, product)
            return self.polynomial.apply(squared, v) * (1.0 / self.size)
        if v.ndim > 1:
            return space.xp.stack([self._inverted(product, v[i, ...]) for i in range(v.shape[0])])
        if self.settings.by == "cg":
            return cg_steps(space, product, v, degree, space.eps)
        return minres_steps(space, product, v, degree, convex=True)

    def _squared(self, product: Callable[[Array], Array], v: Array) -> Array:
        """(B / size)^2 v, which does not overflow."""
        inverse = 1.0 / self.size
        return product(product(v) * inverse) * inverse

    def _choose(self, bounds: SpectralBounds) -> None:
        """Interpolate 1 / t on the spectrum, or s^(-1/2) on that of B^2 where B is indefinite."""
        degree, condition = self.settings.degree, self.settings.condition
        self.squared = bounds.least < -_ROUNDING * self.frame.space.eps * self.size
        if self.squared:
            nodes = degree // 2 + 1
            low = 1.0 / (nodes * nodes if condition is None else condition * condition)
            low = min(low, 0.25)
            self.polynomial = ChebyshevPolynomial.of(lambda s: s**-0.5, low, 1.0, nodes - 1)
        else:
            nodes, high = degree + 1, bounds.high
            least = high / (nodes * nodes if condition is None else condition)
            low = min(max(bounds.low, least), high / 2.0)
            self.polynomial = ChebyshevPolynomial.of(lambda t: 1.0 / t, low, high, degree)


@saved
@dataclass(frozen=True, slots=True)
class TruncatedInverse(Approximation):
    r"""A near B^-1 by ``degree`` products with B, for any B: no matrix, no fetch in an apply.

        "chebyshev":  A = p(B), p the interpolant of 1 / t at degree + 1 Chebyshev points of
                      [low, high]; where B is indefinite A = q(B^2), q that of s^(-1/2) at
                      degree / 2 + 1 points, near the inverse of abs(B)
        "neumann":    A = sum over j <= degree of (I - B / high)^j / high
        "cg":         ``degree`` steps of conjugate gradients for B z = v from zero
        "minres":     ``degree`` steps of MINRES

    The bounds of the spectrum are found at each accepted point by ``products`` Lanczos steps.

    Parameters
    ----------
    of : Approximation
        B: `Exact`, or what offers ``matvec``.
    by : {"chebyshev", "neumann", "cg", "minres"}
        How.
    degree : int
        Products per apply, >= 0; >= 1 for "cg" and "minres".  With an even one, divisible by 4
        where B is indefinite, a polynomial is positive wherever the spectrum lies.
    condition : float, optional
        > 1: high / low at most, for "chebyshev": eigenvalues below ``low`` are followed less far
        than by B^-1.  By default the number of points, squared for 1 / t: what so many of them can
        follow.
    products : int
        For the bounds at a point, >= 1; "cg" and "minres" take one, to see that it is finite.
    seed : int
        Of the vector that they start from.

    Raises
    ------
    SettingsError
        A setting out of range, or a B that offers no products or learns from samples or solves.

    Notes
    -----
    The polynomials are linear, symmetric and positive definite.  p is positive on (0, low + high),
    and below zero too, where it grows; q is positive on [0, high^2 + low^2]: of a Stieltjes
    function 1 - f^-1 p has the bound of Chebyshev's polynomial for 1 / (t + u), for each u.  CG and
    MINRES are not linear unless the degree is n: z'v > 0 holds, for both stay where they meet
    negative curvature (at the first step z = v v'v / abs(v'B v)); in a line search that is
    enough, and to precondition by them is to leave CG's theory.

    A preconditioner of polynomial kind spares CG fetches, not products: one fetch per degree + 1.
    Where a budget ends within an apply, A = I there.  Memory: 4 vectors, and ``products`` vectors
    while bounds are found.  Cost: ``products`` products per accepted point, a fetch per eight of
    them; ``degree`` per apply.

    References
    ----------
    Saad (2003), Iterative methods for sparse linear systems, 2nd ed., section 12.3; Dembo &
    Steihaug (1983), Math. Program. 26, on "cg"; Liu & Roosta (2022), SIAM J. Optim. 32, on
    "minres".

    Examples
    --------
    >>> import numpy as np, hessx
    >>> from scipy.optimize import rosen, rosen_der, rosen_hess_prod
    >>> method = hessx.LineSearchMethod(hessx.TruncatedInverse(degree=8), hessx.HagerZhang())
    >>> result = hessx.minimize(rosen, np.zeros(6), jac=rosen_der, hessp=rosen_hess_prod,
    ...                         method=method)
    >>> result.success
    True
    """

    of: Approximation = dataclasses.field(default_factory=Exact)
    by: str = "chebyshev"
    degree: int = 8
    condition: float | None = None
    products: int = 8
    seed: int = 0
    offers = Offer.SOLVE

    def __post_init__(self) -> None:
        known = "an approximation that offers products, such as hessx.Exact() or hessx.LSR1()"
        check_part("of", self.of, Approximation, known)
        if Offer.MATVEC not in self.of.offers or self.of.stochastic or self.of.only_preconditions:
            msg = f"of = {type(self.of).__name__}(...): expected {known}"
            raise SettingsError(msg)
        store_choice(self, "by", "chebyshev", "neumann", "cg", "minres")
        store_integer(self, "degree", 1 if self.by in ("cg", "minres") else 0)
        store_real(self, "condition", 1.0)
        store_integer(self, "products", 1)
        store_integer(self, "seed")

    @property
    def learns(self) -> Learns:  # type: ignore[override]
        """From what B learns."""
        return self.of.learns

    @property
    def wants(self) -> Wants:  # type: ignore[override]
        """What B wants."""
        return self.of.wants

    def begin(self, frame: Frame) -> TruncatedInverseCurvature:
        """Begin with B at its start."""
        return TruncatedInverseCurvature(frame, self)
