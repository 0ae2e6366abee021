"""Gradients by differences of f."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np

from hessx._xp import Array, Space, like, upload
from hessx.core import check_real

__all__ = ["DifferenceGradient"]


class DifferenceGradient:
    r"""Value and gradient from values alone.

    With h_i = step * max(|x_i|, x_scale_i), rounded so that x_i + h_i is a number:

        2-point:  g_i = (f(x + h_i e_i) - f(x)) / h_i,              step = eps^(1/2)
        3-point:  g_i = (f(x + h_i e_i) - f(x - h_i e_i)) / (2 h_i), step = eps^(1/3)

    Parameters
    ----------
    space : Space
        Of x.
    value_at : callable
        x in the user's shape -> value, a float or a 0-d array.
    scheme : {"2-point", "3-point"}
        Which formula.
    rel_step : float, optional
        In place of ``step``, > 0.
    abs_step : float, optional
        In place of h_i, the same for all variables, > 0.
    x_scale : float or array
        Natural size of the variables.

    Raises
    ------
    SettingsError
        rel_step or abs_step is not a positive number.

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
    >>> value, grad = DifferenceGradient(space_of(x), lambda x: x @ x, "3-point")(x)
    >>> bool(abs(grad - 2 * x).max() < 1e-9)
    True
    """

    def __init__(
        self,
        space: Space,
        value_at: Callable[[Array], Any],
        scheme: str,
        rel_step: Any = None,
        x_scale: Any = 1.0,
        abs_step: float | None = None,
    ) -> None:
        if rel_step is not None:
            rel_step = check_real("finite_diff_rel_step", rel_step, 0.0)
        if abs_step is not None:
            abs_step = check_real("eps", abs_step, 0.0)
        default = space.eps ** (1 / 2 if scheme == "2-point" else 1 / 3)
        self.step = default if rel_step is None else rel_step
        self.space, self.value_at, self.central = space, value_at, scheme == "3-point"
        self.x_scale, self.abs_step = x_scale, abs_step
        if not isinstance(x_scale, Real):
            self.x_scale = space.flat(like(space, x_scale, "x_scale"))
        self.index = space.xp.arange(space.n, device=space.device)

    def __call__(self, x: Array) -> tuple[Any, Array]:
        """Evaluate f at x and around it."""
        space, xp = self.space, self.space.xp
        value = self.value_at(x)
        flat = space.flat(x)
        h = self._steps(flat)
        up, down = flat + h, flat - h if self.central else flat
        above, below = [], []
        for i in range(space.n):
            here = self.index == i
            above.append(self.value_at(space.shaped(xp.where(here, up, flat))))
            if self.central:
                below.append(self.value_at(space.shaped(xp.where(here, down, flat))))
            else:
                below.append(value)
        return value, space.shaped((self._vector(above) - self._vector(below)) / (up - down))

    def _steps(self, x: Array) -> Array:
        if self.abs_step is not None:
            return x * 0.0 + self.abs_step
        size = self.space.xp.abs(x)
        return self.step * self.space.xp.where(size > self.x_scale, size, x * 0.0 + self.x_scale)

    def _vector(self, values: list[Any]) -> Array:
        """Join values: on the device where they are there, else by one upload."""
        if all(type(v) is float for v in values):
            return upload(self.space, np.array(values))
        xp, space = self.space.xp, self.space
        parts = [space.zeros(()) + v if type(v) is float else v for v in values]
        return xp.astype(xp.stack(parts), space.dtype)
