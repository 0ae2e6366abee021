"""Test functions of any number of variables."""

from __future__ import annotations

from functools import partial

import numpy as np

from hessx.study.posed import Known, Tag
from hessx.study.problems import family_elements as of
from hessx.study.problems import small_formulas as small
from hessx.study.problems.family import Family

__all__ = ["FAMILIES"]

_MGH = "Moré, Garbow & Hillstrom 1981"
_TOINT = "Toint 1983, report 83/4, FUNDP Namur"
_CONN = "Conn, Gould, Lescrenier & Toint 1988, report 88/4, FUNDP Namur"


def _bowed(n: int) -> np.ndarray:
    t = np.arange(1.0, n + 1.0) / (n + 1.0)
    return t * (t - 1.0)


def _cragg_levy_start(n: int) -> np.ndarray:
    return np.append(1.0, np.full(n - 1, 2.0))


_CONVEX, _QUADRATIC = (Tag.CONVEX,), (Tag.CONVEX, Tag.QUADRATIC)

FAMILIES = {
    "extended-powell": Family(
        "Extended Powell, singular",
        "Sum over fours of (a + 10 b)² + 5 (c - d)² + (b - 2 c)⁴ + 10 (a - d)⁴, "
        "from (3, -1, 0, 1 ...).",
        f"{_MGH}, (22)",
        partial(of.blocks, small.powell_singular),
        (3.0, -1.0, 0.0, 1.0),
        tags=_CONVEX,
        divisor=4,
    ),
    "extended-wood": Family(
        "Extended Wood",
        "Sum over fours of Wood's function, from (-3, -1, -3, -1 ...).",
        f"{_MGH}, (14)",
        partial(of.blocks, small.wood),
        (-3.0, -1.0),
        divisor=4,
    ),
    "broyden-tridiagonal": Family(
        "Broyden, tridiagonal",
        "Squares of (3 - 2 x[i]) x[i] - x[i-1] - 2 x[i+1] + 1, from -1.",
        f"{_MGH}, (30)",
        of.tridiagonal,
        (-1.0,),
    ),
    "broyden-banded": Family(
        "Broyden, banded",
        "Squares of x[i] (2 + 5 x[i]²) + 1 - sum of y (1 + y) over five before and one after, "
        "from -1.",
        f"{_MGH}, (31)",
        of.banded,
        (-1.0,),
    ),
    "boundary-value": Family(
        "Discrete boundary value",
        "Squares of 2 x[i] - x[i-1] - x[i+1] + h² (x[i] + t + 1)³ / 2, from t (t - 1).",
        f"{_MGH}, (28)",
        of.boundary_value,
        _bowed,
        n=100,
    ),
    "engval": Family(
        "Engval",
        "Sum over neighbours of (x² + y²)² - 4 x + 3, from 2.",
        f"{_TOINT}, (31)",
        of.engval,
        (2.0,),
        known=(Known.PATTERN,),
        tags=_CONVEX,
        optimum=None,
    ),
    "arrowhead": Family(
        "Arrowhead",
        "Sum over i < n of (x[i]² + x[n]²)² - 4 x[i] + 3, from 1.",
        f"{_CONN}, (55)",
        of.arrowhead,
        (1.0,),
        known=(Known.PATTERN,),
        tags=_CONVEX,
    ),
    "nondiagonal-quartic": Family(
        "Nondiagonal quartic",
        "Sum of (x[i] + x[i+1] + x[n])⁴, (x[1] - x[2])² and (x[n-1] - x[n])², from (1, -1 ...); "
        "singular at the minimum.",
        f"{_CONN}, (57)",
        of.nondiagonal_quartic,
        (1.0, -1.0),
        n=100,
        tags=_CONVEX,
    ),
    "cosine": Family(
        "Cosine",
        "Sum over neighbours of cos(x² - y / 2), from 1.",
        "Gould, COSINE of CUTEst",
        of.cosine,
        (1.0,),
        known=(Known.PATTERN,),
        optimum=lambda n: 1.0 - n,
    ),
    "cragg-levy": Family(
        "Extended Cragg and Levy",
        "Sum over overlapping fours of (exp(a) - b)⁴ + 100 (b - c)⁶ + (tan(c - d) + c - d)⁴ "
        "+ a⁸ + (d - 1)², from (1, 2, 2 ...).",
        f"{_TOINT}, (32)",
        of.cragg_levy,
        _cragg_levy_start,
        optimum=None,
        divisor=2,
    ),
    "dixon": Family(
        "Dixon, tridiagonal",
        "(x[1] - 1)² + (x[n] - 1)² + sum of (x[i] - x[i+1])², 1 < i < n, from -1.",
        "Dixon, DIXON3DQ of CUTEst",
        of.dixon,
        (-1.0,),
        n=100,
        tags=_QUADRATIC,
    ),
    "tridia": Family(
        "Shanno, tridiagonal",
        "(x[1] - 1)² + sum of i (2 x[i] - x[i-1])², from 1.",
        f"{_TOINT}, (8)",
        of.tridia,
        (1.0,),
        tags=_QUADRATIC,
    ),
    "quadratic": Family(
        "Quadratic, condition 10⁴",
        "(x - 1)' A (x - 1) / 2, eigenvalues of A from 1 to 10⁴ in equal ratios, from 0.",
        "Nocedal & Wright 2006, section 3.3",
        partial(of.quadratic, 1e4),
        (0.0,),
        n=100,
        known=(Known.CONSTANT_HESSIAN, Known.RESIDUAL),
        tags=(Tag.QUICK, *_QUADRATIC),
    ),
}
