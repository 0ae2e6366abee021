"""Preconditioners of the CG inside Newton's method: r -> M r with M near the inverse Hessian."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from hessx._xp import Array, Space
from hessx.core import Frame, SettingsError, check_object, saved, store_integer
from hessx.hessians import pairs_inverse
from hessx.krylov import ModelStep, Pairs
from hessx.operators import as_operator
from hessx.solvers._learnt_diagonal import LearntDiagonal

__all__ = [
    "Apply",
    "BoundPreconditioner",
    "Given",
    "Jacobi",
    "PairPreconditioner",
    "Preconditioner",
    "make_preconditioner",
]

Apply = Callable[[Array], Array]


class BoundPreconditioner(Protocol):
    """A preconditioner at work in a run.

    Attributes
    ----------
    collect : int
        Pairs (p, H p) of each CG solve that ``learn`` wants.
    changes : bool
        Whether M differs from point to point.
    """

    collect: int
    changes: bool

    def at(self, hessian: Any) -> Apply | None:
        """Give r -> M r for the solves at a new point, or None for M = I."""
        ...

    def learn(self, step: ModelStep) -> None:
        """See the solve whose step was accepted."""
        ...


class Preconditioner(Protocol):
    """Settings of a preconditioner: the contract for one's own.

    M has to be symmetric positive definite; vectors are flat, and of the variables z of the frame,
    x = scale z.
    """

    def begin(self, frame: Frame) -> BoundPreconditioner:
        """Start a run."""
        ...


@saved(arguments=("frame", "given"))
class _Fixed:
    """The same M at every point."""

    collect, changes = 0, False

    def __init__(self, frame: Frame, given: Given) -> None:
        self.frame, self.given = frame, given
        M = as_operator(frame.space, given.M, "the preconditioner")
        self.apply: Apply = frame.inverse(M.matvec)

    def at(self, hessian: Any) -> Apply:  # noqa: ARG002
        """Give M."""
        return self.apply

    def learn(self, step: ModelStep) -> None:
        """Nothing is learnt."""


@saved
@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """A fixed M: an operator, a matrix, or a function r -> M r."""

    M: Any

    def begin(self, frame: Frame) -> _Fixed:
        """Start a run."""
        return _Fixed(frame, self)


@saved
class _BoundJacobi:
    collect, changes = 0, True

    def __init__(self, frame: Frame) -> None:
        self.frame = frame

    def at(self, hessian: Any) -> Apply:
        """Divide by the diagonal at the point; nothing is fetched."""
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
        inverse = 1.0 / xp.where(d > 0.0, d, d * 0.0 + 1.0)
        return lambda r: r * inverse

    def learn(self, step: ModelStep) -> None:
        """Nothing is learnt."""


@saved
@dataclass(frozen=True, slots=True)
class Jacobi:
    """M = 1 / abs(diag(H)), entries below eps times the largest raised to it.

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

    def begin(self, frame: Frame) -> _BoundJacobi:
        """Start a run."""
        return _BoundJacobi(frame)


@saved
class _BoundPairs:
    changes = True

    def __init__(self, space: Space, memory: int) -> None:
        self.space, self.collect = space, memory
        self.pairs: Pairs | None = None

    def at(self, hessian: Any) -> Apply | None:  # noqa: ARG002
        """Form the L-BFGS operator of the pairs; one fetch."""
        pairs = self.pairs
        if pairs is None or pairs.count == 0:
            return None
        order = [(pairs.first + i) % pairs.slots for i in range(pairs.count)]
        return pairs_inverse(self.space, pairs.rows, order, pairs.slots).matvec

    def learn(self, step: ModelStep) -> None:
        """Take the pairs over."""
        if step.pairs is not None and step.pairs.count:
            self.pairs = step.pairs


@saved
@dataclass(frozen=True, slots=True)
class PairPreconditioner:
    """M = the L-BFGS inverse on the last directions of the CG solve before, and their products.

    Parameters
    ----------
    memory : int
        Pairs kept, >= 1.

    Raises
    ------
    SettingsError
        memory < 1.

    Notes
    -----
    Cost: one fetch and ``memory`` products with the pairs per accepted point, two per CG step.
    Memory: 4 ``memory`` vectors, those in use and those collected.

    References
    ----------
    Morales & Nocedal (2000), Automatic preconditioning by limited memory quasi-Newton updating,
    SIAM J. Optim. 10.

    Examples
    --------
    >>> import hessx
    >>> method = hessx.TrustRegionMethod(preconditioner=hessx.PairPreconditioner(8))
    """

    memory: int = 20

    def __post_init__(self) -> None:
        store_integer(self, "memory", 1)

    def begin(self, frame: Frame) -> _BoundPairs:
        """Start a run."""
        return _BoundPairs(frame.space, self.memory)


_NAMES: dict[str, Callable[[], Any]] = {
    "jacobi": Jacobi,
    "learnt": LearntDiagonal,
    "pairs": PairPreconditioner,
}


def make_preconditioner(given: Any) -> Preconditioner | None:
    """Take a preconditioner as a user gives it.

    Parameters
    ----------
    given : None, "jacobi", "learnt", "pairs", Preconditioner, operator, matrix or callable
        The last three are M itself.

    Returns
    -------
    Preconditioner or None
        Settings.

    Raises
    ------
    SettingsError
        Another name, or a class.
    """
    if isinstance(given, str):
        if given.lower() not in _NAMES:
            known = ", ".join(map(repr, _NAMES))
            msg = f"preconditioner = {given!r}: expected {known}, an operator or r -> M r"
            raise SettingsError(msg)
        made: Preconditioner = _NAMES[given.lower()]()
        return made
    check_object("preconditioner", given)
    if given is None or hasattr(given, "begin"):
        return given  # type: ignore[no-any-return]
    return Given(given)
