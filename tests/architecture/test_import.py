"""Importing hessx brings in no array library but NumPy."""

from __future__ import annotations

import json
import subprocess
import sys

HEAVY = {
    "cupy",
    "dask",
    "jax",
    "jaxlib",
    "matplotlib",
    "pandas",
    "plotly",
    "scipy",
    "sklearn",
    "torch",
}


def test_import_is_light():
    report = (
        "import hessx, json, sys; print(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", report], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout))
    assert {"hessx", "numpy"} <= loaded
    assert not loaded & HEAVY
