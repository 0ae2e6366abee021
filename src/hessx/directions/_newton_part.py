"""What Newton's method in a line search and in a region share: the model and who solves it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from hessx._xp import Array, Packet, under
from hessx.core import Frame, Learns, Offer, Pair, Restraint, Wants, saved
from hessx.directions._fitting import NewtonSettings, begun
from hessx.hessians import Approximation, Identity
from hessx.krylov import KrylovOutcome, ModelStep, QuadraticModel

__all__ = ["NewtonPart"]

_STEPS = (Learns.ACCEPTED, Learns.EVERY)
_FAR = 30.0  # times as long as the last step
_OF_B, _OF_M = "of B: ", "of M: "  # before the names of what each asks for


@saved(fresh=("pair", "pair_of_M"))
class NewtonPart:
    """A model of f, its forcing term and its preconditioner, at work in a run.

    Parameters
    ----------
    frame : Frame
        The variables.
    settings : NewtonCG or TrustRegionMethod
        Whose part this is.

    Attributes
    ----------
    curvature : Curvature
        The B of the model.
    preconditioner : Curvature, optional
        M is its inverse.
    forcing : ForcingState
        How exactly models are solved.
    learns : Learns
        From which steps B learns.
    dense, positive : bool
        Whether B is offered as an array, and is positive definite, so that B^-1 v is offered too.
    changes : bool
        Whether M differs from point to point.
    """

    __slots__ = (
        "changes", "curvature", "dense", "forcing", "frame", "learns", "max_inner", "pair",
        "pair_of_M", "positive", "preconditioner", "taught",
    )  # fmt: skip

    def __init__(self, frame: Frame, settings: NewtonSettings) -> None:
        self.frame, self.max_inner = frame, settings.max_inner
        self.curvature = begun(settings.approximation, frame, settings.subproblem.needs)
        self.learns = settings.approximation.learns
        self.dense = Offer.DENSE in settings.approximation.offers
        self.positive = settings.approximation.positive
        self.forcing = settings.forcing.begin()
        M: Approximation | None = settings.preconditioner  # type: ignore[assignment]
        self.preconditioner = None if M is None else begun(M, frame, Offer.SOLVE)
        self.taught = M is not None and M.learns in _STEPS
        self.changes = M is not None and (
            M.learns is not Learns.NOTHING or M.wants is not Wants.NOTHING
        )
        self.pair: Pair | None = None  # of the trial, for B
        self.pair_of_M: Pair | None = None  # of the model's step, for M

    @property
    def waits(self) -> bool:
        """Whether the Hessian, or the residual, at this point is wanted, and has not come."""
        M = self.preconditioner
        return self.curvature.waits or (M is not None and M.waits)

    @property
    def from_steps(self) -> bool:
        """Whether B learns from steps."""
        return self.learns in _STEPS

    @property
    def precondition(self) -> Callable[[Array], Array] | None:
        """R -> M r at this point; None where M = I."""
        M = self.preconditioner
        return None if M is None or not M.active else M.solve

    def at(self, evidence: Any) -> None:
        """Take the Hessian, or the residual, at this point."""
        self.curvature.at(evidence)
        if self.preconditioner is not None:
            self.preconditioner.at(evidence)

    def leave(self) -> None:
        """Let go of what belongs to the point that is left."""
        self.curvature.leave()
        if self.preconditioner is not None:
            self.preconditioner.leave()

    def model(
        self, g: Array, g_g: float, restraint: Restraint, watch: Callable[[], bool], *,
        tight: float, length: float, before: Array | None = None,
    ) -> QuadraticModel:  # fmt: skip
        """Give the model at the current point.

        Parameters
        ----------
        g, g_g : array, float
            Gradient in z, and its square.
        restraint : Restraint
            Of the step.
        watch : callable
            Budgets and interrupts.
        tight : float
            Forcing terms up to this ask for a settled model.
        length : float
            Of the step, where B has no size yet: B = norm(g) / length I then.
        before : 0-d array, optional
            g'Mg with the M of the point before, where the restraint is meant in it.
        """
        space = self.frame.space
        norm, n = math.sqrt(g_g), space.n
        eta, limit = self.forcing.term(norm), self.max_inner
        ready, M = self.curvature.prepare(watch), self.preconditioner
        if M is not None and M.active:
            samples = self.changes and not self.taught
            ready = M.prepare(watch) and ready and not (samples and watch())
        B = self.curvature if ready else Identity().begin(self.frame)
        shortest = math.sqrt(space.smallest)  # whose square is no longer seen
        size = 1.0 if B.sized else norm / max(length, shortest)
        if limit is None:  # enough for CG on grids of two dimensions
            limit = min(max(2 * n, 50), max(200, 4 * math.isqrt(n)))
        return QuadraticModel(
            space,
            _multiplied(B.matvec, size),
            g,
            g_g,
            tolerance=eta * norm,
            settled=eta <= tight,
            limit=limit,
            restraint=restraint,
            precondition=self.precondition,
            grad_square_before=before,
            collect=0 if M is None else M.collect,
            watch=watch,
            dense=(lambda: B.dense() * size) if self.dense else None,
            root=B.root if self.dense and size == 1.0 else None,
            solve=_multiplied(B.solve, 1.0 / size) if self.positive else None,
        )

    def measure(
        self, p: ModelStep | None, step: tuple[Array, Array] | None, multiple: float, packet: Packet
    ) -> None:
        """Ask for what B learns from the trial, and M from the model.

        Parameters
        ----------
        p : ModelStep, optional
            The model's step.
        step : tuple of array, optional
            s = multiple p and y, where B learns from steps.
        multiple : float
            See above.
        packet : Packet
            Of the trial.
        """
        self.pair = self.pair_of_M = None
        if step is not None:
            self.pair = pair = Pair(*step)
            if p is not None and self.curvature.sized:
                pair.product, pair.multiple = p.product, multiple
            self.curvature.measure(pair, packet.under(_OF_B))
            packet.hold(pair, "s", "y", "product")
        self.curvature.hold(packet)
        M = self.preconditioner
        if M is not None and self.taught and p is not None:
            pair = self.pair_of_M = Pair(p.step, p.product, p.slope_change)
            if M.squares:
                packet.ask(M_y_y=p.product @ p.product, M_s_s=p.step @ p.step)
            M.measure(pair, packet.under(_OF_M))
            M.hold(packet)

    def read(
        self, numbers: dict[str, Any], s_y: float, y_y: float, s_s: float, s_B_s: float
    ) -> None:
        """Take the numbers of the trial over."""
        pair = self.pair
        if pair is not None:
            pair.s_y, pair.y_y, pair.s_s = s_y, y_y, s_s
            pair.s_B_s = s_B_s if self.curvature.sized else math.nan
            pair.numbers = under(numbers, _OF_B)
        pair = self.pair_of_M
        if pair is not None:
            pair.numbers, pair.s_s = under(numbers, _OF_M), numbers.get("M_s_s", s_s)
            pair.y_y = numbers.get("M_y_y", math.nan)

    def accept(self, p: ModelStep | None) -> str:
        """Let B learn from the step, and M from the model; the point is left."""
        pair, pair_of_M, M, note = self.pair, self.pair_of_M, self.preconditioner, ""
        self.pair = self.pair_of_M = None
        if pair is not None:
            note = self.curvature.update(pair)
        if M is not None and p is not None:
            M.solved(short=p.outcome is KrylovOutcome.LIMIT)
            if p.pairs is not None:
                M.collected(p.pairs)
            if pair_of_M is not None:
                M.update(pair_of_M)
        self.leave()
        return note

    def reject(self, last: float, *, near: bool) -> bool:
        """Let B learn from a trial that was rejected, if it will; True where it did.

        From far out it would give B a size for far out.  Of the Hessian here a trial says little
        that is far longer than ``last``, the step before, as models with negative curvature give
        under a light damping; it is ``near`` within a radius.
        """
        pair, self.pair, self.pair_of_M = self.pair, None, None
        if pair is None or self.learns is not Learns.EVERY or not self.curvature.sized:
            return False
        if not near and math.sqrt(pair.s_s) > _FAR * last:
            return False
        pair.accepted = False
        return self.curvature.update(pair) != "skipped"


def _multiplied(product: Callable[[Array], Array], c: float) -> Callable[[Array], Array]:
    return product if c == 1.0 else lambda v: product(v) * c
