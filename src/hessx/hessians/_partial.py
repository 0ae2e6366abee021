"""An approximation on some of the variables, or on a few directions; a diagonal elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
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
    positive_vector,
    saved,
    store_real,
)
from hessx.hessians._family import Approximation, Curvature
from hessx.hessians._newton import Newton
from hessx.hessians._part_of import (
    RestrictedHessian,
    check_inside,
    measure_part,
    takes_pairs,
    update_part,
)
from hessx.hessians._start import on_the_host
from hessx.hessians._subsets import Span, Subset, checked_where, subset_of
from hessx.krylov import never
from hessx.operators import BlockDiagonalOperator, DiagonalOperator, LinearOperator

__all__ = ["Partial", "PartialCurvature"]

_INSIDE = "inside: "  # before the names of what the part asks for


@saved(fresh=("mean", "own"))
class PartialCurvature(Curvature):
    """B = V'C V + (I - V'V) rest, with the part C at work on the coordinates c = V v.

    Attributes
    ----------
    subset : Subset
        V.
    part : Curvature
        C.
    given : float or array, optional
        B elsewhere, in z; None where C tells its size.
    gamma : float
        That size, from the last pair of a C that learns.
    mean : 0-d array, optional
        That size, from the diagonal of C at this point.
    """

    __slots__ = ("frame", "gamma", "given", "learns", "mean", "own", "part", "subset")

    def __init__(self, frame: Frame, subset: Subset, part: Curvature, given: Any, *, learns: bool):
        self.frame, self.subset, self.part, self.given = frame, subset, part, given
        self.learns, self.gamma = learns, 1.0
        self.mean: Array = None
        self.own: Pair | None = None

    @property
    def sized(self) -> bool:  # type: ignore[override]
        """Whether C has a size."""
        return self.part.sized

    @property
    def active(self) -> bool:  # type: ignore[override]
        """Whether there is more than I."""
        return self.part.active or self.given is not None

    @property
    def waits(self) -> bool:  # type: ignore[override]
        """Whether C waits for the Hessian."""
        return self.part.waits

    @property
    def broken(self) -> bool:  # type: ignore[override]
        """Whether what came is not finite."""
        return self.part.broken

    def at(self, hessian: Any) -> None:
        """Hand its block to C."""
        self.part.at(RestrictedHessian(self.subset, self.frame, hessian))

    def leave(self) -> None:
        """Let C go of the point."""
        self.part.leave()
        self.mean = None

    def focus(self, needs: Offer) -> None:
        """Hand it on."""
        self.part.focus(needs)

    def hold(self, packet: Packet) -> None:
        """Name the arrays of C."""
        self.part.hold(packet)

    def measure(self, pair: Pair, packet: Packet) -> None:
        """Ask for the products of the pair within the subset, and for what C learns from."""
        self.own = measure_part(self.subset, self.part, pair, packet, _INSIDE)

    def update(self, pair: Pair) -> str:
        """Let C learn, and take y'y / s'y for the size elsewhere."""
        own, self.own = self.own, None
        note = update_part(self.part, own, pair, _INSIDE)  # type: ignore[arg-type]
        if note != "skipped" and pair.accepted and own.s_y > 0.0:  # type: ignore[union-attr]
            self.gamma = own.y_y / own.s_y  # type: ignore[union-attr]
        return note

    def reset(self) -> bool:
        """Let C forget."""
        self.gamma, self.mean = 1.0, None
        return self.part.reset()

    def prepare(self, watch: Callable[[], bool] = never) -> bool:
        """Let C be made, and find its size."""
        if not self.part.prepare(watch):
            return False
        if not self.learns and self.given is None and self.mean is None:
            xp = self.frame.space.xp
            mean = xp.mean(xp.abs(self.part.diagonal()))
            self.mean = xp.where(mean > 0.0, mean, mean * 0.0 + 1.0)
        return True

    def solve(self, v: Array) -> Array:
        """V'C^-1 V v, and v / rest elsewhere."""
        inside, outside = self._split(v)
        return self.subset.place(self.part.solve(inside)) + outside / self._rest

    def matvec(self, v: Array) -> Array:
        """V'C V v, and v rest elsewhere."""
        inside, outside = self._split(v)
        return self.subset.place(self.part.matvec(inside)) + outside * self._rest

    def solve_shifted(self, v: Array, sigma: float) -> Array:
        """V'(C + sigma I)^-1 V v, and v / (rest + sigma) elsewhere."""
        inside, outside = self._split(v)
        placed = self.subset.place(self.part.solve_shifted(inside, sigma))
        return placed + outside / (self._rest + sigma)

    def diagonal(self) -> Array:
        """The diagonal of C, and the rest."""
        self.prepare()
        _, outside = self._split(self.frame.space.zeros(self.frame.space.n) + 1.0)
        return self.subset.place(self.part.diagonal()) + outside * self._rest

    def operator(self, *, inverse: bool) -> LinearOperator | None:
        """A or B in x, as it stands, of neighbours whose C and size are there; else None."""
        frame, span, rest = self.frame, self.subset, self._rest
        part = self.part.operator(inverse=inverse)
        if part is None or rest is None or not isinstance(span, Span):
            return None
        d = frame.space.zeros(frame.space.n) + rest
        d = frame.diagonal(1.0 / d) if inverse else frame.inverse_diagonal(d)
        head, tail = d[: span.start], d[span.stop :]
        before = [DiagonalOperator(head)] if head.shape[0] else []
        return BlockDiagonalOperator(
            [*before, part, *([DiagonalOperator(tail)] if tail.shape[0] else [])]
        )

    def _split(self, v: Array) -> tuple[Array, Array]:
        """Give V v, and what of v is not in the span of V'."""
        self.prepare()
        inside = self.subset.cut(v)
        return inside, v - self.subset.place(inside)

    @property
    def _rest(self) -> Any:
        if self.given is not None:
            return self.given
        return self.gamma if self.learns else self.mean


@saved(host=("where", "rest"))
@dataclass(frozen=True, slots=True, eq=False)
class Partial(Approximation):
    r"""A = V'C^-1 V + (I - V'V) / rest: C on k variables or directions, a multiple of I elsewhere.

    Parameters
    ----------
    of : Approximation or "exact"
        C.  What wants the Hessian is given V H V', a product with H for each of its own; what
        learns from steps, V s and V y.  "exact" is `Newton`, with k products per accepted point and
        the absolute values of the eigenvalues of V H V'.
    where : slice, integers, mask or matrix
        Which variables: a slice, their numbers (from the end where negative), or n bools; or the
        rows of a matrix (k, n) of linearly independent directions in x, made orthonormal in x /
        x_scale.
    rest : float or array, shape (n,), optional
        > 0: B elsewhere, in units of the Hessian; a number beside directions, and that in
        x / x_scale.  By default
        the mean absolute value of the diagonal of C, and y'y / s'y of the last step within the
        subset for what learns.

    Raises
    ------
    SettingsError
        A setting out of range: no variables, one twice; a C that learns from samples or solves, or
        whose size is not known, without ``rest``; when the run begins, variables out of range, a
        mask or matrix of another size, directions that are linearly dependent.

    Notes
    -----
    Memory: that of C, and 2 vectors of integers for numbers and masks, k vectors for directions.
    Cost per apply: that of C on k numbers, 6 passes over a vector (2 k more for directions), no
    fetch.  Directions are made orthonormal with two fetches when the run begins.

    References
    ----------
    Nocedal & Wright (2006), section 7.4, on blocks; for directions, the deflation of Nabben & Vuik
    (2006), SIAM J. Sci. Comput. 27, in its additive form.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> H = np.diag([1e6, 1.0, 1.0, 1.0])
    >>> H[0, 1] = H[1, 0] = 500.0
    >>> fun = lambda x: (x @ H @ x / 2 - x.sum(), H @ x - 1)
    >>> method = hessx.LineSearchMethod(hessx.Partial("exact", slice(0, 2), rest=1.0),
    ...                                 hessx.HagerZhang())
    >>> result = hessx.minimize(fun, np.zeros(4), jac=True, hessp=lambda x, v: H @ v, method=method)
    >>> result.nit, result.counts.products
    (1, 2)
    """

    of: Any
    where: Any
    rest: Any = None

    def __post_init__(self) -> None:
        known = (
            'an approximation that wants the Hessian or learns from steps, such as "exact", '
            "hessx.BFGS() or hessx.Hutchinson()"
        )
        if isinstance(self.of, str) and self.of == "exact":
            object.__setattr__(self, "of", Newton())
        check_part("of", self.of, Approximation, known)
        check_inside("of", self.of)
        if self.of.stochastic or self.of.only_preconditions:
            msg = f"of = {type(self.of).__name__}(...): expected {known}"
            raise SettingsError(msg)
        object.__setattr__(self, "where", checked_where(self.where))
        if isinstance(self.rest, Real):
            store_real(self, "rest", 0.0)
        elif self.rest is not None:
            object.__setattr__(self, "rest", on_the_host("rest", self.rest))
        elif not takes_pairs(self.of) and Offer.DIAGONAL not in self.of.offers:
            name = type(self.of).__name__
            msg = f"of = {name}(...) tells no size: expected rest, a positive number or n of them"
            raise SettingsError(msg)

    @property
    def offers(self) -> Offer:  # type: ignore[override]
        """What C offers; a diagonal for variables alone."""
        both = Offer.SOLVE | Offer.MATVEC | Offer.SHIFTED
        directions = getattr(self.where, "ndim", 1) != 1
        return self._part.offers & (both if directions else both | Offer.DIAGONAL)

    @property
    def positive(self) -> bool:  # type: ignore[override]
        """Whether C is."""
        return self._part.positive

    @property
    def learns(self) -> Learns:  # type: ignore[override]
        """From what C learns."""
        return self._part.learns

    @property
    def wants(self) -> Wants:  # type: ignore[override]
        """What C wants."""
        return self._part.wants

    @property
    def _part(self) -> Approximation:
        return self.of  # type: ignore[no-any-return]

    def begin(self, frame: Frame) -> PartialCurvature:
        """Find the variables among those of x, and begin C on them."""
        subset = subset_of(frame, self.where)
        part, given = self._part.begin(subset.frame(frame)), self._elsewhere(frame, subset)
        return PartialCurvature(frame, subset, part, given, learns=takes_pairs(self._part))

    def _elsewhere(self, frame: Frame, subset: Subset) -> Any:
        """B elsewhere, in z."""
        rest, number, space = self.rest, isinstance(self.rest, Real), frame.space
        if not subset.axes and not (rest is None or number):
            msg = "rest is an array, and where has directions: expected a positive number"
            raise SettingsError(msg)
        if rest is None or (number and (frame.scale is None or not subset.axes)):
            return rest
        d = space.zeros(space.n) + rest if number else positive_vector(space, rest, "rest")
        return frame.diagonal(d)
