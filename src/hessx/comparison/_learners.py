"""Approximations that go along with a run, and stand for B at each of its points."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np

from hessx._xp import Array, Packet, Space, fetch, quiet, under
from hessx.comparison._layers import drawn_factors, expected_factors
from hessx.comparison._place import Place, Problem
from hessx.core import Frame, LayerFactors, Learns, Offer, Pair, SettingsError, Wants
from hessx.hessians import LBFGS, Approximation, Curvature

__all__ = ["CurvatureLearner", "Learner", "teach"]

_ROWS = Wants.VALUE | Wants.GRADIENT | Wants.PER_SAMPLE
_OWN = "own: "  # before the names of what a curvature asks for
_Apply = Callable[[Array], Array]


class Learner:
    """B along a run: it arrives at a point, stands for B there, and learns from the step.

    Attributes
    ----------
    name : str
        Of the approximation.
    method : object
        The composition whose steps are this approximation's own; None where it has none.
    wants : Wants
        What it is made of, beyond value, gradient and steps.
    remembers : bool
        Points where nothing is asked of it count too.
    live : object
        Whose arrays are its memory.
    """

    name: str
    method: Any = None
    wants: Wants = Wants.NOTHING
    remembers: bool = True

    @property
    def live(self) -> Any:
        """Whose arrays are its memory; None where it owns none."""
        return None

    def begin(self, problem: Problem) -> None:
        """Begin a run, without a past."""

    def arrive(self, place: Place) -> None:
        """Come to a point, and take what B is made of there."""

    def learn(self, place: Place, after: Place) -> None:
        """Learn from the step between two points."""

    def leave(self) -> None:
        """Let go of what belongs to the point."""

    @property
    def matvec(self) -> _Apply | None:
        """Multiply by B; None where only B^-1 v is known."""
        return None

    @property
    def solve(self) -> _Apply | None:
        """Multiply by B^-1; None where only B v is known."""
        return None

    def dense(self, space: Space) -> Array | None:  # noqa: ARG002
        """B as an array, where that is cheaper than n products."""
        return None

    def matrix(self, space: Space) -> np.ndarray:
        """B on the host, shape (n, n), float64: one fetch; where only B^-1 v is known inverted.

        nan where it is not finite.
        """
        n, xp = space.n, space.xp
        B, inverted = self.dense(space), False
        if B is None:
            apply = self.matvec
            inverted = apply is None
            units = xp.eye(n, dtype=space.dtype, device=space.device)
            verb: Any = self.solve if inverted else apply
            B = xp.stack([verb(units[i, ...]) + 0.0 for i in range(n)])
        (entries,), _ = fetch(space, [xp.reshape(B, (-1,))])
        matrix: np.ndarray = entries.reshape(n, n)
        matrix = 0.5 * matrix + 0.5 * matrix.T
        known = np.isfinite(matrix).all()
        if inverted and known:
            known = np.linalg.cond(matrix) < np.inf
            matrix = np.linalg.inv(matrix) if known else matrix
        return matrix if known else np.full((n, n), np.nan)


class CurvatureLearner(Learner):
    """An `Approximation`, taught as its methods teach it.

    Parameters
    ----------
    name : str
        Of the approximation.
    approximation : Approximation
        The settings.
    method : object
        Whose steps are its own.
    draws : int
        Of labels, where it learns from layers: the mean of so many; 0 is the expectation.
    seed : int
        Of the draws.
    """

    curvature: Curvature

    def __init__(
        self, name: str, approximation: Approximation, method: Any, draws: int = 0, seed: int = 0
    ) -> None:
        if approximation.only_preconditions:
            msg = (
                f"{name} learns from the solves that it preconditions, and would stay I: expected "
                "an approximation that learns from steps, gradients or the Hessian"
            )
            raise SettingsError(msg)
        self.name, self.approximation, self.method = name, approximation, method
        self.draws, self.seed = draws, seed
        self.remembers = getattr(approximation, "beta", None) != 0.0
        self.wants = approximation.wants | _EVIDENCE.get(approximation.learns, Wants.NOTHING)

    @property
    def live(self) -> Any:
        """The curvature."""
        return self.curvature

    def begin(self, problem: Problem) -> None:
        """Begin without a past; L-BFGS with as many pairs as in a line search."""
        A, frame = self.approximation, Frame(problem.space)
        if isinstance(A, LBFGS) and isinstance(A.hess_inv0, Real | None):
            self.curvature = A.begin_rows(frame)
        else:
            self.curvature = A.begin(frame)

    def arrive(self, place: Place) -> None:
        """Hand over the Hessian, residual, gradient, layers or rows."""
        B, learns = self.curvature, self.approximation.learns
        if B.waits:
            residual = Wants.RESIDUAL in self.approximation.wants
            B.at(place.ask(Wants.RESIDUAL).residual if residual else place.hessian)
        if learns is Learns.GRADIENTS:
            B.update(place.lesson_gradient())
        elif learns is Learns.HESSIAN:
            B.update(place.lesson)
        elif learns is Learns.PER_SAMPLE:
            B.update(place.ask(_ROWS, sampled=True).per_sample)
        elif learns is Learns.FACTORS:
            B.update(self._layers(place))  # type: ignore[arg-type]
        B.prepare()

    def learn(self, place: Place, after: Place) -> None:
        """Learn from the step, where it learns from steps; one fetch."""
        if self.approximation.learns in (Learns.ACCEPTED, Learns.EVERY):
            with quiet():
                teach(
                    self.curvature, place.problem.space, after.x - place.x, after.grad - place.grad
                )

    def _layers(self, place: Place) -> list[LayerFactors]:
        """Inputs and slopes: of the data's labels, of all labels in expectation, or of draws."""
        if getattr(self.approximation, "labels", "sampled") == "given":
            return drawn_factors(place, [None])
        if self.draws == 0:
            return expected_factors(place)
        first = self.seed + place.number * self.draws
        return drawn_factors(place, [*range(first, first + self.draws)])

    def leave(self) -> None:
        """Let go of the Hessian or residual."""
        self.curvature.leave()

    @property
    def matvec(self) -> _Apply | None:
        """B v, where it is offered."""
        return self.curvature.matvec if Offer.MATVEC in self.approximation.offers else None

    @property
    def solve(self) -> _Apply | None:
        """B^-1 v, where it is offered."""
        return self.curvature.solve if Offer.SOLVE in self.approximation.offers else None

    def dense(self, space: Space) -> Array | None:  # noqa: ARG002
        """B, where it is offered."""
        return self.curvature.dense() if Offer.DENSE in self.approximation.offers else None


_EVIDENCE = {
    Learns.FACTORS: Wants.HESSIAN | Wants.FACTORS,
    Learns.HESSIAN: Wants.HESSIAN,
    Learns.PER_SAMPLE: Wants.PER_SAMPLE,
}


def teach(curvature: Curvature, space: Space, s: Array, y: Array) -> str:
    """Have a curvature learn from a step, with one fetch; what it says of it."""
    pair, packet = Pair(s, y), Packet(space)
    packet.ask(s_y=s @ y, y_y=y @ y, s_s=s @ s)
    curvature.measure(pair, packet.under(_OWN))
    curvature.hold(packet)
    numbers = packet.fetch()
    pair.s_y, pair.y_y, pair.s_s = numbers["s_y"], numbers["y_y"], numbers["s_s"]
    pair.numbers = under(numbers, _OWN)
    return curvature.update(pair)
