"""Which method for a problem: a few evaluations, and a ranked answer with its reasons."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, overload

from hessx.core import Oracle, Result, check_integer, check_real
from hessx.hessians import as_approximation
from hessx.solvers._advice import Advice, advise
from hessx.solvers._minimize import minimize
from hessx.solvers._situation import Situation, bytes_in_words
from hessx.solvers._survey import Survey

__all__ = ["Recommendation", "Recommended", "recommend"]


class Recommendation(Sequence["Recommended"]):
    """Methods for a problem, the best first.

    A sequence of what suits; `print` shows it with the facts that it is based on.

    Attributes
    ----------
    situation : Situation
        What was found out.
    left_out : list of Advice
        What does not suit, and why.
    """

    def __init__(
        self, situation: Situation, advice: list[Advice], fun: Any, x0: Any, given: dict[str, Any]
    ) -> None:
        self.situation = situation
        self.left_out = [a for a in advice if not a.suited]
        self._fun, self._x0 = fun, x0
        self._ranked = [Recommended(a, given) for a in advice if a.suited]

    @overload
    def __getitem__(self, i: int) -> Recommended: ...
    @overload
    def __getitem__(self, i: slice) -> list[Recommended]: ...
    def __getitem__(self, i: int | slice) -> Recommended | list[Recommended]:
        """Give the method of a rank, 0 the best."""
        return self._ranked[i]

    def __len__(self) -> int:
        """Count the methods that suit."""
        return len(self._ranked)

    @property
    def best(self) -> Recommended:
        """The first."""
        return self._ranked[0]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """A flat record for each method, those left out last, with the numbers behind its place.

        ``rank`` (None where left out), ``method``, ``suited``, ``reason``, ``memory`` in bytes, and
        from runs on 77 problems of CUTEst ``near_best_of_77`` and ``mean_calls``.
        """
        ranked = [{"rank": i, **r.advice.row} for i, r in enumerate(self._ranked, 1)]
        return ranked + [{"rank": None, **a.row} for a in self.left_out]

    def run(self, **more: Any) -> Result:
        """Minimise by the best method.

        Parameters
        ----------
        **more
            For `minimize`; its ``options`` beside those recommended.
        """
        options = {**self.best.arguments["options"], **(more.pop("options", None) or {})}
        arguments = {**self.best.arguments, "options": options, **more}
        return minimize(self._fun, self._x0, **arguments)

    def __str__(self) -> str:
        """Say the methods with their reasons, and the facts."""
        lines = [f"recommended: {self.best.name}"]
        lines += [f"  {i}. {r.name}: {r.reason}" for i, r in enumerate(self._ranked, 1)]
        lines += [f"  not {a.name}: {a.reason}" for a in self.left_out]
        lines.append("because of")
        lines += [f"  {name}: {words}" for name, words in self.situation.facts]
        counts = self.situation.counts
        spent = f"{counts.values} values, {counts.gradients} gradients, {counts.products} products"
        return "\n".join([*lines, f"seen in {spent}"])

    __repr__ = __str__


class Recommended:
    """A method that is recommended.

    Attributes
    ----------
    name, reason : str
        The method, and why it stands where it stands.
    memory : str
        What it takes, in words.
    advice : Advice
        The same with all its numbers.
    arguments : dict
        For ``minimize(fun, x0, **arguments)``: ``method``, ``options``, and what was given to
        `recommend`.
    """

    __slots__ = ("advice", "arguments")

    def __init__(self, advice: Advice, given: dict[str, Any]) -> None:
        self.advice = advice
        named = isinstance(advice.method, str)
        kept = {k: v for k, v in given.items() if named or k != "x_scale"}
        self.arguments = {**kept, "method": advice.method, "options": dict(advice.options)}

    @property
    def name(self) -> str:
        """The name of the method."""
        return self.advice.name

    @property
    def reason(self) -> str:
        """Why."""
        return self.advice.reason

    @property
    def memory(self) -> str:
        """What it takes, in words."""
        return bytes_in_words(self.advice.memory)

    def __repr__(self) -> str:
        """Say name and reason."""
        return f"{self.name}: {self.reason}"


def recommend(
    fun: Callable[..., Any] | Oracle,
    x0: Any,
    args: Any = (),
    *,
    jac: Any = None,
    hess: Any = None,
    hessp: Any = None,
    sparsity: Any = None,
    x_scale: Any = None,
    evaluations: int = 10,
    seconds: float = 60.0,
    memory: float | None = None,
    seed: int = 0,
) -> Recommendation:
    r"""Recommend methods for a problem, by what is given of it and a few evaluations at x0.

    Looked at are n, library, device and dtype; which derivatives there are and what they cost; the
    noise of f and of its gradient; curvature along a few directions; a sparse Hessian; memory.

    Parameters
    ----------
    fun, x0, args, jac, hess, hessp
        As in `minimize`; fun may be a `SumOfSquares`, a `FiniteSum` or another oracle.
    sparsity : optional
        Where the Hessian may have entries: a `Pattern`, or what becomes one.
    x_scale : float, array or tree, optional
        As in `minimize`.
    evaluations : int
        Of f (with its gradient, where that is given) and products together, at most, >= 0: 1 for
        values and costs, 6 for noise, 3 for curvature, and from 31 on the others for a sparse
        Hessian.  0: by what is given alone.
    seconds : float
        Nothing further is evaluated after them, > 0.
    memory : float, optional
        Bytes at hand, > 0; by default what the device says.  A method may take half of it.
    seed : int
        Of random directions, >= 0.

    Returns
    -------
    Recommendation
        A sequence, the best method first; ``run()`` minimises by it.

    Raises
    ------
    TypeError, ValueError
        As in `minimize`; an approximation as hess.
    SettingsError
        A number outside of its range.

    Notes
    -----
    The rules, and what they are based on, are those of docs/recommend.md; f noisy beyond eps^(1/2)
    goes before all others.  Noise is the standard deviation by a table of differences of 7 values,
    eps^(1/2) max(abs(x_i), x_scale_i) apart along random signs.  Where gradients are differences,
    none is taken: values alone tell n, noise and cost.

    Cost: what ``evaluations`` says, one call of hess (products with its matrix are free), and a
    fetch for each evaluation, two for each product.

    References
    ----------
    More & Wild (2011), Estimating computational noise, SIAM J. Sci. Comput. 33, section 3.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> h = np.linspace(1.0, 9.0, 50)
    >>> found = hessx.recommend(lambda x: (h @ x**4, 4 * h * x**3), np.ones(50), jac=True)
    >>> found.best.name, found.situation.counts.values
    ('lbfgs', 10)
    >>> result = found.run()
    >>> result.success
    True
    """
    evaluations = check_integer("evaluations", evaluations)
    seconds = check_real("seconds", seconds, 0.0, math.inf, "(]")
    if memory is not None:
        memory = check_real("memory", memory, 0.0, math.inf, "(]")
    seed = check_integer("seed", seed)
    learnt = as_approximation(hess)
    if learnt is not None:
        name = type(learnt).__name__
        msg = f"hess is {name}(), which is part of a method: expected hess(x), or None"
        raise TypeError(msg)
    args = args if isinstance(args, tuple) else (args,)
    survey = Survey(
        fun, x0, args, jac, hess, hessp, 1.0 if x_scale is None else x_scale,
        sparsity=sparsity, evaluations=evaluations, seconds=seconds, memory=memory, seed=seed,
    )  # fmt: skip
    situation = survey.run()
    given = {"args": args, "jac": jac, "hess": hess, "hessp": hessp, "x_scale": x_scale}
    if survey.given is not None:
        given = {"x_scale": x_scale}
    return Recommendation(
        situation, advise(situation, 1.0 if x_scale is None else x_scale), fun, x0, given
    )
