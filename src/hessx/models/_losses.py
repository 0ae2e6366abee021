"""Losses of a row's outputs, summed over rows: values, slopes, curvatures, labels drawn."""

from __future__ import annotations

import math
from typing import Any

from hessx._xp import Array, Space, normal, uniform
from hessx.models._loss_curvatures import LossCurvature, SeparableCurvature, SoftmaxCurvature

__all__ = ["Logistic", "Loss", "Softmax", "Squared", "one_hot"]


class Loss:
    r"""sum_i c_i l(z_i; y_i) of outputs z, with c_i = factor weights_i / rows.

    Parameters
    ----------
    space : Space
        Library, dtype and device.
    targets : array, shape (rows,) or (rows, k)
        That of z.
    factor : float
        1 for a mean over the rows; their number for a sum.
    weights : array, shape (rows,), optional
        Of the rows, >= 0; each counts 1 by default.

    Notes
    -----
    The labels of `drawn` follow the distribution of which l is the negative logarithm, so that the
    slopes of a row have mean 0 and the covariance d^2 l / dz^2.
    """

    def __init__(
        self, space: Space, targets: Array, factor: float, weights: Array | None = None
    ) -> None:
        self.space, self.targets, self.factor = space, targets, factor
        self.rows, share = targets.shape[0], factor / targets.shape[0]
        self._each: Any = share if weights is None else weights * share  # float or (rows,)
        many = weights is not None and targets.ndim == 2
        self.c: Any = self._each[:, None] if many else self._each  # goes with z

    def on(self, rows: Array, weights: Array | None) -> Loss:
        """Give the loss of some rows."""
        targets = self.space.xp.take(self.targets, rows, axis=0)
        return type(self)(self.space, targets, self.factor, weights)

    def value(self, z: Array) -> Array:
        """Give the sum, 0-d."""
        raise NotImplementedError

    def value_and_slopes(self, z: Array) -> tuple[Array, Array]:
        """Give the sum and its gradient by z."""
        raise NotImplementedError

    def slopes(self, z: Array) -> Array:
        """Give the gradient by z."""
        return self.value_and_slopes(z)[1]

    def curvature(self, z: Array) -> LossCurvature:
        """Give the second derivatives by z."""
        raise NotImplementedError

    def drawn(self, z: Array, seed: Any) -> Array:
        """Give sqrt(c_i) dl/dz_i for labels drawn from the model; one upload."""
        c = self.c
        root = math.sqrt(c) if isinstance(c, float) else self.space.xp.sqrt(c)
        return self._drawn_slopes(z, seed) * root

    def _drawn_slopes(self, z: Array, seed: Any) -> Array:
        raise NotImplementedError

    def _total(self, losses: Array) -> Array:
        """sum_i c_i l_i."""
        if not isinstance(self._each, float):
            return self._each @ losses
        mean = self.space.xp.mean(losses)
        return mean if self.factor == 1.0 else mean * self.factor

    def _weighted(self, a: Array) -> Array:
        """c_i a_i."""
        return a if isinstance(self.c, float) and self.c == 1.0 else a * self.c


class Squared(Loss):
    """l = |z - y|^2 / 2; normal labels of variance 1."""

    def value(self, z: Array) -> Array:
        return self.value_and_slopes(z)[0]

    def value_and_slopes(self, z: Array) -> tuple[Array, Array]:
        residual = z - self.targets
        slopes, flat = self._weighted(residual), self.space.flat
        return flat(residual) @ flat(slopes) * 0.5, slopes

    def slopes(self, z: Array) -> Array:
        return self._weighted(z - self.targets)

    def curvature(self, z: Array) -> LossCurvature:
        return SeparableCurvature(self.space, self._weighted(self.space.xp.ones_like(z)))

    def _drawn_slopes(self, z: Array, seed: Any) -> Array:
        noise = normal(self.space, seed, self.rows, 1 if z.ndim == 1 else z.shape[1])
        return self.space.xp.reshape(noise, z.shape)


class Logistic(Loss):
    """l = log(1 + exp(u)), u = -t z, for signs t = +-1; targets are -t."""

    def __init__(
        self, space: Space, targets: Array, factor: float, weights: Array | None = None
    ) -> None:
        super().__init__(space, targets, factor, weights)
        self._weighted_targets, self._zero = self._weighted(targets), space.zeros(())

    def value(self, z: Array) -> Array:
        return self._total(self.space.xp.logaddexp(z * self.targets, self._zero))

    def value_and_slopes(self, z: Array) -> tuple[Array, Array]:
        xp, u = self.space.xp, z * self.targets
        loss = xp.logaddexp(u, self._zero)
        # exp(u) / (1 + exp(u)) = exp(u - loss) keeps its relative accuracy where it is small
        return self._total(loss), xp.exp(u - loss) * self._weighted_targets

    def curvature(self, z: Array) -> LossCurvature:
        xp, u = self.space.xp, z * self.targets
        # s (1 - s) = exp(u) / (1 + exp(u))^2 = exp(u - 2 loss)
        h = xp.exp(u - 2.0 * xp.logaddexp(u, self._zero))
        return SeparableCurvature(self.space, self._weighted(h))

    def _drawn_slopes(self, z: Array, seed: Any) -> Array:
        xp = self.space.xp
        p = xp.exp(-xp.logaddexp(-z, self._zero))
        positive = uniform(self.space, seed, self.rows) < p
        minus_t = 1.0 - 2.0 * xp.astype(positive, z.dtype)
        u = z * minus_t
        return xp.exp(u - xp.logaddexp(u, self._zero)) * minus_t


class Softmax(Loss):
    """l = log(sum_j exp(z_j)) - z_y; targets are rows of the unit matrix, 1 at y."""

    def value(self, z: Array) -> Array:
        d, _, sums = self._powers(z)
        return self._total(self._losses(d, sums))

    def value_and_slopes(self, z: Array) -> tuple[Array, Array]:
        d, powers, sums = self._powers(z)
        value = self._total(self._losses(d, sums))
        return value, self._weighted(powers / sums - self.targets)

    def slopes(self, z: Array) -> Array:
        return self._weighted(self._probabilities(z) - self.targets)

    def curvature(self, z: Array) -> LossCurvature:
        return SoftmaxCurvature(self.space, self._probabilities(z), self.c)

    def _drawn_slopes(self, z: Array, seed: Any) -> Array:
        """A label is the number of cumulated probabilities, the last apart, that u reaches."""
        xp, p = self.space.xp, self._probabilities(z)
        u = uniform(self.space, seed, self.rows)
        reached = u[:, None] >= xp.cumulative_sum(p, axis=1)[:, :-1]
        label = xp.sum(xp.astype(reached, z.dtype), axis=1)
        return p - one_hot(self.space, label, z.shape[1])

    def _losses(self, d: Array, sums: Array) -> Array:
        xp = self.space.xp
        return xp.log(sums[:, 0]) - xp.sum(d * self.targets, axis=1)

    def _probabilities(self, z: Array) -> Array:
        _, powers, sums = self._powers(z)
        return powers / sums

    def _powers(self, z: Array) -> tuple[Array, Array, Array]:
        """Give d = z - max z, exp(d), which does not overflow, and its sums (rows, 1)."""
        xp = self.space.xp
        d = z - xp.max(z, axis=1, keepdims=True)
        powers = xp.exp(d)
        return d, powers, xp.sum(powers, axis=1, keepdims=True)


def one_hot(space: Space, labels: Array, classes: int) -> Array:
    """Give rows of the unit matrix, (rows, classes), of labels that are whole numbers."""
    xp = space.xp
    numbers = xp.arange(classes, dtype=space.dtype, device=space.device)
    return xp.astype(labels[:, None] == numbers[None, :], space.dtype)
