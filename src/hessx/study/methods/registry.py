"""All methods by name, and others that a name can mean."""

from __future__ import annotations

import importlib
from dataclasses import replace
from functools import partial

from hessx.core import Wants
from hessx.solvers import known_methods
from hessx.study.bindings import bind_function
from hessx.study.methods.combined import COMBINED
from hessx.study.methods.makers import given, of_squares
from hessx.study.methods.method import Method
from hessx.study.methods.others import OTHERS, scipy_method
from hessx.study.methods.own import OWN

__all__ = ["METHODS", "find_method"]

METHODS: dict[str, Method] = {method.name: method for method in (*OWN, *COMBINED, *OTHERS)}


def find_method(name: str) -> Method:
    """Look a method up: in `METHODS`, or another of hessx, ``scipy:NAME``, ``module:attribute``.

    The attribute is a `Method`, a composition for ``hessx.minimize(method=...)``, or a function
    ``solve(fun, x0, *, gtol, seconds)`` with fun(x) -> (value, gradient).

    Raises
    ------
    ValueError
        None of these.
    """
    if name in METHODS:
        return METHODS[name]
    module, colon, attribute = name.partition(":")
    if module == "scipy" and colon:
        return scipy_method(name, f"SciPy {attribute}", attribute)
    if not colon:
        if name.lower() in known_methods():
            return given(name, f"hessx {name}")
        known = ", ".join(dict.fromkeys((*METHODS, *known_methods())))
        msg = f"unknown method {name!r}: expected one of {known}, scipy:NAME, or module:attribute"
        raise ValueError(msg)
    found = getattr(importlib.import_module(module), attribute)
    if isinstance(found, Method):
        return replace(found, name=name)
    if Wants.RESIDUAL in getattr(found, "wants", Wants.NOTHING):
        return of_squares(name, name, found)
    if hasattr(found, "propose"):
        return given(name, name, found)
    if callable(found):
        return Method(name, name, partial(bind_function, found))
    msg = f"{name} is a {type(found).__name__}: expected a composition or a callable"
    raise ValueError(msg)
