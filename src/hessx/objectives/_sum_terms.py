"""What a finite sum has at a point, on given rows: of functions, by autodiff, or of a model."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from hessx._xp import (
    Array,
    Derivatives,
    Space,
    derivatives_of,
    is_array,
    space_of,
    take_gradient,
    take_product,
)
from hessx.core import Sample, SettingsError, Wants
from hessx.objectives._difference_product import DifferenceProduct
from hessx.objectives._epochs import Epochs
from hessx.objectives._sources import Batch, Data, check_place
from hessx.operators import DenseOperator

__all__ = ["Autodiff", "Functions", "ModelRows", "ModelTerms", "PerSample", "Terms"]

_FIRST_ORDER = Wants.VALUE | Wants.GRADIENT


class Terms(ABC):
    """Value and derivatives on the rows of a batch, in x's shape.

    Attributes
    ----------
    offers : Wants
        What there is.
    joint : bool
        The gradient comes with the value, wanted or not.
    """

    offers = _FIRST_ORDER
    joint = True

    def place(self, space: Space) -> None:  # noqa: B027
        """Learn where x lives."""

    @abstractmethod
    def value_and_grad(self, x: Any, batch: Batch) -> tuple[Any, Any]:
        """Give f and its gradient."""

    def value(self, x: Any, batch: Batch) -> Any:
        """Give f; only where it does not come jointly."""
        return self.value_and_grad(x, batch)[0]

    def hessian(self, x: Any, batch: Batch) -> Any:
        """Give the Hessian, as ``hess`` may return it."""
        raise NotImplementedError

    def per_sample(self, x: Any, batch: Batch) -> Any:
        """Give the gradients of the rows, an operator (rows, n)."""
        raise NotImplementedError


class Functions(Terms):
    """The user's functions of x and rows.

    Parameters
    ----------
    fun : callable
        ``fun(x, *rows)``: the value, or (value, gradient) with ``jac=True``.
    jac : callable or True
        ``jac(x, *rows)``.
    hess, hessp : callable, optional
        ``hess(x, *rows)``, ``hessp(x, v, *rows)``; without them products are made of differences of
        gradients, all on the rows of the batch.
    """

    offers = _FIRST_ORDER | Wants.HESSIAN

    def __init__(self, fun: Callable[..., Any], jac: Any, hess: Any, hessp: Any) -> None:
        self.fun, self.jac, self.hess, self.hessp = fun, jac, hess, hessp
        self.joint = jac is True

    def value(self, x: Any, batch: Batch) -> Any:
        return _call("fun", self.fun, batch, x)

    def _gradient(self, x: Any, batch: Batch) -> Any:
        return self.value_and_grad(x, batch)[1] if self.joint else _call("jac", self.jac, batch, x)

    def value_and_grad(self, x: Any, batch: Batch) -> tuple[Any, Any]:
        if not self.joint:
            return self.value(x, batch), self._gradient(x, batch)
        pair = self.value(x, batch)
        if not (isinstance(pair, tuple | list) and len(pair) == 2):
            msg = (
                f"fun returned a {type(pair).__name__}: expected (value, gradient) "
                "because of jac=True"
            )
            raise TypeError(msg)
        return pair[0], pair[1]

    def hessian(self, x: Any, batch: Batch) -> Any:
        space = space_of(x)
        if self.hess is None and self.hessp is None:

            def gradient_at(v: Array) -> Array:
                return take_gradient(space, self._gradient(space.shaped(v), batch))

            grad = space.copy(take_gradient(space, self._gradient(x, batch)))
            return DifferenceProduct(space, gradient_at, space.flat(x), grad, False, 1.0)
        if self.hessp is None:
            return _call("hess", self.hess, batch, x)

        def product(v: Array) -> Array:
            return take_product(space, _call("hessp", self.hessp, batch, x, space.shaped(v)))

        return product


class Autodiff(Terms):
    """The derivatives of fun by torch or JAX, whichever x is of.

    Parameters
    ----------
    fun : callable
        ``fun(x, *rows)``: the value, made by functions of the library.
    """

    offers = _FIRST_ORDER | Wants.HESSIAN | Wants.PER_SAMPLE
    joint = False

    def __init__(self, fun: Callable[..., Any]) -> None:
        self.fun = fun
        self._kind = ""
        self._derivatives: Any = None

    def place(self, space: Space) -> None:
        if space.kind != self._kind:
            self._kind, self._derivatives = space.kind, derivatives_of(space, self.fun)

    def value(self, x: Any, batch: Batch) -> Any:
        return self._of(batch).value(x, batch.rows, batch.weights)

    def value_and_grad(self, x: Any, batch: Batch) -> tuple[Any, Any]:
        return self._of(batch).value_and_grad(x, batch.rows, batch.weights)

    def hessian(self, x: Any, batch: Batch) -> Any:
        space, product = space_of(x), self._of(batch).product(x, batch.rows, batch.weights)
        return lambda v: take_product(space, product(space.shaped(v)))

    def per_sample(self, x: Any, batch: Batch) -> PerSample:
        space = space_of(x)
        xp, leaves = space.xp, self._of(batch).per_sample(x, batch.rows, batch.weights)
        if space.tree is not None:
            parts = space.tree.match(leaves, "the gradients", "x")
            flat = [xp.reshape(leaf, (batch.size, -1)) for _, leaf, _ in parts]
            return PerSample(flat[0] if len(flat) == 1 else xp.concat(flat, axis=1))
        return PerSample(xp.reshape(leaves, (batch.size, -1)))

    def _of(self, batch: Batch) -> Derivatives:
        if batch.weights is not None:
            _check_weighs("fun", self.fun)
        return self._derivatives  # type: ignore[no-any-return]


class PerSample(DenseOperator):
    """Gradients of single rows that are there as a matrix: each is its own coefficients."""

    @property
    def coefficients(self) -> Array:
        """What one must keep of each row: its gradient, (rows, n)."""
        return self.A

    def mean(self, coefficients: Array) -> Array:
        """Give the mean gradient that coefficients stand for, flat."""
        return self.space.xp.mean(coefficients, axis=0)  # type: ignore[union-attr]

    def matrix(self) -> Array:
        """Give the gradients as an array, (rows, n)."""
        return self.A


class ModelTerms(Terms):
    """A model that is restricted to rows, and then has all that it has."""

    def __init__(self, model: Any, hess: str) -> None:
        self._hessian = "gauss_newton" if hess == "gauss-newton" else "hessian"
        self.joint = not hasattr(model, "value")
        offers = _FIRST_ORDER
        if hasattr(model, self._hessian):
            offers |= Wants.HESSIAN
            if hasattr(model, "gauss_newton"):
                offers |= Wants.FACTORS
        self.offers = offers | Wants.PER_SAMPLE if hasattr(model, "per_sample") else offers

    def value(self, x: Any, batch: Batch) -> Any:
        return batch.rows[0].value(x)

    def value_and_grad(self, x: Any, batch: Batch) -> tuple[Any, Any]:
        value, grad = batch.rows[0](x)
        return value, grad

    def hessian(self, x: Any, batch: Batch) -> Any:
        return getattr(batch.rows[0], self._hessian)(x)

    def per_sample(self, x: Any, batch: Batch) -> Any:
        return batch.rows[0].per_sample(x)


class ModelRows(Data):
    """The rows of a model: a batch is the model on some of them."""

    def __init__(self, model: Any) -> None:
        self.model, self.N = model, model.N
        self.epochs = Epochs(self.N)

    def place(self, space: Space) -> None:
        data = getattr(self.model, "X", None)
        if is_array(data):
            check_place(space, data, "X of the model")

    def take(self, space: Space, sample: Sample) -> Batch:
        rows, weights = self.epochs.rows(space, sample)
        return Batch((self.model.rows(rows, weights),), sample.size, numbers=rows)

    def all(self) -> Batch:
        """Give the model."""
        return Batch((self.model,), self.N)


def _call(name: str, function: Callable[..., Any], batch: Batch, *given: Any) -> Any:
    if batch.weights is None:
        return function(*given, *batch.rows)
    _check_weighs(name, function)
    return function(*given, *batch.rows, weights=batch.weights)


def _check_weighs(name: str, function: Callable[..., Any]) -> None:
    try:
        parameters = inspect.signature(function).parameters
    except ValueError:  # of C
        return
    if "weights" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return
    msg = (
        f"the order weighs rows, and {name} takes no weights: expected {name}(..., weights=w), "
        "which gives the mean of w_i times the loss of row i"
    )
    raise SettingsError(msg)
