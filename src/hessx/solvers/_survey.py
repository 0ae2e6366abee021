"""A few evaluations at x0, which tell what a method has to reckon with."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from numbers import Real
from typing import Any

from hessx._xp import (
    Array,
    as_float,
    fetch,
    in_chunks,
    memory_at_hand,
    quiet,
    rademacher,
    space_of,
    take_value,
    to_point,
    uniform,
)
from hessx.core import EVIDENCE, Frame, Oracle, Request, Wants, check_real
from hessx.objectives import GivenOracle, HessianAt, as_oracle, make_objective
from hessx.operators import DenseOperator, Pattern, colour, lanczos, probe_pattern
from hessx.solvers._noise_level import noise_level
from hessx.solvers._situation import Situation
from hessx.solvers._unconstrained import refuse_derivatives

__all__ = ["Survey"]

_TABLE = 7  # values of a difference table
_PRODUCTS = 3  # of Lanczos
_FREE_PRODUCTS = 20  # with a matrix
_FIRST_PROBES = 20  # products by which a probe for a pattern gives a dense Hessian up
_SPREAD = 0.2  # of the sizes of the variables: where a pattern is looked for


class Survey:
    """Evaluations at x0 and close to it, as long as the budget lasts.

    Parameters
    ----------
    fun, x0, args, jac, hess, hessp, x_scale
        As in `minimize`.
    sparsity : optional
        Where the Hessian may have entries, see `Pattern.of`.
    evaluations : int
        Of f (with its gradient, where that is given) and products, together, at most.
    seconds : float
        No further evaluation begins after them.
    memory : float, optional
        Bytes at hand, in place of what the device says.
    seed : int
        Of the direction along which noise is looked for.
    """

    def __init__(
        self,
        fun: Any,
        x0: Any,
        args: tuple[Any, ...],
        jac: Any,
        hess: Any,
        hessp: Any,
        x_scale: Any,
        *,
        sparsity: Any,
        evaluations: int,
        seconds: float,
        memory: float | None,
        seed: int,
    ) -> None:
        point = to_point(x0)
        self.space = space = space_of(point)
        if isinstance(x_scale, Real):
            check_real("x_scale", x_scale, 0.0)
        scale = Frame.of(space, x_scale).scale
        self.x_scale = x_scale if scale is None else scale
        self.x, self.seed = space.flat(point), seed
        self.left, self.end = evaluations, time.perf_counter() + seconds
        self.fun, self.args, self.given = fun, args, as_oracle(fun)
        self.known = self.given is not None or jac is True or callable(jac)
        self.oracle: Oracle
        if self.given is None:
            self.oracle = make_objective(
                fun, jac, args, space, hess=hess, hessp=hessp, x_scale=x_scale
            )
        else:
            refuse_derivatives(self.given, args=args or None, jac=jac, hess=hess, hessp=hessp)
            wants = self.given.offers & EVIDENCE
            self.oracle = GivenOracle(self.given, space, wants=wants)
        self.hessian = "none"
        if Wants.HESSIAN in self.oracle.offers:
            told = self.given is not None or hessp is not None or callable(hess)
            self.hessian = "products" if told else "differences"
        self.signs = rademacher(space, seed)[0, ...]
        self.grad_norm, self.values_alone = math.nan, 0
        self.found: dict[str, Any] = {"memory": memory_at_hand(space) if memory is None else memory}
        if Wants.RESIDUAL in self.oracle.offers:
            self.found["m"] = 0
        if sparsity is not None:
            shape = None if isinstance(sparsity, Pattern) else (space.n, space.n)
            self._take_pattern(Pattern.of(sparsity, shape))

    def run(self) -> Situation:
        """Look at the start, noise, curvature and pattern, in this order."""
        if self._may(1):
            value, slope, grad = self._evaluate(self.x)
            finite = [value, self.grad_norm] if self.known else [value]
            self.found["can_start"] = all(map(math.isfinite, finite))
            if grad is not None:
                grad = self.space.copy(grad)  # may be a buffer that the next call writes again
            if self._may(_TABLE - 1):
                self._look_for_noise(value, slope)
            if self.hessian != "none" and self._may(1):
                self._look_at_curvature(grad)
        return self._situation()

    def _may(self, evaluations: int) -> bool:
        return self.left >= evaluations and time.perf_counter() < self.end

    @property
    def sizes(self) -> Array:
        """Give max(abs(x_i), x_scale_i)."""
        space, scale = self.space, self.x_scale
        size = space.xp.abs(self.x)
        return space.xp.where(size > scale, size, self.x * 0.0 + scale)

    def _evaluate(self, x: Array) -> tuple[float, float, Array | None]:
        """Give f, g'u along the signs u, and g, which is None where it is not given; one fetch."""
        space, began, slope = self.space, time.perf_counter(), math.nan
        grad: Any = None
        self.left -= 1
        if self.known:
            ticket = self.oracle.counts.values
            reply = self.oracle.answer(Request(x, ticket))
            grad = reply.grad
            with quiet():  # it need not be finite
                scalars = [reply.value, grad @ self.signs, grad @ grad]
            (f, slope, square), _ = fetch(space, scalars)
            if self.grad_norm != self.grad_norm:
                self.grad_norm = math.sqrt(square) if square >= 0.0 else math.nan
            if Wants.RESIDUAL in self.oracle.offers:
                again = Request(x, ticket + 1, Wants.RESIDUAL, evaluated=ticket)
                self.found["m"] = self.oracle.answer(again).residual.r.shape[0]
        else:
            self.values_alone += 1
            (f,), _ = fetch(space, [take_value(space, self.fun(space.for_user(x), *self.args))])
        self._timed("seconds", began)
        return f, slope, grad

    def _timed(self, name: str, began: float) -> None:
        """Keep the least of the times seen: the first call may compile."""
        seconds = time.perf_counter() - began
        self.found[name] = min(seconds, self.found.get(name, math.inf))

    def _look_for_noise(self, value: float, slope: float) -> None:
        """A difference table of f, and of g'u, along u, eps^(1/2) apart."""
        step = self.signs * self.sizes * math.sqrt(self.space.eps)
        values, slopes = [value], [slope]
        for i in range(1, _TABLE):
            if not self._may(1):
                return
            value, slope, _ = self._evaluate(self.x + step * i)
            values.append(value)
            slopes.append(slope)
        largest = max(map(abs, values))
        self.found["noise"] = noise_level(values) / largest if largest != 0.0 else 0.0
        if self.grad_norm > 0.0:
            # u'g of noise of norm s has the standard deviation s, where its entries are alike
            self.found["grad_noise"] = noise_level(slopes) / self.grad_norm

    def _look_at_curvature(self, grad: Any) -> None:
        """Ritz values of a few products, from the gradient; and what hess gives."""
        space, oracle = self.space, self.oracle
        noise = self.found.get("grad_noise", 0.0)
        if self.hessian == "differences" and noise > math.sqrt(space.eps):
            return  # products would be nothing but noise
        if not self.grad_norm < math.inf:
            return
        began = time.perf_counter()
        request = Request(self.x, oracle.counts.values, Wants.HESSIAN, grad=lambda: grad)
        H: HessianAt = oracle.answer(request).hessian
        steps = min(space.n, self.left, _PRODUCTS)
        entries = H.entries() if self.hessian == "products" else None
        if entries is not None:
            self.hessian = "sparse"
            self._take_pattern(entries[0])
        elif isinstance(H.operator, DenseOperator):
            self.hessian = "matrix"
        elif H.differences is not None:
            self.hessian = "differences"
        if self.hessian in ("sparse", "matrix"):
            fetch(space, [H(self.signs)[0]])  # the device has made it by then
            self._timed("hessian_seconds", began)
            steps = min(space.n, _FREE_PRODUCTS)
        elif "pattern" not in self.found and self._may(_PRODUCTS + 1 + _FIRST_PROBES):
            self._look_for_pattern()
        start = grad if self.grad_norm > 0.0 else self.signs
        # read one by one: beyond an invariant space differences would be along nothing
        watch = lambda: time.perf_counter() >= self.end  # noqa: E731
        run = lanczos(space, self._paid(H), start, steps, watch=watch, every=1)
        if run.finite and len(run.alpha):
            theta = run.ritz()[0]
            self.found["least"], self.found["largest"] = as_float(theta[0]), as_float(theta[-1])

    def _paid(self, H: Callable[[Array], Array]) -> Callable[[Array], Array]:
        """Products that are timed and count."""

        def product(v: Array) -> Array:
            began = time.perf_counter()
            Hv = H(v)
            fetch(self.space, [Hv[0]])
            self._timed("product_seconds", began)
            self.left -= 1
            return Hv

        return product

    def _look_for_pattern(self) -> None:
        """Where H has entries at a point that is no special one, as x0 may be."""
        space, oracle = self.space, self.oracle
        t = in_chunks(space, uniform(space, (self.seed, 1), space.n))
        x = self.x + self.sizes * (t - 0.5) * _SPREAD
        H = oracle.answer(Request(x, oracle.counts.values, Wants.HESSIAN)).hessian
        most = self.left - _PRODUCTS - 1
        probe = probe_pattern(space, H, max_products=most, seed=self.seed)
        self.left -= probe.products + 1
        self._take_pattern(probe.pattern)

    def _take_pattern(self, pattern: Pattern | None) -> None:
        if pattern is not None:
            self.found["pattern"], self.found["colours"] = pattern, colour(pattern).count

    def _situation(self) -> Situation:
        space, counts = self.space, self.oracle.counts
        return Situation(
            n=space.n,
            library=space.kind_name,
            device=str(space.device),
            dtype=space.host_dtype.name,
            eps=space.eps,
            gradient="given" if self.known else "differences",
            hessian=self.hessian,
            N=getattr(self.given, "N", None),
            counts=replace(counts, values=counts.values + self.values_alone),
            **self.found,
        )
