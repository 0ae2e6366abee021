"""The names of methods of two, such as "lbfgs-newton-cg"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hessx.solvers._compositions import Method
from hessx.solvers._switch_method import SwitchMethod

__all__ = ["in_turn"]

_NAMES = {
    "gd-lbfgs": ("gd", "lbfgs"),
    "gd-newton-cg": ("gd", "newton-cg"),
    "lbfgs-newton-cg": ("lbfgs", "newton-cg"),
    "lbfgs-trust-ncg": ("lbfgs", "trust-ncg"),
    "bfgs-newton": ("bfgs", "newton"),
    "adam-lbfgs": ("adam", "lbfgs"),
    "adam-newton-cg": ("adam", "newton-cg"),
}


def in_turn(table: Mapping[str, Method]) -> dict[str, Method]:
    """Give the methods of two for the table of names, made of entries of it."""
    return {name: _both(table[first], table[second]) for name, (first, second) in _NAMES.items()}


def _both(first: Method, second: Method) -> Method:
    """Give one method, then another: the options of both, each to those that know it."""

    def build(
        *, x_scale: Any = None, switch: Any = None, carry: bool = True, **settings: Any
    ) -> SwitchMethod:
        scale = {} if x_scale is None else {"x_scale": x_scale}
        begin, end = (
            part.build(**scale, **{k: v for k, v in settings.items() if k in part.options})
            for part in (first, second)
        )
        return SwitchMethod(begin, end, switch, carry)

    return Method(build, (*dict.fromkeys((*first.options, *second.options)), "switch", "carry"))
