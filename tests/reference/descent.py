"""First-order methods as the books have them."""

from __future__ import annotations

import numpy as np

from reference.quasi_newton import spectral_size

__all__ = [
    "barzilai_borwein",
    "conjugate_direction",
    "gradient_descent",
    "highest_of_last",
    "regularised",
    "spectral_gradient",
    "weighted_average",
]


def gradient_descent(gradient, x, steps):
    """The iterates x - alpha g(x) for the given steps."""
    iterates = [x]
    for alpha in steps:
        iterates.append(iterates[-1] - alpha * gradient(iterates[-1]))
    return iterates


def barzilai_borwein(gradient, x, first, count, variant):
    """The iterates with alpha = s's / s'y or s'y / y'y (Barzilai & Borwein 1988, eqs. 5, 6)."""
    iterates, alpha = [x], first
    for _ in range(count):
        x = iterates[-1]
        iterates.append(x - alpha * gradient(x))
        s, y = iterates[-1] - x, gradient(iterates[-1]) - gradient(x)
        alpha = s @ s / (s @ y) if variant == "long" else s @ y / (y @ y)
    return iterates


def conjugate_direction(rule, g_new, g, d):
    """The next direction -g_new + beta d.

    Hestenes-Stiefel and Polak-Ribiere, cut at zero: Nocedal & Wright (2006), eqs. 5.44 to 5.46.
    Hager & Zhang (2005), eq. 1.3, with their later lower bound 0.4 d'g / d'd (2013, The limited
    memory conjugate gradient method).
    """
    y = g_new - g
    if rule == "pr+":
        beta = max(y @ g_new / (g @ g), 0.0)
    elif rule == "hs+":
        beta = max(y @ g_new / (d @ y), 0.0)
    else:
        beta = (y - 2.0 * d * (y @ y) / (d @ y)) @ g_new / (d @ y)
        beta = max(beta, 0.4 * (d @ g) / (d @ d))
    return -g_new + beta * d


def highest_of_last(memory):
    """The reference of Grippo, Lampariello & Lucidi (1986), of all values so far."""
    return lambda values: max(values[-memory:])


def weighted_average(eta):
    """The reference of Zhang & Hager (2004): the mean of all values, weighted by eta^(k - i)."""

    def reference(values):
        weights = eta ** np.arange(len(values) - 1, -1, -1.0)
        return weights @ values / weights.sum()

    return reference


def backtracked(fun, x, d, f, slope, reference, alpha):
    """Armijo's rule below a reference; Dennis & Schnabel (1983), algorithm A6.3.1."""
    last = None
    while True:
        value, g = fun(x + alpha * d)
        if value <= reference + 1e-4 * alpha * slope:
            return alpha, value, g
        rise = value - f - slope * alpha
        if last is None:
            step = -slope * alpha**2 / (2.0 * rise)
        else:
            old, old_rise = last
            M = np.array([[alpha**3, alpha**2], [old**3, old**2]])
            a, b = np.linalg.solve(M, [rise, old_rise])
            step = (-b + np.sqrt(b * b - 3.0 * a * slope)) / (3.0 * a)
        last = alpha, rise
        alpha = min(max(step, 0.1 * alpha), 0.5 * alpha)


def spectral_gradient(fun, x, first, count, variant, reference):
    """Points and values of steps -gamma g, backtracked below a reference of the values so far."""
    f, g = fun(x)
    points, values, gamma, pairs = [x], [f], None, 0
    for _ in range(count):
        d = -g if gamma is None else -gamma * g
        start = first / np.linalg.norm(g) if gamma is None else 1.0
        alpha, f, g_new = backtracked(fun, x, d, f, g @ d, reference(values), start)
        s, y = alpha * d, g_new - g
        gamma = spectral_size(s, y, variant, pairs)
        x, g, pairs = x + s, g_new, pairs + 1
        points.append(x)
        values.append(f)
    return np.stack(points), values


def regularised(fun, x, sigma, count):
    """The points x - g / sigma of R2 with Nielsen's rule for sigma, after so many trials."""
    f, g = fun(x)
    points, nu = [x], 2.0
    for _ in range(count):
        trial = x - g / sigma
        value, grad = fun(trial)
        ratio = (f - value) / (g @ g / sigma)
        if ratio > 1e-4:
            x, f, g = trial, value, grad
            points.append(x)
            sigma, nu = sigma * max(1.0 / 3.0, 1.0 - (2.0 * ratio - 1.0) ** 3), 2.0
        else:
            sigma, nu = sigma * nu, 2.0 * nu
    return np.stack(points)
