"""A test function of any number of variables."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from hessx.study.backends import Backend
from hessx.study.posed import Known, Posed, Problem, Tag
from hessx.study.problems.separable import Elements, pose

__all__ = ["Family"]

_LEAST = 8  # variables


@dataclass(frozen=True)
class Family:
    """A problem of any number of variables.

    Attributes
    ----------
    title, about, source : str
        As of a `Problem`.
    elements : callable
        ``elements(n, backend)`` gives the groups of elements.
    start : tuple of float or callable
        Numbers that are repeated, or ``start(n)``.
    n : int
        Number of variables where none is asked for.
    known : tuple of Known
        What it has that some methods need.
    tags : tuple of Tag
        Beyond those that follow from what is known.
    optimum : float or callable, optional
        The least value, or ``optimum(n)``, where it is known.
    divisor : int
        Of the number of variables, which is 8 at least.
    square : bool
        Whether they are the nodes of a square grid.
    """

    title: str
    about: str
    source: str
    elements: Callable[[int, Backend], list[Elements]]
    start: tuple[float, ...] | Callable[[int], np.ndarray]
    n: int = 1000
    known: tuple[Known, ...] = (Known.PATTERN, Known.RESIDUAL)
    tags: tuple[Tag, ...] = (Tag.NONCONVEX,)
    optimum: float | Callable[[int], float] | None = 0.0
    divisor: int = 1
    square: bool = False

    def problem(self, n: int) -> Problem:
        """Give the problem of n variables.

        Raises
        ------
        ValueError
            There is none of so many.
        """
        if n < _LEAST or n % self.divisor or (self.square and math.isqrt(n) ** 2 != n):
            more = f", a multiple of {self.divisor}" if self.divisor > 1 else ""
            more += ", a square" if self.square else ""
            msg = f"{self.title} has no {n} variables: expected {_LEAST} or more{more}"
            raise ValueError(msg)
        follows = {Known.PATTERN: Tag.SPARSE, Known.RESIDUAL: Tag.LEAST_SQUARES}
        tags = (*self.tags, Tag.SCALABLE, *(follows[k] for k in self.known if k in follows))
        pose = partial(_posed, self, n)
        optimum = self.optimum(n) if callable(self.optimum) else self.optimum
        return Problem(self.title, self.about, n, pose, self.known, tags, self.source, optimum)


def _posed(family: Family, n: int, backend: Backend) -> Posed:
    start = family.start
    x0 = start(n) if callable(start) else np.tile(start, n // len(start) + 1)[:n]
    constant = Known.CONSTANT_HESSIAN in family.known
    return pose(backend, x0, partial(family.elements, n), constant=constant)
