"""Activations of hidden layers, and their derivatives by what they give."""

from __future__ import annotations

from hessx._xp import Array, Space

__all__ = ["ACTIVATIONS", "Activation"]


class Activation:
    """a = sigma(z), entry by entry; both derivatives are functions of a alone.

    Parameters
    ----------
    space : Space
        Library, dtype and device.
    """

    rectifies = False  # half of the outputs are zero: He's start in the place of Glorot's

    def __init__(self, space: Space) -> None:
        self.xp, self.zero = space.xp, space.zeros(())

    def value(self, z: Array) -> Array:
        """sigma(z)."""
        raise NotImplementedError

    def derivative(self, a: Array) -> Array:
        """sigma'(z)."""
        raise NotImplementedError

    def second(self, a: Array, derivative: Array) -> Array | None:
        """sigma''(z); None where it is zero."""
        raise NotImplementedError


class _Tanh(Activation):
    def value(self, z: Array) -> Array:
        return self.xp.tanh(z)

    def derivative(self, a: Array) -> Array:
        return 1.0 - a * a

    def second(self, a: Array, derivative: Array) -> Array:
        return a * derivative * -2.0


class _Sigmoid(Activation):
    def value(self, z: Array) -> Array:
        return 0.5 * self.xp.tanh(0.5 * z) + 0.5  # no exp that overflows

    def derivative(self, a: Array) -> Array:
        return a * (1.0 - a)

    def second(self, a: Array, derivative: Array) -> Array:
        return derivative * (1.0 - 2.0 * a)


class _Softplus(Activation):
    rectifies = True

    def value(self, z: Array) -> Array:
        return self.xp.logaddexp(z, self.zero)

    def derivative(self, a: Array) -> Array:
        return -self.xp.expm1(-a)  # 1 / (1 + exp(-z)) = 1 - exp(-log(1 + exp(z)))

    def second(self, a: Array, derivative: Array) -> Array:  # noqa: ARG002
        return derivative * (1.0 - derivative)


class _ReLU(Activation):
    rectifies = True

    def value(self, z: Array) -> Array:
        return self.xp.where(z < self.zero, self.zero, z)  # NaN passes

    def derivative(self, a: Array) -> Array:
        return self.xp.astype(a > self.zero, a.dtype)

    def second(self, a: Array, derivative: Array) -> None:  # noqa: ARG002
        return None


ACTIVATIONS: dict[str, type[Activation]] = {
    "tanh": _Tanh,
    "relu": _ReLU,
    "sigmoid": _Sigmoid,
    "softplus": _Softplus,
}
