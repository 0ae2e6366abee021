"""Validators for frozen settings: what was given, what was expected.

Numbers become Python's: a NumPy float64 among the settings would turn float32 runs into float64.
"""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

from hessx._xp import as_float, plain

__all__ = [
    "OptionWarning",
    "SettingsError",
    "check_flag",
    "check_integer",
    "check_limit",
    "check_object",
    "check_part",
    "check_real",
    "store_choice",
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
    name: str, value: object, low: float = -math.inf, high: float = math.inf, ends: str = "()"
) -> float:
    """Refuse a setting that is not a number of an interval.

    Parameters
    ----------
    name : str
        The setting, for the message.
    value : object
        What was given; NumPy's scalars and 0-d arrays count as numbers, bool does not.
    low, high : float
        The interval.
    ends : {"()", "[)", "(]", "[]"}
        Its brackets: a square one takes the end in, an infinite one too.

    Returns
    -------
    float
        The number.

    Raises
    ------
    SettingsError
        ``value`` is no number of the interval.

    Examples
    --------
    >>> from hessx.core import check_real
    >>> check_real("c1", 0.1, 0.0, 0.5)
    0.1
    """
    if type(value) is float and low < value < high:
        return value
    number = value if type(value) is float else _number(value)
    above = low <= number if ends[0] == "[" else low < number
    below = number <= high if ends[1] == "]" else number < high
    if not (above and below):
        msg = f"{name} = {value!r}: expected a number in {ends[0]}{low:g}, {high:g}{ends[1]}"
        raise SettingsError(msg)
    return number


def _number(value: object) -> float:
    """Read a number as a float; nan where it is none."""
    number = plain(value)
    real = isinstance(number, Real) and not isinstance(number, bool)
    return as_float(number) if real else math.nan


def check_integer(name: str, value: object, low: int = 0) -> int:
    """Refuse a setting that is not an integer >= low; 10.0 is one, as in limits.

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
    number = _number(value)
    if not number.is_integer() or number < low:
        msg = f"{name} = {value!r}: expected an integer >= {low}"
        raise SettingsError(msg)
    return int(number)


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
    number = math.inf if value is None else _number(value)
    if not number >= 0:
        msg = f"{name} = {value!r}: expected a number >= 0"
        raise SettingsError(msg)
    return None if number == math.inf else math.ceil(number)


def check_flag(name: str, value: object) -> bool:
    """Refuse a switch that is not True or False, in Python's or NumPy's form, or 1 or 0.

    Raises
    ------
    SettingsError
        So it is: "no" would count as True.

    Examples
    --------
    >>> from hessx.core import check_flag
    >>> check_flag("maximize", 1)
    True
    """
    if type(value) is bool:
        return value
    flag = plain(value)
    if not isinstance(flag, int) or flag not in (0, 1):
        msg = f"{name} = {value!r}: expected True or False"
        raise SettingsError(msg)
    return bool(flag)


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
    hessx...SettingsError: direction is the class LBFGS: expected an object, LBFGS()
    """
    if isinstance(part, type):
        msg = f"{name} is the class {part.__name__}: expected an object, {part.__name__}()"
        raise SettingsError(msg)


def check_part(name: str, part: object, kind: type, expected: str) -> None:
    """Refuse a part of a composition that is of another kind, or is a class.

    Parameters
    ----------
    name : str
        The setting, for the message.
    part : object
        What was given.
    kind : type
        Whose subclasses would do.
    expected : str
        What would do, for the message.

    Raises
    ------
    SettingsError
        So it is.

    Examples
    --------
    >>> from hessx.core import check_part
    >>> check_part("memory", 1.0, int, "an integer")
    Traceback (most recent call last):
    ...
    hessx...SettingsError: memory is a float: expected an integer
    """
    check_object(name, part)
    if not isinstance(part, kind):
        msg = f"{name} is a {type(part).__name__}: expected {expected}"
        raise SettingsError(msg)


def store_real(
    part: Any, name: str, low: float = -math.inf, high: float = math.inf, ends: str = "()"
) -> None:
    """Check a field of a frozen dataclass and store the Python float; see `check_real`.

    None passes where it is the default.
    """
    given = getattr(part, name)
    if given is None and _left_out(part, name):
        return
    number = check_real(name, given, low, high, ends)
    if number is not given:
        object.__setattr__(part, name, number)


def store_integer(part: Any, name: str, low: int = 0) -> None:
    """Check a field of a frozen dataclass and store the Python int; see `check_integer`.

    None passes where it is the default.
    """
    if not _left_out(part, name):
        object.__setattr__(part, name, check_integer(name, getattr(part, name), low))


def store_choice(part: Any, name: str, *choices: object) -> None:
    """Refuse a field of a frozen dataclass that is none of the choices, numbers or strings.

    None passes where it is the default.
    """
    given = getattr(part, name)
    if given is None and _left_out(part, name):
        return
    choice = plain(given)
    if not isinstance(choice, Real | str) or choice not in choices:
        first, last = ", ".join(map(repr, choices[:-1])), choices[-1]
        msg = f"{name} = {given!r}: expected {first} or {last!r}"
        raise SettingsError(msg)
    object.__setattr__(part, name, choice)


def _left_out(part: Any, name: str) -> bool:
    return getattr(part, name) is None and part.__dataclass_fields__[name].default is None
