"""First-order methods as the books have them."""

from __future__ import annotations

__all__ = ["barzilai_borwein", "conjugate_direction", "gradient_descent"]


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
