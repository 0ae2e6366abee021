"""What a line-search method remembers along a run: gradient, direction and pairs.

A memory owns the current gradient, the direction and whatever its approximation A keeps.  Per
trial the solver calls ``place`` (s = alpha d) before the evaluation and ``look`` after it, which
names the device scalars that the one packet has to carry; ``read`` takes their host values.  After
acceptance ``take`` makes the trial's pair (s, y) part of the memory and ``direct`` forms the next
direction d = -A g.  With a scale (x = scale * z) all of this happens in z.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import Any, Protocol

from hessx._xp import Array, Space
from hessx.core import Outcome

__all__ = ["Approximation", "BoundApproximation", "Curvature", "Memory", "Needs", "VectorMemory"]


@dataclass(frozen=True, slots=True)
class Needs:
    """What a run asks of its memory.

    Attributes
    ----------
    slope : bool
        The slope g'd at the ray's start, where the approximation does not know it by itself.
    pair : bool
        The products s'y and y'y of each trial.
    length : float
        That of a step along which nothing is known.
    """

    slope: bool = True
    pair: bool = False
    length: float = 1.0


class BoundApproximation(Protocol):
    """An inverse Hessian approximation A at work in a run.

    Where its arrays change and may live on a lazy library (dask), it also has ``kept()``, the list
    of them, and ``replace(held)``, which takes them back computed.
    """

    def solve(self, grad: Array) -> Array:
        """Return A @ grad, a new vector."""
        ...

    def update(self, s: Array, y: Array, s_y: float, y_y: float) -> str:
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
    Vectors are flat, and in x / scale where ``scale`` is an array.  A has to be positive definite.
    After a failed search the next direction is -g, once.

    Examples
    --------
    A = gamma I with gamma = s'y / y'y:

    >>> class Spectral:
    ...     needs_pairs, unit_step, gamma = True, True, 1.0
    ...     def start(self, space, scale):
    ...         return Spectral()
    ...     def solve(self, grad):
    ...         return grad * self.gamma
    ...     def update(self, s, y, s_y, y_y):
    ...         self.gamma = s_y / y_y if s_y > 0.0 else self.gamma
    ...         return "" if s_y > 0.0 else "skipped"
    >>> import numpy as np, hessx
    >>> h = np.array([1.0, 10.0])
    >>> method = hessx.LineSearchMethod(Spectral(), hessx.HagerZhang())
    >>> hessx.minimize(lambda x: (h @ x**2 / 2, h * x), [1.0, 1.0], jac=True, method=method).success
    True
    """

    needs_pairs: bool
    unit_step: bool

    def start(self, space: Space, scale: Array | None) -> BoundApproximation:
        """Begin a run in a space."""
        ...


class Memory(Protocol):
    """The part of a line-search method that holds vectors; see the module's first lines."""

    d: Array
    slope: float
    start_slope: float
    grad_square: float
    d_square: float
    s_y: float
    y_y: float
    unit_step: bool
    needs_hessian: bool

    def start(self, grad: Array) -> list[Array]:
        """Take the first gradient; name the scalars wanted."""
        ...

    def read_start(self, values: list[Any]) -> None:
        """Read them."""
        ...

    def place(self, alpha: float) -> Array:
        """Form s = alpha d and give it in x."""
        ...

    def look(self, grad: Array) -> list[Array]:
        """Name the scalars of a trial with gradient ``grad``."""
        ...

    def read(self, values: list[Any]) -> None:
        """Read them, in the same order."""
        ...

    def take(self) -> str:
        """Make the trial's pair and gradient the current ones; a note."""
        ...

    def direct(self) -> tuple[Outcome, str] | None:
        """Set the next direction d and its slope (nan: to be measured); or why there is none."""
        ...

    def drop(self) -> bool:
        """Forget the past, so that d = -g is next; False where there was none."""
        ...

    def gradient(self) -> Array:
        """Give the current gradient in x, a new array."""
        ...

    def kept(self) -> list[Array]:
        """The arrays that a lazy library has to hold."""
        ...

    def replace(self, held: list[Array]) -> None:
        """Take them back, in the same order."""
        ...

    def operator(self) -> Any:
        """Give A as an operator, or None."""
        ...

    def linearise(self, hessian: Any) -> None:
        """Take the Hessian at the current point, where ``needs_hessian``."""
        ...

    def leave(self) -> tuple[bool, str]:
        """Turn to a direction of negative curvature, of a second-order memory; what was seen."""
        ...


class Curvature(Protocol):
    """Settings that make a memory: L-BFGS, nonlinear CG, or any `Approximation` by adoption."""

    def remember(self, space: Space, scale: Array | None, needs: Needs) -> Memory:
        """Make the memory of a run."""
        ...


class VectorMemory:
    """Keep gradient and direction as two vectors; the base for d = -A g and nonlinear CG.

    One packet brings d'g_t, g_t'g_t and, as needed, d'd, d'g, and d'y, y'y, y'g_t.
    """

    __slots__ = (
        "alpha",
        "d",
        "d_square",
        "g",
        "g_trial",
        "grad_square",
        "grad_square_trial",
        "pairs",
        "s_y",
        "scale",
        "slope",
        "space",
        "start_slope",
        "unit_step",
        "y",
        "y_g",
        "y_y",
    )
    needs_hessian = False

    def __init__(self, space: Space, scale: Array | None, *, pairs: bool) -> None:
        self.space, self.scale, self.pairs = space, scale, pairs
        self.g: Array = None
        self.g_trial: Array = None
        self.d: Array = None
        self.y: Array = None
        self.unit_step = False
        nan = math.nan
        self.alpha = self.slope = self.start_slope = self.d_square = nan
        self.grad_square = self.grad_square_trial = self.s_y = self.y_y = self.y_g = nan

    def _own(self, grad: Array) -> Array:
        """Take a gradient into z, in an array that nobody else writes."""
        if self.scale is not None:
            return grad * self.scale
        return self.space.copy(grad) if self.space.writeable else grad

    def start(self, grad: Array) -> list[Array]:
        """Take the first gradient; asks for g'g."""
        self.g = self._own(grad)
        return [self.g @ self.g]

    def read_start(self, values: list[Any]) -> None:
        """Read g'g."""
        self.grad_square = values[0]

    def place(self, alpha: float) -> Array:
        """Form the step s = alpha d, in x."""
        self.alpha = alpha
        step = self.d * alpha
        return step if self.scale is None else step * self.scale

    def look(self, grad: Array) -> list[Array]:
        """Name the scalars of a trial with gradient ``grad``."""
        g = self.g_trial = grad if self.scale is None else grad * self.scale
        d = self.d
        wanted = [d @ g, g @ g]
        if math.isnan(self.d_square):
            wanted.append(d @ d)
            if math.isnan(self.start_slope):
                wanted.append(d @ self.g)
        if self.pairs:
            y = self.y = g - self.g
            wanted += [d @ y, y @ y, y @ g]
        return wanted

    def read(self, values: list[Any]) -> None:
        """Read them in the same order."""
        numbers = iter(values)
        self.slope, self.grad_square_trial = next(numbers), next(numbers)
        if math.isnan(self.d_square):
            self.d_square = next(numbers)
            if math.isnan(self.start_slope):
                self.start_slope = next(numbers)
        if self.pairs:
            self.s_y = self.alpha * next(numbers)
            self.y_y, self.y_g = next(numbers), next(numbers)

    def take(self) -> str:
        """Make the trial's gradient the current one."""
        self.g = self.g_trial if self.scale is not None else self._own(self.g_trial)
        self.grad_square = self.grad_square_trial
        self.g_trial = self.y = None
        return ""

    def turn(self, d: Array, slope: float) -> None:
        """Set the next direction and its slope g'd (nan: to be measured)."""
        self.d, self.start_slope, self.d_square = d, slope, math.nan

    def drop(self) -> bool:
        """Forget the past; False where there was none."""
        return False

    def gradient(self) -> Array:
        """Give the current gradient in x, a new array."""
        return self.space.copy(self.g) if self.scale is None else self.g / self.scale

    def kept(self) -> list[Array]:
        """The arrays that a lazy library has to compute and hold with the packet."""
        arrays = [self.d, self.g, self.g_trial, self.y]
        return [a for a in arrays if a is not None]

    def replace(self, held: list[Array]) -> None:
        """Take the held arrays back, in the order of `kept`."""
        arrays = iter(held)
        for name in ("d", "g", "g_trial", "y"):
            if getattr(self, name) is not None:
                setattr(self, name, next(arrays))

    def operator(self) -> Any:
        """Give A as an operator; none here."""
        return None

    def __deepcopy__(self, memo: dict[int, Any]) -> VectorMemory:
        """Copy the arrays, share the space."""
        twin = copy.copy(self)
        for name in ("d", "g", "g_trial", "y"):
            a = getattr(self, name)
            setattr(twin, name, None if a is None else self.space.copy(a))
        return twin
