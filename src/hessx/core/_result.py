"""What the user gets back."""

from __future__ import annotations

from typing import Any

__all__ = ["Result"]


class Result(dict[str, Any]):
    """A dict whose entries are attributes too, as SciPy's ``OptimizeResult``.

    Attributes
    ----------
    x, fun, jac : array, float, array
        The returned point, its value and gradient.
    nit, nfev, njev, nhev : int
        Iterations and evaluations of f, gradient and Hessian products.
    success, status, message : bool, int, str
        Whether a stated tolerance holds at x, SciPy's integer, and the numbers that decided.
    outcome : Outcome
        The same as an enumeration.
    counts : Counts
        Evaluations by kind.
    history : History, optional
        With ``history=True``.
    allvecs : list of arrays, optional
        With the option ``return_all``: the accepted points, the start first.
    hess_inv : operator or array, optional
        The inverse Hessian approximation at the end, where the method has one: an array, shape
        (n, n), of dense ones such as `BFGS`, else an operator.
    checkpoint : Checkpoint
        The run as it ended, for ``minimize(..., resume=checkpoint)``; it holds the arrays of the
        method's state.

    Raises
    ------
    AttributeError
        There is no such entry; those that there are are named.

    Examples
    --------
    >>> import hessx
    >>> result = hessx.minimize(lambda x: x @ x, [3.0, 4.0], jac=lambda x: 2 * x)
    >>> result.fun == result["fun"], "history" in result
    (True, False)
    """

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError as error:
            msg = f"no entry {name!r}; there are {', '.join(self)}"
            raise AttributeError(msg) from error

    __setattr__ = dict.__setitem__
    __delattr__ = dict.__delitem__

    def __dir__(self) -> list[str]:
        return [*self, *dir(dict)]

    def __repr__(self) -> str:
        width = max((len(name) for name in self), default=0)
        return "\n".join(f"{name.rjust(width)}: {_short(entry)}" for name, entry in self.items())


def _short(entry: Any) -> str:
    text = repr(entry)
    return text if len(text) <= 300 else text[:297] + "..."
