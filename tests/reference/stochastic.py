"""Stochastic methods as their papers have them: loops over rows, in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

__all__ = [
    "accumulated",
    "adam",
    "armijo",
    "batches",
    "saga",
    "sarah",
    "schedule_free",
    "sgd",
    "svrg",
]

Gradient = Callable[[np.ndarray, np.ndarray], np.ndarray]  # x, rows -> mean gradient


def batches(order, N: int, size: int, epochs: int) -> Iterator[np.ndarray]:
    """The rows of each step."""
    for epoch in range(epochs):
        rows = order.indices(epoch, N)
        for start in range(0, N, size):
            yield rows[start : start + size]


def sgd(grad: Gradient, x, steps, rate: float) -> list[np.ndarray]:
    """Robbins & Monro."""
    points = []
    for rows in steps:
        x = x - rate * grad(x, rows)
        points.append(x)
    return points


def adam(grad, x, steps, rate, beta1=0.9, beta2=0.999, eps=1e-8) -> list[np.ndarray]:
    """Kingma & Ba, algorithm 1."""
    m = v = np.zeros_like(x)
    points = []
    for t, rows in enumerate(steps, 1):
        g = grad(x, rows)
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
        x = x - rate * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)
        points.append(x)
    return points


def accumulated(grad, x, steps, rate, count, per_epoch) -> list[np.ndarray]:
    """SGD on as many batches at once, fewer at the end of an epoch."""
    points, held = [], []
    for k, rows in enumerate(steps, 1):
        held.append(rows)
        if len(held) == count or k % per_epoch == 0:
            x = x - rate * grad(x, np.concatenate(held))
            points.append(x)
            held = []
    return points


def svrg(grad, x, steps, rate, N, period) -> list[np.ndarray]:
    """Johnson & Zhang, figure 1, option I."""
    points, everything = [], np.arange(N)
    for k, rows in enumerate(steps):
        if k % period == 0:
            anchor, mean = x, grad(x, everything)
        x = x - rate * (grad(x, rows) - grad(anchor, rows) + mean)
        points.append(x)
    return points


def sarah(grad, x, steps, rate, N, period) -> list[np.ndarray]:
    """Nguyen et al., algorithm 1, each inner loop from the last point of the one before."""
    points, v, before = [], None, None
    for k, rows in enumerate(steps):
        v = grad(x, np.arange(N)) if k % period == 0 else v + grad(x, rows) - grad(before, rows)
        before, x = x, x - rate * v
        points.append(x)
    return points


def saga(grad, penalty, x, steps, rate, N) -> list[np.ndarray]:
    """Defazio et al., eq. (1); the table, filled at x0, holds the gradient of each row.

    The first step is along the mean of the table.  The penalty's gradient is known at each x.
    """
    table = np.stack([grad(x, np.array([i])) for i in range(N)])
    points = []
    for k, rows in enumerate(steps):
        if k == 0:
            g = table.mean(axis=0)
        else:
            now = np.stack([grad(x, np.array([i])) for i in rows])
            g = now.mean(axis=0) - table[rows].mean(axis=0) + table.mean(axis=0)
            table[rows] = now
        x = x - rate * (g + penalty(x))
        points.append(x)
    return points


def schedule_free(grad, x, steps, rate, beta=0.9) -> list[np.ndarray]:
    """Defazio et al. (2024), eqs. (1) to (3), at a constant rate: the averages."""
    z = mean = x
    points = []
    for t, rows in enumerate(steps, 1):
        z = z - rate * grad((1 - beta) * z + beta * mean, rows)
        mean = (1 - 1 / t) * mean + z / t
        points.append(mean)
    return points


def armijo(loss, grad, x, steps, N, largest, c, shrink, grow) -> tuple[list[np.ndarray], int]:
    """Vaswani et al. (2019), algorithm 1 with reset option 1: the points, and the trials in all."""
    points, rate, trials = [], None, 0
    for rows in steps:
        rate = largest if rate is None else min(largest, rate * grow ** (len(rows) / N))
        value, g = loss(x, rows), grad(x, rows)
        while True:
            trials += 1
            if loss(x - rate * g, rows) <= value - c * rate * (g @ g):
                break
            rate *= shrink
        x = x - rate * g
        points.append(x)
    return points, trials
