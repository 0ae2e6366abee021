"""Gradients by differences of f."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from hessx._xp import Array, Space, like, quiet, upload
from hessx.core import EXACT, Precision, check_real, positive_vector

__all__ = ["DifferenceGradient", "Evaluation", "take_step"]


_SINGLE = 2.0**-23  # eps of float32


class Evaluation(NamedTuple):
    """Value and gradient at a point, as the user's functions gave them.

    Attributes
    ----------
    value : float or 0-d array
        f(x).
    grad : array
        In the user's shape.
    precision : Precision
        How far both can be trusted.
    """

    value: Any
    grad: Array
    precision: Precision = EXACT


class DifferenceGradient:
    r"""Value and gradient from values alone.

    With h_i = step * max(|x_i|, x_scale_i), rounded so that x_i + h_i is a number:

        2-point:  g_i = (f(x + h_i e_i) - f(x)) / h_i,              step = eps^(1/2)
        3-point:  g_i = (f(x + h_i e_i) - f(x - h_i e_i)) / (2 h_i), step = eps^(1/3)

    with eps that of the values which f returns, if it is larger than that of x, or what a run has
    learnt of their rounding.  Values that are all numbers of float32 are taken for such.

    Parameters
    ----------
    space : Space
        Of x.
    value_at : callable
        x in the user's shape -> value, a float or a 0-d array, and the eps of its dtype.
    scheme : {"2-point", "3-point"}, optional
        Which formula; None for 2-point, and 3-point where a run asks for it.
    rel_step, abs_step : float or array, shape (n,), optional
        In place of ``step`` and of h_i, as `take_step` gives them.
    x_scale : float or array
        Natural size of the variables.

    Notes
    -----
    Cost: n + 1 or 2 n + 1 values per gradient.  Values on the device stay there: no fetch.

    References
    ----------
    Nocedal & Wright (2006), eqs. (8.4) and (8.7).

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.objectives import DifferenceGradient
    >>> x = np.array([1.0, 2.0])
    >>> found = DifferenceGradient(space_of(x), lambda x: (x @ x, 2.0**-52), "3-point")(x)
    >>> bool(abs(found.grad - 2 * x).max() < 1e-9)
    True
    """

    def __init__(
        self,
        space: Space,
        value_at: Callable[[Array], tuple[Any, float]],
        scheme: str | None,
        rel_step: Any = None,
        x_scale: Any = 1.0,
        abs_step: Any = None,
    ) -> None:
        self.space, self.value_at, self.scheme = space, value_at, scheme
        self.rel_step, self.abs_step, self.x_scale = rel_step, abs_step, x_scale
        if not isinstance(x_scale, Real):
            self.x_scale = space.flat(like(space, x_scale, "x_scale"))
        self.index = space.xp.arange(space.n, device=space.device)

    @property
    def adapts(self) -> bool:
        """Whether the steps follow the rounding of f: the user has given none."""
        return self.rel_step is None and self.abs_step is None

    def __call__(self, x: Array, eps: float = 0.0, central: bool = False) -> Evaluation:
        """Evaluate f at x and around it.

        Parameters
        ----------
        x : array
            In the user's shape.
        eps : float
            The relative rounding of f, as far as it is known.
        central : bool
            3-point, where there is a choice.

        Returns
        -------
        Evaluation
            Value, gradient and their precision.
        """
        space, xp = self.space, self.space.xp
        refines = self.scheme is None and self.adapts
        central = self.scheme == "3-point" or (central and refines)
        flat = space.flat(x)
        value, eps_value = self.value_at(space.for_user(flat))
        eps = max(eps, eps_value, space.eps)
        h = self._steps(flat, eps, central)
        up, down = flat + h, flat - h if central else flat
        above, below = [], []
        for i in range(space.n):
            here = self.index == i
            above.append(self.value_at(space.shaped(xp.where(here, up, flat)))[0])
            if central:
                below.append(self.value_at(space.shaped(xp.where(here, down, flat)))[0])
            else:
                below.append(value)
        if self.adapts and eps < _SINGLE and _are_single([value, *above, *below]):
            return self(x, _SINGLE, central)
        with quiet():  # f may be infinite
            change, width = self._join(above) - self._join(below), up - down
        width = xp.where(width > 0.0, width, width * 0.0 + 1.0)  # a step lost in x moves nothing
        # to one side the error hides steps of h, centrally of h times what it is relative to x
        blur = self._length(width) * (eps ** (1 / 3) if central else 1.0)
        moved = xp.max(xp.abs(change))
        precision = Precision(eps, moved, blur, refines and not central, self.adapts)
        return Evaluation(value, space.shaped(change / width), precision)

    def _steps(self, x: Array, eps: float, central: bool) -> Array:
        if self.abs_step is not None:
            return x * 0.0 + self.abs_step
        step = eps ** (1 / 3 if central else 1 / 2) if self.rel_step is None else self.rel_step
        size = self.space.xp.abs(x)
        return step * self.space.xp.where(size > self.x_scale, size, x * 0.0 + self.x_scale)

    def _length(self, steps: Array) -> Array:
        """Of steps, in x / x_scale where that is an array."""
        z = steps if isinstance(self.x_scale, Real) else steps / self.x_scale
        with quiet():  # of x far out
            return self.space.xp.sqrt(z @ z)

    def _join(self, values: list[Any]) -> Array:
        """Join values: on the device where they are there, else by one upload."""
        if all(type(v) is float for v in values):
            return upload(self.space, np.array(values))
        xp, space = self.space.xp, self.space
        parts = [space.zeros(()) + v if type(v) is float else v for v in values]
        return xp.astype(xp.stack(parts), space.dtype)


def take_step(space: Space, given: Any, name: str) -> Any:
    """Take a step of differences as a user gives it; one fetch for an array.

    Parameters
    ----------
    space : Space
        Of x.
    given : float or array, optional
        Positive: a number for all variables, or an array like x with one for each.
    name : str
        For messages.

    Returns
    -------
    float or array, shape (n,), or None
        As given.

    Raises
    ------
    SettingsError
        It is not positive, or has another shape than x.
    """
    if given is None:
        return None
    if isinstance(given, Real):
        return check_real(name, given, 0.0)
    return positive_vector(space, given, name)


def _are_single(values: list[Any]) -> bool:
    """Whether values on the host were computed in float32, whatever their type."""
    if not all(type(v) is float for v in values):
        return False
    with np.errstate(over="ignore"):
        return all(float(np.float32(v)) == v for v in values)
