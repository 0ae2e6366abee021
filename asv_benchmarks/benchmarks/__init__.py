"""Benchmarks of the code, run by asv: time, peak memory, and counts."""

import os

# One thread, as set before NumPy is loaded: times then depend less on what else runs.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
