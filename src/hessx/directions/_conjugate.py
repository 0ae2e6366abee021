"""Nonlinear conjugate gradients: d = -g + beta d, an approximation of rank one.

Written as d = -A g with A = I - d_old v', where v'g = beta, it is one more inverse Hessian
approximation, made anew at each step from the last direction and the last change of the gradient.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from hessx._xp import Array, Numbers, Packet, quiet
from hessx.core import Frame, saved, store_choice
from hessx.directions._direction import Direction, DirectionRule, Needs
from hessx.directions._track import VectorTrack

__all__ = ["ConjugateDirection", "NonlinearCG"]

_ETA = 0.4  # of Hager-Zhang's lower bound on beta
_DESCENT = 0.01  # a direction with slope above -_DESCENT g'g is given up for -g


@saved
class ConjugateDirection(Direction):
    """The last direction, and the scalars that beta is made of (see `NonlinearCG`)."""

    __slots__ = ("beta", "beta_rule", "track", "y_g")
    track: VectorTrack
    sized = False

    def __init__(self, frame: Frame, beta_rule: str) -> None:
        self.track = VectorTrack(frame, pairs=True)
        self.beta_rule, self.beta, self.y_g = beta_rule, 0.0, math.nan

    def measure(self, grad: Array, packet: Packet) -> None:
        """Ask for y'g too."""
        t = self.track
        t.measure(grad, packet)
        with quiet():  # of a trial far out
            packet.ask_products(y_g=(t.y, t.g_trial))

    def read(self, numbers: Numbers) -> None:
        """Take the numbers of a trial over."""
        self.track.read(numbers)
        self.y_g = numbers["y_g"]

    def accept(self, *, learn: bool = True) -> str:  # noqa: ARG002
        """Form beta while the old gradient's numbers are at hand."""
        t = self.track
        d_y = t.s_y / t.alpha
        if self.beta_rule == "pr+":
            self.beta = max(0.0, self.y_g / t.grad_square)
        elif not d_y > 0.0:
            self.beta = 0.0
        elif self.beta_rule == "hs+":
            self.beta = max(0.0, self.y_g / d_y)
        else:
            beta = (self.y_g - 2.0 * t.y_y / d_y * t.slope) / d_y
            self.beta = max(beta, _ETA * t.start_slope / t.d_square)
        t.accept()
        return ""

    def turn(self, watch: Callable[[], bool]) -> None:  # noqa: ARG002
        """Turn to -g + beta d, or to -g where that is hardly a descent direction."""
        t = self.track
        slope = self.beta * t.slope - t.grad_square
        if self.beta == 0.0 or not slope < -_DESCENT * t.grad_square:
            self.beta = 0.0
            t.aim(-t.g, -t.grad_square)
        else:
            t.aim(t.d * self.beta - t.g, slope)

    def reset(self) -> bool:
        """Forget the last direction."""
        had, self.beta = self.beta != 0.0, 0.0
        return had


@saved
@dataclass(frozen=True, slots=True)
class NonlinearCG(DirectionRule):
    """Nonlinear conjugate gradients, d+ = -g+ + beta d.

    With y = g+ - g:

        "hs+":  beta = max(0, y'g+ / d'y)
        "pr+":  beta = max(0, y'g+ / g'g)
        "hz":   beta = (y'g+ - 2 (y'y / d'y) d'g+) / d'y,  at least 0.4 d'g / d'd

    beta = 0 where d'y <= 0 ("hs+", "hz").  A direction with slope above -0.01 g+'g+ is given up for
    -g+.

    Parameters
    ----------
    beta : {"hs+", "pr+", "hz"}
        Hestenes & Stiefel's or Polak & Ribiere's, each cut at zero, or Hager & Zhang's.

    Raises
    ------
    SettingsError
        Another name of beta.

    Notes
    -----
    Memory: 10 vectors at the peak of a run, trial and gradients included.  Cost per trial: five
    inner products in one fetch; d'd once per step.  The search has to be tight: c2 = 0.1.

    References
    ----------
    Hestenes & Stiefel (1952), J. Res. Nat. Bur. Stand. 49; Polak & Ribiere (1969); Powell (1984),
    for the cut; Nocedal & Wright (2006), eqs. (5.44)-(5.46).  Hager & Zhang (2005), A new conjugate
    gradient method with guaranteed descent and an efficient line search, SIAM J. Optim. 16, eqs.
    (1.3)-(1.6); the bound is that of Hager & Zhang (2013), The limited memory conjugate gradient
    method, made scale-free.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> h = np.array([1.0, 10.0, 100.0])
    >>> method = hessx.LineSearchMethod(hessx.NonlinearCG("pr+"), hessx.HagerZhang(c2=0.1))
    >>> hessx.minimize(lambda x: (h @ x**2 / 2, h * x), np.ones(3), jac=True, method=method).success
    True
    """

    beta: str = "hs+"

    def __post_init__(self) -> None:
        store_choice(self, "beta", "hs+", "pr+", "hz")

    def begin(self, frame: Frame, needs: Needs) -> ConjugateDirection:  # noqa: ARG002
        """Begin along -g; the track forms y and asks for its products at each trial."""
        return ConjugateDirection(frame, self.beta)
