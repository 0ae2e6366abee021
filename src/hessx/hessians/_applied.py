"""A curvature as an operator in x."""

from __future__ import annotations

from hessx._xp import Array
from hessx.core import Frame
from hessx.hessians._family import Curvature
from hessx.operators import LinearOperator

__all__ = ["applied"]


def applied(frame: Frame, kept: Curvature, *, inverse: bool) -> LinearOperator:
    """Make an operator of solve (or matvec) of a curvature that nothing changes any more.

    Parameters
    ----------
    frame : Frame
        Of z; the operator is one of x.
    kept : Curvature
        Which takes vectors of shape (..., n).
    inverse : bool
        A, or B.

    Returns
    -------
    LinearOperator
        Of shape (n, n), at home in the space of x.
    """
    return (_Inverse if inverse else _Forward)(frame, kept)


class _Forward(LinearOperator):
    """B in x."""

    def __init__(self, frame: Frame, kept: Curvature) -> None:
        n = frame.space.n
        self.frame, self.kept, self.dtype = frame, kept, frame.space.dtype
        self._declare((n, n), frame.space, symmetric=True)

    def _apply(self, v: Array) -> Array:
        return self.frame.gradient(self.kept.matvec(self.frame.gradient(v)))


class _Inverse(_Forward):
    """A in x."""

    def _apply(self, v: Array) -> Array:
        return self.frame.push(self.kept.solve(self.frame.pull(v)))
