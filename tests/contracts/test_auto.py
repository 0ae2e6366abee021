"""What method="auto" chooses by n, derivatives and options, with nothing evaluated for it."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from _helpers.runs import chained_rosenbrock, product_of


def chosen(n, **given):
    result = hessx.minimize(chained_rosenbrock, np.full(n, 0.5), jac=True, **given)
    return result.message.partition("(auto chose ")[2].partition(",")[0]


@pytest.mark.parametrize(
    ("n", "given", "expected"),
    [
        (2, {}, "bfgs"),
        (5, {}, "bfgs"),
        (6, {}, "lbfgs"),
        (40, {"method": "AUTO"}, "lbfgs"),
        (2, {"hessp": product_of(chained_rosenbrock)}, "newton-cg"),
        (40, {"hessp": product_of(chained_rosenbrock)}, "newton-cg"),
        (40, {"hess": hessx.SR1()}, "trust-ncg"),
    ],
)
def test_it_goes_by_n_and_by_what_is_given(n, given, expected):
    assert chosen(n, **given) == expected


@pytest.mark.parametrize(
    ("n", "options", "expected"),
    [
        (2, {"maxcor": 5}, "lbfgs"),
        (2, {"maxcor": 5, "hess_inv0": 2.0}, "lbfgs"),
        (2, {"scaling": "none"}, "bfgs"),
        (6, {"scaling": "none"}, "bfgs"),
        (6, {"hess_inv0": 2.0}, "lbfgs"),
    ],
)
def test_it_takes_the_options_given(n, options, expected):
    assert chosen(n, options=options) == expected


def test_with_products_the_options_of_a_region_lead_to_one():
    given = {"hessp": product_of(chained_rosenbrock)}
    assert chosen(6, options={"initial_trust_radius": 0.5}, **given) == "trust-ncg"
    assert chosen(6, options={"c2": 0.5}, **given) == "newton-cg"


def test_options_that_no_method_has_are_refused():
    with pytest.raises(ValueError, match="maxcorr"):
        chosen(2, options={"maxcorr": 5})
    with pytest.raises(ValueError, match="scaling"):  # of bfgs, and maxcor of lbfgs
        chosen(2, options={"maxcor": 5, "scaling": "none"})
    with pytest.raises(ValueError, match=r"'maxcor'.*\(auto chose newton-cg, as products"):
        chosen(2, hessp=product_of(chained_rosenbrock), options={"maxcor": 5})


def test_sums_of_squares_of_many_variables_are_left_to_products():
    def residual(x):
        return x - 1.0, (lambda v: v, lambda u: u)

    for n, expected in ((1000, "lm"), (1001, "lm-cg")):
        squares = hessx.SumOfSquares(residual, jac=True)
        options = {"maxiter": 0}
        message = hessx.minimize(squares, np.ones(n), options=options).message
        assert f"auto chose {expected}," in message
