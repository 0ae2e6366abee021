"""The test set of More, Garbow & Hillstrom (1981): few variables, sums of squares.

Least values are those of the paper, with more digits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from hessx.study.backends import Backend
from hessx.study.posed import Known, Posed, Problem, Tag
from hessx.study.problems import small_data as data
from hessx.study.problems import small_formulas as of
from hessx.study.problems.places import Whole
from hessx.study.problems.separable import Elements, pose

__all__ = ["MORE_GARBOW_HILLSTROM"]


def _posed(
    formula: Callable[..., Any], start: Sequence[float], arrays: Sequence[Any], backend: Backend
) -> Posed:
    def elements(backend: Backend) -> list[Elements]:
        there = tuple(backend.asarray(each) for each in arrays)
        return [Elements(Whole(backend, len(start)), formula, there)]

    return pose(backend, start, elements)


def _problem(
    number: int,
    title: str,
    about: str,
    formula: Callable[..., Any],
    start: Sequence[float],
    arrays: Sequence[Any] = (),
    optimum: float = 0.0,
    tags: tuple[Tag, ...] = (),
    from_: str = "",
) -> Problem:
    n = len(start)
    plane = (Tag.PLANE,) if n == 2 else ()
    shape = () if Tag.CONVEX in tags else (Tag.NONCONVEX,)
    at = from_ or "(" + ", ".join(f"{each:g}" for each in start) + ")"
    return Problem(
        title,
        f"{about}, from {at}.",
        n,
        partial(_posed, formula, start, arrays),
        (Known.RESIDUAL,),
        (*tags, *plane, *shape, Tag.LEAST_SQUARES),
        f"Moré, Garbow & Hillstrom 1981, ({number})",
        optimum,
    )


MORE_GARBOW_HILLSTROM = {
    "rosenbrock": _problem(
        1, "Rosenbrock", "100 (v - u²)² + (1 - u)²", of.rosenbrock, (-1.2, 1.0), tags=(Tag.QUICK,)
    ),
    "freudenstein-roth": _problem(
        2,
        "Freudenstein and Roth",
        "Squares of u - 13 + ((5 - v) v - 2) v and u - 29 + ((v + 1) v - 14) v; "
        "48.98 is another minimum",
        of.freudenstein_roth,
        (0.5, -2.0),
    ),
    "powell-badly-scaled": _problem(
        3,
        "Powell, badly scaled",
        "(10⁴ u v - 1)² + (exp(-u) + exp(-v) - 1.0001)²",
        of.powell_badly_scaled,
        (0.0, 1.0),
    ),
    "brown-badly-scaled": _problem(
        4,
        "Brown, badly scaled",
        "(u - 10⁶)² + (v - 2 10⁻⁶)² + (u v - 2)²",
        of.brown_badly_scaled,
        (1.0, 1.0),
    ),
    "beale": _problem(
        5,
        "Beale",
        "(1.5 - u (1 - v))² + (2.25 - u (1 - v²))² + (2.625 - u (1 - v³))²",
        of.beale,
        (1.0, 1.0),
        tags=(Tag.QUICK,),
    ),
    "jennrich-sampson": _problem(
        6,
        "Jennrich and Sampson",
        "sum over i = 1 ... 10 of (2 + 2 i - exp(i u) - exp(i v))²; the residuals stay large",
        of.jennrich_sampson,
        (0.3, 0.4),
        [data.points(10)],
        124.3621823556,
    ),
    "helical-valley": _problem(
        7,
        "Helical valley",
        "100 (x[2] - 10 θ)² + 100 (ρ - 1)² + x[2]², ρ and 2 π θ polar coordinates of x[0], x[1]",
        of.helical_valley,
        (-1.0, 0.0, 0.0),
    ),
    "bard": _problem(
        8,
        "Bard",
        "sum over 15 points of (y - x[0] - u / (v x[1] + w x[2]))²",
        of.bard,
        (1.0, 1.0, 1.0),
        data.bard(),
        8.214877306579e-3,
    ),
    "gaussian": _problem(
        9,
        "Gaussian",
        "sum over 15 points of (x[0] exp(-x[1] (t - x[2])² / 2) - y)²",
        of.gaussian,
        (0.4, 1.0, 0.0),
        data.gaussian(),
        1.127932769619e-8,
    ),
    "meyer": _problem(
        10,
        "Meyer",
        "sum over 16 points of (x[0] exp(x[1] / (t + x[2])) - y)²; badly scaled",
        of.meyer,
        (0.02, 4000.0, 250.0),
        data.meyer(),
        87.94585517064,
    ),
    "gulf": _problem(
        11,
        "Gulf research and development",
        "sum over 99 points of (exp(-abs(y - x[1])^x[2] / x[0]) - t)²",
        of.gulf,
        (5.0, 2.5, 0.15),
        data.gulf(),
    ),
    "box": _problem(
        12,
        "Box, three dimensions",
        "sum over 10 points of (exp(-t x[0]) - exp(-t x[1]) - x[2] (exp(-t) - exp(-10 t)))²",
        of.box,
        (0.0, 10.0, 20.0),
        data.box(),
    ),
    "powell-singular": _problem(
        13,
        "Powell, singular",
        "(a + 10 b)² + 5 (c - d)² + (b - 2 c)⁴ + 10 (a - d)⁴; singular at the minimum",
        of.powell_singular,
        (3.0, -1.0, 0.0, 1.0),
    ),
    "wood": _problem(
        14,
        "Wood",
        "100 (b - a²)² + (1 - a)² + 90 (d - c²)² + (1 - c)² + 10 (b + d - 2)² + (b - d)² / 10",
        of.wood,
        (-3.0, -1.0, -3.0, -1.0),
        tags=(Tag.QUICK,),
    ),
    "kowalik-osborne": _problem(
        15,
        "Kowalik and Osborne",
        "sum over 11 points of (y - x[0] (u² + u x[1]) / (u² + u x[2] + x[3]))²",
        of.kowalik_osborne,
        (0.25, 0.39, 0.415, 0.39),
        data.kowalik_osborne(),
        3.075056038492e-4,
    ),
    "osborne-1": _problem(
        17,
        "Osborne 1",
        "Two exponentials and a constant through 33 points",
        of.osborne_1,
        (0.5, 1.5, -1.0, 0.01, 0.02),
        data.osborne_1(),
        5.464894697483e-5,
    ),
    "biggs-exp6": _problem(
        18,
        "Biggs EXP6",
        "Three exponentials through 13 points; 5.65565e-3 is another minimum",
        of.biggs_exp6,
        (1.0, 2.0, 1.0, 1.0, 1.0, 1.0),
        data.biggs(),
    ),
    "osborne-2": _problem(
        19,
        "Osborne 2",
        "An exponential and three bumps through 65 points",
        of.osborne_2,
        (1.3, 0.65, 0.65, 0.7, 0.6, 3.0, 5.0, 7.0, 2.0, 4.5, 5.5),
        data.osborne_2(),
        4.013773629355e-2,
    ),
    "watson": _problem(
        20,
        "Watson",
        "A polynomial through a differential equation at 29 points; ill-conditioned",
        of.watson,
        [0.0] * 9,
        data.watson(9),
        1.399760138092e-6,
        from_="0",
    ),
    "penalty-1": _problem(
        23,
        "Penalty I",
        "10⁻⁵ |x - 1|² + (|x|² - 1/4)²",
        of.penalty_1,
        [*data.points(10)],
        optimum=7.087651467090e-5,
        from_="(1, 2 ... 10)",
    ),
    "penalty-2": _problem(
        24,
        "Penalty II",
        "Exponentials of neighbours, weighted by 10⁻⁵, and the square of a weighted norm",
        of.penalty_2,
        [0.5] * 10,
        data.penalty_2(10),
        2.936605374567e-4,
        from_="1/2",
    ),
    "variably-dimensioned": _problem(
        25,
        "Variably dimensioned",
        "|x - 1|² + s² + s⁴, s = sum over j of j (x[j] - 1)",
        of.variably_dimensioned,
        [*(1.0 - data.points(10) / 10.0)],
        [data.points(10)],
        from_="(0.9, 0.8 ... 0)",
    ),
    "trigonometric": _problem(
        26,
        "Trigonometric",
        "Squares of n - sum cos(x) + i (1 - cos(x[i])) - sin(x[i])",
        of.trigonometric,
        [0.1] * 10,
        [data.points(10)],
        from_="1/n",
    ),
    "brown-almost-linear": _problem(
        27,
        "Brown, almost linear",
        "Squares of x[i] + sum x - (n + 1), i < n, and of the product of all x less 1; "
        "1 is another minimum",
        of.brown_almost_linear,
        [0.5] * 10,
        from_="1/2",
    ),
    "integral-equation": _problem(
        29,
        "Discrete integral equation",
        "Squares of x + K (x + t + 1)³, the trapezium rule on 20 points",
        of.integral_equation,
        [*(data.points(20) / 21.0 * (data.points(20) / 21.0 - 1.0))],
        data.integral_equation(20),
        from_="t (t - 1)",
    ),
    "linear-full-rank": _problem(
        32,
        "Linear, full rank",
        "|A x - 1|², 20 x 10",
        of.linear,
        [1.0] * 10,
        [data.full_rank(20, 10)],
        10.0,
        tags=(Tag.CONVEX, Tag.QUADRATIC),
        from_="1",
    ),
    "linear-rank-1": _problem(
        33,
        "Linear, rank 1",
        "|A x - 1|², 20 x 10, A[i, j] = i j",
        of.linear,
        [1.0] * 10,
        [data.rank_1(20, 10)],
        20.0 * 19.0 / (2.0 * 41.0),
        tags=(Tag.CONVEX, Tag.QUADRATIC),
        from_="1",
    ),
    "chebyquad": _problem(
        35,
        "Chebyquad",
        "Weights of a quadrature: means of the Chebyshev polynomials less their integrals, n = 8",
        of.chebyquad,
        [*(data.points(8) / 9.0)],
        [data.chebyshev_integrals(8)],
        3.516873725678e-3,
        from_="i / (n + 1)",
    ),
}
