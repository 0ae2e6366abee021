"""What every approximation of the family promises, on every backend."""

from __future__ import annotations

import numpy as np
import pytest

from _helpers.approximations import APPROXIMATIONS
from hessx.testing import check_approximation

n = 5
LAZY = ("LBFGS, memory 2",)  # it takes most of a minute on dask


@pytest.mark.parametrize("name", APPROXIMATIONS)
def test_every_approximation_keeps_its_promises(backend, name):
    if backend.lazy and name not in LAZY:
        pytest.skip("takes long on a lazy library")
    make, secant = APPROXIMATIONS[name]
    x0 = backend.asarray(np.zeros(n))
    check_approximation(make(n), x0, secant=secant, stacks=True)


@pytest.mark.backends("numpy", "numpy-float32", "torch")
@pytest.mark.parametrize("name", APPROXIMATIONS)
def test_an_x_of_two_axes(backend, name):
    make, _ = APPROXIMATIONS[name]
    check_approximation(make(4), backend.asarray(np.zeros((2, 2))), seed=7)
