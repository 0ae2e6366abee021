"""The exact minimiser of a dense model under a restraint."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hessx._xp import Array, Space, eigh, eigh_of_root, quiet, upload
from hessx.core import Ball, Cubic, Damped, Free, Offer, Restraint, SettingsError, saved
from hessx.krylov._model import KrylovOutcome, ModelStep, QuadraticModel
from hessx.krylov._secular import Secular
from hessx.krylov._subproblem import SLIGHT, Subproblem

__all__ = ["EigenBasis", "MoreSorensen"]

_LARGEST = sys.float_info.max


@saved
@dataclass(frozen=True, slots=True)
class MoreSorensen(Subproblem):
    r"""Minimise a quadratic model with a dense B exactly, the hard case included.

        (B + lambda I) p = -g,    B + lambda I has no negative eigenvalue,    lambda >= 0

    with lambda (radius - norm(p)) = 0 in a region, lambda = sigma norm(p) under `Cubic` and lambda
    = sigma under `Damped`.  With B = V diag(w) V' and c = V'g, p = -V (c / (w + lambda)), and
    lambda is the root of an equation in one variable, which Newton's method on 1 / norm(p) finds.
    In the hard case, where g has no part along the first eigenvectors and p is too short with
    lambda = -w_1, a piece of the first one fills it up.

    Under `Damped` where B + sigma I has a negative eigenvalue, and under `Free` where B has, the
    model has no minimum: p is its minimiser over the ball with the norm of -c / (w + sigma)
    along the others, or with ``length`` or ``reach``, whichever is larger.

    Raises
    ------
    SettingsError
        In a composition: the approximation has no dense form, or there is a preconditioner.

    Notes
    -----
    Cost: one eigen-decomposition, about 9 n^3 operations, one fetch and one upload per model, no
    product; for another radius or sigma one upload and two products with V.  Memory: n^2 numbers,
    4 n^2 while B is decomposed.  What is below n eps of the largest, an eigenvalue with the
    coordinate of g along its vector, is rounding, and counts as 0.  Of a model with a root R
    (`GaussNewton`), of shape (m, n), the singular values are found instead, and B is not formed:
    below max(m, n) eps of the largest they are rounding, and p has no part along their vectors,
    the least norm of a model that leaves them free.

    References
    ----------
    More & Sorensen (1983), Computing a trust region step, SIAM J. Sci. Stat. Comput. 4, who
    factorise at each lambda; Conn, Gould & Toint (2000), Trust-Region Methods, section 7.3;
    Nocedal & Wright (2006), section 4.3; for the cubic term Cartis, Gould & Toint (2011), Math.
    Program. 127.

    Examples
    --------
    The hard case, g without a part along the negative direction:

    >>> import numpy as np, hessx
    >>> from hessx._xp import space_of
    >>> from hessx.krylov import QuadraticModel
    >>> H, g = np.diag([1.0, -2.0]), np.array([3.0, 0.0])
    >>> model = QuadraticModel(space_of(g), lambda v: H @ v, g, 9.0, 0.0, 1, hessx.Ball(2.0),
    ...                        dense=lambda: H)
    >>> p = hessx.MoreSorensen()(model)
    >>> abs(p.step).round(4), p.outcome.value
    (array([1.    , 1.7321]), 'negative curvature')
    >>> p.again(hessx.Ball(0.5)).step.round(4) + 0.0
    array([-0.5,  0. ])
    """

    takes: ClassVar = (Ball, Cubic, Damped, Free)
    needs: ClassVar = Offer.DENSE
    preconditioned: ClassVar = False

    def __call__(self, model: QuadraticModel) -> ModelStep:
        """Solve."""
        self.check(model.restraint)
        if model.dense is None:
            msg = "the model has no dense matrix: expected QuadraticModel(..., dense=...)"
            raise SettingsError(msg)
        space, given = model.space, model.restraint
        root = None if model.root is None else model.root()
        if root is None:
            w, V, (c,) = eigh(space, model.dense(), model.gradient)
            share = space.n * space.eps
        else:
            w, V, c = eigh_of_root(space, *root)
            share = (max(root[0].shape) * space.eps) ** 2
        if not np.isfinite(w).all() or not np.isfinite(c).all():
            zero = space.zeros(space.n)
            return ModelStep(zero, zero, 0.0, 0.0, 0.0, given, KrylovOutcome.NONFINITE, 0)
        flat = _is_rounding(w, c, share, known=root is not None)
        w, c = np.where(flat, 0.0, w), np.where(flat, 0.0, c)
        basis = EigenBasis(space, V, w, c, share)
        with quiet():
            return basis.step_within(basis.in_force(given))


@saved(host=("w", "c"))
@dataclass(slots=True)
class EigenBasis:
    """The eigenvectors of a model, in which it is solved under any restraint.

    Attributes
    ----------
    space : Space
        Of p.
    vectors : array, shape (n, k)
        V; without those along which B and g are 0.
    w, c : NumPy array, shape (k,)
        Eigenvalues, and V'g.
    share : float
        Of the largest eigenvalue: less is rounding.
    """

    space: Space
    vectors: Array
    w: np.ndarray
    c: np.ndarray
    share: float

    def precondition_by(self, M: object) -> None:
        """Change nothing: norms are 2-norms."""

    def in_force(self, given: Restraint) -> Restraint:
        """Give the restraint with its number."""
        g_g = float(self.c @ self.c)
        g_B_g = min(float(self.c @ (self.w * self.c)), _LARGEST)  # may be inf beside a finite g_g
        if given.known or g_g > 0.0:
            return given.in_force(g_g, g_B_g)
        return given.along(self._least)[0] if self._least < 0.0 else given

    def step_within(self, restraint: Restraint) -> ModelStep:
        """Minimise under a restraint; one upload."""
        norm = math.hypot(*self.c)
        with quiet():
            x, multiplier, outcome = self._minimise(Secular(self.w, self.c, norm), restraint)
            length, slope = math.hypot(*x), float(self.c @ x)
            decrease = 0.5 * (multiplier * length * length - slope)
            rows = upload(self.space, np.stack([x, self.w * x]))
            return ModelStep(
                self.vectors @ rows[0, ...],
                self.vectors @ rows[1, ...],
                decrease,
                slope,
                length,
                restraint,
                outcome,
                0,
                basis=self,
            )

    @property
    def _least(self) -> float:
        return float(self.w[0])

    @property
    def _rounding(self) -> float:
        """Of eigenvalues."""
        return self.share * max(-self._least, float(self.w[-1]), 0.0)

    def _minimise(
        self, problem: Secular, restraint: Restraint
    ) -> tuple[np.ndarray, float, KrylovOutcome]:
        """x, the multiplier, and what ends the step."""
        negative = self._least < -self._rounding
        match restraint:
            case Ball(radius=float(radius)):
                if not radius > 0.0:
                    return 0.0 * self.c, 0.0, KrylovOutcome.BOUNDARY
                x, multiplier = problem.within(radius)
                held = KrylovOutcome.NEGATIVE if negative else KrylovOutcome.BOUNDARY
                edge = radius * (1.0 - self.space.n * self.space.eps)
                inside = multiplier == 0.0 and math.hypot(*x) < edge
                return x, multiplier, KrylovOutcome.SOLVED if inside else held
            case Cubic(sigma=float(sigma)):
                x, multiplier = problem.cubic(sigma)
                outcome = KrylovOutcome.NEGATIVE if negative else self._felt(x, multiplier)
                return x, multiplier, outcome
            case Damped(sigma=float(sigma), length=length):
                return self._damped(sigma, length)
            case Free(reach=reach):
                return self._damped(0.0, reach)
        return 0.0 * self.c, 0.0, KrylovOutcome.SOLVED  # no gradient, no negative curvature

    def _damped(self, sigma: float, reach: float) -> tuple[np.ndarray, float, KrylovOutcome]:
        """-c / (w + sigma), and a piece as long where that is no minimum."""
        c, shifted, rounding = self.c, self.w + sigma, self._rounding
        bent = shifted <= rounding
        x = -c / np.where(bent, math.inf, shifted)
        least = float(shifted[0])
        if not (least < -rounding or (bent & (c != 0.0)).any()):
            return x, sigma, self._felt(x, sigma)
        radius, norm = max(math.hypot(*x), reach), math.hypot(*c)
        if radius > 0.0:
            x, more = Secular(shifted, c, norm).within(radius)
            sigma += more
        outcome = KrylovOutcome.NEGATIVE if least < -rounding else KrylovOutcome.FLAT
        return x, sigma, outcome

    def _felt(self, x: np.ndarray, multiplier: float) -> KrylovOutcome:
        """Whether a term takes so much of the step that a looser one would have changed it."""
        norm = math.hypot(*x)  # whose square may be 0
        felt = multiplier * norm * norm > -SLIGHT * float(self.c @ x)
        return KrylovOutcome.RESTRAINED if felt else KrylovOutcome.SOLVED


def _is_rounding(w: np.ndarray, c: np.ndarray, share: float, *, known: bool) -> np.ndarray:
    """Tell which eigenvalues are rounding, with the coordinate of g along their vectors.

    B may be singular and g in its range: a division of rounding by rounding would give p a long
    piece along which nothing is known.  Of a root, ``known``, the coordinates s U'r are rounding
    wherever s is.
    """
    size = np.abs(c)
    small: np.ndarray = np.abs(w) <= share * float(np.max(np.abs(w)))
    return small if known else small & (size <= share * float(np.max(size)))
