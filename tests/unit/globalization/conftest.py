"""Slices: functions along descent directions, recorded as seeds and parameters.

No numbers are stored: a slice is alpha -> (f, f') and a first trial, rebuilt identically every
time, so that a search and its reference evaluate the same function.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from hessx.globalization import Ray, Verdict

EPS = 2.0**-52


@dataclass(frozen=True)
class Slice:
    name: str
    phi: Callable[[float], tuple[float, float]]
    alpha: float
    eps: float = EPS

    def ray(self, alpha=None):
        value, slope = self.phi(0.0)
        return Ray(value=value, slope=slope, alpha=alpha or self.alpha, eps=self.eps)


@dataclass(frozen=True)
class End:
    verdict: Verdict
    search: object
    trials: list  # (alpha, value, slope)


def run(rule, piece, alpha=None, *, copying=False):
    """Search to the end; with ``copying``, every evaluation goes to a copy of the search."""
    search = rule.search(piece.ray(alpha))
    trials = []
    verdict = Verdict.TRY
    while verdict is Verdict.TRY:
        assert len(trials) < 200, "the search does not end"
        if copying:
            search = copy.copy(search)
        value, slope = piece.phi(search.alpha)
        trials.append((search.alpha, value, slope))
        verdict = search.advance(value, slope)
    return End(verdict, search, trials)


def more_thuente_functions():
    """The six functions of Moré & Thuente (1994), section 5."""

    def first(a, b=2.0):
        return -a / (a * a + b), (a * a - b) / (a * a + b) ** 2

    def second(a, b=0.004):
        return (a + b) ** 5 - 2 * (a + b) ** 4, 5 * (a + b) ** 4 - 8 * (a + b) ** 3

    def third(a, b=0.01, waves=39):
        if abs(a - 1) >= b:
            base, slope = (1 - a, -1.0) if a < 1 else (a - 1, 1.0)
        else:
            base, slope = ((a - 1) ** 2 / b + b) / 2, (a - 1) / b
        k = waves * math.pi / 2
        return base + (1 - b) / k * math.sin(k * a), slope + (1 - b) * math.cos(k * a)

    def yanai(left, right):
        def gamma(b):
            return math.hypot(1, b) - b

        g1, g2 = gamma(left), gamma(right)

        def phi(a):
            u, v = math.hypot(1 - a, right), math.hypot(a, left)
            return g1 * u + g2 * v, -g1 * (1 - a) / u + g2 * a / v

        return phi

    return [
        first,
        second,
        third,
        yanai(0.001, 0.001),
        yanai(0.01, 0.001),
        yanai(0.001, 0.01),
    ]


def rosenbrock(x):
    u, v = x[:-1], x[1:]
    t = v - u * u
    g = np.zeros_like(x)
    g[:-1] = -400 * u * t - 2 * (1 - u)
    g[1:] += 200 * t
    return float(100 * t @ t + (1 - u) @ (1 - u)), g


def quartic(x):
    weight = np.arange(1.0, x.size + 1)
    return float(weight @ x**4 + x @ x), 4 * weight * x**3 + 2 * x


def exponential(x):
    e = np.exp(x)
    return float(np.sum(e) - np.sum(x)), e - 1.0


def ill_conditioned(x):
    weight = 10.0 ** np.linspace(0, 6, x.size)
    return float(weight @ (x * x)) / 2, weight * x


def powell(x):
    a, b, c, d = x[0::4], x[1::4], x[2::4], x[3::4]
    p, q, r, s = a + 10 * b, c - d, b - 2 * c, a - d
    g = np.empty_like(x)
    g[0::4] = 2 * p + 40 * s**3
    g[1::4] = 20 * p + 4 * r**3
    g[2::4] = 10 * q - 8 * r**3
    g[3::4] = -10 * q - 40 * s**3
    return float(p @ p + 5 * q @ q + np.sum(r**4) + 10 * np.sum(s**4)), g


def logistic(load):
    data = load()
    features = (data.data - data.data.mean(0)) / data.data.std(0)
    sign = np.where(data.target == 1, 1.0, -1.0)

    def fun(w):
        margin = sign * (features @ w)
        pull = -sign * np.exp(-np.logaddexp(0.0, margin))
        loss = float(np.sum(np.logaddexp(0.0, -margin)) + 0.5 * w @ w)
        return loss, features.T @ pull + w

    return fun, features.shape[1]


def along(fun, x, d):
    def phi(alpha):
        with np.errstate(over="ignore", invalid="ignore"):
            value, g = fun(x + alpha * d)
            return value, float(g @ d)

    return phi


def make_slices():
    """200 slices: 24 of Moré & Thuente's, 176 of functions of n = 12 to 30 variables."""
    slices = [
        Slice(f"more-thuente-{k + 1}", phi, alpha)
        for k, phi in enumerate(more_thuente_functions())
        for alpha in (1e-3, 1e-1, 1e1, 1e3)
    ]
    datasets = pytest.importorskip("sklearn.datasets")
    cancer, wine = logistic(datasets.load_breast_cancer), logistic(datasets.load_wine)
    functions = {
        "rosenbrock": (rosenbrock, 12, 1.0),
        "quartic": (quartic, 20, 1.0),
        "exponential": (exponential, 16, 2.0),
        "ill-conditioned": (ill_conditioned, 15, 1.0),
        "powell": (powell, 12, 2.0),
        "logistic-cancer": (*cancer, 0.5),
        "logistic-wine": (*wine, 0.5),
        "logistic-far": (*cancer, 5.0),
    }
    for name, (fun, n, spread) in functions.items():
        for seed in range(22):
            rng = np.random.default_rng([seed, n])
            x = spread * rng.standard_normal(n)
            g = fun(x)[1]
            # downhill, turned at random by up to some 70 degrees, as long as x
            d = -g / np.linalg.norm(g)
            turn = rng.standard_normal(n)
            d = d + rng.uniform(0, 2) * (turn - (turn @ d) * d) / np.linalg.norm(turn)
            d = d * np.linalg.norm(x) / np.linalg.norm(d)
            slices.append(Slice(f"{name}-{seed}", along(fun, x, d), 10.0 ** rng.uniform(-3, 1)))
    return slices


def nasty_slices():
    nan, inf = math.nan, math.inf

    def hole(edge, phi):
        return lambda a: phi(a) if a < edge else (nan, nan)

    def barrier(a):  # least at 2e-3, undefined from 3e-3 on
        room = 1 - a / 3e-3
        return (-math.log(room) - 1000 * a, 1 / (3e-3 * room) - 1000) if room > 0 else (inf, nan)

    def wall(a):  # least near 1e-6
        return (a - 1) ** 2 + (1e3 * a) ** 4, 2 * (a - 1) + 4e3 * (1e3 * a) ** 3

    def overflowing(a):
        grown = math.exp(40 * a) if a < 17 else inf
        return grown - 100 * a, 40 * grown - 100

    def single(a):  # a parabola in float32 arithmetic on top of 1: at most 20 ulp deep
        return float(np.float32(1 + 1e-6 * ((a - 1) ** 2 - 1))), 2e-6 * (a - 1)

    def noisy(a):  # the decrease is far below float32's rounding, which is at work
        rounding = 3e-7 * math.sin(1e6 * a)
        return 5 + 1e-9 * ((a - 1) ** 2 - 1) + rounding, 2e-9 * (a - 1)

    def kink(a):
        return abs(a - 0.7) + 0.1 * a, (1.1 if a > 0.7 else -0.9)

    def patchy(a):  # undefined between 2 and 3 only
        return (nan, nan) if 2 < a < 3 else ((a - 5) ** 2, 2 * (a - 5))

    single_eps = 2.0**-23
    shapes = {
        "hole-before-minimum": (hole(0.3, lambda a: ((a - 1) ** 2, 2 * (a - 1))), EPS),
        "hole-after-minimum": (hole(1.5, lambda a: ((a - 1) ** 2, 2 * (a - 1))), EPS),
        "slope-alone-nan": (lambda a: (-a, nan if a > 0.5 else -1.0), EPS),
        "value-inf": (lambda a: (inf, 1.0) if a > 0.2 else (a * a - 0.1 * a, 2 * a - 0.1), EPS),
        "barrier": (barrier, EPS),
        "wall": (wall, EPS),
        "overflowing": (overflowing, EPS),
        "patchy": (patchy, EPS),
        "decaying": (lambda a: (math.exp(-a), -math.exp(-a)), EPS),
        "unbounded": (lambda a: (-a, -1.0), EPS),
        "accelerating": (lambda a: (-a - a * a, -1 - 2 * a), EPS),
        "flat": (lambda a: (1 + 1e-3 * (a - 1) ** 8, 8e-3 * (a - 1) ** 7), EPS),
        "kink": (kink, EPS),
        "wavy": (lambda a: (-math.sin(9 * a) - a / 2, -9 * math.cos(9 * a) - 0.5), EPS),
        "wrong-gradient": (lambda a: (1 + a, -1.0), EPS),
        "undefined": (lambda a: (0.0, -1.0) if a == 0 else (nan, nan), EPS),
        "single": (single, single_eps),
        "noisy": (noisy, single_eps),
    }
    return [
        Slice(name, phi, alpha, eps)
        for name, (phi, eps) in shapes.items()
        for alpha in (1e-4, 0.1, 1.0, 1.9, 50.0)
    ]


@pytest.fixture(scope="session")
def slices():
    return make_slices()


@pytest.fixture(scope="session")
def nasty():
    """Slices with holes, walls, plateaus, rounding noise and no minimiser."""
    return nasty_slices()


@pytest.fixture(scope="session", name="run")
def run_fixture():
    return run


@pytest.fixture(scope="session")
def slice_of():
    """A slice of a function of alpha with its derivative."""
    return lambda phi, alpha: Slice("given", phi, alpha)


@pytest.fixture(scope="session")
def parabola():
    """(alpha - least)^2."""
    return lambda least, alpha: Slice(
        "parabola", lambda a: ((a - least) ** 2, 2 * (a - least)), alpha
    )


@pytest.fixture(scope="session")
def rescaled():
    """The slice of f_scale * f(x / x_scale)."""

    def rescale(piece, f_scale, x_scale):
        def phi(alpha):
            value, slope = piece.phi(alpha / x_scale)
            return f_scale * value, f_scale / x_scale * slope

        return Slice(piece.name, phi, x_scale * piece.alpha, piece.eps)

    return rescale
