"""An approximation made of eigenpairs that are sampled at a point."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from hessx._xp import Array, Packet, Space, upload
from hessx.core import Frame, SettingsError, saved
from hessx.hessians._compact import CompactForm
from hessx.hessians._family import Curvature
from hessx.krylov import never
from hessx.operators import DiagonalOperator, LinearOperator, LowRankPlusDiagonal, RitzPairs

__all__ = ["RitzCurvature", "Sampling", "check_rank", "positive"]

_FLOOR = 16.0  # eps of the largest eigenvalue: what is smaller is lost where v is projected


def check_rank(space: Space, rank: int | None) -> None:
    """Refuse a rank above n.

    Raises
    ------
    SettingsError
        So it is.
    """
    if rank is not None and rank > space.n:
        msg = f"rank = {rank}: expected at most n = {space.n}, the number of variables"
        raise SettingsError(msg)


def positive(values: np.ndarray, eps: float) -> tuple[np.ndarray, float]:
    """Raise what is lost beside the largest; give the least for what is not known."""
    values = np.maximum(values, _FLOOR * eps * values.max())
    return values, float(values.min())


class Sampling(Protocol):
    """Settings of an approximation that is made of eigenpairs."""

    @property
    def every(self) -> int:
        """Points from one sampling to the next."""
        ...

    def sample(
        self, frame: Frame, hessian: Any, count: int, watch: Callable[[], bool], *, hard: bool
    ) -> RitzPairs | None:
        """Give eigenpairs of the Hessian in z, or None where ``watch`` has ended it."""
        ...

    def shaped(self, theta: np.ndarray, eps: float) -> tuple[np.ndarray, float]:
        """Turn eigenvalues of H, at least one, into those of B, and the one of all others."""
        ...


@saved(host=("values",), fresh=("hessian",))
class RitzCurvature(Curvature):
    r"""B = U' diag(l) U + rest (I - U'U) in z, with orthonormal rows in U.

    Attributes
    ----------
    vectors : array, shape (k, n), optional
        U; None where no eigenvalue is known.
    values : NumPy array, shape (k,)
        l, on the host.
    weights : array, shape (3, k), optional
        l, l - rest and 1 / l - 1 / rest.
    rest : float
        The eigenvalue of all that is not in U.
    age : int
        Points since it was sampled.
    count : int
        How often it was.
    hard : bool
        A solve that it preconditioned has met its limit.
    """

    __slots__ = (
        "age", "broken", "count", "frame", "hard", "hessian", "rest", "settings", "sized",
        "stopped", "values", "vectors", "weights",
    )  # fmt: skip

    def __init__(self, frame: Frame, settings: Sampling) -> None:
        self.frame, self.settings = frame, settings
        self.hessian: Any = None
        self.vectors: Array = None
        self.weights: Array = None
        self.values = np.zeros(0)
        self.rest, self.age, self.count = 1.0, settings.every, 0
        self.broken = self.hard = self.stopped = False
        self.sized = True

    @property
    def _due(self) -> bool:
        return self.age >= self.settings.every

    @property
    def waits(self) -> bool:  # type: ignore[override]
        """Whether it is to be sampled here, and the Hessian has not come."""
        return self._due and self.hessian is None

    @property
    def active(self) -> bool:  # type: ignore[override]
        """Not where the budget has ended before anything was known."""
        return not self.stopped

    def at(self, hessian: Any) -> None:
        """Take it, where it is to be sampled; nothing is evaluated yet."""
        if self._due:
            self.hessian, self.stopped = hessian, False

    def prepare(self, watch: Callable[[], bool] = never) -> bool:
        """Sample it, where that is due."""
        if self.hessian is not None:
            hessian, self.hessian = self.hessian, None
            pairs = self.settings.sample(self.frame, hessian, self.count, watch, hard=self.hard)
            if pairs is None:  # what was known before is still there
                self.stopped = not self.count
                return not self.stopped
            self.age, self.count, self.hard = 0, self.count + 1, False
            self._take(pairs)
        return True

    def leave(self) -> None:
        """Let go of the Hessian; the eigenpairs go on."""
        self.hessian, self.age = None, self.age + 1

    def solved(self, *, short: bool) -> None:
        """Sample anew, and more, after a solve that met its limit."""
        if short:
            self.hard, self.age = True, self.settings.every

    def hold(self, packet: Packet) -> None:
        """Name the rows."""
        packet.hold(self, "vectors")

    def solve(self, v: Array) -> Array:
        """A v, two products with U."""
        self.prepare()
        return self._applied(v, 1.0 / self.rest, 2)

    def matvec(self, v: Array) -> Array:
        """B v, two products with U."""
        self.prepare()
        return self._applied(v, self.rest, 1)

    def solve_shifted(self, v: Array, sigma: float) -> Array:
        """(B + sigma I)^-1 v, two products with U."""
        self.prepare()
        U, out = self.vectors, v / (self.rest + sigma)
        if U is None:
            return out
        shrink = 1.0 / (self.weights[0, ...] + sigma) - 1.0 / (self.rest + sigma)
        return out + ((v @ U.T) * shrink) @ U

    def diagonal(self) -> Array:
        """rest, and sums over the squares in U."""
        self.prepare()
        space, U = self.frame.space, self.vectors
        d = space.zeros(space.n) + self.rest
        return d if U is None else d + self.weights[1, ...] @ (U * U)

    def compact(self) -> CompactForm:
        """Give rest, the rows of U and l - rest."""
        self.prepare()
        space, U = self.frame.space, self.vectors
        k = len(self.values)
        rows = space.zeros((0, space.n)) if U is None else U
        return CompactForm(self.rest, rows, np.diag(self.values - self.rest), np.eye(k))

    def operator(self, *, inverse: bool) -> LinearOperator | None:
        """A or B in x, as it stands; None where nothing is known yet."""
        frame, space, U = self.frame, self.frame.space, self.vectors
        ones = space.zeros(space.n) + 1.0
        if inverse:
            d = frame.diagonal(ones / self.rest)
        else:
            d = frame.inverse_diagonal(ones * self.rest)
        if U is None:
            return DiagonalOperator(d) if self.count and not self.broken else None
        rows = frame.push(U) if inverse else frame.gradient(U)
        return LowRankPlusDiagonal(d, rows, self.weights[2 if inverse else 1, ...])

    def _applied(self, v: Array, rest: float, row: int) -> Array:
        U, out = self.vectors, v * rest
        return out if U is None else out + ((v @ U.T) * self.weights[row, ...]) @ U

    def _take(self, pairs: RitzPairs) -> None:
        """Make B of the eigenpairs; I, without a size, where there are none, nan where broken."""
        space, self.broken = self.frame.space, not pairs.finite
        self.sized = len(np.flatnonzero(pairs.values)) > 0
        if not self.sized:
            self.vectors, self.weights, self.values = None, None, np.zeros(0)
            self.rest = math.nan if self.broken else 1.0
            return
        values, self.rest = self.settings.shaped(pairs.values, space.eps)
        self.vectors, self.values = pairs.vectors, values
        with np.errstate(all="ignore"):  # of a zero, in an indefinite B, there is no inverse
            inverse = 1.0 / values - 1.0 / self.rest
        self.weights = upload(space, np.stack([values, values - self.rest, inverse]))
