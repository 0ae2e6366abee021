"""Validators for frozen settings: what was given, what was expected."""

from __future__ import annotations

import math
from numbers import Integral, Real

__all__ = ["SettingsError", "check_integer", "check_real"]


class SettingsError(ValueError):
    """A setting is outside its range, or two parts do not fit together.

    Examples
    --------
    >>> import hessx
    >>> hessx.FixedStep(-1.0)
    Traceback (most recent call last):
    ...
    hessx...SettingsError: alpha = -1.0: expected a number in (0, inf)
    """


def check_real(
    name: str,
    value: object,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    closed: bool = False,
) -> None:
    """Refuse a setting that is not a finite number in (low, high), or [low, high] if ``closed``.

    Parameters
    ----------
    name : str
        The setting, for the message.
    value : object
        What was given; NumPy's scalars count as numbers, bool does not.
    low, high : float
        The range.
    closed : bool
        Whether the ends belong to it.

    Raises
    ------
    SettingsError
        ``value`` is no number of the range.

    Examples
    --------
    >>> from hessx.core import check_real
    >>> check_real("c1", 0.1, 0.0, 0.5)
    """
    if type(value) is float and (low < value < high or (closed and value == low > -math.inf)):
        return
    number = float(value) if type(value) is int or _is_real(value) else math.nan  # type: ignore[arg-type]
    inside = math.isfinite(number)
    if inside:
        inside = low <= number <= high if closed else low < number < high
    if not inside:
        left, right = ("[", "]") if closed else ("(", ")")
        msg = f"{name} = {value!r}: expected a number in {left}{low:g}, {high:g}{right}"
        raise SettingsError(msg)


def _is_real(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def check_integer(name: str, value: object, low: int = 0) -> None:
    """Refuse a setting that is not an integer >= low.

    Parameters
    ----------
    name : str
        The setting, for the message.
    value : object
        What was given.
    low : int
        The least that is allowed.

    Raises
    ------
    SettingsError
        ``value`` is no such integer.

    Examples
    --------
    >>> from hessx.core import check_integer
    >>> check_integer("memory", 0, 1)
    Traceback (most recent call last):
    ...
    hessx...SettingsError: memory = 0: expected an integer >= 1
    """
    if type(value) is int and value >= low:
        return
    if not isinstance(value, Integral) or isinstance(value, bool) or value < low:
        msg = f"{name} = {value!r}: expected an integer >= {low}"
        raise SettingsError(msg)
