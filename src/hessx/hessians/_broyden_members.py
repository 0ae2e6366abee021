"""BFGS, DFP, what lies between, and its self-scaling members."""

from __future__ import annotations

from dataclasses import dataclass

from hessx.core import saved, store_choice, store_real
from hessx.hessians._broyden import BroydenFamily
from hessx.hessians._self_scaling import SCALINGS, al_baali_khalfan

__all__ = ["BFGS", "DFP", "Broyden", "SSBroyden"]


_EARLY = 4  # times n pairs, in which A may grow


@dataclass(frozen=True, slots=True)
class _Scaled(BroydenFamily):
    """Members with a factor tau of their own."""

    scaling: str = "al-baali"

    def __post_init__(self) -> None:
        BroydenFamily.__post_init__(self)
        store_choice(self, "scaling", *SCALINGS)

    def factor(self, b: float, h: float, *, early: bool) -> float:
        """Give tau for b = s'Bs / s'y and h = y'Ay / s'y; 1 where what it needs is unknown."""
        return SCALINGS[self.scaling](b, h, early=early)


@saved(host=("hess_inv0",))
@dataclass(frozen=True, slots=True, eq=False)
class BFGS(_Scaled):
    r"""Broyden, Fletcher, Goldfarb & Shanno's matrix, dense.

    With s = x+ - x and y = g+ - g, unless s'y <= eps s'B s, where a pair is skipped:

        A+ = (I - s y' / s'y) A (I - y s' / s'y) / tau + s s' / s'y
        B+ = tau (B - B s s'B / s'B s) + y y' / s'y

    Parameters
    ----------
    hess_inv0 : float, array shape (n,) or (n, n), or LinearOperator, optional
        A at first: a positive multiple of I in the variables of the method; a positive diagonal, a
        positive definite matrix, or the ``hess_inv`` of an earlier result, in x.  By default A is
        s'y / y'y I of the first pair.
    damping : float, optional
        Powell's damping in (0, 1), commonly 0.2: where s'y < damping s'Bs, y is mixed with B s so
        that equality holds, instead of skipping.
    scaling : {"growing", "al-baali", "oren-luenberger", "none"}
        tau = min(1, s'y / s'Bs) is Al-Baali's self-scaled BFGS, tau = s'y / s'Bs Oren and
        Luenberger's; "none" is tau = 1, the textbook's.  "growing" is Al-Baali's, but
        tau = y'Ay / s'y in the first 4 n pairs where that is below 1 and A is at hand, as in line
        searches: the size that the first pair gives is often small.  Steps that were not taken
        along -A g (after a failed search) have tau = 1.

    Raises
    ------
    SettingsError
        A setting out of range, or a matrix that is not symmetric positive definite; when the run
        starts, of another size than x0.

    Notes
    -----
    Memory: n^2 numbers, A in a line search and B in a region, on NumPy 4 n^2 while a pair is
    learnt.  Cost in a line search: one product with A per direction and one per trial, and about
    4 n^2 operations per pair, one scalar more in the packet; in a region one product per step of
    CG.  Nothing is fetched.

    References
    ----------
    Nocedal & Wright (2006), eqs. (6.17), (6.19) and (6.20), procedure 18.2 for damping; Al-Baali
    (1998), Numerical experience with a class of self-scaling quasi-Newton algorithms, J. Optim.
    Theory Appl. 96; Oren & Luenberger (1974), Self-scaling variable metric algorithms, Manage. Sci.
    20.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> H = np.array([[2.0, 1.0], [1.0, 3.0]])
    >>> bowl = lambda x: (x @ H @ x / 2, H @ x)
    >>> method = hessx.LineSearchMethod(hessx.BFGS(), hessx.HagerZhang())
    >>> hessx.minimize(bowl, [1.0, 1.0], jac=True, method=method).success
    True
    >>> method = hessx.TrustRegionMethod(hessx.BFGS(scaling="al-baali"))
    >>> hessx.minimize(bowl, [1.0, 1.0], jac=True, method=method).success
    True
    """

    scaling: str = "growing"

    def member(self, b: float, h: float, n: int, pairs: int) -> tuple[float, float]:
        """Take tau by the scaling, phi = 0."""
        return self.factor(b, h, early=pairs < _EARLY * n), 0.0


@saved(host=("hess_inv0",))
@dataclass(frozen=True, slots=True, eq=False)
class Broyden(_Scaled):
    r"""The convex class of Broyden's family, dense: from BFGS, phi = 0, to DFP, phi = 1.

    With w = y / s'y - B s / s'Bs, unless s'y <= eps s'B s, where a pair is skipped:

        B+ = tau (B - B s s'B / s'Bs + phi s'Bs w w') + y y' / s'y

    and A+ is its inverse.

    Parameters
    ----------
    hess_inv0, damping, scaling
        See `BFGS`; by default it is sized as Al-Baali's.
    phi : float
        In [0, 1].

    Raises
    ------
    SettingsError
        See `BFGS`.

    Notes
    -----
    Memory and cost: those of `BFGS`, with one change of rank one more.  In a line search a step
    that was not taken along -A g, of which s'Bs is unknown, takes 1 - phi for the parameter of A+.

    References
    ----------
    Nocedal & Wright (2006), section 6.3, eqs. (6.32) and (6.33).

    Examples
    --------
    >>> import hessx
    >>> method = hessx.LineSearchMethod(hessx.Broyden(phi=0.5), hessx.HagerZhang())
    >>> hessx.minimize(lambda x: (x @ x, 2 * x), [1.0, 1.0], jac=True, method=method).success
    True
    """

    phi: float = 0.5

    def __post_init__(self) -> None:
        _Scaled.__post_init__(self)
        store_real(self, "phi", 0.0, 1.0, "[]")

    def member(self, b: float, h: float, n: int, pairs: int) -> tuple[float, float]:
        """Take tau by the scaling, phi as given."""
        return self.factor(b, h, early=pairs < _EARLY * n), self.phi


@saved(host=("hess_inv0",))
@dataclass(frozen=True, slots=True, eq=False)
class DFP(_Scaled):
    r"""Davidon, Fletcher & Powell's matrix, dense: the dual of `BFGS`.

    With s = x+ - x and y = g+ - g, unless s'y <= eps s'B s, where a pair is skipped:

        A+ = (A - A y y'A / y'A y) / tau + s s' / s'y
        B+ = tau (I - y s' / s'y) B (I - s y' / s'y) + y y' / s'y

    Curvatures that are too large in B are corrected slowly: it needs exact line searches more than
    BFGS does.

    Parameters
    ----------
    hess_inv0, damping, scaling
        See `BFGS`; by default it is sized as Al-Baali's.

    Raises
    ------
    SettingsError
        See `BFGS`.

    Notes
    -----
    Memory and cost: those of `BFGS`.

    References
    ----------
    Nocedal & Wright (2006), eqs. (6.13) to (6.15).

    Examples
    --------
    >>> import hessx
    >>> method = hessx.LineSearchMethod(hessx.DFP(), hessx.HagerZhang(c2=0.1))
    >>> hessx.minimize(lambda x: (x @ x, 2 * x), [1.0, 1.0], jac=True, method=method).success
    True
    """

    def member(self, b: float, h: float, n: int, pairs: int) -> tuple[float, float]:
        """Take tau by the scaling, phi = 1."""
        return self.factor(b, h, early=pairs < _EARLY * n), 1.0


@saved(host=("hess_inv0",))
@dataclass(frozen=True, slots=True, eq=False)
class SSBroyden(BroydenFamily):
    r"""Al-Baali and Khalfan's self-scaling Broyden method, dense.

    `Broyden`'s update with tau and phi, which may be negative, chosen for each pair from
    b = s'Bs / s'y and h = y'Ay / s'y such that the eigenvalues of A^(1/2) B+ A^(1/2) spread little.

    Parameters
    ----------
    hess_inv0, damping
        See `BFGS`.

    Raises
    ------
    SettingsError
        See `BFGS`.

    Notes
    -----
    Memory and cost: those of `BFGS` in a line search; in a region A is kept beside B.  Where b is
    unknown, as for steps not taken along -A g, it is BFGS.

    References
    ----------
    Al-Baali & Khalfan (2005), Wide interval for efficient self-scaling quasi-Newton algorithms,
    Optim. Methods Softw. 20; Urban, Stefanou & Pons (2025), J. Comput. Phys. 523, who train physics
    informed networks with it.

    Examples
    --------
    >>> import hessx
    >>> method = hessx.LineSearchMethod(hessx.SSBroyden(), hessx.HagerZhang())
    >>> hessx.minimize(lambda x: (x @ x, 2 * x), [1.0, 1.0], jac=True, method=method).success
    True
    """

    reads_inverse = True

    def member(self, b: float, h: float, n: int, pairs: int) -> tuple[float, float]:  # noqa: ARG002
        """See `al_baali_khalfan`."""
        return al_baali_khalfan(b, h, n)
