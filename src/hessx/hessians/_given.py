"""An inverse that the user gives, and the diagonal of the Hessian."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hessx._xp import Array
from hessx.core import Frame, Learns, Offer, Wants, saved
from hessx.hessians._family import Approximation, Curvature
from hessx.operators import as_operator

__all__ = ["Given", "GivenCurvature", "Jacobi", "JacobiCurvature"]


@saved(arguments=("frame", "given"))
class GivenCurvature(Curvature):
    """The same A at every point."""

    def __init__(self, frame: Frame, given: Given) -> None:
        self.frame, self.given = frame, given
        A = as_operator(frame.space, given.inverse, "the preconditioner")
        self.apply = frame.inverse(A.matvec)

    def solve(self, v: Array) -> Array:
        """A v in z, by one product with what was given."""
        return self.apply(v)


@saved
@dataclass(frozen=True, slots=True, eq=False)
class Given(Approximation):
    """A fixed inverse, A: a preconditioner of one's own, or one's own metric in a line search.

    Parameters
    ----------
    inverse : operator, matrix or callable
        Symmetric positive definite, in x: an operator, an (n, n) array, a sparse matrix, or a
        function r -> A r.

    Notes
    -----
    Cost: one product with it per direction, or per CG step.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> d = np.array([1.0, 100.0])
    >>> method = hessx.LineSearchMethod(hessx.Given(lambda r: r / d), hessx.HagerZhang())
    >>> hessx.minimize(lambda x: (x * d @ x / 2, x * d), [1.0, 1.0], jac=True, method=method).nit
    1
    """

    inverse: Any
    offers = Offer.SOLVE
    learns = Learns.NOTHING

    def begin(self, frame: Frame) -> GivenCurvature:
        """Begin with what was given, taken in as `as_operator` does.

        Raises
        ------
        TypeError, ValueError
            No operator, or one of another size, library, dtype or device.
        """
        return GivenCurvature(frame, self)


@saved(fresh=("inverse",))
class JacobiCurvature(Curvature):
    """1 / abs(diag(H)) at the point, in z."""

    __slots__ = ("frame", "inverse")

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.inverse: Array = None

    @property
    def waits(self) -> bool:  # type: ignore[override]
        """Whether the Hessian at this point has yet to come."""
        return self.inverse is None

    def at(self, hessian: Any) -> None:
        """Divide by the diagonal at the point; nothing is fetched.

        Raises
        ------
        ValueError
            The Hessian does not know its diagonal.
        """
        space, diagonal = self.frame.space, hessian.diagonal()
        if diagonal is None:
            msg = (
                "Jacobi needs the diagonal of the Hessian: let hess return a matrix, or an "
                "operator that knows its diagonal"
            )
            raise ValueError(msg)
        xp = space.xp
        d = self.frame.diagonal(xp.abs(diagonal))
        least = xp.max(d) * space.eps
        d = xp.where(d > least, d, d * 0.0 + least)
        self.inverse = 1.0 / xp.where(d > 0.0, d, d * 0.0 + 1.0)

    def leave(self) -> None:
        """Let go of the diagonal, so that the next is asked for."""
        self.inverse = None

    def solve(self, v: Array) -> Array:
        """Divide by abs(diag(H))."""
        return v * self.inverse

    def matvec(self, v: Array) -> Array:
        """Multiply by abs(diag(H))."""
        return v / self.inverse

    def diagonal(self) -> Array:
        """abs(diag(H)) in z."""
        return 1.0 / self.inverse


@saved
@dataclass(frozen=True, slots=True)
class Jacobi(Approximation):
    """B = abs(diag(H)), entries below eps times the largest raised to it.

    ``hess`` has to return what knows its diagonal: a matrix or such an operator.

    Notes
    -----
    Cost: one diagonal per accepted point, one product of vectors per CG step; no fetch.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> d = np.array([1.0, 1e4, 1e8])
    >>> fun = lambda x: ((x * d) @ x / 2 - x.sum(), d * x - 1)
    >>> result = hessx.minimize(fun, np.zeros(3), jac=True, hess=lambda x: np.diag(d),
    ...                         method="trust-ncg", options={"preconditioner": "jacobi"})
    >>> result.success, result.nhev
    (True, 1)
    """

    offers = Offer.SOLVE | Offer.MATVEC | Offer.DIAGONAL
    learns = Learns.NOTHING
    wants = Wants.HESSIAN

    def begin(self, frame: Frame) -> JacobiCurvature:
        """Begin without a diagonal: the first is asked for at x0."""
        return JacobiCurvature(frame)
