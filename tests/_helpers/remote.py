"""Runs in workers: what a pool sends out and gets back."""

from __future__ import annotations

from typing import Any

import hessx
from _helpers.runs import bowl, product_of

__all__ = ["minimise_elsewhere"]


def minimise_elsewhere(x0: Any, method: str) -> hessx.Result:
    """Minimise `bowl`, called by a lambda, with everything that a result can hold."""
    return hessx.minimize(
        lambda x: bowl(x),
        x0,
        jac=True,
        hessp=lambda x, v: product_of(bowl)(x, v),
        method=method,
        history=True,
        options={"return_all": True},
    )
