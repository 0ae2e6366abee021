"""Quadratic models on any backend, and what must hold of every step of theirs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hessx._xp import space_of
from hessx.core import Ball
from hessx.krylov import ModelStep, QuadraticModel, TruncatedCG
from reference.krylov import Steihaug, steihaug

__all__ = ["Quadratic", "symmetric"]


def symmetric(rng: np.random.Generator, eigenvalues: Any) -> np.ndarray:
    """A symmetric matrix with given eigenvalues and random eigenvectors."""
    Q, _ = np.linalg.qr(rng.standard_normal((len(eigenvalues),) * 2))
    A = (Q * np.asarray(eigenvalues)) @ Q.T
    return (A + A.T) / 2.0


class Quadratic:
    """q(p) = g'p + p'Hp / 2 on a backend; H, g and M are those that its dtype can hold."""

    def __init__(self, backend: Any, H: Any, g: Any, M: Any = None) -> None:
        self.backend, self.calls = backend, 0
        self._H, self._g = backend.asarray(H), backend.asarray(g)
        self.H, self.g = self.host(self._H), self.host(self._g)
        self._M = None if M is None else backend.asarray(M)
        self.M = None if M is None else self.host(self._M)

    def product(self, v: Any) -> Any:
        self.calls += 1
        return self._H @ v

    def model(self, **settings: Any) -> QuadraticModel:
        settings = {"tolerance": 0.0, "limit": 2 * len(self.g)} | settings
        M = self._M
        if M is not None:
            settings["precondition"] = lambda r: M @ r
        g_g = float(self.g @ self.g)
        return QuadraticModel(
            space_of(self._g), settings.pop("product", self.product), self._g, g_g, **settings
        )

    def solve(self, check_every: int = 1, **settings: Any) -> ModelStep:
        """Solve; products are counted by both sides."""
        self.calls = 0
        method = TruncatedCG(check_every=check_every)
        with np.errstate(all="ignore"):
            step = method(self.model(**settings))
        if "product" not in settings:
            assert step.products == self.calls
        return step

    def textbook(self, tolerance: float, limit: int, *, settled: bool = False) -> Steihaug:
        """Textbook CG in the same library and precision."""
        return steihaug(self._H, self._g, float(tolerance), limit, settled=settled)

    def q(self, p: np.ndarray) -> float:
        """The model's value, in float64."""
        return float(self.g @ p + p @ self.H @ p / 2.0)

    def step_of(self, solved: ModelStep) -> np.ndarray:
        return self.host(solved.step)

    def check(self, solved: ModelStep) -> None:
        """H p, g'p, q and the norm, formed anew, are those that came with the step."""
        self.backend.assert_same_kind(solved.step, self._g)
        self.backend.assert_same_kind(solved.product, self._g)
        p, Hp = self.step_of(solved), self.host(solved.product)
        condition = np.linalg.cond(self.H) if self.H.any() else 1.0
        small = 100.0 * self.backend.eps * math.sqrt(len(p)) * (1.0 + min(condition, 1e3))
        q = self.q(p)
        length = p if self.M is None else np.linalg.solve(np.linalg.cholesky(self.M), p)
        size = np.linalg.norm(self.H, 2) * np.linalg.norm(p) + np.linalg.norm(self.g)
        assert np.linalg.norm(self.H @ p - Hp) <= small * size
        # by recurrences that rest on conjugacy, which rounding wears away
        small = max(small, math.sqrt(self.backend.eps))
        assert abs(self.g @ p - solved.slope) <= small * abs(solved.slope)
        assert abs(q + solved.decrease) <= small * abs(q)
        assert abs(np.linalg.norm(length) - solved.norm) <= small * solved.norm
        if isinstance(solved.restraint, Ball):
            assert solved.norm <= solved.restraint.radius * (1.0 + small)

    def host(self, a: Any) -> np.ndarray:
        """Read an array of the backend to float64."""
        return np.array(self.backend.to_numpy(a), dtype=np.float64)
