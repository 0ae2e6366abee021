"""Others' solvers beside hessx's, on NumPy's arrays, where they are installed."""

from __future__ import annotations

from hessx.study.peers.fides_solver import bind_fides
from hessx.study.peers.jax_solvers import bind_optax, bind_optimistix
from hessx.study.peers.scipy_solvers import LARGEST_N, bind_scipy, bind_scipy_squares
from hessx.study.peers.torch_solvers import bind_torch_optim, bind_torchmin

__all__ = [
    "LARGEST_N",
    "bind_fides",
    "bind_optax",
    "bind_optimistix",
    "bind_scipy",
    "bind_scipy_squares",
    "bind_torch_optim",
    "bind_torchmin",
]
