"""SQN: L-BFGS that learns from products with the Hessian at averages of the iterates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hessx._xp import Array, Packet, Space
from hessx.core import Frame, Pair, SettingsError, check_flag, check_part, saved, store_integer
from hessx.hessians import LBFGS
from hessx.rules._rule import Rule

__all__ = ["SQN", "SQNPart"]


@saved(fresh=("pair",))
class SQNPart:
    """L-BFGS at work, and the averages of its last spans.

    Attributes
    ----------
    curvature : Curvature
        L-BFGS.
    total : array, optional
        The sum of the iterates of the present span.
    before, place : array, optional
        The averages of the last two spans; the lesson is asked for at the later one.
    pair : tuple of arrays, optional
        Their difference s, and H s, once a lesson was given.
    """

    __slots__ = ("before", "curvature", "pair", "place", "rule", "total")

    def __init__(self, rule: SQN, space: Space) -> None:
        self.rule = rule
        self.curvature = rule.approximation.begin(Frame(space))
        self.total: Array = None
        self.before: Array = None
        self.place: Array = None
        self.pair: tuple[Array, Array] | None = None

    def turn(self, t: int, g: Array, x: Array) -> Array:
        """Give A g, and take x into the average."""
        self.total = x if self.total is None else self.total + x
        if t % self.rule.every == 0:
            self.before, self.place = self.place, self.total / (1.0 * self.rule.every)
            self.total = None
        return self.curvature.solve(g) if self.curvature.active else g

    def learn(self, t: int, hessian: Any) -> None:
        """Make the pair; one product."""
        s = self.place - self.before
        self.pair = s, hessian(s)

    def measure_pair(self, pair: Pair, packet: Packet) -> None:
        """Ask for the products of the rows with the pair."""
        self.curvature.measure(pair, packet)

    def learn_pair(self, pair: Pair) -> str:
        """Take the pair in, with its products on the host."""
        self.pair = None
        return self.curvature.update(pair)

    def inverse_hessian(self) -> Any:
        """Give A, once there is more than I."""
        return self.curvature.inverse_hessian() if self.curvature.active else None

    def hold(self, packet: Packet) -> None:
        """Name the arrays."""
        packet.hold(self, "total", "before", "place")
        self.curvature.hold(packet)


@saved
@dataclass(frozen=True, slots=True)
class SQN(Rule):
    r"""d = A g, A by L-BFGS from differences of averaged iterates and products with the Hessian.

        s = mean of the last ``every`` iterates - mean of those before,   y = H s

    H is the Hessian on a sample of its own, at the later mean.  The averages take the noise out of
    s, and the product out of y, where a difference of gradients on small samples is full of it.

    Parameters
    ----------
    every : int
        Steps from one pair to the next: L of the paper.  The first pair comes after 2 L steps, and
        until then d = g.
    approximation : LBFGS
        Made of rows; 10 pairs by default.
    fresh : bool
        Give lessons on samples of their own, of ``lesson_size`` rows: some ten times as many as
        those of the gradient.

    Raises
    ------
    SettingsError
        A setting out of range.

    Notes
    -----
    Memory: that of L-BFGS, and three vectors.  Cost: one product with the Hessian of a sample and
    one fetch per ``every`` steps, one product with A per step.

    References
    ----------
    Byrd, Hansen, Nocedal & Singer (2016), A stochastic quasi-Newton method for large-scale
    optimization, SIAM J. Optim. 26, algorithm 1.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> from hessx.models import LogisticRegression
    >>> draw = np.random.default_rng(0)
    >>> X = draw.standard_normal((200, 2))
    >>> y = (X @ [1.0, 2.0] + draw.standard_normal(200) > 0) * 1.0
    >>> loss = hessx.FiniteSum(LogisticRegression(X, y, l2=0.01, intercept=False))
    >>> method = hessx.StochasticMethod(hessx.SQN(every=5), rate=0.5, epochs=10)
    >>> result = hessx.minimize(loss, np.zeros(2), method=method)
    >>> result.nit, result.counts.products
    (70, 12)
    """

    every: int = 10
    approximation: LBFGS = LBFGS(memory=10)  # noqa: RUF009
    fresh: bool = True
    acts_on = "whole"
    samples = True

    def __post_init__(self) -> None:
        store_integer(self, "every", 1)
        A = self.approximation
        check_part("approximation", A, LBFGS, "hessx.LBFGS()")
        if not A.in_rows:
            msg = f"approximation = {A!r}: expected hess_inv0 to be a number, a diagonal or None"
            raise SettingsError(msg)
        check_flag("fresh", self.fresh)

    def due(self, t: int) -> bool:
        """Tell whether two averages are there, and the later one is new."""
        return (t - 1) % self.every == 0 and t > 2 * self.every

    def begin(self, space: Space, x: Array) -> SQNPart:
        """Begin with A = I."""
        return SQNPart(self, space)
