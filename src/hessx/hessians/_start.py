"""Where a dense approximation starts: a multiple of I, a diagonal, or a matrix."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from hessx._xp import Array, is_array, like, to_host
from hessx.core import Frame, SettingsError, check_real
from hessx.operators import DiagonalOperator, LinearOperator

__all__ = ["check_symmetric", "checked_start", "cholesky", "on_the_host", "placed_start"]

_ASYMMETRY = 1e-5  # of the largest entry: a matrix may come from float32


def check_symmetric(name: str, H: np.ndarray) -> None:
    """Refuse what is no symmetric matrix.

    Raises
    ------
    SettingsError
        Not square, not finite, or not symmetric.
    """
    if H.ndim != 2 or H.shape[0] != H.shape[1]:
        msg = f"{name} has shape {H.shape}: expected (n, n)"
        raise SettingsError(msg)
    if not np.isfinite(H).all():
        msg = f"{name} has entries that are not finite: expected numbers"
        raise SettingsError(msg)
    if not abs(H - H.T).max(initial=0.0) <= _ASYMMETRY * abs(H).max(initial=0.0):
        msg = f"{name} is not symmetric: pass (H + H.T) / 2 if that is what is meant"
        raise SettingsError(msg)


def cholesky(name: str, H: np.ndarray) -> np.ndarray:
    """Give L with L L' = H of a symmetric positive definite matrix, and refuse any other.

    Raises
    ------
    SettingsError
        See `check_symmetric`; or it is not positive definite.
    """
    check_symmetric(name, H)
    try:
        return np.linalg.cholesky(H)
    except np.linalg.LinAlgError as error:
        msg = f"{name} is not positive definite: it gives no descent direction"
        raise SettingsError(msg) from error


def checked_start(name: str, given: Any, *, positive: bool = True) -> float | np.ndarray | None:
    """Take what a user gives for A or B at first, on the host in float64.

    Parameters
    ----------
    name : str
        Of the setting.
    given : float, array shape (n,) or (n, n), hess_inv of a result, or None
        A positive multiple of I in the variables of the method, or 0 where it may be indefinite; a
        diagonal, a matrix, or the ``hess_inv`` of an earlier result, in x.
    positive : bool
        Whether it has to be positive definite.

    Returns
    -------
    float, array or None
        What was given; None where the first pair is to tell.

    Raises
    ------
    SettingsError
        See `cholesky`; or entries of a diagonal that are not positive.
    """
    if given is None:
        return None
    if isinstance(given, Real):
        return check_real(name, given, 0.0, ends="()" if positive else "[)")
    start = on_the_host(name, given)
    if start.ndim != 1:
        (cholesky if positive else check_symmetric)(name, start)
    elif not (np.isfinite(start).all() and (start > 0.0).all()):
        msg = f"{name} is a diagonal with entries in [{start.min():g}, {start.max():g}]: expected "
        raise SettingsError(msg + "positive finite numbers")
    return start


def placed_start(frame: Frame, start: float | np.ndarray, *, inverted: bool) -> Array:
    """Give the matrix in z, on the device; ``inverted`` where it is A.

    Raises
    ------
    SettingsError
        Of another size than x.
    """
    space, n, name = frame.space, frame.space.n, "hess_inv0" if inverted else "hess0"
    if isinstance(start, float):
        return space.xp.eye(n, dtype=space.dtype, device=space.device) * start
    if start.shape[0] != n:
        msg = f"{name} has shape {start.shape}: expected {(n,) * start.ndim}, as x0"
        raise SettingsError(msg)
    M = like(space, np.diag(start) if start.ndim == 1 else start, name)
    return frame.inverse_matrix(M) if inverted else frame.matrix(M)


def on_the_host(name: str, given: Any) -> np.ndarray:
    """Copy what a user gives to the host, in float64: the diagonal of what is one, or the matrix.

    Raises
    ------
    SettingsError
        Not real numbers.
    """
    if isinstance(given, DiagonalOperator):
        given = given.d
    elif isinstance(given, LinearOperator) and given.space is not None:
        given = given.todense()
    try:
        start = np.array(to_host(given) if is_array(given) else given)
        if start.dtype.kind != "c":
            return start.astype(np.float64)
    except (TypeError, ValueError) as error:
        msg = f"{name} is a {type(given).__name__}: expected a positive number, a diagonal, an "
        raise SettingsError(msg + "(n, n) matrix or the hess_inv of a result") from error
    msg = f"{name} has dtype {start.dtype}: expected real numbers"
    raise SettingsError(msg)
