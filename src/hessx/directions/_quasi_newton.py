"""d = -A g, for any approximation."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hessx._xp import Array, Numbers, Packet, quiet, under
from hessx.core import Frame, Free, Learns, Offer, Outcome, Pair, SettingsError, Wants, saved
from hessx.directions._direction import Direction, DirectionRule, Needs
from hessx.directions._fitting import begun, check_approximation
from hessx.directions._lbfgs_direction import LBFGSDirection
from hessx.directions._matching import definite, shown
from hessx.directions._probe import way_out
from hessx.directions._track import VectorTrack
from hessx.hessians import LBFGS, Approximation, Zero

__all__ = ["QuasiNewton", "QuasiNewtonDirection", "as_direction"]

_OF_A = "of A: "  # before the names of what A asks for


@saved
class QuasiNewtonDirection(Direction):
    """d = -A g with A applied as it is; after a failed search -g, once."""

    __slots__ = ("curvature", "fallback", "learns", "leaving", "pair", "sized", "track")
    track: VectorTrack

    def __init__(self, frame: Frame, approximation: Approximation, needs: Needs) -> None:
        self.learns = approximation.learns in (Learns.ACCEPTED, Learns.EVERY)
        self.track = VectorTrack(frame, pairs=needs.pair or self.learns, steps=self.learns)
        self.curvature = begun(approximation, frame, Offer.SOLVE)
        self.sized = self.curvature.sized
        self.fallback = False  # the next direction is -g: a search along -A g has failed
        self.pair: Pair | None = None  # of the trial, where A learns
        self.leaving = False  # the direction leads out of a stationary start

    @property
    def waits(self) -> bool:  # type: ignore[override]
        """Whether A wants the Hessian, or the residual, at the current point."""
        return self.curvature.waits and not self.fallback

    def at(self, evidence: Any) -> None:
        """Hand it to A."""
        self.curvature.at(evidence)

    def start(self, grad: Array, packet: Packet) -> None:
        """Take the first gradient; A names its arrays too."""
        super().start(grad, packet)
        self.curvature.hold(packet)

    def measure(self, grad: Array, packet: Packet) -> None:
        """Ask for the scalars of a trial, and for those that A learns from."""
        track = self.track
        track.measure(grad, packet)
        if self.learns and not self.curvature.waits:  # it waits where -g has left it out
            pair = self.pair = Pair(track.s, track.y)
            if not self.fallback and self.curvature.sized:  # s = -alpha A g
                pair.product, pair.multiple = track.g, -track.alpha
            with quiet():  # of a trial far out
                self.curvature.measure(pair, packet.under(_OF_A))
        self.curvature.hold(packet)

    def read(self, numbers: Numbers) -> None:
        """Take the numbers of the trial over: the track's, and those of its pair, s = alpha d."""
        track = self.track
        track.read(numbers)
        pair = self.pair
        if pair is not None:
            square = track.alpha * track.alpha
            pair.s, pair.y = track.s, track.y  # a lazy library has computed them
            pair.s_y, pair.y_y, pair.s_s = track.s_y, track.y_y, square * track.d_square
            known = not self.fallback and self.curvature.sized
            pair.s_B_s = -square * track.start_slope if known else math.nan
            pair.numbers = under(numbers, _OF_A)

    def turn(self, watch: Callable[[], bool]) -> tuple[Outcome, str] | None:
        """Apply A; after a failed search take -g, and where a budget ends before A is there."""
        track, curvature = self.track, self.curvature
        if self.leaving:
            self.leaving = False
        elif self.fallback or not curvature.prepare(watch):
            self.sized = False
            track.aim(-track.g, -track.grad_square)
        elif curvature.broken:
            return Outcome.FAILED_NONFINITE, "no direction: the Hessian is not finite"
        else:
            track.aim(*curvature.direction(track.g, track.grad_square))
            self.sized = curvature.sized
        return None

    def leave(self, watch: Callable[[], bool]) -> tuple[bool, str]:
        """Turn to a direction of negative curvature, where all eigenvalues are known."""
        track = self.track
        reach = Free(track.frame.length)
        found, text = way_out(track.frame, self.curvature, reach, watch, probes=False)
        if found is not None:
            self.leaving = True
            track.aim(found.step, 0.0)
        return found is not None, text

    def accept(self, *, learn: bool = True) -> str:
        """Let A learn from the pair."""
        pair, self.pair, note = self.pair, None, ""
        if pair is not None and learn:
            note = self.curvature.update(pair)
        self.curvature.leave()
        self.track.accept()
        self.fallback, self.sized = False, self.curvature.sized
        return note

    def reject(self) -> None:
        """Forget the pair of a trial that is not accepted."""
        self.pair = None

    def reset(self) -> bool:
        """Leave A out of the next direction; False where it was left out already, or is I."""
        had = self.curvature.active and not self.fallback
        self.fallback, self.sized = True, False
        return had

    def inverse_hessian(self) -> Any:
        """Give A, where there is one."""
        return self.curvature.inverse_hessian()


@saved
@dataclass(frozen=True, slots=True)
class QuasiNewton(DirectionRule):
    """d = -A g with any approximation that is positive definite; it may be given bare.

    Parameters
    ----------
    approximation : Approximation
        What A is: `LBFGS`, `BFGS`, `Identity`, `ExactInverse`, one's own.

    Raises
    ------
    SettingsError
        No approximation, or one that is not positive definite.

    Notes
    -----
    Cost: one application of A per direction.  What only offers B is inverted by conjugate
    gradients, one fetch per step.

    References
    ----------
    Nocedal & Wright (2006), eq. (3.2).

    Examples
    --------
    >>> import hessx
    >>> method = hessx.LineSearchMethod(hessx.LBFGS(), hessx.HagerZhang())
    >>> method.direction.approximation.memory is None
    True
    """

    approximation: Approximation

    def __post_init__(self) -> None:
        check_approximation("approximation", self.approximation)
        if not self.approximation.positive:
            name = shown(self.approximation)
            instead = (
                f"hessx.NewtonCG(approximation=hessx.{name}), hessx.TrustRegionMethod(hessx.{name})"
            )
            if isinstance(self.approximation, Zero):
                parts = f"hessx.{name}, hessx.SteepestStep(), hessx.NielsenRule()"
                instead = f"hessx.Identity(), hessx.TrustRegionMethod({parts})"
            if own := definite(self.approximation):
                instead = f"{own}, {instead}"
            msg = (
                f"approximation = {name} may be indefinite, and a line search needs descent: "
                f"expected {instead}, or a positive definite approximation such as hessx.LBFGS()"
            )
            raise SettingsError(msg)

    @property
    def wants(self) -> Wants:
        """What A is made of at accepted points."""
        return self.approximation.wants

    def begin(self, frame: Frame, needs: Needs) -> Direction:
        """Begin a run; L-BFGS has gradients and pairs in one buffer."""
        if isinstance(self.approximation, LBFGS) and self.approximation.in_rows:
            return LBFGSDirection(self.approximation.begin_rows(frame))
        return QuasiNewtonDirection(frame, self.approximation, needs)


def as_direction(given: object) -> DirectionRule:
    """Take a direction, or an approximation for d = -A g.

    Raises
    ------
    SettingsError
        Neither, a class, or an approximation that may be indefinite.
    """
    if isinstance(given, DirectionRule):
        return given
    check_approximation("direction", given)
    return QuasiNewton(given)  # type: ignore[arg-type]
