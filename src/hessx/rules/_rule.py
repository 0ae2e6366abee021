"""What a rule of first order is: a pure step on arrays, and host numbers for each step."""

from __future__ import annotations

from typing import Any

from hessx._xp import Array, Space
from hessx.core import Wants

__all__ = ["Arrays", "Coefficients", "Rule"]

Arrays = tuple[Array, ...]
Coefficients = tuple[Any, ...]  # floats, and 0-d arrays of the device


class Rule:
    """A rule that turns a gradient into a direction d; the step is x+ = x - rate d.

    The base class of frozen settings; what changes in a run is kept by `Chain`.  A rule takes what
    the rule before it in the chain gives, the first the gradient.  It writes to no array.

    Attributes
    ----------
    acts_on : {"entries", "leaf", "whole"}
        What `turn` is given at a time.  "entries": flat vectors, or any piece of them, entry by
        entry; "leaf": one leaf of x in its shape, such as a matrix; "whole": nothing, the rule has
        `begin`.
    slots : tuple of str
        Names of the arrays that are kept beside x.
    every : int
        Steps between two lessons on the Hessian, the first before the first step; 0 for a rule that
        learns from gradients alone.
    fresh : bool
        Whether a lesson is on a sample of its own, and not on that of the gradient.
    samples : bool
        Whether it is of use on samples of a finite sum alone.
    pairs : bool
        Whether it learns from pairs (s, y) that an estimate of the gradient has to find.

    Notes
    -----
    A part that wants to know how long the run is has ``span(rule, steps, per_epoch)``, called once
    after ``begin``.

    A rule with lessons has ``lesson(t, hessian) -> h``, where ``hessian`` multiplies, and
    ``learn(xp, k, h, *slots) -> slots``.  A rule on the whole has ``begin(space, x)``, whose result
    has ``turn(t, g, x) -> d``, ``hold(packet)``, and ``learn(t, hessian)`` where the rule learns.
    That part may have a ``place``, the point of its lessons where that is not the gradient's;
    ``waits``, True while it needs the Hessian of this step's lesson, as after a load; a ``pair``
    (s, y) that its last lesson has completed, and ``measure_pair(pair, packet)`` and
    ``learn_pair(pair)``, which are given that pair, or the estimate's, before and after its
    products have come to the host.

    Examples
    --------
    One's own rule, momentum whose weight grows:

    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.rules import Chain, Rule
    >>> @dataclass(frozen=True)
    ... class Accelerated(Rule):
    ...     slots = ("b",)
    ...     def numbers(self, t, before):
    ...         return ((t - 1) / (t + 2),)
    ...     def turn(self, xp, k, g, x, b):
    ...         b = b * k[0] + g
    ...         return b, b
    >>> x = np.array([4.0, -2.0])
    >>> chain = Chain.begin([Accelerated()], space_of(x), x)
    >>> for t in (1, 2):
    ...     x = chain.step(t, x, x, rate=0.5)
    >>> x
    array([ 0.5 , -0.25])
    """

    __slots__ = ()

    acts_on: str = "entries"
    slots: Any = ()
    every: int = 0
    fresh: bool = False
    samples: bool = False
    pairs: bool = False

    def due(self, t: int) -> bool:
        """Tell whether it has a lesson before step t = 1, 2, ..."""
        return self.every > 0 and (t - 1) % self.every == 0

    @property
    def wants(self) -> Wants:
        """What it asks of the oracle beyond value and gradient."""
        return Wants.HESSIAN if self.every else Wants.NOTHING

    def start(self, xp: Any, x: Array) -> list[Array]:
        """Make the slots: zeros like x, unless the rule says otherwise."""
        return [xp.zeros_like(x) for _ in self.slots]

    def numbers(self, t: int, before: tuple[float, ...]) -> tuple[float, ...]:
        """Give the host floats of step t = 1, 2, ..., from those of the step before, () at first.

        Whatever depends on t is here, so that `turn` has no branches.
        """
        return ()

    @property
    def measures(self) -> bool:
        """Whether there is a `measure`."""
        return type(self).measure is not Rule.measure

    def measure(
        self, xp: Any, before: Arrays, k: Coefficients, g: Array, x: Array, *slots: Array
    ) -> Arrays:
        """Give 0-d arrays of the device, from those of the step before, () at first.

        Of a rule on entries alone, which is given the vectors whole here; ``k`` are its numbers.
        """
        raise NotImplementedError

    def turn(self, xp: Any, k: Coefficients, g: Array, x: Array, *slots: Array) -> Arrays:
        """Give d and the new slots; ``k`` are the numbers, and behind them what was measured."""
        raise NotImplementedError

    def diagonal(self, xp: Any, k: Coefficients, *slots: Array) -> Array | None:
        """Give A where d = diag(A) m, with m the mean of gradients or the gradient; else None."""
        return None

    def begin(self, space: Space, x: Array) -> Any:
        """Make the live part of a rule on the whole."""
        raise NotImplementedError
