"""Derivatives by the library itself: torch's autograd, JAX's transformations."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

from hessx._xp._namespace import Array, Space
from hessx._xp._tree import rebuild, walk

__all__ = ["Derivatives", "derivatives_of"]

_Loss = Callable[[Any, tuple[Array, ...], Any], Any]


class Derivatives(Protocol):
    """What differentiates one function of x, rows and weights; x and gradients in x's shape."""

    def value(self, x: Any, rows: tuple[Array, ...], weights: Any) -> Array:
        """Give f, a 0-d array."""
        ...

    def value_and_grad(self, x: Any, rows: tuple[Array, ...], weights: Any) -> tuple[Array, Any]:
        """Give f and its gradient."""
        ...

    def product(self, x: Any, rows: tuple[Array, ...], weights: Any) -> Callable[[Any], Any]:
        """Give v -> H v at x, both in x's shape."""
        ...

    def per_sample(self, x: Any, rows: tuple[Array, ...], weights: Any) -> Any:
        """Give the gradient of each row's own f; each leaf has a first axis of rows."""
        ...


def derivatives_of(space: Space, fun: Callable[..., Any]) -> Derivatives:
    """Find who differentiates ``fun(x, *rows)``, by the library of x.

    Parameters
    ----------
    space : Space
        Of x.
    fun : callable
        ``fun(x, *rows)``, or ``fun(x, *rows, weights=w)`` where weights are given: a 0-d array,
        made of x by functions that the library differentiates.

    Returns
    -------
    Derivatives
        Of it.

    Raises
    ------
    TypeError
        x is of a library that does not differentiate.
    """

    def loss(x: Any, rows: tuple[Array, ...], weights: Any) -> Any:
        return fun(x, *rows) if weights is None else fun(x, *rows, weights=weights)

    if space.kind == "torch":
        return _Torch(loss)
    if space.kind == "jax":
        return _Jax(loss)
    msg = (
        f'jac="autodiff": {space.kind_name} does not differentiate: give x0 and data as arrays of '
        "torch or JAX, or the gradient by jac=True or a callable"
    )
    raise TypeError(msg)


def _one_row(loss: _Loss) -> Callable[..., Any]:
    """The loss of one row, as a function of arrays without their first axis."""

    def one(x: Any, row: tuple[Array, ...], weight: Any) -> Any:
        weights = None if weight is None else weight[None]
        return loss(x, tuple(a[None] for a in row), weights)

    return one


class _Torch:
    """Autograd by leaves of x: no slice of the flat vector is part of the graph.

    A Hessian product is one backward pass through the record of the gradient, which is made once
    for a point and held as long as the product is; forward over reverse would hold none, and cost
    3.5 times as much for a perceptron.
    """

    def __init__(self, loss: _Loss) -> None:
        import torch

        self.torch, self.loss = torch, loss
        self._per_sample = torch.func.grad(_one_row(loss))

    def value(self, x: Any, rows: tuple[Array, ...], weights: Any) -> Array:
        with self.torch.no_grad():
            return self._checked(self.loss(x, rows, weights))

    def value_and_grad(self, x: Any, rows: tuple[Array, ...], weights: Any) -> tuple[Array, Any]:
        leaves = self._leaves(x)
        value = self._record(x, leaves, rows, weights)
        return value.detach(), rebuild(x, iter(self._backward(value, leaves)))

    def product(self, x: Any, rows: tuple[Array, ...], weights: Any) -> Callable[[Any], Any]:
        leaves = self._leaves(x)
        value = self._record(x, leaves, rows, weights)
        grads = self._backward(value, leaves, create_graph=True)
        bent = [i for i, g in enumerate(grads) if g.requires_grad]  # f is not linear in these

        def apply(v: Any) -> Any:
            along = [leaf for _, leaf in walk(v, "v")]
            if not bent:
                return rebuild(x, iter([self.torch.zeros_like(a) for a in along]))
            slopes, along = [grads[i] for i in bent], [along[i] for i in bent]
            return rebuild(x, iter(self._backward(slopes, leaves, along, retain_graph=True)))

        return apply

    def per_sample(self, x: Any, rows: tuple[Array, ...], weights: Any) -> Any:
        axes = (None, 0, None if weights is None else 0)
        return self.torch.func.vmap(self._per_sample, axes)(x, rows, weights)

    def _leaves(self, x: Any) -> list[Any]:
        return [leaf.detach().requires_grad_() for _, leaf in walk(x, "x")]

    def _record(self, x: Any, leaves: list[Any], rows: tuple[Array, ...], weights: Any) -> Any:
        with self.torch.enable_grad():
            value = self._checked(self.loss(rebuild(x, iter(leaves)), rows, weights))
        if not value.requires_grad:
            msg = "fun returned a value that torch cannot differentiate: it does not depend on x"
            raise TypeError(msg)
        return value

    def _backward(self, outputs: Any, leaves: list[Any], along: Any = None, **how: bool) -> Any:
        grad = self.torch.autograd.grad
        return grad(outputs, leaves, along, allow_unused=True, materialize_grads=True, **how)

    def _checked(self, value: Any) -> Any:
        if not isinstance(value, self.torch.Tensor) or math.prod(value.shape) != 1:
            shape = f" of shape {tuple(value.shape)}" if hasattr(value, "shape") else ""
            msg = (
                f"fun returned a {type(value).__name__}{shape}: expected a 0-d tensor, the mean "
                'over the rows, because of jac="autodiff"'
            )
            raise TypeError(msg)
        return value.reshape(())


class _Jax:
    """Each derivative compiled once for each shape of the rows."""

    def __init__(self, loss: _Loss) -> None:
        import jax

        def product(x: Any, v: Any, rows: tuple[Array, ...], weights: Any) -> Any:
            gradient = jax.grad(lambda x: loss(x, rows, weights))
            return jax.jvp(gradient, (x,), (v,))[1]

        self.value = jax.jit(loss)
        self.value_and_grad = jax.jit(jax.value_and_grad(loss))
        self.per_sample = jax.jit(jax.vmap(jax.grad(_one_row(loss)), (None, 0, 0)))
        self._product = jax.jit(product)

    def product(self, x: Any, rows: tuple[Array, ...], weights: Any) -> Callable[[Any], Any]:
        return lambda v: self._product(x, v, rows, weights)
