"""What a step tells of the Hessian."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hessx._xp import Array

__all__ = ["Pair"]


@dataclass(slots=True)
class Pair:
    """A step s and the change y of the gradient along it: y = H s, on the average.

    Attributes
    ----------
    s, y : array, shape (n,)
        In z, x = scale z; they are not to be written to.
    s_y, y_y, s_s : float
        Products.
    s_B_s : float
        s'Bs with the approximation's own B; nan where the step was not along its direction, as
        after a restart.
    accepted : bool
        Whether the run goes on from the end of the step.
    origin : tuple of float and array, optional
        alpha and g where s = -alpha A g: then B s = -alpha g.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx.core import Pair
    >>> s, H = np.array([1.0, -1.0]), np.diag([2.0, 3.0])
    >>> pair = Pair(s, H @ s, s_y=5.0, y_y=13.0, s_s=2.0)
    >>> pair.y, pair.B_s
    (array([ 2., -3.]), None)
    """

    s: Array
    y: Array
    s_y: float
    y_y: float
    s_s: float
    s_B_s: float = math.nan  # noqa: N815
    accepted: bool = True
    origin: tuple[float, Array] | None = None

    @property
    def B_s(self) -> Array | None:  # noqa: N802
        """B s, a new array."""
        if self.origin is None:
            return None
        alpha, g = self.origin
        return g * -alpha
