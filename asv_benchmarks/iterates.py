"""Write down every evaluation of every solver, bitwise, or compare two such files.

Before a change that is to change no number, and after it:

    PYTHONPATH=src:tests python asv_benchmarks/iterates.py before.json
    PYTHONPATH=src:tests python asv_benchmarks/iterates.py after.json
    PYTHONPATH=src:tests python asv_benchmarks/iterates.py before.json after.json

Of each run it has a digest of all points at which f was asked for, the outcome, the counts, the
fetches and uploads, a digest of x and of the gradient, and one of the dense hess_inv.
"""

from __future__ import annotations

import hashlib
import json
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import hessx
from _helpers.solvers import EVERY, NEWTON
from hessx._xp import record_fetches

NAMES = ("gd", "cg", "lbfgs", "newton-cg", "trust-ncg", "trust-krylov", "CG", "L-BFGS-B", None)
RNG = np.random.default_rng(7)
SPECTRUM = np.logspace(-3, 3, 30)
BASIS = np.linalg.qr(RNG.standard_normal((30, 30)))[0]
H, B = (BASIS * SPECTRUM) @ BASIS.T, RNG.standard_normal(30)
X = RNG.standard_normal((200, 8))
Y = RNG.poisson(np.exp(X @ (0.3 * RNG.standard_normal(8)))).astype(float)


def rosenbrock(x: np.ndarray) -> tuple[float, np.ndarray]:
    a, b = x[1:] - x[:-1] ** 2, 1.0 - x[:-1]
    g = np.zeros_like(x)
    g[1:] += 200.0 * a
    g[:-1] -= 400.0 * a * x[:-1] + 2.0 * b
    return float(100.0 * a @ a + b @ b), g


def quadratic(x: np.ndarray) -> tuple[float, np.ndarray]:
    return float(x @ H @ x / 2.0 - B @ x), (H @ x + H.T @ x) / 2.0 - B


def poisson(w: np.ndarray) -> tuple[float, np.ndarray]:
    rate = np.exp(X @ w)
    return float(rate.sum() - Y @ (X @ w)), X.T @ (rate - Y)


def saddle(x: np.ndarray) -> tuple[float, np.ndarray]:
    g = 2.0 * x
    g[0] = x[0] ** 3 - x[0] + 0.1 * x[1]
    g[1] += 0.1 * x[0]
    return float((x[0] ** 2 - 1.0) ** 2 / 4.0 + x[1:] @ x[1:] + 0.1 * x[0] * x[1]), g


PROBLEMS = {
    "rosenbrock 2": (rosenbrock, np.array([-1.2, 1.0])),
    "rosenbrock 10": (rosenbrock, np.tile([-1.2, 1.0], 5)),
    "rosenbrock 400": (rosenbrock, np.tile([-1.2, 1.0], 200)),
    "quadratic": (quadratic, np.zeros(30)),
    "poisson": (poisson, np.zeros(8)),
    "saddle": (saddle, np.array([0.1, 0.3, -2.0, 1.0])),
}


def digest(*parts: Any) -> str:
    """Of arrays, to the last bit."""
    return hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in parts)).hexdigest()


def written_down(fun: Any, x0: np.ndarray, **settings: Any) -> list[Any]:
    """Run, and say what was asked for and what came of it."""
    asked = hashlib.sha256()

    def seen(x: np.ndarray) -> Any:
        asked.update(x.tobytes())
        return fun(x)

    with np.errstate(all="ignore"), record_fetches() as ledger:
        r = hessx.minimize(seen, x0, **settings)
    inverse = digest(as_matrix(r.hess_inv))[:12] if "hess_inv" in r and x0.size < 100 else ""
    counts = [r.nit, r.nfev, r.nhev, ledger.fetches, ledger.uploads]
    return [asked.hexdigest()[:16], r.outcome.name, *counts, digest(r.x, r.jac)[:12], inverse]


def as_matrix(A: Any) -> np.ndarray:
    """An inverse of any kind, dense."""
    if isinstance(A, np.ndarray):
        return A
    return A.todense() if hasattr(A, "todense") else A.dense()


def runs() -> Iterator[tuple[str, list[Any]]]:
    """Every composition with float64, float32 and differences; every name with each x_scale."""
    for problem, (fun, x0) in PROBLEMS.items():
        for name, method in EVERY.items():
            if name == "inverse" or "jacobi" in name:
                continue
            given: dict[str, Any] = {"method": method, "options": {"maxiter": 60}}
            yield f"{problem}, {name}", written_down(fun, x0, jac=True, **given)

            def single(x: np.ndarray, fun: Any = fun) -> tuple[float, np.ndarray]:
                f, g = fun(x.astype(float))
                return f, g.astype(np.float32)

            short = written_down(single, x0.astype(np.float32), jac=True, **given)
            yield f"{problem}, {name}, float32", short
            if name not in NEWTON and x0.size < 50:
                by_differences = written_down(lambda x, fun=fun: fun(x)[0], x0, **given)
                yield f"{problem}, {name}, differences", by_differences
        for name in NAMES:
            for scale in (1.0, 2.5, np.linspace(0.5, 2.0, x0.size)):
                options = {"maxiter": 80, "x_scale": scale}
                key = f"{problem}, {name!r}, x_scale {'array' if np.ndim(scale) else scale}"
                yield key, written_down(fun, x0, jac=True, method=name, options=options)


def main() -> int:
    """Write a file, or compare two."""
    warnings.simplefilter("ignore")
    files = [Path(name) for name in sys.argv[1:]]
    if len(files) == 1:
        files[0].write_text(json.dumps(dict(runs()), indent=0))
        return 0
    before, after = (json.loads(file.read_text()) for file in files)
    differ = [key for key in before if before[key] != after.get(key)]
    lines = [f"{key}: {before[key]} -> {after.get(key)}" for key in differ]
    sys.stdout.write("\n".join([*lines, f"{len(differ)} of {len(before)} runs differ\n"]))
    return bool(differ)


if __name__ == "__main__":
    raise SystemExit(main())
