"""One family: whatever stands near the Hessian or its inverse."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

from hessx._xp import Array, Packet, space_of
from hessx.core import Frame, Learns, Offer, Pair, PairRing, Wants
from hessx.hessians._compact import CompactForm
from hessx.krylov import invert, never
from hessx.operators import LinearOperator

__all__ = ["Approximation", "Curvature"]

_OF_SAMPLES = (Learns.GRADIENTS, Learns.HESSIAN, Learns.FACTORS, Learns.PER_SAMPLE)


class Approximation:
    """Settings of an approximation B of the Hessian: the base of every one, and of one's own.

    It is used as the inverse A of a line search, as the model of a trust region, and as a
    preconditioner; what fits where follows from the attributes, when parts are put together.

    Attributes
    ----------
    offers : Offer
        What it can do: `SOLVE` (A v), `MATVEC` (B v), and more.  One of the two is enough: where
        the other is needed, it is solved for by conjugate gradients, which takes B to be positive.
    positive : bool
        B is positive definite whatever the pairs.
    learns : Learns
        From nothing, from accepted steps, or from every trial: under damping or a cubic term but
        for rejected ones that are more than thirty times as long as the step before.
    only_preconditions : bool
        It stays I but in the place of a preconditioner.
    stochastic : bool
        It learns from samples, and fits stochastic methods alone, inside `hessx.Preconditioned`.
    wants : Wants
        `HESSIAN` or `RESIDUAL`: the Hessian, or the residual of a sum of squares with its Jacobian,
        at each accepted point, handed to `Curvature.at`.

    Notes
    -----
    Vectors are flat, and of the variables z of the frame, x = scale z.

    Examples
    --------
    B = I / gamma with gamma = s'y / y'y:

    >>> from hessx import Approximation, Curvature, Offer
    >>> class Spectral(Approximation):
    ...     offers = Offer.SOLVE | Offer.MATVEC
    ...     def begin(self, frame):
    ...         return SpectralCurvature()
    >>> class SpectralCurvature(Curvature):
    ...     gamma = 1.0
    ...     def solve(self, v):
    ...         return v * self.gamma
    ...     def matvec(self, v):
    ...         return v / self.gamma
    ...     def update(self, pair):
    ...         if not pair.s_y > 0.0:
    ...             return "skipped"
    ...         self.gamma = pair.s_y / pair.y_y
    ...         return ""
    >>> import numpy as np, hessx
    >>> h = np.array([1.0, 10.0])
    >>> method = hessx.LineSearchMethod(Spectral(), hessx.HagerZhang())
    >>> hessx.minimize(lambda x: (h @ x**2 / 2, h * x), [1.0, 1.0], jac=True, method=method).success
    True
    >>> method = hessx.TrustRegionMethod(Spectral())
    >>> hessx.minimize(lambda x: (h @ x**2 / 2, h * x), [1.0, 1.0], jac=True, method=method).success
    True
    """

    __slots__ = ()
    offers: ClassVar[Offer] = Offer.SOLVE
    positive: ClassVar[bool] = True
    learns: ClassVar[Learns] = Learns.ACCEPTED
    wants: ClassVar[Wants] = Wants.NOTHING

    @property
    def only_preconditions(self) -> bool:
        """Whether it learns from solves alone, and so stays I elsewhere."""
        return self.learns is Learns.PRODUCTS

    @property
    def stochastic(self) -> bool:
        """Whether it learns from samples: gradients, the Hessian, layers or rows."""
        return self.learns in _OF_SAMPLES

    def begin(self, frame: Frame) -> Curvature:
        """Begin a run: give the part that is at work in it, new each time.

        Parameters
        ----------
        frame : Frame
            The variables of the method; ``frame.space`` is where they live.

        Returns
        -------
        Curvature
            B at the start, I where nothing is known.

        Raises
        ------
        SettingsError
            Settings that do not fit the variables, such as a matrix of another size.
        """
        msg = f"{type(self).__name__} has no begin(frame), which gives its Curvature"
        raise NotImplementedError(msg)


class Curvature:
    """An approximation at work in a run: owns its arrays, and is saved with the run.

    Its class is registered by `saved` where runs are to be saved.  A subclass writes what its
    `Approximation` offers, and ``update`` where it learns.  Vectors have the shape (n,) and are in
    z; an apply gives a new one, does not write v, and fetches nothing.

    Attributes
    ----------
    sized : bool
        A v has the length of a step: alpha = 1 is natural.
    active : bool
        False while B is still I.
    waits : bool
        What it wants of the oracle at this point has not come.
    collect : int
        Pairs (p, H p) of each CG solve that ``collected`` takes.
    broken : bool
        What came of the oracle is not finite: there is no A v.
    exact : bool
        B v is the Hessian's own: where B has no negative curvature, the Hessian has none.
    squares : bool
        As a preconditioner: ``update`` reads y'y and s's, two inner products per step.
    """

    __slots__ = ()
    sized: bool = True
    active: bool = True
    waits: bool = False
    collect: int = 0
    broken: bool = False
    exact: bool = False
    squares: bool = True

    def at(self, evidence: Any) -> None:
        """Take the Hessian, or the residual, at a new point, where that is wanted; no fetch.

        Parameters
        ----------
        evidence : HessianAt or ResidualAt
            v -> H v of flat vectors in x, each a product that is counted, with H = J'J of a
            residual; ``diagonal()`` is that of H, or None.  `Frame.product` and `Frame.diagonal`
            turn them into z.
        """

    def focus(self, needs: Offer) -> None:
        """Hear, before the first step, what will be asked for at each; the rest need not be kept.

        Parameters
        ----------
        needs : Offer
            Of what is offered.
        """

    def prepare(self, watch: Callable[[], bool] = never) -> bool:  # noqa: ARG002
        """Make what applies will need at this point, before a solve takes its own vectors.

        Parameters
        ----------
        watch : callable
            Asked after each product with the Hessian; True ends it.

        Returns
        -------
        bool
            False where ``watch`` has ended it, and nothing can be applied.
        """
        return True

    def leave(self) -> None:
        """Let go of what belongs to the point that is left: called after ``update``."""

    def hold(self, packet: Packet) -> None:
        """Name the arrays that change: ``packet.hold(self, "first", "second")``.

        A lazy library computes them with the numbers of the trial, so that its graph does not grow
        from step to step; nothing on others.
        """

    def measure(self, pair: Pair, packet: Packet) -> None:
        """Ask for scalars of a trial beyond those of `Pair`; ``pair.numbers`` has them later.

        Here s and y (and product) of the pair are known, and none of its numbers.
        """

    def update(self, pair: Pair) -> str:  # noqa: ARG002
        """Learn from a pair, with its numbers on the host; no fetch.

        A pair that would make B indefinite, or not finite, is left out.

        Parameters
        ----------
        pair : Pair
            A step and the change of the gradient along it; of a preconditioner, a step of the model
            and its product with B.  What learns from samples is given those: a flat gradient,
            `HessianAt`, a list of `LayerFactors`, or the gradients of rows.

        Returns
        -------
        str
            For the record of the step: "", or a word such as "skipped", which says that nothing
            was learnt.
        """
        return ""

    def collected(self, pairs: PairRing) -> None:
        """Take over the pairs of the solve whose step was accepted, where ``collect`` > 0."""

    def solved(self, *, short: bool) -> None:
        """As a preconditioner: a solve with it has ended; short, for lack of products."""

    def reset(self) -> bool:
        """Make B what it was at first; False where nothing was learnt, or nothing can be forgotten.

        Called where a trust region has failed, before it takes the Cauchy step.
        """
        return False

    def direction(self, g: Array, g_g: float) -> tuple[Array, float]:  # noqa: ARG002
        """Give -A g, a new vector, and g'(-A g); nan where that is to come with the first trial."""
        return -self.solve(g), math.nan

    def solve(self, v: Array) -> Array:
        """A v, a new vector; unless overwritten, by conjugate gradients with ``matvec``."""
        if type(self).matvec is Curvature.matvec:
            raise NotImplementedError(_missing(self, "solve, nor matvec"))
        return invert(space_of(v), self.matvec, v)

    def matvec(self, v: Array) -> Array:
        """B v, a new vector; unless overwritten, by conjugate gradients with ``solve``."""
        if type(self).solve is Curvature.solve:
            raise NotImplementedError(_missing(self, "matvec, nor solve"))
        return invert(space_of(v), self.solve, v)

    def solve_shifted(self, v: Array, sigma: float) -> Array:
        """(B + sigma I)^-1 v, a new vector, for sigma >= 0."""
        raise NotImplementedError(_missing(self, "solve_shifted"))

    def dense(self) -> Array:
        """B, of shape (n, n), a new array."""
        raise NotImplementedError(_missing(self, "dense"))

    def root(self) -> tuple[Array, Array] | None:
        """R and u, shapes (m, n) and (m,), with B = R'R and the gradient R'u; None without one.

        They are not to be written to.
        """
        return None

    def diagonal(self) -> Array:
        """The diagonal of B, shape (n,), a new vector."""
        raise NotImplementedError(_missing(self, "diagonal"))

    def compact(self) -> CompactForm:
        """B in z as a diagonal and few rows, which no later step changes; no fetch."""
        raise NotImplementedError(_missing(self, "compact"))

    def spectrum(self) -> tuple[Any, Array] | None:
        """Eigenvalues of the Hessian, ascending, on the host, and eigenvectors in columns.

        None where they are not known; asked at a stationary start alone, and may fetch.
        """
        return None

    def hessian_product(self) -> Callable[[Array], Array] | None:
        """Give v -> H v of the Hessian itself; None where B v is not that, nor another known."""
        return self.matvec if self.exact else None

    def operator(self, *, inverse: bool) -> LinearOperator | None:  # noqa: ARG002
        """A (or B) in x, as it stands, as an operator that no later step changes; or None."""
        return None

    def inverse_hessian(self) -> LinearOperator | Array | None:
        """A in x, for a result: an operator, or the matrix where that is at hand."""
        return self.operator(inverse=True)


def _missing(part: Curvature, verb: str) -> str:
    return f"{type(part).__name__} has no {verb}: its approximation must not offer it"
