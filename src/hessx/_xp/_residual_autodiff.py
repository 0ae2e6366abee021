"""Products with the Jacobian of a residual by the library itself, PyTorch or JAX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from hessx._xp._namespace import Array, Space

__all__ = ["ResidualDerivatives", "residual_derivatives_of"]


class ResidualDerivatives(Protocol):
    """What differentiates x -> r(x); x and v in x's shape."""

    def linearise(self, x: Any) -> tuple[Array, Callable[[Array], Any]]:
        """Give r(x), and u -> J'u at x."""
        ...

    def jvp(self, x: Any, v: Any) -> Array:
        """Give J v at x."""
        ...


def residual_derivatives_of(space: Space, residual: Callable[[Any], Any]) -> ResidualDerivatives:
    """Find who differentiates a residual, by the library of x.

    Parameters
    ----------
    space : Space
        Of x.
    residual : callable
        x -> r, made of x by functions that the library differentiates.

    Raises
    ------
    TypeError
        x is of a library that does not differentiate.
    """
    if space.kind == "torch":
        return _Torch(residual)
    if space.kind == "jax":
        return _Jax(residual)
    msg = (
        f'jac="autodiff": {space.kind_name} does not differentiate: give x0 as an array of torch '
        'or JAX, or the Jacobian by jac=True or a callable, or "2-point"'
    )
    raise TypeError(msg)


class _Torch:
    """By torch.func: J'u goes backward through one record of r, J v forward beside r."""

    def __init__(self, residual: Callable[[Any], Any]) -> None:
        import torch

        self.func, self.residual = torch.func, residual

    def linearise(self, x: Any) -> tuple[Array, Callable[[Array], Any]]:
        r, vjp = self.func.vjp(self.residual, x)  # type: ignore[misc]
        return r, lambda u: vjp(u)[0]

    def jvp(self, x: Any, v: Any) -> Array:
        return self.func.jvp(self.residual, (x,), (v,))[1]


class _Jax:
    """Each compiled once; J'u evaluates r again."""

    def __init__(self, residual: Callable[[Any], Any]) -> None:
        import jax

        self.residual = jax.jit(residual)
        self._vjp = jax.jit(lambda x, u: jax.vjp(residual, x)[1](u)[0])
        self.jvp = jax.jit(lambda x, v: jax.jvp(residual, (x,), (v,))[1])

    def linearise(self, x: Any) -> tuple[Array, Callable[[Array], Any]]:
        return self.residual(x), lambda u: self._vjp(x, u)
