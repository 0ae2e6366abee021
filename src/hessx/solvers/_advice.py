"""Which methods suit a situation, in which order, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from hessx.globalization import HagerZhang, NonMonotoneAverage
from hessx.hessians import LBFGS
from hessx.solvers._automatic import LARGEST_LM, SMALLEST_LIMITED
from hessx.solvers._line_search_method import LineSearchMethod
from hessx.solvers._situation import Situation, bytes_in_words

__all__ = ["Advice", "advise"]

_CHEAP_PRODUCT = 0.5
"""Of value and gradient: what a product may cost before L-BFGS, without any, is cheaper."""
_SHORT = 1e-3
"""Seconds: what takes less costs no more than the steps themselves."""
_CHEAP_HESSIAN = 2.5
"""The same of a Hessian by hess, of which one is taken per step."""
_STEPS_UNSEEN = 4
"""Of CG between two looks of the host at a device: a third of the waits for few products more."""
_FEW_COLOURS = 10
"""Products for a Hessian on a pattern that a step of Newton's saves again."""
_LARGEST_DENSE = 2000
"""Variables of which a matrix is no trouble yet: n^2 operations a step."""
_LARGEST_EXACT = 200
"""Variables of which a matrix is factorised in no time."""

# Near the best value of 77 problems of CUTEst, n from 2 to 1000, and the geometric mean of the
# calls of f and g and the products that a value within 1e-6 took; see docs/recommend.md.
_TRIED = {
    "bfgs": (73, 41.6),
    "lbfgs": (72, 39.9),
    "newton-cg": (73, 39.4),
    "trust-ncg": (69, 45.2),
    "trust-bfgs": (68, 53.4),
    "trust-exact": (67, 176.2),
}


@dataclass(frozen=True, slots=True)
class Advice:
    """A method that suits, or does not.

    Attributes
    ----------
    name : str
        Of the method, as the study calls it.
    reason : str
        Why it stands where it stands.
    method : str or composition
        For `minimize`.
    options : dict
        That it needs.
    memory : float
        Bytes that it takes, about.
    suited : bool
        False: it is left out, and the reason says why.
    """

    name: str
    reason: str
    method: Any
    options: dict[str, Any] = field(default_factory=dict)
    memory: float = 0.0
    suited: bool = True

    @property
    def row(self) -> dict[str, Any]:
        """What the place is based on, as a flat record; None where nothing is known."""
        near_best, calls = _TRIED.get(self.name, (None, None))
        return {
            "method": self.name,
            "suited": self.suited,
            "reason": self.reason,
            "memory": self.memory,
            "near_best_of_77": near_best,
            "mean_calls": calls,
        }


def advise(situation: Situation, x_scale: Any) -> list[Advice]:
    """Rank the methods that come into question, those that suit first.

    Parameters
    ----------
    situation : Situation
        The facts.
    x_scale : float or array
        For compositions, which take it themselves.

    Returns
    -------
    list of Advice
        At least one that suits.
    """
    s = situation
    ranked = [_made(s, x_scale, name, reason) for name, reason in _order(s)]
    least = min(a.memory for a in ranked)
    fitting = [a for a in ranked if a.memory <= max(s.memory / 2.0, least)]
    large = [
        Advice(a.name, _too_large(a, s), a.method, a.options, a.memory, suited=False)
        for a in ranked
        if a not in fitting
    ]
    last = [Advice(name, reason, name, suited=False) for name, reason in _impossible(s)]
    return [*fitting, *large, *last]


def _order(s: Situation) -> Iterator[tuple[str, str]]:
    """Names and reasons, the best first."""
    if s.noisy:
        yield from _of_noise(s)
    elif s.m is not None:
        yield from _of_squares(s)
    elif s.hessian in ("matrix", "sparse", "products") or (s.colours and s.hessian != "none"):
        yield from _of_products(s)
    elif s.gradient == "given":
        yield from _of_gradients(s)
    else:
        yield from _of_values(s)
    if s.N is not None:
        size = min(32, s.N)
        rows = f"a step on {size} of the {s.N} rows costs {size / s.N:.2g} of a whole one"
        yield "svrg", f"{rows}: for the first digits; its rate is to be found, hessx.tune"


def _of_noise(s: Situation) -> Iterator[tuple[str, str]]:
    what = "f" if not s.grad_noise > s.eps**0.5 else "the gradient"
    average = "a line search against an average of values accepts what a strict one refuses"
    yield "lbfgs-average", f"{what} is noisy: {average}, and its steps still learn the curvature"
    yield "prodigy", "steps that read no values, at a rate that finds itself"
    yield "momentum", "steps that read no values; its rate is to be found, hessx.tune"
    yield "lbfgs", "as far as the noise allows"


def _of_squares(s: Situation) -> Iterator[tuple[str, str]]:
    exact = "lm", "residuals: J'J is most of the Hessian, and the region takes it exactly"
    by_cg = "lm-cg", "J'J by products, no matrix of n^2 numbers"
    yield from (exact, by_cg) if s.n <= LARGEST_LM else (by_cg, exact)
    yield "lbfgs", "takes the sum of squares for any function"


def _of_products(s: Situation) -> Iterator[tuple[str, str]]:
    dense, sparse = s.hessian == "matrix", s.colours > 0
    if sparse and (s.hessian == "sparse" or s.colours <= _FEW_COLOURS):
        how = "one product makes it" if s.colours == 1 else f"{s.colours} products make it"
        how = "hess gives it" if s.hessian == "sparse" else how
        yield "sparse-newton", f"the Hessian is sparse, {how}: its factors solve every step"
    seconds, cost, cheap = s.product_seconds, s.product_cost, _CHEAP_PRODUCT
    if dense:
        seconds, cost, cheap = s.hessian_seconds, s.hessian_cost, _CHEAP_HESSIAN
    dear = s.hessian == "differences" or (seconds > _SHORT and cost > cheap)
    lbfgs = "lbfgs", _about_dear(s) if dear else "where gradients alone are to do"
    newton = "newton-cg", _about_cheap(s)
    yield from (lbfgs, newton) if dear else (newton,)
    yield "trust-ncg", "the same steps in a region, for functions that curve down"
    if dense and s.n <= _LARGEST_EXACT:
        yield "trust-exact", "the exact step in the region, where n is small"
    if not dear:
        yield lbfgs


def _about_dear(s: Situation) -> str:
    if s.hessian == "differences":
        return "no products are given, and by differences each costs a gradient"
    cost = s.hessian_cost if s.hessian == "matrix" else s.product_cost
    what = "one Hessian" if s.hessian == "matrix" else "one product"
    return f"{what} costs {cost:.2g} of value and gradient: gradients alone are cheaper"


def _about_cheap(s: Situation) -> str:
    dense = s.hessian == "matrix"
    cost = s.hessian_cost if dense else s.product_cost
    what = "the Hessian is given" if dense else "products with the Hessian are given"
    if s.hessian == "differences":
        what = "products by differences of gradients"
    known = f", each for {cost:.2g} of value and gradient" if cost == cost else ""
    falls = s.least < -(s.eps**0.5) * abs(s.largest)
    down = "; f curves down at x0, which it follows" if falls else ""
    return f"{what}{known}{down}"


def _of_gradients(s: Situation) -> Iterator[tuple[str, str]]:
    yield from _by_steps(s, "gradients alone")
    if s.hessian != "none":
        yield "newton-cg", "each product by a difference of gradients: dear, and most robust"
    yield "cg", "the least memory"


def _of_values(s: Situation) -> Iterator[tuple[str, str]]:
    yield from _by_steps(s, f"values alone, {s.n} + 1 for each gradient")
    yield "cg", "the least memory"


def _by_steps(s: Situation, given: str) -> Iterator[tuple[str, str]]:
    """BFGS or L-BFGS, which learn the curvature from the steps."""
    limited = "lbfgs", f"{given}: curvature from the last steps, about one evaluation for each"
    dense = "bfgs", f"{given}: curvature from all steps, in a matrix of {s.n}^2 numbers"
    if s.n < SMALLEST_LIMITED:
        yield from (dense, limited)
    elif s.n <= _LARGEST_DENSE:
        yield from (limited, dense)
    else:
        yield limited


def _impossible(s: Situation) -> Iterator[tuple[str, str]]:
    if s.hessian == "none" and s.gradient == "differences":
        yield "newton-cg", "products need hessp, hess, or a gradient to take differences of"
    if s.n > _LARGEST_DENSE and s.m is None:
        yield "bfgs", f"{s.n}^2 numbers to update at every step"


def _too_large(advice: Advice, s: Situation) -> str:
    return f"takes {bytes_in_words(advice.memory)} of {bytes_in_words(s.memory)} at hand"


def _made(s: Situation, x_scale: Any, name: str, reason: str) -> Advice:
    """Give the method with what it needs here."""
    method: Any = name
    options: dict[str, Any] = {}
    if name == "lbfgs-average":
        rule = NonMonotoneAverage(HagerZhang())
        method = LineSearchMethod(LBFGS(), rule, x_scale)
    if s.remote and name in ("newton-cg", "trust-ncg"):
        options["check_every"] = _STEPS_UNSEEN
    if name == "sparse-newton":
        options["pattern"] = s.pattern
    if s.gradient == "differences" and s.noise > s.eps:
        options["finite_diff_rel_step"] = s.noise**0.5
    return Advice(name, reason, method, options, _NUMBERS[name](s) * s.itemsize)


def _vectors(count: int) -> Callable[[Situation], float]:
    return lambda s: count * s.n


def _pairs(s: Situation) -> float:
    """2 m + 11 vectors of L-BFGS."""
    memory = min(256, max(10, 2**17 // s.n))
    return (2.0 * memory + 11.0) * s.n


_NUMBERS: dict[str, Callable[[Situation], float]] = {
    "lbfgs": _pairs,
    "lbfgs-average": _pairs,
    "bfgs": lambda s: 4.0 * s.n**2,
    "cg": _vectors(8),
    "newton-cg": _vectors(14),
    "trust-ncg": _vectors(14),
    "trust-exact": lambda s: 5.0 * s.n**2,
    "sparse-newton": lambda s: 10.0 * s.pattern.nnz + 14.0 * s.n,
    "lm": lambda s: 4.0 * s.n * (s.m or s.n),
    "lm-cg": lambda s: 2.0 * s.n * (s.m or s.n),
    "prodigy": _vectors(8),
    "momentum": _vectors(5),
    "svrg": _vectors(6),
}
