"""B = 0."""

from __future__ import annotations

from dataclasses import dataclass

from hessx._xp import Array, Space
from hessx.core import Frame, Learns, Offer, saved
from hessx.hessians._family import Approximation, Curvature

__all__ = ["Zero", "ZeroCurvature"]


@saved
class ZeroCurvature(Curvature):
    """No curvature: f falls as its gradient says."""

    __slots__ = ("space",)

    def __init__(self, space: Space) -> None:
        self.space = space

    def matvec(self, v: Array) -> Array:
        """Give zeros."""
        return v * 0.0

    def dense(self) -> Array:
        """Zeros, shape (n, n)."""
        return self.space.zeros((self.space.n, self.space.n))

    def diagonal(self) -> Array:
        """Zeros, shape (n,)."""
        return self.space.zeros(self.space.n)


@saved
@dataclass(frozen=True, slots=True)
class Zero(Approximation):
    r"""B = 0: the model is g'p, and the restraint alone ends its step.

    Under a damping that is first-order quadratic regularisation, R2,

        x+ = x - g / sigma

    with sigma by the ratio of decreases; in a ball, steps of the length of its radius along -g.

    Notes
    -----
    Memory: none of its own.  With `SteepestStep` a model costs neither a product nor a fetch, so
    that a run has one fetch per trial point, as a line search has; with `TruncatedCG`, which does
    not know that B is 0, there is one more.

    References
    ----------
    Cartis, Gould & Toint (2022), Evaluation Complexity of Algorithms for Nonconvex Optimization,
    SIAM, section 2.4, algorithm 2.4.1 with p = 1.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> h = np.array([1.0, 10.0])
    >>> method = hessx.TrustRegionMethod(hessx.Zero(), hessx.SteepestStep(), hessx.NielsenRule())
    >>> hessx.minimize(lambda x: ((h * x) @ x / 2, h * x), [1.0, 1.0], jac=True,
    ...                method=method).success
    True
    """

    offers = Offer.MATVEC | Offer.DENSE | Offer.DIAGONAL
    positive = False
    learns = Learns.NOTHING

    def begin(self, frame: Frame) -> ZeroCurvature:
        """Begin with 0, which stays."""
        return ZeroCurvature(frame.space)
