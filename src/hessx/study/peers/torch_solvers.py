"""torch.optim, and pytorch-minimize, on NumPy's problems: tensors share their memory."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from hessx.study.metering import Meter
from hessx.study.peers.diary import Diary
from hessx.study.running import NO_LIMIT, Solve

__all__ = ["bind_torch_optim", "bind_torchmin"]


def bind_torch_optim(
    name: str, settings: Mapping[str, Any], meter: Meter, options: Mapping[str, Any]
) -> Solve:
    """Bind an optimiser of torch.optim to a metered problem: steps along whole gradients.

    LBFGS searches along lines by itself, and is called once.
    """
    import torch

    torch.optim.SGD([torch.zeros(1)])  # the first one imports for seconds, before the clock starts

    def solve(*, gtol: float, seconds: float, iterations: int) -> Any:
        diary = Diary(meter, gtol, seconds)
        x = torch.tensor(np.array(meter.problem.x0), requires_grad=True)
        chosen = {**settings, **options}
        once = name == "LBFGS"
        if once:
            chosen |= {"max_iter": iterations, "max_eval": NO_LIMIT}
        if "rate" in chosen:
            chosen["lr"] = chosen.pop("rate")
        optimizer = getattr(torch.optim, name)([x], **chosen)

        def closure() -> Any:
            value, grad = diary.fun_and_grad(x.detach().numpy())
            x.grad = torch.from_numpy(np.array(grad))
            return torch.tensor(value)

        def run() -> None:
            for _ in range(1 if once else iterations):
                optimizer.step(closure)

        return diary.run(run)

    return solve


def bind_torchmin(name: str, meter: Meter, options: Mapping[str, Any]) -> Solve:
    """Bind a method of pytorch-minimize, which differentiates twice, to a metered problem."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it compiles by a deprecated function
        from torchmin import minimize

    def solve(*, gtol: float, seconds: float, iterations: int) -> Any:
        diary = Diary(meter, gtol, seconds)
        x0 = torch.tensor(np.array(meter.problem.x0))
        fun = _differentiable(diary)
        limits = {"gtol": 0.0, "xtol": 0.0, "max_iter": iterations, **options}
        if name not in ("l-bfgs", "bfgs", "cg"):
            limits.pop("gtol" if name == "newton-cg" else "xtol")
        tolerances = {"options": limits} if limits else {}
        return diary.run(lambda: minimize(fun, x0, name, **tolerances))

    return solve


def _differentiable(diary: Diary) -> Any:
    """Make f of a tensor: its gradient is f's, and the gradient of that the Hessian's product."""
    import torch

    class Gradient(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, x: Any, grad: Any) -> Any:
            context.x = x.detach().numpy().copy()
            return grad.clone()

        @staticmethod
        def backward(context: Any, v: Any) -> Any:
            product = diary.meter.hessp(context.x, v.detach().numpy())
            return torch.from_numpy(np.array(product)), None

    class Value(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, x: Any) -> Any:
            value, grad = diary.fun_and_grad(x.detach().numpy())
            context.save_for_backward(x)
            context.grad = torch.from_numpy(np.array(grad))
            return torch.tensor(value, dtype=x.dtype)

        @staticmethod
        def backward(context: Any, c: Any) -> Any:
            (x,) = context.saved_tensors
            return c * Gradient.apply(x, context.grad)  # type: ignore[no-untyped-call]

    return Value.apply
