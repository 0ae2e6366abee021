"""A problem of a study: what methods are given of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hessx.operators import Pattern
from hessx.study.backends import Backend
from hessx.study.classes import Classes

__all__ = ["Known", "Posed", "Problem", "Tag"]


class Known(StrEnum):
    """What may be known of a problem beside value, gradient and Hessian; in words, for the page."""

    CONSTANT_HESSIAN = "a constant Hessian"
    ROWS = "rows to sample"
    PATTERN = "the pattern of the Hessian"
    RESIDUAL = "residuals and their Jacobian"


class Tag(StrEnum):
    """What kind of problem it is; by which problems are chosen."""

    QUICK = "quick"
    PLANE = "2-D"
    CONVEX = "convex"
    NONCONVEX = "nonconvex"
    QUADRATIC = "quadratic"
    LEAST_SQUARES = "least squares"
    FINITE_SUM = "finite sum"
    SPARSE = "sparse"
    REAL_DATA = "real data"
    PDE = "pde"
    IMAGE = "image"
    SCALABLE = "any n"
    BOUNDS = "bounds"
    CUTEST = "cutest"


@dataclass(frozen=True)
class Posed:
    """A problem on one backend.

    Attributes
    ----------
    fun : callable
        ``fun(x)`` gives (value, gradient).
    x0 : array
        The start.
    hess : callable
        ``hess(x)`` gives the Hessian at x, linearised once: an operator, or a function v -> H v.
    constant_hessian : callable, optional
        Gives the dense Hessian where it is the same everywhere.
    bounds : sequence of (float, float), optional
        Lower and upper bound of each variable.
    classes : Classes, optional
        The sum over rows that fun is the whole of.
    pattern : Pattern, optional
        Where the Hessian may have entries.
    residual : callable, optional
        ``residual(x)`` gives (r, J) with f = r'r / 2; J an array, or a pair of products (jvp, vjp).
    truth : callable, optional
        Value and gradient of the problem that this one was before it was changed, at a point of
        this one; ``fun`` where there is none.
    """

    fun: Callable[[Any], tuple[Any, Any]]
    x0: Any
    hess: Callable[[Any], Any]
    constant_hessian: Callable[[], Any] | None = None
    bounds: Sequence[tuple[float, float]] | None = None
    classes: Classes | None = None
    pattern: Pattern | None = None
    residual: Callable[[Any], tuple[Any, Any]] | None = None
    truth: Callable[[Any], tuple[Any, Any]] | None = None


@dataclass(frozen=True)
class Problem:
    """A problem that can be posed on any backend.

    Attributes
    ----------
    title, about : str
        For the report.
    n : int
        Number of variables.
    pose : callable
        ``pose(backend)`` gives a `Posed`.
    known : tuple of Known
        What it has that some methods need.
    tags : tuple of Tag
        What kind of problem it is.
    source : str
        The publication, with the number of problem or equation there, or where the data are from.
    optimum : float, optional
        The least value, where it is known.
    """

    title: str
    about: str
    n: int
    pose: Callable[[Backend], Posed]
    known: tuple[Known, ...] = ()
    tags: tuple[str, ...] = ()
    source: str = ""
    optimum: float | None = None

    @property
    def is_sum(self) -> bool:
        """Whether it is a sum over rows, which methods take samples of."""
        return Known.ROWS in self.known
