"""The numbers in More, Garbow and Hillstrom's problems of few variables."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = [
    "bard",
    "biggs",
    "box",
    "chebyshev_integrals",
    "full_rank",
    "gaussian",
    "gulf",
    "integral_equation",
    "kowalik_osborne",
    "meyer",
    "osborne_1",
    "osborne_2",
    "penalty_2",
    "points",
    "rank_1",
    "watson",
]

_GAUSSIAN = (
    ".0009 .0044 .0175 .0540 .1295 .2420 .3521 .3989 .3521 .2420 .1295 .0540 .0175 .0044 .0009"
)
_MEYER = "34780 28610 23650 19630 16370 13720 11540 9744 8261 7030 6005 5147 4427 3820 3307 2872"
_KOWALIK_U = "4 2 1 .5 .25 .167 .125 .1 .0833 .0714 .0625"
_KOWALIK_Y = ".1957 .1947 .1735 .1600 .0844 .0627 .0456 .0342 .0323 .0235 .0246"
_OSBORNE_1 = (
    ".844 .908 .932 .936 .925 .908 .881 .850 .818 .784 .751 .718 .685 .658 .628 .603 .580 .558 "
    ".538 .522 .506 .490 .478 .467 .457 .448 .438 .431 .424 .420 .414 .411 .406"
)
_OSBORNE_2 = (
    "1.366 1.191 1.112 1.013 .991 .885 .831 .847 .786 .725 .746 .679 .608 .655 .616 .606 .602 "
    ".626 .651 .724 .649 .649 .694 .644 .624 .661 .612 .558 .533 .495 .500 .423 .395 .375 .372 "
    ".391 .396 .405 .428 .429 .523 .562 .607 .653 .672 .708 .633 .668 .645 .632 .591 .559 .597 "
    ".625 .739 .710 .729 .720 .636 .581 .428 .292 .162 .098 .054"
)


def points(m: int) -> np.ndarray:
    """Give 1, 2 ... m."""
    return np.arange(1.0, m + 1.0)


def bard() -> list[Any]:
    """Give u, v, w and y of number 8."""
    u = points(15)
    y = ".14 .18 .22 .25 .29 .32 .35 .39 .37 .58 .73 .96 1.34 2.10 4.39"
    return [u, 16.0 - u, np.minimum(u, 16.0 - u), _numbers(y)]


def gulf() -> list[Any]:
    """Give t and y of number 11."""
    t = points(99) / 100.0
    return [t, 25.0 + (-50.0 * np.log(t)) ** (2.0 / 3.0)]


def box() -> list[Any]:
    """Give t, and the difference of exponentials of it, of number 12."""
    t = points(10) / 10.0
    return [t, np.exp(-t) - np.exp(-10.0 * t)]


def biggs() -> list[Any]:
    """Give t and y of number 18."""
    t = points(13) / 10.0
    return [t, np.exp(-t) - 5.0 * np.exp(-10.0 * t) + 3.0 * np.exp(-4.0 * t)]


def watson(n: int) -> list[Any]:
    """Give derivative and value of a polynomial of n coefficients at 29 points, number 20."""
    t, j = points(29)[:, None] / 29.0, np.arange(n)
    return [j * t ** np.maximum(j - 1, 0), t**j]


def penalty_2(n: int) -> list[Any]:
    """Give y and weights of number 24."""
    i = points(n)
    return [np.exp(i[1:] / 10.0) + np.exp(i[:-1] / 10.0), n - i + 1.0]


def integral_equation(n: int) -> list[Any]:
    """Give t and the kernel of number 29."""
    t = points(n) / (n + 1.0)
    low, high = np.minimum(t[:, None], t), np.maximum(t[:, None], t)
    return [t, low * (1.0 - high) / (2.0 * (n + 1.0))]


def full_rank(m: int, n: int) -> np.ndarray:
    """Give the matrix of number 32."""
    return np.eye(m, n) - 2.0 / m


def rank_1(m: int, n: int) -> np.ndarray:
    """Give the matrix of number 33."""
    return np.outer(points(m), points(n))


def chebyshev_integrals(n: int) -> list[float]:
    """Give integrals over [0, 1] of the polynomials of number 35."""
    return [0.0 if i % 2 else -1.0 / (i * i - 1.0) for i in range(1, n + 1)]


def _numbers(text: str) -> np.ndarray:
    return np.array(text.split(), dtype=float)


def gaussian() -> list[Any]:
    """Give t and y of number 9."""
    return [(8.0 - points(15)) / 2.0, _numbers(_GAUSSIAN)]


def meyer() -> list[Any]:
    """Give t and y of number 10."""
    return [45.0 + 5.0 * points(16), _numbers(_MEYER)]


def kowalik_osborne() -> list[Any]:
    """Give u and y of number 15."""
    return [_numbers(_KOWALIK_U), _numbers(_KOWALIK_Y)]


def osborne_1() -> list[Any]:
    """Give t and y of number 17."""
    return [10.0 * (points(33) - 1.0), _numbers(_OSBORNE_1)]


def osborne_2() -> list[Any]:
    """Give t and y of number 19."""
    return [(points(65) - 1.0) / 10.0, _numbers(_OSBORNE_2)]
