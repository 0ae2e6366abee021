"""optax and optimistix on NumPy's problems, which JAX calls back."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np

from hessx.study.metering import Meter
from hessx.study.peers.diary import Diary
from hessx.study.running import Solve

__all__ = ["bind_optax", "bind_optimistix"]


class _Host:
    """What JAX calls back: a function that compiled code keeps, of one evaluation after another."""

    def __init__(self, x0: np.ndarray) -> None:
        self.x0, self.evaluate = x0, _bowl

    def __call__(self, x: Any) -> tuple[np.ndarray, np.ndarray]:
        value, grad = self.evaluate(np.asarray(x))
        return np.asarray(value, self.x0.dtype), np.asarray(grad, self.x0.dtype)

    def fun(self) -> Callable[[Any], Any]:
        """Make f of a JAX array, with the gradient that comes of the same call."""
        jax = importlib.import_module("jax")
        jax.config.update("jax_enable_x64", True)
        # it would print a traceback for each run that the diary ends
        logging.getLogger("jax._src.callback").setLevel(logging.CRITICAL)
        x0 = self.x0
        shapes = jax.ShapeDtypeStruct((), x0.dtype), jax.ShapeDtypeStruct(x0.shape, x0.dtype)

        def evaluate(x: Any) -> Any:
            return jax.pure_callback(self, shapes, x)

        @jax.custom_vjp  # type: ignore[untyped-decorator]
        def fun(x: Any) -> Any:
            return evaluate(x)[0]

        fun.defvjp(evaluate, lambda grad, c: (c * grad,))
        return cast(Callable[[Any], Any], fun)


def _bowl(x: np.ndarray) -> tuple[float, np.ndarray]:
    """Stand in for f while code is compiled."""
    return float(x @ x) / 2.0, x


def bind_optax(
    name: str, settings: Mapping[str, Any], meter: Meter, options: Mapping[str, Any]
) -> Solve:
    """Bind a rule of optax, or its L-BFGS with a zoom line search, to a metered problem."""
    import jax
    import optax

    chosen = {**settings, **options}
    if "rate" in chosen:
        chosen["learning_rate"] = chosen.pop("rate")
    rule, searches = getattr(optax, name)(**chosen), name == "lbfgs"
    host = _Host(np.array(meter.problem.x0))
    fun = host.fun()
    value_and_grad = optax.value_and_grad_from_state(fun) if searches else jax.value_and_grad(fun)

    @jax.jit
    def step(x: Any, state: Any) -> tuple[Any, Any]:
        value, grad = value_and_grad(x, **({"state": state} if searches else {}))
        more = {"value": value, "grad": grad, "value_fn": fun} if searches else {}
        updates, state = rule.update(grad, state, x, **more)
        return optax.apply_updates(x, updates), state

    def run(iterations: int) -> None:
        x = jax.numpy.asarray(host.x0)
        # else the second step would be compiled anew, for stronger types
        state = jax.tree.map(lambda s: jax.numpy.asarray(s, s.dtype), rule.init(x))
        for _ in range(iterations):
            x, state = step(x, state)
            x.block_until_ready()

    run(2)  # compiled before the clock starts

    def solve(*, gtol: float, seconds: float, iterations: int) -> Any:
        diary = Diary(meter, gtol, seconds)
        host.evaluate = diary.fun_and_grad
        return diary.run(lambda: run(iterations))

    return solve


def bind_optimistix(name: str, meter: Meter, options: Mapping[str, Any]) -> Solve:
    """Bind a minimiser of optimistix to a metered problem."""
    import jax
    import optimistix

    host = _Host(np.array(meter.problem.x0))
    fun = host.fun()
    # its test is on differences of x and f
    solver = getattr(optimistix, name)(rtol=0.0, atol=1e-300, **options)

    def objective(x: Any, _: Any) -> Any:
        return fun(x)

    def run(iterations: int) -> None:
        x0 = jax.numpy.asarray(host.x0)
        optimistix.minimise(objective, solver, x0, max_steps=iterations, throw=False)

    def solve(*, gtol: float, seconds: float, iterations: int) -> Any:
        diary = Diary(meter, gtol, seconds)
        host.evaluate = diary.fun_and_grad
        return diary.run(lambda: run(iterations))

    run(15000)  # compiled before the clock starts, for as many steps
    return solve
