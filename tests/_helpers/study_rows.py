"""Rows of a study written by hand."""

from __future__ import annotations

import math

from hessx.study.records import Curve, Job, Row


def a_row(
    problem, method, values, *, evaluations=None, products=None, n=2, outcome="converged: gradient",
    **figures,
):  # fmt: skip
    """Make a row that accepted ``values`` after so many evaluations and products, one more each."""
    steps = len(values)
    evaluations = list(range(1, steps + 1)) if evaluations is None else evaluations
    products = [0] * steps if products is None else products
    names = ("backend", "dtype", "feature", "seed", "rate", "gtol", "seconds")
    job = Job(problem, method, **{k: figures.pop(k) for k in names if k in figures})
    curve = Curve(
        list(range(steps)), evaluations, products, [2 * e for e in evaluations],
        [0.01 * e for e in evaluations], list(values), [abs(v) for v in values],
        figures.pop("cosine", [math.nan] * steps),
    )  # fmt: skip
    known = {
        "iterations": max(steps - 1, 0), "evaluations": evaluations[-1] if steps else 0,
        "products": products[-1] if steps else 0, "fetches": 2 * evaluations[-1] if steps else 0,
        "start_value": values[0] if steps else math.nan,
        "value": values[-1] if steps else math.nan,
        "grad_norm": abs(values[-1]) if steps else math.nan, "rises": curve.rises,
    }  # fmt: skip
    known["passes"] = known["evaluations"] + known["products"]
    row = Row.of(job, n, outcome, curve=curve, **(known | figures))
    row.seconds = 0.01 * row.evaluations
    return row


def linear(ratio, steps, start=1.0):
    """Values that fall by a factor."""
    return [start * ratio**k for k in range(steps)]


def quadratic(error, steps):
    """Values whose error is squared in each step."""
    return [error ** (2**k) for k in range(steps)]


def a_study():
    """Make rows of registered methods on registered problems; all minima are 0."""
    rows = []
    for problem, n in (("linear-regression", 2), ("brown-dennis", 4), ("breast-cancer", 31)):
        rows += [
            a_row(problem, "gd", linear(0.5, 30 + n), n=n),
            a_row(problem, "bfgs", linear(0.1, 12), n=n),
            a_row(problem, "lbfgs", linear(0.1, 13), n=n),
            a_row(problem, "newton", quadratic(0.5, 6), n=n, products=[n * k for k in range(6)]),
            a_row(problem, "scipy-bfgs", linear(0.1, 14), n=n),
        ]
    minus = [math.nan, math.nan, *[-0.9] * 4]
    rows += [
        a_row("extended-rosenbrock", "lbfgs", linear(0.1, 20), n=1000),
        a_row("extended-rosenbrock", "newton-cg", linear(0.01, 10), n=1000,
              products=list(range(10))),
        a_row("extended-rosenbrock", "gd", linear(0.9, 20), n=1000, outcome="limit: time",
              message="3.01 s, limit 3 s"),
        a_row("extended-rosenbrock", "bb", [1.0, 0.5, 0.7, 0.3, 0.4, 0.1], n=1000, cosine=minus,
              outcome="limit: time", message="3.01 s | limit 3 s"),
        a_row("linear-regression", "scipy-bfgs", [], backend="torch", outcome="raised",
              exception="TypeError: no <Tensor> here"),
        a_row("digits-linear", "adam", [1.0, 0.3, 0.2], n=650, outcome="completed", passes=3.0),
        a_row("digits-linear", "lbfgs", linear(0.2, 12), n=650),
        a_row("linear-regression", "gd", linear(0.6, 40), feature="noise", seed=1),
    ]  # fmt: skip
    return rows
