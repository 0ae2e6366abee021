"""Powell's dogleg, and the double dogleg."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from hessx._xp import Array, fetch, quiet
from hessx.core import Ball, Offer, Restraint, SettingsError, check_flag, saved
from hessx.krylov._model import KrylovOutcome, ModelStep, QuadraticModel
from hessx.krylov._subproblem import Subproblem

__all__ = ["Dogleg", "DoglegPath"]

_LEAST = 0.2  # of Newton's step, where a double dogleg turns towards it


@saved
@dataclass(frozen=True, slots=True)
class Dogleg(Subproblem):
    r"""Go along a path of two legs to the edge of a trust region, for a positive definite B.

    With C = -(g'g / g'B g) g, the Cauchy step, and N = -B^-1 g, Newton's step:

        p(t) = t C,                 0 <= t <= 1
        p(t) = C + (t - 1) (N - C), 1 <= t <= 2

    The model falls and norm(p) grows along it: p is N where that is inside, else where the path
    leaves the region.

    Parameters
    ----------
    double : bool
        Turn to N earlier: the path goes from C to eta N, with eta = 0.2 + 0.8 (g'g)^2 / (g'B g
        g'B^-1 g), and from there to N.

    Raises
    ------
    SettingsError
        ``double`` is no flag; in a composition: B may be indefinite, or there is a preconditioner.

    Notes
    -----
    Cost: one solve with B, one product and one fetch per model, as B N = -g; for another radius two
    combinations of vectors.  Memory: 3 vectors.  Where numbers say that B is not positive
    definite, p is along -g.

    References
    ----------
    Powell (1970), A new algorithm for unconstrained optimization; Dennis & Mei (1979), Two new
    unconstrained optimization algorithms which use function and gradient values, J. Optim. Theory
    Appl. 28; Nocedal & Wright (2006), eq. (4.16).

    Examples
    --------
    >>> import numpy as np, hessx
    >>> from hessx._xp import space_of
    >>> from hessx.krylov import QuadraticModel
    >>> b, g = np.array([1.0, 4.0]), np.array([1.0, 2.0])
    >>> model = QuadraticModel(space_of(g), lambda v: b * v, g, 5.0, 0.0, 1, hessx.Ball(1.0),
    ...                        solve=lambda v: v / b)
    >>> p = hessx.Dogleg()(model)
    >>> p.step.round(4), round(p.norm, 4), p.outcome.value
    (array([-0.8553, -0.5181]), 1.0, 'boundary')
    >>> p.again(hessx.Ball(9.0)).step
    array([-1. , -0.5])
    """

    takes: ClassVar = (Ball,)
    needs: ClassVar = Offer.SOLVE | Offer.MATVEC
    positive: ClassVar = True
    preconditioned: ClassVar = False
    double: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "double", check_flag("double", self.double))

    def __call__(self, model: QuadraticModel) -> ModelStep:
        """Solve."""
        self.check(model.restraint)
        if model.solve is None:
            msg = "the model cannot be solved: expected QuadraticModel(..., solve=...)"
            raise SettingsError(msg)
        space, g = model.space, model.gradient
        with quiet():
            N = -model.solve(g)
            B_g = model.product(g) + 0.0
            scalars = [g @ g, g @ B_g, g @ N, N @ N]
        numbers, (N, B_g) = fetch(space, scalars, [N, B_g])
        if not all(map(math.isfinite, numbers[2:])):
            numbers[2:] = [0.0, 0.0]  # no Newton's step
        path = DoglegPath(g, N, B_g, self.double, *numbers)
        g_g, g_B_g = path.g_g, path.g_B_g
        if not (math.isfinite(g_B_g) and 0.0 < g_g < math.inf):
            zero = space.zeros(space.n)
            outcome = KrylovOutcome.NONFINITE
            return ModelStep(zero, zero, 0.0, 0.0, 0.0, model.restraint, outcome, 1)
        p = path.step_within(model.restraint.in_force(g_g, g_B_g))
        p.products = 1
        return p


@saved
@dataclass(slots=True)
class DoglegPath:
    """p = b N - a g and B p = -b g - a B g, with what is known of them.

    Attributes
    ----------
    g, N, B_g : array, shape (n,)
        The gradient, Newton's step, and B g.
    double : bool
        As in `Dogleg`.
    g_g, g_B_g, g_N, N_N : float
        Products of the vectors.
    """

    g: Array
    N: Array
    B_g: Array
    double: bool
    g_g: float
    g_B_g: float  # noqa: N815
    g_N: float  # noqa: N815
    N_N: float

    def precondition_by(self, M: object) -> None:
        """Change nothing: norms are 2-norms."""

    def step_within(self, restraint: Restraint) -> ModelStep:
        """Go along the path as far as a ball allows; no fetch."""
        radius: float = restraint.radius  # type: ignore[attr-defined]
        a, b, outcome = self._leave(radius)
        slope = b * self.g_N - a * self.g_g
        p_B_p = a * (a * self.g_B_g) + 2.0 * b * (a * self.g_g) - b * (b * self.g_N)
        norm = radius
        if outcome is not KrylovOutcome.BOUNDARY:
            norm = math.sqrt(self.N_N) if b else a * math.sqrt(self.g_g)
        with quiet():
            step, product = self.g * -a, self.B_g * -a
            if b != 0.0:
                step, product = step + self.N * b, product - self.g * b
        decrease = -slope - 0.5 * p_B_p
        return ModelStep(step, product, decrease, slope, norm, restraint, outcome, 0, basis=self)

    def _leave(self, radius: float) -> tuple[float, float, KrylovOutcome]:
        """Give a and b where the path leaves the ball, or at its end."""
        norm = math.sqrt(self.g_g)
        sound = self.g_N < 0.0
        if sound and math.sqrt(self.N_N) <= radius:
            return 0.0, 1.0, KrylovOutcome.SOLVED
        if self.g_B_g < 0.0:
            return radius / norm, 0.0, KrylovOutcome.NEGATIVE
        cauchy = self.g_g / self.g_B_g if self.g_B_g > 0.0 else math.inf
        if cauchy * norm >= radius:
            return radius / norm, 0.0, KrylovOutcome.BOUNDARY
        if not sound:
            return cauchy, 0.0, KrylovOutcome.LIMIT
        length, eta = math.sqrt(self.N_N), 1.0
        if self.double:
            eta = _LEAST + (1.0 - _LEAST) * min(1.0, cauchy * (self.g_g / -self.g_N))
            if eta * length <= radius:
                return 0.0, radius / length, KrylovOutcome.BOUNDARY
        # from C to eta N, lengths in units of the radius: norm(C + t (eta N - C)) = 1
        C_C, E_E = (cauchy * norm / radius) ** 2, (eta * length / radius) ** 2
        C_E = cauchy * eta * (-self.g_N / radius) / radius
        along, square, room = C_E - C_C, max(0.0, E_E - 2.0 * C_E + C_C), max(0.0, 1.0 - C_C)
        root = along + math.sqrt(max(0.0, along * along + square * room))
        t = min(1.0, room / root) if root > 0.0 else 1.0
        return (1.0 - t) * cauchy, t * eta, KrylovOutcome.BOUNDARY
