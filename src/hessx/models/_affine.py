"""A layer that is affine in its inputs, and where its weights lie in the flat vector w."""

from __future__ import annotations

from hessx._xp import Array, Space

__all__ = ["Affine", "Weights"]

Weights = tuple[Array, Array | None]  # W and b of a layer


class Affine:
    r"""z = a W + b for rows of inputs a; [W; b] lies row by row in a span of the flat vector.

    Parameters
    ----------
    space : Space
        Library, dtype and device.
    start : int
        Where the span begins.
    d_in : int
        Entries of a row of inputs.
    d_out : int or None
        Of outputs; None where a row has one output: W is then a vector, (d_in,), b a number and z
        has shape (rows,).
    bias : bool
        Whether there is a b.

    Attributes
    ----------
    span : slice
        Of the flat vector.
    """

    __slots__ = ("bias", "d_in", "d_out", "space", "span")

    def __init__(
        self, space: Space, start: int, d_in: int, d_out: int | None, *, bias: bool
    ) -> None:
        self.space, self.d_in, self.d_out, self.bias = space, d_in, d_out, bias
        self.span = slice(start, start + (d_in + bias) * (d_out or 1))

    def cut(self, v: Array) -> Weights:
        """View its part of a flat vector as W and b."""
        start, stop = self.span.start, self.span.stop
        if self.d_out is None:
            end = start + self.d_in
            return v[start:end], v[end] if self.bias else None
        end = start + self.d_in * self.d_out
        W = self.space.xp.reshape(v[start:end], (self.d_in, self.d_out))
        return W, v[end:stop] if self.bias else None

    def outputs(self, weights: Weights, a: Array) -> Array:
        """A W + b; 2 rows d_in d_out operations."""
        W, b = weights
        return a @ W if b is None else a @ W + b

    def gradient(self, a: Array, slopes: Array) -> Weights:
        """Give sum_i outer([a_i, 1], slopes_i), the gradient of sum(slopes * z)."""
        xp = self.space.xp
        b = xp.sum(slopes, axis=0, keepdims=self.d_out is None) if self.bias else None
        return a.T @ slopes, b

    def row_gradients(self, a: Array, slopes: Array) -> list[Array]:
        """Give outer([a_i, 1], slopes_i), flat, a row for each i, in pieces to be joined."""
        xp, slopes = self.space.xp, self.columns(slopes)
        outer = a[:, :, None] * slopes[:, None, :]
        pieces = [xp.reshape(outer, (a.shape[0], -1))]
        return [*pieces, slopes] if self.bias else pieces

    def with_ones(self, a: Array) -> Array:
        """Give [a, 1], where there is a bias."""
        if not self.bias:
            return a
        xp, space = self.space.xp, self.space
        ones = xp.ones((a.shape[0], 1), dtype=space.dtype, device=space.device)
        return xp.concat([a, ones], axis=1)

    def columns(self, z: Array) -> Array:
        """View outputs, or slopes, as (rows, d_out)."""
        return z[:, None] if self.d_out is None else z
