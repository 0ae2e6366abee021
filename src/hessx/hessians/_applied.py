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
        Of shape (n, n).
    """

    def apply(v: Array) -> Array:
        if inverse:
            return frame.push(kept.solve(frame.pull(v)))
        return frame.gradient(kept.matvec(frame.gradient(v)))

    n = frame.space.n
    return LinearOperator((n, n), apply, symmetric=True, stacks=True)
