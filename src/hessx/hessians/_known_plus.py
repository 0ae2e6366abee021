"""A part of the Hessian that is known, plus one that is learnt from steps."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hessx._xp import Array, Numbers, Packet, quiet
from hessx.core import Frame, Learns, Offer, Pair, SettingsError, Wants, check_part, saved
from hessx.hessians._exact import Exact
from hessx.hessians._family import Approximation, Curvature
from hessx.hessians._structured import StructuredCurvature
from hessx.hessians._symmetric import SR1
from hessx.krylov import never

__all__ = ["KnownPlus", "KnownPlusCurvature"]

_SUMMED = Offer.MATVEC | Offer.DENSE | Offer.DIAGONAL
_FROM_STEPS = (Learns.ACCEPTED, Learns.EVERY)


@saved
class KnownPlusCurvature(StructuredCurvature):
    """B = K + S, K alone while S has no size.

    Attributes
    ----------
    known : Curvature
        K.
    positive : bool
        S is positive definite: what rounding leaves of y would give it any size.
    """

    __slots__ = ("known", "positive")

    def __init__(self, frame: Frame, known: Curvature, learnt: Curvature, positive: bool) -> None:
        super().__init__(frame, learnt)
        self.known, self.positive = known, positive

    @property
    def waits(self) -> bool:  # type: ignore[override]
        """Whether K at this point has yet to come."""
        return self.known.waits

    @property
    def broken(self) -> bool:  # type: ignore[override]
        """Whether K is not finite."""
        return self.known.broken

    def focus(self, needs: Offer) -> None:
        """Tell both: a sum is solved for by its products."""
        needs = needs & _SUMMED | Offer.MATVEC
        self.known.focus(needs)
        self.learnt.focus(needs)

    def at(self, evidence: Any) -> None:
        """Hand it to K."""
        self.known.at(evidence)

    def prepare(self, watch: Callable[[], bool] = never) -> bool:
        """Make K, and teach S what K leaves of y: a product with K and one fetch after a step."""
        if not self.known.prepare(watch):
            return False
        if self.pending:
            with quiet():
                y = self.y - self.known.matvec(self.s)
            self.learn(y, whole=self.y @ self.y)
        return True

    def consider(self, pair: Pair, numbers: Numbers) -> None:
        """Let S learn, unless it is positive definite and y# has not half of the digits of y."""
        if not self.positive or pair.y_y > self.frame.space.eps * numbers["whole"]:
            self.learnt.update(pair)

    def leave(self) -> None:
        """Let go of K."""
        self.known.leave()

    def hold(self, packet: Packet) -> None:
        """Name what K and S have."""
        self.known.hold(packet)
        super().hold(packet)

    def hold_point(self, packet: Packet) -> None:
        """Name what K has."""
        self.known.hold(packet)

    def matvec(self, v: Array) -> Array:
        """K v + S v."""
        self.prepare()
        return self._sum(self.known.matvec(v), self.learnt.matvec, v)

    def dense(self) -> Array:
        """K + S."""
        self.prepare()
        return self._sum(self.known.dense(), self.learnt.dense)

    def diagonal(self) -> Array:
        """That of K plus that of S."""
        self.prepare()
        return self._sum(self.known.diagonal(), self.learnt.diagonal)

    def _sum(self, known: Array, learnt: Callable[..., Array], *v: Array) -> Array:
        return known + learnt(*v) if self.learnt.sized else known + 0.0

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """Copy both parts."""
        twin = super().__deepcopy__(memo)
        twin.known = copy.deepcopy(self.known, memo)
        return twin


@saved
@dataclass(frozen=True, slots=True)
class KnownPlus(Approximation):
    r"""B = K + S: the part of the Hessian that is known, plus one that is learnt from steps.

    f has a Hessian of which a part K(x) is cheap, as that of a quadratic or regularising term, or
    J'J: ``hess`` or ``hessp`` of `minimize` gives that part alone.  After each accepted step s,
    once K has come at its end, S learns what K leaves of the change y of the gradient,

        y# = y - K(x+) s,    S+ s = y#,    so that    (K(x+) + S+) s = y

    Parameters
    ----------
    learnt : Approximation
        What S is: `SR1`, `LSR1`, `PSB`, `BFGS` or another that learns from steps and offers
        products.  By default SR1 from S = 0 on.  One without a start counts from its first pair on,
        with the size that it makes of it.
    known : Approximation
        What K is made of: `Exact`, of products or dense, or another that learns nothing and takes
        the Hessian, or the residual, at each accepted point.

    Raises
    ------
    SettingsError
        Parts of another kind, or without products.

    Notes
    -----
    Offers what both offer of products, dense form and diagonal.  It is positive definite where both
    are; K is not in general.  Cost per accepted step: one product with K and one fetch, beside what
    K and S cost; memory two vectors.  Only accepted steps teach S, for K is not known elsewhere.
    A pair with norm(y#) <= eps^(1/2) norm(y) is skipped where S is positive definite.

    References
    ----------
    Petra, Chiang & Anitescu (2019), A structured quasi-Newton algorithm for optimizing with
    incomplete Hessian information, SIAM J. Optim. 29; Dennis & Schnabel (1983), section 10.3.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> A = np.array([[3.0, 1.0], [1.0, 2.0]])
    >>> f = lambda x: (x @ A @ x / 2 + np.cosh(x - 1).sum(), A @ x + np.sinh(x - 1))
    >>> method = hessx.TrustRegionMethod(hessx.KnownPlus(hessx.SR1(hess0=0.0)))
    >>> hessx.minimize(f, [2.0, -1.0], jac=True, hess=lambda x: A, method=method).success
    True
    """

    learnt: Approximation = field(default_factory=lambda: SR1(hess0=0.0))
    known: Approximation = field(default_factory=Exact)

    def __post_init__(self) -> None:
        S, K = self.learnt, self.known
        steps = "an approximation that learns from steps, such as hessx.SR1() or hessx.LSR1()"
        check_part("learnt", S, Approximation, steps)
        points = "hessx.Exact() or another approximation that is made at each point"
        check_part("known", K, Approximation, points)
        if S.learns not in _FROM_STEPS or S.wants or Offer.MATVEC not in S.offers:
            msg = f"learnt = {type(S).__name__}(...) {_traits(S)}: expected {steps}"
            raise SettingsError(msg)
        if K.learns is not Learns.NOTHING or not K.wants or Offer.MATVEC not in K.offers:
            msg = f"known = {type(K).__name__}(...) {_traits(K)}: expected {points}"
            raise SettingsError(msg)

    @property
    def offers(self) -> Offer:  # type: ignore[override]
        """What both offer, of what can be summed."""
        return self.learnt.offers & self.known.offers & _SUMMED

    @property
    def positive(self) -> bool:  # type: ignore[override]
        """Whether both parts are."""
        return self.learnt.positive and self.known.positive

    @property
    def wants(self) -> Wants:  # type: ignore[override]
        """What K is made of."""
        return self.known.wants

    def begin(self, frame: Frame) -> KnownPlusCurvature:
        """Begin with B = K, or K and the start of S."""
        K, S = self.known.begin(frame), self.learnt.begin(frame)
        return KnownPlusCurvature(frame, K, S, self.learnt.positive)


def _traits(part: Approximation) -> str:
    """Say in words what a part is made of."""
    learns = "no steps" if part.learns is Learns.NOTHING else part.learns.value
    point = {Wants.HESSIAN: "the Hessian", Wants.RESIDUAL: "the residual"}
    made = f"made of {point.get(part.wants, 'nothing')} at a point"
    products = "" if Offer.MATVEC in part.offers else ", and has no products B v"
    return f"learns from {learns} and is {made}{products}"
