"""What ``hess`` may be where it is learnt: an approximation, or one of SciPy's strategies."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np

from hessx._xp import plain
from hessx.core import OptionWarning, SettingsError, check_real
from hessx.hessians._broyden_members import BFGS
from hessx.hessians._family import Approximation
from hessx.hessians._start import cholesky, on_the_host
from hessx.hessians._symmetric import SR1

__all__ = ["as_approximation"]

_USUAL = 1e-8  # SciPy's default of min_curvature where pairs are skipped, and of min_denominator


def as_approximation(hess: Any) -> Approximation | None:
    """Take ``hess`` for an approximation of the Hessian, where it is one.

    Parameters
    ----------
    hess : object
        An `Approximation`, or a ``BFGS`` or ``SR1`` of ``scipy.optimize``, which is left as it is;
        or anything else.

    Returns
    -------
    Approximation or None
        What SciPy's settings are here, with the default where ``init_scale`` is "auto"; None where
        ``hess`` is no strategy.

    Raises
    ------
    SettingsError
        A class in the place of an object, or settings that mean nothing.

    Warns
    -----
    OptionWarning
        ``min_curvature`` or ``min_denominator`` was set: pairs are skipped where their curvature is
        rounding.

    Examples
    --------
    >>> import hessx
    >>> from hessx.hessians import as_approximation
    >>> as_approximation(hessx.SR1(hess0=2.0)).hess0
    2.0
    >>> as_approximation("2-point") is None
    True
    """
    kind = hess if isinstance(hess, type) else type(hess)
    theirs = _TAKEN.get(kind.__name__) if kind.__module__.startswith("scipy.optimize.") else None
    if theirs is None and not issubclass(kind, Approximation):
        return None
    if kind is hess:
        name = kind.__name__
        msg = f"hess is the class {name}: expected an object, {name}()"
        raise SettingsError(msg)
    return hess if theirs is None else theirs(hess)


def _bfgs(theirs: Any) -> BFGS:
    """B = init_scale I at first, or the matrix init_scale."""
    damping = None
    if theirs.exception_strategy == "damp_update":
        damping = theirs.min_curvature
    else:
        _leave_out("min_curvature", theirs.min_curvature)
    inverse = scale = _size(theirs)
    if isinstance(scale, Real):
        inverse = 1.0 / check_real("init_scale", scale, 0.0)
    elif scale is not None:
        cholesky("init_scale", scale)
        inverse = np.linalg.inv(scale)
    return BFGS(hess_inv0=inverse, damping=damping, scaling="none")


def _sr1(theirs: Any) -> SR1:
    _leave_out("min_denominator", theirs.min_denominator)
    scale = _size(theirs)
    return SR1(hess0=check_real("init_scale", scale, 0.0) if isinstance(scale, Real) else scale)


_TAKEN: dict[str, Callable[[Any], Approximation]] = {"BFGS": _bfgs, "SR1": _sr1}


def _size(theirs: Any) -> Any:
    """What SciPy's strategy begins with: a number, a matrix, or None for the default."""
    scale = plain(theirs.init_scale)
    if isinstance(scale, Real):
        return scale
    automatic = isinstance(scale, str) and scale == "auto"
    return None if automatic else on_the_host("init_scale", scale)


def _leave_out(name: str, given: Any) -> None:
    if given != _USUAL:
        text = f"{name} of SciPy's strategy means nothing here and is ignored"
        warnings.warn(text, OptionWarning, stacklevel=5)
