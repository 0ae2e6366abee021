"""A run happens on x0's device and on the user's current stream."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from _helpers.runs import chained_rosenbrock


@pytest.mark.backends("cupy", "cuda")
def test_a_run_on_a_side_stream_gives_the_same(backend):
    library = pytest.importorskip("cupy" if backend.family == "cupy" else "torch").cuda
    x0 = backend.asarray(np.tile([-1.2, 1.0], 50))
    options = {"maxiter": 20}
    plain = hessx.minimize(chained_rosenbrock, x0, jac=True, options=options)
    stream = library.Stream(non_blocking=True) if backend.family == "cupy" else library.Stream()
    used = []

    def fun(x):
        current = (
            library.get_current_stream() if backend.family == "cupy" else library.current_stream()
        )
        used.append(current == stream)
        return chained_rosenbrock(x)

    with stream if backend.family == "cupy" else library.stream(stream):
        side = hessx.minimize(fun, x0, jac=True, options=options)
    stream.synchronize()
    assert all(used)
    np.testing.assert_array_equal(backend.to_numpy(side.x), backend.to_numpy(plain.x))
