"""What holds the minimiser of a quadratic model back, where the model may be wrong.

Norms are norm(p) = sqrt(p' M^-1 p) where the model has a preconditioner M.
"""

from __future__ import annotations

import math
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from hessx.core._saved import saved
from hessx.core._settings import check_real, store_real

__all__ = ["Ball", "Cubic", "Damped", "Free", "Restraint"]


class Restraint(ABC):
    """What a model is minimised under: `Ball`, `Damped`, `Cubic`, `Free`, or one's own.

    A frozen dataclass, so that checkpoints can hold it.
    """

    __slots__ = ()

    @property
    @abstractmethod
    def known(self) -> bool:
        """Whether its number is; otherwise it comes of the first product."""

    @abstractmethod
    def in_force(
        self, g_M_g: float, u_H_u: float, before: float = 0.0, stretch: float = 1.0
    ) -> Restraint:
        """Give the restraint with its number, for the norm of this model.

        Parameters
        ----------
        g_M_g, u_H_u : float
            g'Mg and u'Hu with u = M g; M = I without a preconditioner.
        before : float
            g'Ng with N the preconditioner in whose norm a known number is meant; 0 where that is M.
            If N and M differ by a factor, norms do by sqrt(g'Ng / g'Mg).
        stretch : float
            norm(u) over the 2-norm of u, by which ``length`` is multiplied.
        """

    @abstractmethod
    def along(self, curvature: float) -> tuple[Restraint, float]:
        """Give itself with its number, and the step along a unit vector without slope.

        The curvature there is negative: nothing but the restraint ends the step.
        """


@saved
@dataclass(frozen=True, slots=True)
class Ball(Restraint):
    r"""norm(p) <= radius: a trust region.

    Parameters
    ----------
    radius : float, optional
        > 0.  None: the length of the Cauchy step, norm(g)^3 / g'Hg, and ``length`` where g'Hg is
        not positive.
    length : float
        The 2-norm of a natural step, > 0.

    Raises
    ------
    SettingsError
        A number out of range.

    Examples
    --------
    >>> import hessx
    >>> hessx.Ball(None).in_force(g_M_g=4.0, u_H_u=16.0)
    Ball(radius=0.5, length=1.0)
    """

    radius: float | None
    length: float = 1.0

    def __post_init__(self) -> None:
        _store_number(self, "radius")
        store_real(self, "length", 0.0)

    @property
    def known(self) -> bool:
        """Whether there is a radius."""
        return self.radius is not None

    def in_force(
        self, g_M_g: float, u_H_u: float, before: float = 0.0, stretch: float = 1.0
    ) -> Ball:
        """Give the ball with its radius in the norm of M; a known one is a length."""
        if self.radius is not None:
            if not before > 0.0:
                return self
            return Ball(self.radius * math.sqrt(before / g_M_g), self.length)
        cauchy = math.sqrt(g_M_g) * (g_M_g / u_H_u) if u_H_u > 0.0 else self.length * stretch
        return Ball(cauchy, self.length)

    def along(self, curvature: float) -> tuple[Ball, float]:  # noqa: ARG002
        """Go to the boundary."""
        radius = self.length if self.radius is None else self.radius
        return Ball(radius, self.length), radius


@dataclass(frozen=True, slots=True)
class _Weighted(Restraint):
    """A term that is added to the model, sigma times a power of norm(p)."""

    sigma: float | None
    length: float = 1.0

    def __post_init__(self) -> None:
        _store_number(self, "sigma")
        store_real(self, "length", 0.0)

    @property
    def known(self) -> bool:
        """Whether there is a sigma."""
        return self.sigma is not None


@saved
@dataclass(frozen=True, slots=True)
class Damped(_Weighted):
    r"""q(p) + sigma norm(p)^2 / 2 instead of q(p): Levenberg-Marquardt, Tikhonov.

    The minimiser solves (H + sigma M^-1) p = -g.

    Parameters
    ----------
    sigma : float, optional
        >= 0.  None: the curvature abs(g'Hg) / g'g along g, under which the step along -g is half of
        Cauchy's; where g'Hg is not positive, norm(g) / length - g'Hg / g'g, under which it has this
        ``length``.
    length : float
        The 2-norm of a natural step, > 0: the least length of the piece along a direction in which
        H + sigma M^-1 has no positive curvature either.

    Raises
    ------
    SettingsError
        A number out of range.

    Examples
    --------
    >>> import hessx
    >>> hessx.Damped(None).in_force(g_M_g=4.0, u_H_u=16.0)
    Damped(sigma=4.0, length=1.0)
    >>> hessx.Damped(None, length=0.5).in_force(g_M_g=4.0, u_H_u=-4.0)
    Damped(sigma=5.0, length=0.5)
    """

    def in_force(
        self, g_M_g: float, u_H_u: float, before: float = 0.0, stretch: float = 1.0
    ) -> Damped:
        """Give sigma for the norm of M; a known one is the inverse of a length squared."""
        if self.sigma is not None:
            if not before > 0.0:
                return self
            return Damped(_in_range(self.sigma * (g_M_g / before)), self.length)
        curvature = u_H_u / g_M_g
        if curvature > 0.0:
            return Damped(_in_range(curvature), self.length)
        force = math.sqrt(g_M_g) / (self.length * stretch)
        return Damped(_in_range(force - curvature), self.length)

    def along(self, curvature: float) -> tuple[Damped, float]:
        """Go ``length`` at first, sigma = -curvature, and from there on by 1 / sigma."""
        sigma = _in_range(-curvature if self.sigma is None else self.sigma)
        return Damped(sigma, self.length), -curvature / sigma * self.length


@saved
@dataclass(frozen=True, slots=True)
class Cubic(_Weighted):
    r"""q(p) + sigma norm(p)^3 / 3 instead of q(p): adaptive cubic regularisation.

    The minimiser solves (H + lambda M^-1) p = -g with lambda = sigma norm(p), and H + lambda M^-1
    has no negative eigenvalue.

    Parameters
    ----------
    sigma : float, optional
        > 0.  None: norm(g) / c^2 with c = norm(g)^3 / g'Hg, the length of the Cauchy step: the step
        along -g then is 0.62 c long.  Where g'Hg is not positive, (norm(g) / length - g'Hg / g'g) /
        length: the step along -g has this ``length``.
    length : float
        The 2-norm of a natural step, > 0.

    Raises
    ------
    SettingsError
        A number out of range.

    References
    ----------
    Cartis, Gould & Toint (2011), Adaptive cubic regularisation methods for unconstrained
    optimization, part I, Math. Program. 127.

    Examples
    --------
    >>> import hessx
    >>> hessx.Cubic(None).in_force(g_M_g=4.0, u_H_u=16.0)
    Cubic(sigma=8.0, length=1.0)
    >>> hessx.Cubic(None, length=0.5).in_force(g_M_g=4.0, u_H_u=-4.0)
    Cubic(sigma=10.0, length=0.5)
    """

    def in_force(
        self, g_M_g: float, u_H_u: float, before: float = 0.0, stretch: float = 1.0
    ) -> Cubic:
        """Give sigma for the norm of M; a known one is the inverse of a length cubed."""
        if self.sigma is not None:
            if not before > 0.0:
                return self
            change = g_M_g / before
            return Cubic(_in_range(self.sigma * change * math.sqrt(change)), self.length)
        norm, curvature = math.sqrt(g_M_g), u_H_u / g_M_g
        if curvature > 0.0:
            return Cubic(_in_range(curvature / norm * curvature), self.length)
        length = self.length * stretch
        return Cubic(_in_range((norm / length - curvature) / length), self.length)

    def along(self, curvature: float) -> tuple[Cubic, float]:
        """Go to the minimum of curvature t^2 / 2 + sigma t^3 / 3; at first ``length``."""
        sigma = _in_range(-curvature / self.length if self.sigma is None else self.sigma)
        return Cubic(sigma, self.length), -curvature / sigma


@saved
@dataclass(frozen=True, slots=True)
class Free(Restraint):
    r"""No restraint: Newton's step of a line search.

    Parameters
    ----------
    reach : float
        The least length of the piece along negative curvature, >= 0, in the 2-norm.

    Raises
    ------
    SettingsError
        ``reach`` < 0.

    Examples
    --------
    >>> import hessx
    >>> hessx.Free(2.0).in_force(g_M_g=4.0, u_H_u=16.0)
    Free(reach=2.0)
    """

    reach: float = 1.0

    def __post_init__(self) -> None:
        store_real(self, "reach", 0.0, math.inf, "[]")

    @property
    def known(self) -> bool:
        """There is nothing to be found."""
        return True

    def in_force(
        self,
        g_M_g: float,  # noqa: ARG002
        u_H_u: float,  # noqa: ARG002
        before: float = 0.0,  # noqa: ARG002
        stretch: float = 1.0,  # noqa: ARG002
    ) -> Free:
        """Give itself."""
        return self

    def along(self, curvature: float) -> tuple[Free, float]:  # noqa: ARG002
        """Go as far as ``reach``."""
        return self, self.reach


def _store_number(part: Any, name: str) -> None:
    """Check a number that may be None; 0 and inf, where a run may end up, are no errors."""
    given = getattr(part, name)
    if given is not None:
        object.__setattr__(part, name, check_real(name, given, 0.0, math.inf, "[]"))


def _in_range(sigma: float) -> float:
    """Keep what multiplies or divides positive and finite; nan becomes the least."""
    return min(max(sys.float_info.min, sigma), sys.float_info.max)
