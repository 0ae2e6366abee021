"""What a name that is not known may have meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["hint"]

# What the options are called elsewhere.
_ELSEWHERE = {
    "lr": "rate",
    "learning_rate": "rate",
    "step_size": "rate",
    "betas": "beta1",
    "b1": "beta1",
    "b2": "beta2",
    "alpha": "beta",
    "rho": "beta",
    "centered": "centred",
    "max_epochs": "epochs",
    "n_epochs": "epochs",
    "num_epochs": "epochs",
    "max_iter": "maxiter",
    "random_state": "seed",
    "clip_grad_norm": "clip_norm",
    "max_norm": "clip_norm",
}


def hint(given: str, known: Iterable[str]) -> str:
    """Give " (did you mean 'rate'?)", or nothing.

    Examples
    --------
    >>> from hessx.solvers._hints import hint
    >>> hint("lr", ["rate", "epochs"]), hint("epoch", ["rate", "epochs"]), hint("x", ["rate"])
    (" (did you mean 'rate'?)", " (did you mean 'epochs'?)", '')
    """
    names = [*known]
    name = _ELSEWHERE.get(given.lower())
    close = [name] if name in names else get_close_matches(given.lower(), names, 1, 0.8)
    return f" (did you mean {close[0]!r}?)" if close else ""
