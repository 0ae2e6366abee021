"""Which classes a checkpoint may hold, and what it holds of them."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterator
from dataclasses import dataclass
from types import FunctionType
from typing import Any, TypeVar, overload

__all__ = ["Entry", "entry_named", "entry_of", "saved"]

_Part = TypeVar("_Part")


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a registered class or function.

    Attributes
    ----------
    name : str
        In the file.
    part : class or function
        The thing itself.
    arguments : tuple of str, optional
        Attributes from which the constructor makes it again; None where attributes are set.
    attributes : tuple of str
        Its slots, where it has any.
    open : bool
        Whether it has a ``__dict__``.
    host : frozenset of str
        Attributes whose arrays belong to the host.
    fresh : frozenset of str
        Attributes that are not saved, and None after loading.
    """

    name: str
    part: Any
    arguments: tuple[str, ...] | None = None
    attributes: tuple[str, ...] = ()
    open: bool = False
    host: frozenset[str] = frozenset()
    fresh: frozenset[str] = frozenset()


_entries: dict[Any, Entry] = {}
_by_name: dict[str, Entry] = {}


@overload
def saved(part: _Part, /) -> _Part: ...
@overload
def saved(
    *, host: tuple[str, ...] = (), fresh: tuple[str, ...] = (), arguments: tuple[str, ...] = ()
) -> Any: ...
def saved(
    part: Any = None,
    /,
    *,
    host: tuple[str, ...] = (),
    fresh: tuple[str, ...] = (),
    arguments: tuple[str, ...] = (),
) -> Any:
    """Let checkpoints hold the objects of a class, the members of an enumeration, or a function.

    A decorator, above ``@dataclass``.  A frozen dataclass is made again by its constructor from its
    fields; any other object, one with an ``__init__`` of its own too, gets back its attributes,
    without a call of it.  A function is known by its name alone.  Loading makes objects of
    registered classes only.

    Parameters
    ----------
    part : class or function
        To register, by module and name: a file that holds it needs the module imported again.
    host : tuple of str
        Attributes whose arrays stay NumPy arrays whatever the library of x is.  Other arrays move
        to the library and device of the x0 with which the run is taken up.
    fresh : tuple of str
        Attributes that are left out and None after loading.
    arguments : tuple of str
        Attributes from which the constructor makes the object again.

    Returns
    -------
    class or function
        The same.

    Raises
    ------
    TypeError
        Neither a class nor a function of a module; a name that another module of hessx has taken.

    Notes
    -----
    Saveable are None, bool, int, float, str, NumPy scalars, arrays of x's library, lists, tuples
    and dicts of these, and what is registered.  ``host`` and ``fresh`` of base classes hold too.

    Examples
    --------
    One's own `Approximation`, and its state:

    >>> import hessx
    >>> @hessx.saved
    ... class SecantSize(hessx.Approximation):
    ...     def begin(self, frame):
    ...         return SecantSizeCurvature()
    >>> @hessx.saved
    ... class SecantSizeCurvature(hessx.Curvature):
    ...     gamma = 1.0
    ...     def solve(self, v):
    ...         return v * self.gamma
    ...     def update(self, pair):
    ...         self.gamma = pair.s_y / pair.y_y if pair.s_y > 0.0 else self.gamma
    ...         return "" if pair.s_y > 0.0 else "skipped"
    >>> method = hessx.LineSearchMethod(SecantSize(), hessx.HagerZhang())
    >>> bowl = lambda x: (x @ x + (x @ x)**2, 2 * x + 4 * (x @ x) * x)
    >>> short = hessx.minimize(bowl, [3.0, 4.0], jac=True, method=method, options={"maxiter": 2})
    >>> result = hessx.minimize(bowl, [3.0, 4.0], jac=True, resume=short.checkpoint)
    >>> short.nit, result.success
    (2, True)
    """
    if part is None:
        return lambda part: _register(part, host, fresh, arguments)
    return _register(part, host, fresh, arguments)


def _register(
    part: Any, host: tuple[str, ...], fresh: tuple[str, ...], arguments: tuple[str, ...]
) -> Any:
    if not isinstance(part, type | FunctionType):
        msg = f"saved was given a {type(part).__name__}: expected a class or a function"
        raise TypeError(msg)
    ours = part.__module__.split(".")[0] == "hessx"
    name = part.__qualname__ if ours else f"{part.__module__}.{part.__qualname__}"
    known = _by_name.get(name)
    if known is not None and known.part.__module__ != part.__module__:
        msg = f"{name} of {part.__module__} has a name that {known.part.__module__} has taken"
        raise TypeError(f"{msg}: files could not tell them apart")
    entry = Entry(name, part)
    if isinstance(part, type) and not issubclass(part, enum.Enum):
        bases = [_entries[base] for base in part.__mro__[1:] if base in _entries]
        slots = tuple(dict.fromkeys(_slots(part)))
        entry = Entry(
            name,
            part,
            arguments or _constructor(part),
            tuple(slot for slot in slots if slot != "__dict__"),
            "__dict__" in slots or bool(part.__dictoffset__),
            frozenset(host).union(*(base.host for base in bases)),
            frozenset(fresh).union(*(base.fresh for base in bases)),
        )
    _entries[part] = _by_name[name] = entry
    return part


def _constructor(part: type) -> tuple[str, ...] | None:
    """The arguments of a frozen dataclass, where its constructor is that of its fields."""
    if not dataclasses.is_dataclass(part):
        return None
    made = part.__dataclass_params__  # type: ignore[attr-defined]
    if not (made.frozen and made.init):
        return None
    return tuple(field.name for field in dataclasses.fields(part) if field.init)


def _slots(part: type) -> Iterator[str]:
    for base in reversed(part.__mro__):
        slots = base.__dict__.get("__slots__", ())
        yield from (slots,) if isinstance(slots, str) else slots


def entry_of(part: Any) -> Entry | None:
    """Find what is registered of a class or function."""
    return _entries.get(part)


def entry_named(name: str) -> Entry | None:
    """Find what is registered under a name."""
    return _by_name.get(name)
