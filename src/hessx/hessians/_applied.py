"""A curvature as an operator in x."""

from __future__ import annotations

from functools import partial

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
    n, apply = frame.space.n, _solve if inverse else _multiply
    return LinearOperator((n, n), partial(apply, frame, kept), symmetric=True, stacks=True)


def _solve(frame: Frame, kept: Curvature, v: Array) -> Array:
    return frame.push(kept.solve(frame.pull(v)))


def _multiply(frame: Frame, kept: Curvature, v: Array) -> Array:
    return frame.gradient(kept.matvec(frame.gradient(v)))
