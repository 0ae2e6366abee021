"""What a line-search method remembers along a run: gradient, direction and pairs.

A memory owns the current gradient, the direction and whatever its approximation A keeps.  Per
trial the solver calls ``place`` (s = alpha d) before the evaluation and ``measure`` after it, which
asks for the device scalars that the one packet has to carry; ``read`` takes their host values.
Where the search is content ``accept`` makes the trial's pair (s, y) part of the memory and
``direct`` forms the next direction d = -A g.  With a scale (x = scale * z) all happens in z.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from hessx._xp import Array, Packet
from hessx.core import Frame, Outcome, Pair

__all__ = [
    "Approximation",
    "BoundApproximation",
    "Curvature",
    "HostNumbers",
    "Memory",
    "Needs",
    "Numbers",
]

Numbers = dict[str, Any]  # those of a packet, by name


@dataclass(frozen=True, slots=True)
class Needs:
    """What a run asks of its memory.

    Attributes
    ----------
    slope : bool
        The slope g'd at the ray's start, where the approximation does not know it by itself.
    pair : bool
        The products s'y and y'y of each trial.
    """

    slope: bool = True
    pair: bool = False


class BoundApproximation(Protocol):
    """An inverse Hessian approximation A at work in a run.

    Where its arrays change and may live on a lazy library (dask), it also has ``hold(packet)``,
    which names their attributes: ``packet.hold(self, "first", "second")``.
    """

    def solve(self, grad: Array) -> Array:
        """Return A @ grad, a new vector."""
        ...

    def update(self, pair: Pair) -> str:
        """Learn from an accepted pair; "" or a word such as "skipped" for the record."""
        ...


class Approximation(Protocol):
    """Settings of an inverse Hessian approximation: the contract for one's own.

    Attributes
    ----------
    needs_pairs : bool
        Whether ``update`` is to be called after each step; adds d'y, y'y and y'g to the packet.
    unit_step : bool
        Whether alpha = 1 is the natural first trial; read once, at the start.

    Notes
    -----
    Vectors are flat, and of the variables z of the frame, x = scale z.  A has to be positive
    definite.
    After a failed search the next direction is -g, once.

    Examples
    --------
    A = gamma I with gamma = s'y / y'y:

    >>> class Spectral:
    ...     needs_pairs, unit_step, gamma = True, True, 1.0
    ...     def begin(self, frame):
    ...         return Spectral()
    ...     def solve(self, grad):
    ...         return grad * self.gamma
    ...     def update(self, pair):
    ...         self.gamma = pair.s_y / pair.y_y if pair.s_y > 0.0 else self.gamma
    ...         return "" if pair.s_y > 0.0 else "skipped"
    >>> import numpy as np, hessx
    >>> h = np.array([1.0, 10.0])
    >>> method = hessx.LineSearchMethod(Spectral(), hessx.HagerZhang())
    >>> hessx.minimize(lambda x: (h @ x**2 / 2, h * x), [1.0, 1.0], jac=True, method=method).success
    True
    """

    needs_pairs: bool
    unit_step: bool

    def begin(self, frame: Frame) -> BoundApproximation:
        """Begin a run."""
        ...


class HostNumbers:
    """What follows from the numbers that every memory has on the host."""

    __slots__ = ()
    square: float
    foretold: float | None = None
    start_slope: float

    def first_alpha(self, alpha: float, length: float) -> float:  # noqa: ARG002
        """Give the first trial where 1 is natural, from alpha and length of the last step."""
        return 1.0

    @property
    def grad_norm2(self) -> float:
        """norm_2 of the gradient in x."""
        return math.sqrt(self.square)

    @property
    def promised(self) -> float:
        """By how much f falls along d according to A: alpha = 1 minimises its model."""
        return -0.5 * self.start_slope


class Memory(Protocol):
    """The part of a line-search method that holds vectors; see the module's first lines."""

    d: Array
    slope: float
    start_slope: float
    grad_square: float
    d_square: float
    s_y: float
    y_y: float
    alpha: float
    unit_step: bool
    needs_hessian: bool

    @property
    def foretold(self) -> float | None:
        """The change of g'd along d by a model of the Hessian; None where there is none."""
        ...

    @property
    def grad_norm2(self) -> float:
        """norm_2 of the gradient in x."""
        ...

    @property
    def promised(self) -> float:
        """By how much f falls along d by the model of which d is the minimiser."""
        ...

    def start(self, grad: Array, packet: Packet) -> None:
        """Take the first gradient, and ask for its square."""
        ...

    def read_start(self, numbers: Numbers) -> None:
        """Take the numbers of the start over."""
        ...

    def place(self, alpha: float, x: Array) -> Array:
        """Form s = alpha d, and give x + s in x."""
        ...

    def measure(self, grad: Array, packet: Packet) -> None:
        """Ask for the scalars of a trial, the extreme entries of its gradient first."""
        ...

    def read(self, numbers: Numbers) -> None:
        """Take the numbers of a trial over."""
        ...

    def first_alpha(self, alpha: float, length: float) -> float:
        """Give the first trial where 1 is natural, from alpha and length of the last step."""
        ...

    def accept(self, *, learn: bool = True) -> str:
        """Make the trial's gradient, and to learn from it its pair, the current ones; a note."""
        ...

    def direct(self, watch: Callable[[], bool]) -> tuple[Outcome, str] | None:
        """Set the next direction d and its slope (nan: to be measured); or why there is none.

        ``watch`` ends a solve for it early.
        """
        ...

    def reset(self) -> bool:
        """Forget the past, so that d = -g is next; False where there was none."""
        ...

    def gradient(self) -> Array:
        """Give the current gradient in x, a new array."""
        ...

    def operator(self) -> Any:
        """Give A as an operator, or None."""
        ...

    def linearise(self, hessian: Any) -> None:
        """Take the Hessian at the current point, where ``needs_hessian``."""
        ...

    def leave(self, watch: Callable[[], bool]) -> tuple[bool, str]:
        """Turn to a direction of negative curvature, of a second-order memory; what was seen."""
        ...


class Curvature(Protocol):
    """Settings that make a memory: L-BFGS, nonlinear CG, or any `Approximation` by adoption."""

    def remember(self, frame: Frame, needs: Needs) -> Memory:
        """Make the memory of a run."""
        ...
