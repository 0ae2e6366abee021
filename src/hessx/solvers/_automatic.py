"""What "auto" does, by what is known before anything is evaluated."""

from __future__ import annotations

from hessx.hessians import Approximation

__all__ = ["LARGEST_LM", "SMALLEST_LIMITED", "automatic"]

SMALLEST_LIMITED = 6
"""Variables from which L-BFGS does as well as BFGS, whose matrix is then no longer for free."""
LARGEST_LM = 1000
"""Variables of which a factor of J, m n^2 operations, still costs no minute."""


def automatic(
    n: int, *, products: bool, residuals: bool, learnt: Approximation | None
) -> tuple[tuple[str, ...], str]:
    """Give the names that suit, the best first, and why.

    Parameters
    ----------
    n : int
        Variables.
    products : bool
        Whether hess or hessp is given, or an oracle offers the Hessian.
    residuals : bool
        Whether fun is a sum of squares.
    learnt : Approximation, optional
        Given as hess.

    Returns
    -------
    names, reason : tuple of str, str
        The reason is that of the first.

    Notes
    -----
    On the 77 problems of a list of CUTEst that end within seconds (n from 2 to 1000), and from
    three sets of starts moved by a tenth: with products "newton-cg" came near the best value
    73, 68, 69 and 66 times, "trust-ncg" 69, 68, 67 and 67 times, at the mean costs of
    39.4, 48.1, 46.9 and 53.5 against 45.2, 55.6, 46.3 and 52.4 calls.  Without them "lbfgs" did so
    72, 70, 69 and 68 times, with "bfgs" up to 5 variables 73, 70, 70 and 68 times.

    Examples
    --------
    >>> from hessx.solvers._automatic import automatic
    >>> automatic(1000, products=False, residuals=False, learnt=None)
    (('lbfgs', 'bfgs'), 'no products with the Hessian are given')
    """
    if learnt is not None:
        return ("trust-ncg",), f"hess is {type(learnt).__name__}()"
    if residuals:
        if n > LARGEST_LM:
            return ("lm-cg", "lm"), f"fun is a sum of squares of {n} variables"
        return ("lm", "lm-cg"), "fun is a sum of squares"
    if products:
        return ("newton-cg", "trust-ncg"), "products with the Hessian are given"
    if n < SMALLEST_LIMITED:
        few = f"there are only {n} variables" if n > 1 else "there is one variable"
        return ("bfgs", "lbfgs"), f"{few}, and no products with the Hessian"
    return ("lbfgs", "bfgs"), "no products with the Hessian are given"
