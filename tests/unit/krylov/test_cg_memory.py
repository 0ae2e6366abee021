from __future__ import annotations

import gc

import numpy as np
import pytest

from hessx._xp import space_of
from hessx.krylov import QuadraticModel, TruncatedCG


@pytest.mark.parametrize("check_every", [1, 4])
@pytest.mark.parametrize("precondition", [None, lambda r: r / 2.0])
def test_vectors_are_let_go_without_the_collector(check_every, precondition, rng):
    g = rng.standard_normal(20)
    model = QuadraticModel(space_of(g), lambda v: 3.0 * v, g, g @ g, 1e-8, 20)
    model.precondition = precondition
    gc.freeze()  # what there is: what follows alone is looked through
    gc.disable()
    try:
        step = TruncatedCG(check_every=check_every)(model)
        assert gc.collect() == 0
    finally:
        gc.enable()
    np.testing.assert_allclose(step.step, -g / 3.0, rtol=1e-12)
