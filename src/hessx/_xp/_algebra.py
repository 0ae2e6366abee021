"""Algebra over the last axis: the kernels shared by one problem and by stacks of vectors."""

from __future__ import annotations

from hessx._xp._namespace import Array, Space

__all__ = ["combine", "dot", "extremes", "norm_inf", "scaled", "shifted"]


def dot(u: Array, v: Array) -> Array:
    """Inner products over the last axis, shapes ``(..., n)`` to ``(...)``.

    ``@`` on vectors: the fastest product of every library.
    """
    if u.ndim == 1 and v.ndim == 1:
        return u @ v
    return (u[..., None, :] @ v[..., :, None])[..., 0, 0]


def combine(coefficients: Array, stack: Array) -> Array:
    """Form sum_i coefficients[i] * stack[i] of a stack ``(k, n)``."""
    return coefficients @ stack


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


def scaled(space: Space, v: Array, factor: float, out: Array | None) -> Array:
    """Form factor * v, in ``out`` where the library can."""
    if space.has_out:
        return space.xp.multiply(v, factor, out=out)
    return v * factor


def shifted(x: Array, alpha: float, d: Array) -> Array:
    """Form the new point x + alpha d."""
    return x + alpha * d
