"""Structured approximations of sums of squares: J'J, and what steps tell of the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hessx.core import Frame, Learns, Offer, Wants, check_flag, saved, store_choice, store_real
from hessx.hessians._broyden import BroydenCurvature
from hessx.hessians._broyden_members import BFGS
from hessx.hessians._family import Approximation
from hessx.hessians._secant_term import UPDATES, SecantTerm
from hessx.hessians._size import check_size
from hessx.hessians._squares import SecantCurvature
from hessx.hessians._squares_hybrids import FletcherXuCurvature, ZhouChenCurvature

__all__ = ["FX", "GNSBFGS", "SSM", "TSSM"]

_MATRIX = Offer.MATVEC | Offer.DENSE | Offer.DIAGONAL


@dataclass(frozen=True, slots=True)
class _OfSquares(Approximation):
    """What is made of residuals and of steps between them."""

    offers: ClassVar = _MATRIX
    positive: ClassVar = False
    learns: ClassVar = Learns.ACCEPTED
    wants: ClassVar = Wants.RESIDUAL

    def check_size(self, frame: Frame) -> None:
        """Refuse more variables than a matrix has room for."""
        instead = (
            "hessx.GaussNewton(), or hessx.KnownPlus(hessx.LSR1(hess0=0.0), hessx.GaussNewton())"
        )
        check_size(frame.space, f"{type(self).__name__}()", instead)


@saved
@dataclass(frozen=True, slots=True)
class SSM(_OfSquares):
    r"""The structured secant method: B = J'J + S, with S from steps.

    The Hessian of norm(r)^2 / 2 is J'J and the sum of r_i times the Hessian of r_i.  Of that sum
    a step s says more than of the whole: with y# = (J+ - J)'r+, S+ s = y# to first order, and

        B+ = C + S+  is the secant update of  C + S  for  B+ s = C s + y#,    C = J+'J+

    "bfgs" and "dfp" take the members of `Broyden`'s family with phi = 0 and 1, "psb" and "sr1"
    change S alone, by the formulas of `PSB` and `SR1`.  Where J changes fast, S of earlier steps is
    too large: by ``sizing``, S is first multiplied by min(1, abs(s'y#) / abs(s'S s)).

    Parameters
    ----------
    update : {"bfgs", "dfp", "psb", "sr1"}
        Which.
    sizing : bool
        See above; not of "sr1", which divides by s'(y# - S s).
    fall : float
        In (0, 1]: after a step in which f falls by this share of itself or more, B = J'J, and S
        does not learn.  Near a minimum without a residual runs are then those of `GaussNewton`; 1
        leaves that out.

    Raises
    ------
    SettingsError
        A setting out of range; when the run begins, n^2 numbers take more than 4 GiB.
    ValueError
        In `minimize`, with a fun that offers no residual: `SumOfSquares` does.

    Notes
    -----
    B may be indefinite: it belongs in a region, best with `MoreSorensen`.  Memory: J of two points
    and 2 n^2 numbers.  Cost per accepted point: m n^2 operations for J'J, some products with
    vectors, one fetch; n products more where jac gives no array.  A pair is left out where what the
    update divides by is rounding.

    References
    ----------
    Dennis, Martinez & Tapia (1989), Convergence theory for the structured BFGS secant method with
    an application to nonlinear least squares, J. Optim. Theory Appl. 61, eqs. (13) and (43);
    Dennis, Gay & Welsch (1981), An adaptive nonlinear least-squares algorithm, ACM Trans. Math.
    Softw. 7, for y# and sizing; Nocedal & Wright (2006), section 10.3; Fröhlich & Sorger (2022),
    Fides, PLoS Comput. Biol. 18, who compare them.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> t = np.linspace(0.0, 1.0, 8)
    >>> y = np.array([2.0, 1.0, 1.5, 0.5, 1.0, 0.0, 0.5, 0.0])
    >>> decay = hessx.SumOfSquares(
    ...     lambda x: x[0] * np.exp(-x[1] * t) - y,
    ...     lambda x: np.stack([np.exp(-x[1] * t), -x[0] * t * np.exp(-x[1] * t)], axis=1))
    >>> method = hessx.TrustRegionMethod(hessx.SSM(), hessx.MoreSorensen())
    >>> hessx.minimize(decay, [1.0, 1.0], method=method).success
    True
    """

    update: str = "bfgs"
    sizing: bool = True
    fall: float = 0.01

    def __post_init__(self) -> None:
        store_choice(self, "update", *UPDATES)
        object.__setattr__(self, "sizing", check_flag("sizing", self.sizing))
        store_real(self, "fall", 0.0, 1.0, ends="(]")

    def begin(self, frame: Frame) -> SecantCurvature:
        """Begin with S = 0."""
        self.check_size(frame)
        sizing = self.sizing and self.update != "sr1"
        term = SecantTerm(frame, self.update, sizing=sizing)
        return SecantCurvature(frame, term, self.fall, adjusts=False)


@saved
@dataclass(frozen=True, slots=True)
class TSSM(_OfSquares):
    r"""The totally structured secant method: B = J'J + norm(r) A, with A from steps.

    The Hessians of the residuals, of which A is made, change slowly where the residuals do not:

        B+ = C + norm(r+) A+  is the secant update of  C + norm(r+) A  for  B+ s = C s + y#
        y# = norm(r+) / norm(r) (J+ - J)'r+,    C = J+'J+

    The second term goes to 0 with r of itself, and the method converges fast whether there is a
    residual at the minimum or not.

    Parameters
    ----------
    update : {"sr1", "psb", "bfgs", "dfp"}
        As in `SSM`.  Far from a minimum A of "bfgs" and "dfp" grows without measure on problems
        where C is singular or nearly so.
    fall : float
        In (0, 1], see `SSM`.

    Raises
    ------
    SettingsError, ValueError
        See `SSM`.

    Notes
    -----
    See `SSM`.

    References
    ----------
    Huschens (1994), On the use of product structure in secant methods for nonlinear least squares
    problems, SIAM J. Optim. 4, eqs. (2.5) to (2.10).

    Examples
    --------
    >>> import numpy as np, hessx
    >>> rosenbrock = hessx.SumOfSquares(
    ...     lambda x: np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]]),
    ...     lambda x: np.array([[-20 * x[0], 10.0], [-1.0, 0.0]]))
    >>> method = hessx.TrustRegionMethod(hessx.TSSM(), hessx.MoreSorensen())
    >>> hessx.minimize(rosenbrock, [-1.2, 1.0], method=method).x.round(4)
    array([1., 1.])
    """

    update: str = "sr1"
    fall: float = 0.01

    def __post_init__(self) -> None:
        store_choice(self, "update", *UPDATES)
        store_real(self, "fall", 0.0, 1.0, ends="(]")

    def begin(self, frame: Frame) -> SecantCurvature:
        """Begin with A = 0."""
        self.check_size(frame)
        term = SecantTerm(frame, self.update, sizing=False)
        return SecantCurvature(frame, term, self.fall, adjusts=True)


@saved
@dataclass(frozen=True, slots=True)
class GNSBFGS(_OfSquares):
    r"""Gauss-Newton and structured BFGS, a hybrid that is positive definite.

        z = norm(r+) / norm(r) (J+ - J)'r+
        B = J'J + A,          A+ = tau (A - A s s'A / s'A s) + z z' / s'z,
                              where s'z >= hybrid_tol s'J'J s  and  f - f+ < fall f
        B = J'J + n eps D,    D = diag(J'J) and A is kept, elsewhere

    with tau = min(1, s'z / s'A s) by ``sizing``, else 1.  A begins as z'z / s'z I with the first
    pair that it learns from.

    Parameters
    ----------
    hybrid_tol : float
        > 0.  Zhou and Chen's test is s'z >= hybrid_tol s's; here the units are those of f.
    sizing : bool
        See above.
    fall : float
        In (0, 1], see `SSM`.

    Raises
    ------
    SettingsError, ValueError
        See `SSM`.

    Notes
    -----
    Memory and cost: those of `SSM`; in a line search, or with `MoreSorensen`, a decomposition of J
    and a root of A, one below the other, 4 (m + n) n^2 + 8 n^3 operations and up to two fetches
    more per accepted point.  J'J is not formed there, so that no digits are lost.  Zhou and Chen
    add norm(r) I where A takes no part, which is a length of r in the place of a curvature; n eps D
    is there for B to be positive definite, and is not felt.

    References
    ----------
    Zhou & Chen (2010), Global convergence of a new hybrid Gauss-Newton structured BFGS method for
    nonlinear least squares problems, SIAM J. Optim. 20, eqs. (2.1) to (2.3); Fletcher & Xu (1987)
    for ``fall``, see `FX`.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> rosenbrock = hessx.SumOfSquares(
    ...     lambda x: np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]]),
    ...     lambda x: np.array([[-20 * x[0], 10.0], [-1.0, 0.0]]))
    >>> for method in (hessx.TrustRegionMethod(hessx.GNSBFGS(), hessx.MoreSorensen()),
    ...                hessx.LineSearchMethod(hessx.GNSBFGS(), hessx.HagerZhang())):
    ...     hessx.minimize(rosenbrock, [-1.2, 1.0], method=method).x.round(4)
    array([1., 1.])
    array([1., 1.])
    """

    offers: ClassVar = _MATRIX | Offer.SOLVE | Offer.SHIFTED
    positive: ClassVar = True
    hybrid_tol: float = 1e-6
    sizing: bool = True
    fall: float = 0.01

    def __post_init__(self) -> None:
        store_real(self, "hybrid_tol", 0.0)
        object.__setattr__(self, "sizing", check_flag("sizing", self.sizing))
        store_real(self, "fall", 0.0, 1.0, ends="(]")

    def begin(self, frame: Frame) -> ZhouChenCurvature:
        """Begin with J'J."""
        self.check_size(frame)
        learnt = BroydenCurvature(frame, BFGS(scaling="al-baali" if self.sizing else "none"))
        return ZhouChenCurvature(frame, learnt, self.fall, self.hybrid_tol)


@saved
@dataclass(frozen=True, slots=True)
class FX(_OfSquares):
    r"""Fletcher and Xu's hybrid: Gauss-Newton while f falls fast, else BFGS.

        B+ = J+'J+                                      where f - f+ >= hybrid_tol f
        B+ = B - B s s'B / s'B s + y y' / s'y           elsewhere, with the change y of the gradient

    Where there is no residual at the minimum it ends as Gauss-Newton, quadratically, else as BFGS,
    superlinearly.  A pair with s'y <= eps s'B s makes B = J'J.

    Parameters
    ----------
    hybrid_tol : float
        In (0, 1].

    Raises
    ------
    SettingsError, ValueError
        See `SSM`.

    Notes
    -----
    Memory and cost: those of `SSM`.  J'J may be singular: in a line search `GNSBFGS` is at home.

    References
    ----------
    Fletcher & Xu (1987), Hybrid methods for nonlinear least squares, IMA J. Numer. Anal. 7, eq.
    (3.5), the method HY2.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> rosenbrock = hessx.SumOfSquares(
    ...     lambda x: np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]]),
    ...     lambda x: np.array([[-20 * x[0], 10.0], [-1.0, 0.0]]))
    >>> method = hessx.TrustRegionMethod(hessx.FX(), hessx.MoreSorensen())
    >>> hessx.minimize(rosenbrock, [-1.2, 1.0], method=method).x.round(4)
    array([1., 1.])
    """

    hybrid_tol: float = 0.2

    def __post_init__(self) -> None:
        store_real(self, "hybrid_tol", 0.0, 1.0, ends="(]")

    def begin(self, frame: Frame) -> FletcherXuCurvature:
        """Begin with J'J."""
        self.check_size(frame)
        learnt = BroydenCurvature(frame, BFGS(scaling="none"))
        return FletcherXuCurvature(frame, learnt, self.hybrid_tol)
