"""Methods that misbehave, and two that do not, for a worker to look up by their names."""

from __future__ import annotations

import ctypes
import os
import time
from types import SimpleNamespace

import numpy as np

import hessx
from hessx.study.methods import Method

composition = hessx.LineSearchMethod(hessx.LBFGS(memory=3), hessx.HagerZhang())
second_order = hessx.LineSearchMethod(hessx.NewtonCG(preconditioner="jacobi"), hessx.HagerZhang())
newton = hessx.LineSearchMethod(hessx.NewtonCG(), hessx.HagerZhang())
squares = hessx.TrustRegionMethod(hessx.GaussNewton())
number = 3


def newton_like(fun, x0, *, gtol, seconds):
    return hessx.minimize(fun, x0, jac=True, tol=gtol)


def raises(fun, x0, *, gtol, seconds):
    fun(x0)
    raise ZeroDivisionError("planted\nin \udcff")


def miscounts(fun, x0, *, gtol, seconds):
    return SimpleNamespace(x=x0, nit="three")


def leaves(fun, x0, *, gtol, seconds):
    raise SystemExit(5)


def exits(fun, x0, *, gtol, seconds):
    os._exit(7)


def segfaults(fun, x0, *, gtol, seconds):
    ctypes.string_at(0)


def sleeps(fun, x0, *, gtol, seconds):
    time.sleep(3600)


def hoards(fun, x0, *, gtol, seconds):
    held = []
    while True:
        held.append(np.ones(10**6))


def shouts(fun, x0, *, gtol, seconds):
    os.write(1, b"on the terminal")
    return hessx.minimize(fun, x0, jac=True, tol=gtol)


def without_result(fun, x0, *, gtol, seconds):
    return None


def tells_its_process(fun, x0, *, gtol, seconds):
    return SimpleNamespace(x=x0, message=str(os.getpid()))


def takes_64_mib(fun, x0, *, gtol, seconds):
    held = np.ones(2**23)
    held += 1.0
    return SimpleNamespace(x=x0)


def naps(fun, x0, *, gtol, seconds):
    time.sleep(0.3)
    return SimpleNamespace(x=x0)


def bind_descent(meter, options):
    """Gradient descent with a fixed rate, for as many evaluations as there are iterations."""

    def solve(*, gtol, seconds, iterations):
        x = meter.problem.x0
        for _ in range(iterations):
            _, grad = meter.fun_and_grad(x)
            if not gtol < np.abs(grad).max() < 1e100:
                break
            x = x - options.get("rate", 0.01) * grad
        return SimpleNamespace(x=x)

    return solve


absent = Method("absent", "absent", bind_descent, package="no_such_package")
descent = Method("descent", "descent", bind_descent, rate=0.01)
