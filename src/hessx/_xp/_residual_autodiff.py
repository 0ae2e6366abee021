"""Products with the Jacobian of a residual by the library itself, PyTorch or JAX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from hessx._xp._namespace import Array, Space
from hessx._xp._tree import rebuild, walk

__all__ = ["ResidualDerivatives", "residual_derivatives_of"]


_Linearised = tuple[Array, Callable[[Any], Array], Callable[[Array], Any]]


class ResidualDerivatives(Protocol):
    """What differentiates x -> r(x)."""

    def linearise(self, x: Any) -> _Linearised:
        """Give r(x), v -> J v and u -> J'u at x; x, v and J'u in x's shape."""
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
    """Autograd: J'u goes backward through a record of r, and J v through one of J'u."""

    def __init__(self, residual: Callable[[Any], Any]) -> None:
        import torch

        self.torch, self.residual = torch, residual

    def linearise(self, x: Any) -> _Linearised:
        leaves = [leaf.detach().requires_grad_() for _, leaf in walk(x, "x")]
        with self.torch.enable_grad():
            r = self.residual(rebuild(x, iter(leaves)))
        if not getattr(r, "requires_grad", False):
            msg = "residual returned what torch cannot differentiate: it does not depend on x"
            raise TypeError(msg)
        record: list[Any] = []  # u and J'u, made when the first J v is wanted

        def jvp(v: Any) -> Array:
            if not record:
                u = self.torch.zeros_like(r, requires_grad=True)
                record.extend([u, self._backward(r, leaves, u, create_graph=True)])
            u, slopes = record
            pairs = zip(slopes, walk(v, "v"), strict=True)
            used = [(slope, along) for slope, (_, along) in pairs if slope.requires_grad]
            outputs, along = zip(*used, strict=True)
            return self._backward(outputs, [u], along)[0]

        return r.detach(), jvp, lambda u: rebuild(x, iter(self._backward(r, leaves, u)))

    def _backward(self, outputs: Any, leaves: list[Any], along: Any, **how: bool) -> Any:
        grad = self.torch.autograd.grad
        how = {"retain_graph": True, "allow_unused": True, "materialize_grads": True} | how
        return grad(outputs, leaves, along, **how)


class _Jax:
    """Each compiled once; J v and J'u evaluate r again."""

    def __init__(self, residual: Callable[[Any], Any]) -> None:
        import jax

        self._residual = jax.jit(residual)
        self._jvp = jax.jit(lambda x, v: jax.jvp(residual, (x,), (v,))[1])
        self._vjp = jax.jit(lambda x, u: jax.vjp(residual, x)[1](u)[0])

    def linearise(self, x: Any) -> _Linearised:
        return self._residual(x), lambda v: self._jvp(x, v), lambda u: self._vjp(x, u)
