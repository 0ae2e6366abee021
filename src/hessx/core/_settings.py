"""Validators for frozen settings: what was given, what was expected.

Numbers become Python's: a NumPy float64 among the settings would turn float32 runs into float64.
"""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any

__all__ = [
    "OptionWarning",
    "SettingsError",
    "check_integer",
    "check_limit",
    "check_object",
    "check_part",
    "check_real",
    "store_integer",
    "store_real",
]


class OptionWarning(RuntimeWarning):
    """An option of SciPy's that means nothing to the method was given, and is ignored.

    Examples
    --------
    >>> import warnings, hessx
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     result = hessx.minimize(lambda x: x @ x, [1.0], options={"workers": 4})
    >>> issubclass(caught[0].category, hessx.OptionWarning), result.success
    (True, True)
    """


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
) -> float:
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

    Returns
    -------
    float
        The number.

    Raises
    ------
    SettingsError
        ``value`` is no number of the range.

    Examples
    --------
    >>> from hessx.core import check_real
    >>> check_real("c1", 0.1, 0.0, 0.5)
    0.1
    """
    if type(value) is float and (low < value < high or (closed and value == low > -math.inf)):
        return value
    number = float(value) if type(value) is int or _is_real(value) else math.nan  # type: ignore[arg-type]
    inside = math.isfinite(number)
    if inside:
        inside = low <= number <= high if closed else low < number < high
    if not inside:
        left, right = ("[", "]") if closed else ("(", ")")
        msg = f"{name} = {value!r}: expected a number in {left}{low:g}, {high:g}{right}"
        raise SettingsError(msg)
    return number


def _is_real(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def check_integer(name: str, value: object, low: int = 0) -> int:
    """Refuse a setting that is not an integer >= low.

    Parameters
    ----------
    name : str
        The setting, for the message.
    value : object
        What was given.
    low : int
        The least that is allowed.

    Returns
    -------
    int
        The number.

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
        return value
    if not isinstance(value, Integral) or isinstance(value, bool) or value < low:
        msg = f"{name} = {value!r}: expected an integer >= {low}"
        raise SettingsError(msg)
    return int(value)


def check_limit(name: str, value: Any) -> int | None:
    """Take a limit on a count as SciPy does: any number >= 0; None and inf are no limit.

    Returns
    -------
    int, optional
        The least count that reaches the limit.

    Raises
    ------
    SettingsError
        ``value`` is no such number.

    Examples
    --------
    >>> from hessx.core import check_limit
    >>> check_limit("maxiter", 1e5), check_limit("maxiter", 100.5)
    (100000, 101)
    """
    if value is None or (_is_real(value) and value == math.inf):
        return None
    if not _is_real(value) or not value >= 0:
        msg = f"{name} = {value!r}: expected a number >= 0"
        raise SettingsError(msg)
    least: int = math.ceil(value)
    return least


def check_object(name: str, part: object) -> None:
    """Refuse a class where an object of it is meant.

    Raises
    ------
    SettingsError
        So it is.

    Examples
    --------
    >>> import hessx
    >>> hessx.LineSearchMethod(hessx.LBFGS, hessx.HagerZhang())
    Traceback (most recent call last):
    ...
    hessx...SettingsError: curvature is the class LBFGS: expected an object, LBFGS()
    """
    if isinstance(part, type):
        msg = f"{name} is the class {part.__name__}: expected an object, {part.__name__}()"
        raise SettingsError(msg)


def check_part(name: str, part: object, verbs: str, expected: str) -> None:
    """Refuse a part of a composition that has none of the methods it needs, or is a class.

    Parameters
    ----------
    name : str
        The setting, for the message.
    part : object
        What was given.
    verbs : str
        Methods of which one is enough, "remember start".
    expected : str
        What would do, for the message.

    Raises
    ------
    SettingsError
        So it is.

    Examples
    --------
    >>> from hessx.core import check_part
    >>> check_part("region", 1.0, "begin", "hessx.RadiusRule()")
    Traceback (most recent call last):
    ...
    hessx...SettingsError: region is a float: expected hessx.RadiusRule()
    """
    check_object(name, part)
    if not any(hasattr(part, verb) for verb in verbs.split()):
        msg = f"{name} is a {type(part).__name__}: expected {expected}"
        raise SettingsError(msg)


def store_real(
    part: Any, name: str, low: float = -math.inf, high: float = math.inf, *, closed: bool = False
) -> None:
    """Check a field of a frozen dataclass and store the Python float; see `check_real`.

    None passes where it is the default.
    """
    if not _left_out(part, name):
        number = check_real(name, getattr(part, name), low, high, closed=closed)
        object.__setattr__(part, name, number)


def store_integer(part: Any, name: str, low: int = 0) -> None:
    """Check a field of a frozen dataclass and store the Python int; see `check_integer`.

    None passes where it is the default.
    """
    if not _left_out(part, name):
        object.__setattr__(part, name, check_integer(name, getattr(part, name), low))


def _left_out(part: Any, name: str) -> bool:
    return getattr(part, name) is None and part.__dataclass_fields__[name].default is None
