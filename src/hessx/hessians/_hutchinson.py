"""The diagonal of the Hessian, estimated by products with random signs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hessx._xp import Array, Packet, quiet
from hessx.core import Frame, Learns, Offer, Wants, saved, store_integer, store_real
from hessx.hessians._family import Approximation, Curvature
from hessx.krylov import never
from hessx.operators import DiagonalOperator, diagonal_sample

__all__ = ["Hutchinson", "HutchinsonCurvature"]


@saved(fresh=("hessian", "b"))
class HutchinsonCurvature(Curvature):
    """The running mean of z * (H z), in z of the frame, and B made of its absolute values.

    Attributes
    ----------
    mean, spread : array, shape (n,), optional
        Of the samples: their weighted mean, and the weighted mean of their squares about it.
    share : float
        The sum of the squares of the weights, which sum to 1: 1 for one sample, 0 where the
        diagonal is known.
    points : int
        That the mean has seen, the present one among them where ``formed``.
    sized, broken : bool
        False where the mean is 0, whose B is I; True where it is not finite, and B is nan.
    """

    __slots__ = (
        "b", "broken", "formed", "frame", "hessian", "mean", "points", "settings", "share", "sized",
        "spread", "stopped",
    )  # fmt: skip

    def __init__(self, frame: Frame, settings: Hutchinson) -> None:
        self.frame, self.settings = frame, settings
        self.hessian: Any = None
        self.mean: Array = None
        self.spread: Array = None
        self.b: Array = None
        self.share, self.points, self.formed = 1.0, 0, False
        self.sized, self.broken, self.stopped = True, False, False

    @property
    def waits(self) -> bool:  # type: ignore[override]
        """Whether the Hessian at this point has yet to come."""
        return self.hessian is None and not self.formed

    @property
    def active(self) -> bool:  # type: ignore[override]
        """Not where the budget has ended before all samples were there."""
        return not self.stopped

    def at(self, hessian: Any) -> None:
        """Take it; nothing is evaluated yet, and nothing twice where a run is taken up again."""
        self.stopped = False
        self.hessian = None if self.formed else hessian

    def leave(self) -> None:
        """Let go of the Hessian; the mean goes on."""
        self.hessian, self.formed = None, False

    def hold(self, packet: Packet) -> None:
        """Name mean and spread, which each point moves."""
        packet.hold(self, "mean", "spread")

    def prepare(self, watch: Callable[[], bool] = never) -> bool:
        """Take the samples of this point, a product each, and see that they are finite: a fetch."""
        if self.hessian is not None:
            known = self.hessian.diagonal()
            if known is not None:
                self.mean, self.share = self.frame.diagonal(known), 0.0
                self.spread = self.frame.space.zeros(self.frame.space.n)
            elif not self._sample(watch):
                self.stopped = True
                return False
            self.hessian, self.formed, self.b = None, True, None
            self.points += 1
            self._judge()
        if self.b is None:
            self.b = self._floored()
        return True

    def solve(self, v: Array) -> Array:
        """Divide by the diagonal."""
        self.prepare()
        return v / self.b

    def matvec(self, v: Array) -> Array:
        """Multiply by the diagonal."""
        self.prepare()
        return v * self.b

    def solve_shifted(self, v: Array, sigma: float) -> Array:
        """Give v / (b + sigma)."""
        self.prepare()
        return v / (self.b + sigma)

    def diagonal(self) -> Array:
        """The diagonal of B, a copy."""
        self.prepare()
        return self.b + 0.0

    def variance(self) -> Array:
        """That of the mean, by the scatter of its samples, where H does not change.

        inf where there is one sample; the standard error is its root.  Where H changes from point
        to point, the change counts too.
        """
        self.prepare()
        if self.share == 1.0:
            return self.mean * 0.0 + math.inf
        return self.spread * (self.share / (1.0 - self.share))

    def operator(self, *, inverse: bool) -> DiagonalOperator | None:
        """A or B in x: that of the last point that was sampled; None before the first."""
        if (self.waits and self.mean is None) or self.broken:
            return None
        self.prepare()
        frame, b = self.frame, self.b
        return DiagonalOperator(frame.diagonal(1.0 / b) if inverse else frame.inverse_diagonal(b))

    def _sample(self, watch: Callable[[], bool]) -> bool:
        """Move the mean by the samples of this point; False where ``watch`` has ended it."""
        settings, product = self.settings, self.frame.product(self.hessian)
        mean, spread = self.mean, self.spread
        h: Array = None
        scatter: Array = None
        for k in range(settings.samples):
            seed = settings.seed, self.points, k
            sample = diagonal_sample(self.frame.space, product, seed)
            h, scatter = _moved(h, scatter, sample, 1.0 / (k + 1))
            if watch() and k + 1 < settings.samples:
                return False
        beta, t = settings.beta, self.points + 1
        weight = (1.0 - beta) / (1.0 - beta**t)
        self.mean, spread = _moved(mean, spread, h, weight)
        with quiet():
            self.spread = spread + scatter * weight
        ratio = (1.0 - beta) * (1.0 + beta**t) / ((1.0 + beta) * (1.0 - beta**t))
        self.share = ratio / settings.samples
        return True

    def _judge(self) -> None:
        """See whether there is a mean, and whether it is finite."""
        packet, xp = Packet(self.frame.space), self.frame.space.xp
        with quiet():  # here a lazy library computes
            packet.ask(largest=xp.max(xp.abs(self.mean)))
            self.hold(packet)
            largest = packet.fetch()["largest"]
        self.broken, self.sized = not math.isfinite(largest), largest != 0.0

    def _floored(self) -> Array:
        """abs(mean), entries below the floor raised to it; ones where all is zero."""
        space = self.frame.space
        xp, floor = space.xp, self.settings.floor
        if self.broken:
            return self.mean * math.nan
        with quiet():
            b = xp.abs(self.mean)
            least = xp.max(b) * (space.eps if floor is None else floor)
            b = xp.where(b > least, b, b * 0.0 + least)
            return xp.where(b > 0.0, b, b * 0.0 + 1.0)


def _moved(mean: Array, spread: Array, h: Array, weight: float) -> tuple[Array, Array]:
    """Give mean and spread with one more value of this weight (West 1979)."""
    with quiet():
        if mean is None:
            return h, h * 0.0
        change = h - mean
        return mean + change * weight, (spread + change * change * weight) * (1.0 - weight)


@saved
@dataclass(frozen=True, slots=True)
class Hutchinson(Approximation):
    r"""B = abs(d), d the diagonal of the Hessian, estimated by products with random signs z.

        h_t = mean of z * (H z) over ``samples`` vectors z,   E(h_t) = diag(H)
        m_t = beta m_(t-1) + (1 - beta) h_t,   d = m_t / (1 - beta^t)

    at accepted point t; entries of abs(d) below ``floor`` times the largest are raised to that.
    Where the Hessian knows its diagonal, as a matrix or an operator with one, d is that, and no
    product is taken.

    Parameters
    ----------
    samples : int
        Products per accepted point, >= 1.
    beta : float
        In [0, 1): what is kept of the mean from one accepted point to the next.
    floor : float, optional
        In (0, 1); by default eps.
    seed : int
        Of z: they depend on the seed and the number of the point alone.

    Raises
    ------
    SettingsError
        A setting out of range.

    Notes
    -----
    One sample has the variance sum over j != i of H_ij^2 in entry i, whatever H_ii is: the mean
    finds entries that dominate their rows.  `HutchinsonCurvature.variance` estimates that of the
    mean of samples of the weights w_k by sum w_k (h_k - d)^2 sum w_k^2 / (1 - sum w_k^2).

    Where H = 0, B = I without a size, a gradient step; where a sample is not finite the run ends
    with FAILED_NONFINITE.

    Memory: 3 vectors.  Cost per accepted point: ``samples`` products, as many uploads, about 12
    passes over a vector for each; one fetch.

    References
    ----------
    Bekas, Kokiopoulou & Saad (2007), An estimator for the diagonal of a matrix, Appl. Numer.
    Math. 57, section 2; the mean over points as in Yao et al. (2021), AdaHessian, AAAI, eq. (10),
    of d where they have its square; West (1979), Comm. ACM 22, for the variance.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> d = np.array([1.0, 1e4, 1e8])
    >>> fun = lambda x: ((x * d) @ x / 2 - x.sum(), d * x - 1)
    >>> hessp = lambda x, v: d * v
    >>> method = hessx.LineSearchMethod(hessx.Hutchinson(), hessx.HagerZhang())
    >>> hessx.minimize(fun, np.zeros(3), jac=True, hessp=hessp, method=method).nit
    1
    >>> hessx.minimize(fun, np.zeros(3), jac=True, hessp=hessp, method="trust-ncg",
    ...                options={"preconditioner": "hutchinson"}).success
    True
    """

    samples: int = 1
    beta: float = 0.9
    floor: float | None = None
    seed: int = 0
    offers = Offer.SOLVE | Offer.MATVEC | Offer.SHIFTED | Offer.DIAGONAL
    learns = Learns.NOTHING
    wants = Wants.HESSIAN

    def __post_init__(self) -> None:
        store_integer(self, "samples", 1)
        store_real(self, "beta", 0.0, 1.0, "[)")
        store_real(self, "floor", 0.0, 1.0)
        store_integer(self, "seed")

    def begin(self, frame: Frame) -> HutchinsonCurvature:
        """Begin without a diagonal: the first is sampled at x0."""
        return HutchinsonCurvature(frame, self)
