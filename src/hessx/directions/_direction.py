"""What chooses the directions of a line search, and what it stands on.

A direction owns a track: gradient, d and trial, array code only.  Per trial the method calls
``track.place`` (s = alpha d) before the evaluation and ``measure`` after it, which asks for the
scalars that the one packet has to carry; ``read`` takes their host values.  Where the search is
content ``accept`` goes on from the trial and learns from it, and ``turn`` forms the next d.
With a scale (x = scale z) all happens in z.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hessx._xp import Array, Numbers, Packet
from hessx.core import Frame, Outcome, Wants
from hessx.directions._track import Track

__all__ = ["Direction", "DirectionRule", "Needs"]


@dataclass(frozen=True, slots=True)
class Needs:
    """What a step rule asks of each trial.

    Attributes
    ----------
    slope : bool
        The slope g'd at the ray's start, where the direction does not know it by itself.
    pair : bool
        The products s'y and y'y.
    """

    slope: bool = True
    pair: bool = False


class DirectionRule:
    """Settings of a direction: `QuasiNewton`, `NonlinearCG`, `NewtonCG`."""

    __slots__ = ()

    @property
    def wants(self) -> Wants:
        """What is asked for at accepted points: the Hessian, the residual, or nothing."""
        return Wants.NOTHING

    def begin(self, frame: Frame, needs: Needs) -> Direction:
        """Begin a run: give the part that is at work in it, new each time.

        Parameters
        ----------
        frame : Frame
            The variables of the method.
        needs : Needs
            What the step rule asks of each trial.
        """
        raise NotImplementedError


class Direction:
    """A direction at work in a run.

    Attributes
    ----------
    track : Track
        Gradient, d and trial.
    sized : bool
        alpha = 1 is natural along d.
    foretold : float, optional
        The change of g'd along d by a model of the Hessian.
    waits : bool
        The next direction asks for the Hessian, or the residual, at the current point.
    """

    __slots__ = ()
    track: Track
    sized: bool
    foretold: float | None = None
    waits: bool = False

    def at(self, evidence: Any) -> None:
        """Take the Hessian, or the residual, at the point, where ``waits``; see `Curvature.at`."""

    def start(self, grad: Array, packet: Packet) -> None:
        """Take the first gradient, and ask for its square."""
        self.track.start(grad, packet)

    def measure(self, grad: Array, packet: Packet) -> None:
        """Ask for the scalars of a trial, the extreme entries of its gradient first."""
        self.track.measure(grad, packet)

    def read(self, numbers: Numbers) -> None:
        """Take the numbers of a trial over."""
        self.track.read(numbers)

    def first_alpha(self, alpha: float, length: float) -> float:  # noqa: ARG002
        """Give the first trial where 1 is natural, from alpha and length of the last step."""
        return 1.0

    @property
    def promised(self) -> float:
        """By how much f falls along d by the model of which d is the minimiser."""
        return -0.5 * self.track.start_slope

    def turn(self, watch: Callable[[], bool]) -> tuple[Outcome, str] | None:
        """Set the next d and its slope (nan: to be measured); or say why there is none."""
        raise NotImplementedError

    def accept(self, *, learn: bool = True) -> str:  # noqa: ARG002
        """Go on from the trial, and learn from it; a note."""
        self.track.accept()
        return ""

    def reject(self) -> None:
        """See a trial that is not accepted."""

    def reset(self) -> bool:
        """Forget the past, so that d = -g is next; False where there was none."""
        return False

    def leave(self, watch: Callable[[], bool]) -> tuple[bool, str]:  # noqa: ARG002
        """Turn to a direction of negative curvature, of a second-order method; what was seen."""
        return False, "second order was not checked"

    def inverse_hessian(self) -> Any:
        """Give A as a result has it, or None."""
        return None
