"""Algebra over the last axis: the kernels shared by one problem and by stacks of vectors."""

from __future__ import annotations

import contextlib

import numpy as np

from hessx._xp._namespace import Array, Space

__all__ = ["dot", "extremes", "norm_inf", "quiet", "times"]


def quiet() -> contextlib.AbstractContextManager[None]:
    """Let NumPy's scalars overflow and divide by zero without a warning, as arrays elsewhere do."""
    return np.errstate(all="ignore")


def dot(u: Array, v: Array) -> Array:
    """Inner products over the last axis, shapes ``(..., n)`` to ``(...)``.

    ``@`` on vectors: the fastest product of every library.

    Parameters
    ----------
    u, v : array, shape (..., n)
        Of one space.

    Returns
    -------
    array, shape (...)
        On the device.
    """
    if u.ndim == 1 and v.ndim == 1:
        return u @ v
    return (u[..., None, :] @ v[..., :, None])[..., 0, 0]


def extremes(space: Space, v: Array) -> tuple[Array, Array]:
    """Largest and smallest entries of a vector.

    norm_inf(v) = max(largest, -smallest) is left to the host: two reductions without a
    temporary cost less than abs and one reduction.  NaN passes through both.
    """
    if space.kind == "numpy":
        return v[v.argmax()], v[v.argmin()]  # of a NaN too, and quicker than max and min
    return space.xp.max(v), space.xp.min(v)


def norm_inf(space: Space, v: Array) -> Array:
    """Largest absolute entry over the last axis, as an array of the device."""
    return space.xp.max(space.xp.abs(v), axis=-1)


def times(A: Array, v: Array) -> Array:
    """A v over the last axis, by the fastest product of one vector and of a stack."""
    return A @ v if v.ndim == 1 else v @ A.T
