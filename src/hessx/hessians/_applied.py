"""Directions d = -A g for any approximation, and the two simplest: I and the exact inverse."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hessx._xp import Array, Packet, is_array, like, to_host
from hessx.core import Frame, Pair, SettingsError, saved
from hessx.hessians._memory import Approximation, BoundApproximation, Needs
from hessx.hessians._vector_memory import VectorMemory

__all__ = ["Applied", "AppliedMemory", "ExactInverse", "Identity", "SteepestMemory"]


@saved
class AppliedMemory(VectorMemory):
    """d = -A g with A applied as it is."""

    __slots__ = ("approximation", "fallback", "learns", "natural")

    def __init__(self, frame: Frame, part: Approximation, needs: Needs) -> None:
        super().__init__(frame, pairs=needs.pair or part.needs_pairs)
        self.approximation: BoundApproximation = part.begin(frame)
        self.learns = part.needs_pairs
        self.unit_step = self.natural = part.unit_step
        self.fallback = False  # the next direction is -g: a search along -A g has failed

    def accept(self, *, learn: bool = True) -> str:
        """Let A learn from the pair."""
        note = ""
        if self.learns and learn:
            note = self.approximation.update(self._pair())
        super().accept()
        self.fallback, self.unit_step = False, self.natural
        return note

    def _pair(self) -> Pair:
        square = self.alpha * self.alpha
        s, s_s = self.d * self.alpha, square * self.d_square
        if self.fallback:  # along -g, of which A says nothing
            return Pair(s, self.y, self.s_y, self.y_y, s_s)
        s_B_s, origin = -square * self.start_slope, (self.alpha, self.g)
        return Pair(s, self.y, self.s_y, self.y_y, s_s, s_B_s, origin=origin)

    def start(self, grad: Array, packet: Packet) -> None:
        """Hold the approximation's own arrays too, if it names them."""
        super().start(grad, packet)
        self._hold(packet)

    def measure(self, grad: Array, packet: Packet) -> None:
        """Hold the approximation's own arrays too, if it names them."""
        super().measure(grad, packet)
        self._hold(packet)

    def _hold(self, packet: Packet) -> None:
        if hasattr(self.approximation, "hold"):
            self.approximation.hold(packet)

    def direct(self, watch: Callable[[], bool]) -> None:  # noqa: ARG002
        """Apply A; after a failed search take -g."""
        if self.fallback:
            self.aim(-self.g, -self.grad_square)
        else:
            self.aim(-self.approximation.solve(self.g), math.nan)

    def reset(self) -> bool:
        """Leave A out of the next direction; False where it was left out already."""
        had, self.fallback, self.unit_step = not self.fallback, True, False
        return had

    def __deepcopy__(self, memo: dict[int, Any]) -> AppliedMemory:
        """Copy the vectors and what A has learnt."""
        twin: AppliedMemory = super().__deepcopy__(memo)  # type: ignore[assignment]
        twin.approximation = copy.deepcopy(self.approximation, memo)
        return twin


@saved
class SteepestMemory(VectorMemory):
    """d = -g, whose slope -g'g is known."""

    __slots__ = ()

    def direct(self, watch: Callable[[], bool]) -> None:  # noqa: ARG002
        """Turn to the negative gradient."""
        self.aim(-self.g, -self.grad_square)


@saved
@dataclass(frozen=True, slots=True)
class Applied:
    """Adopt any `Approximation` as the A of d = -A g.

    Parameters
    ----------
    part : Approximation
        The approximation; see there for an example.
    """

    part: Any

    def remember(self, frame: Frame, needs: Needs) -> AppliedMemory:
        """Make the memory of a run."""
        return AppliedMemory(frame, self.part, needs)


@saved
@dataclass(frozen=True, slots=True)
class Identity:
    """A = I: steepest descent.

    With an array ``x_scale`` the identity belongs to x / x_scale, that is A = diag(x_scale^2).

    Notes
    -----
    Memory: about 7 vectors at the peak of a run, trial and gradients included.  Cost per trial: two
    inner products, and three more where the rule wants pairs, in one fetch; d'd once per step.

    References
    ----------
    Nocedal & Wright (2006), section 2.2, eq. (2.14).

    Examples
    --------
    >>> import hessx
    >>> method = hessx.LineSearchMethod(hessx.Identity(), hessx.FixedStep(0.5))
    >>> result = hessx.minimize(lambda x: (x @ x / 2, x), [3.0, 4.0], jac=True, method=method)
    >>> bool(abs(result.x).max() < 1e-4)
    True
    """

    def remember(self, frame: Frame, needs: Needs) -> SteepestMemory:
        """Make the memory of a run."""
        return SteepestMemory(frame, pairs=needs.pair)


@saved(host=("hessian",))
@dataclass(frozen=True, slots=True, eq=False)
class ExactInverse:
    """A = H^-1 for a known constant Hessian H, dense.

    With alpha = 1 one step solves a quadratic problem; with a given alpha the error shrinks by
    1 - alpha each step.

    Parameters
    ----------
    hessian : array, shape (n, n)
        Symmetric positive definite, of any library; inverted once, on the host in float64.

    Raises
    ------
    SettingsError
        Not square, not symmetric (1e-5 of the largest entry), or not positive definite; when the
        run starts, of another size than x0.

    Notes
    -----
    Cost: n^3 operations once, one product with an (n, n) matrix per step; no fetch.

    References
    ----------
    Nocedal & Wright (2006), eq. (2.15), with a constant Hessian.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> H, b = np.array([[5.0, 15.0], [15.0, 55.0]]), np.array([30.0, 110.0])
    >>> method = hessx.LineSearchMethod(hessx.ExactInverse(H), hessx.FixedStep(1.0))
    >>> f = lambda w: (w @ H @ w / 2 - b @ w, H @ w - b)
    >>> result = hessx.minimize(f, [1.0, 1.0], jac=True, method=method)
    >>> result.nit, bool(abs(result.x - [0.0, 2.0]).max() < 1e-12)
    (1, True)
    """

    hessian: Any
    _inverse: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        given = self.hessian
        H = np.array(to_host(given) if is_array(given) else given, dtype=np.float64)
        if H.ndim != 2 or H.shape[0] != H.shape[1]:
            msg = f"hessian has shape {H.shape}: expected (n, n)"
            raise SettingsError(msg)
        if not abs(H - H.T).max() <= 1e-5 * abs(H).max():  # H may come from float32
            msg = "hessian is not symmetric: pass (H + H.T) / 2 if that is what is meant"
            raise SettingsError(msg)
        try:
            L = np.linalg.cholesky(H)
        except np.linalg.LinAlgError as error:
            msg = "hessian is not positive definite: its inverse gives no descent direction"
            raise SettingsError(msg) from error
        half = np.linalg.inv(L)
        object.__setattr__(self, "_inverse", half.T @ half)

    def remember(self, frame: Frame, needs: Needs) -> AppliedMemory:
        """Make the memory of a run."""
        n = frame.space.n
        if self._inverse.shape[0] != n:
            msg = f"hessian has shape {self._inverse.shape}: expected ({n}, {n}), as x0"
            raise SettingsError(msg)
        return AppliedMemory(frame, _DensePart(self._inverse), needs)


@saved(host=("inverse",))
@dataclass(frozen=True, slots=True, eq=False)
class _DensePart:
    inverse: np.ndarray
    needs_pairs = False
    unit_step = True

    def begin(self, frame: Frame) -> _DenseInverse:
        """Move A to the device, and into z."""
        return _DenseInverse(frame.inverse_matrix(like(frame.space, self.inverse, "hessian")))


@saved
@dataclass(slots=True, eq=False)
class _DenseInverse:
    A: Array

    def solve(self, grad: Array) -> Array:
        """Return A @ grad."""
        return self.A @ grad

    def update(self, pair: Pair) -> str:  # noqa: ARG002
        """Keep A: it is exact."""
        return ""
