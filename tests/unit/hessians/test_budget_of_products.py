"""A budget of products holds inside of samplings and applies."""

from __future__ import annotations

import numpy as np
import pytest

import hessx

METHODS = {
    "line": lambda A: hessx.LineSearchMethod(A, hessx.HagerZhang()),
    "region": hessx.TrustRegionMethod,
    "preconditioner": lambda A: hessx.TrustRegionMethod(preconditioner=A),
}
SAMPLE = {
    "Nystrom": hessx.Nystrom(),
    "LowRank": hessx.LowRank(2, "randomized"),
    "Hutchinson": hessx.Hutchinson(3),
    "Partial": hessx.Partial("exact", slice(3), rest=1.0),
    "Blockwise": hessx.Blockwise(hessx.Hutchinson(2)),
    "Chebyshev": hessx.TruncatedInverse(),
    "CG": hessx.TruncatedInverse(by="cg", degree=4),
}
h = np.array([1.0, 3.0, 9.0, 27.0, 81.0, 243.0])


def product(x, v):
    return {key: (h[:3] if key == "a" else h[3:]) * v[key] for key in v}


def fun(x):
    grad = {"a": h[:3] * x["a"] - 1.0, "b": h[3:] * x["b"] - 1.0}
    return sum((x[key] * (grad[key] - 1.0)).sum() / 2 for key in x), grad


@pytest.mark.parametrize("kind", METHODS)
@pytest.mark.parametrize("name", SAMPLE)
def test_no_more_products_than_allowed(name, kind):
    taken = []

    def counted(x, v):
        taken.append(1)
        return product(x, v)

    x0 = {"a": np.ones(3), "b": np.ones(3)}
    for most in (1, 4, 7):
        taken.clear()
        result = hessx.minimize(
            fun,
            x0,
            jac=True,
            hessp=counted,
            method=METHODS[kind](SAMPLE[name]),
            options={"max_products": most, "gtol": 1e-12},
        )
        # an apply of M that ends the budget is found after the product with H that follows
        most += kind == "preconditioner" and isinstance(SAMPLE[name], hessx.TruncatedInverse)
        assert len(taken) == result.counts.products <= most
