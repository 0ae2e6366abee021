"""What the study knows of a method."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hessx.study.metering import Meter
from hessx.study.posed import Known
from hessx.study.running import Solve

__all__ = ["FAMILIES", "Method", "Options", "family"]

Options = Mapping[str, Any]

# name, and what a step keeps and takes
FAMILIES = {
    "gradient": "A is a number; some vectors are kept, and a step takes some operations with them.",
    "conjugate": "Directions from the last one; some vectors are kept.",
    "diagonal": "A is a diagonal learnt from steps; some vectors are kept.",
    "limited memory": "A from the last m steps; 2 m vectors are kept, and a step passes over them.",
    "quasi-Newton": "A from all steps; n^2 numbers are kept, and a step takes some n^2 operations.",
    "Newton": "The Hessian as a matrix: n products, or a colour each, and its decomposition.",
    "Newton-CG": "The Hessian by its products alone, some for each step; some vectors are kept.",
    "least squares": "J'J of residuals, and perhaps what steps tell of the rest.",
    "sampled curvature": "The Hessian by some random products; some vectors are kept.",
    "whole gradient": "A first-order rule with a given rate on the whole gradient: no search.",
    "stochastic": "A rule with a given rate on the gradients of samples.",
    "combined": "One method after another, or one as the preconditioner of another.",
    "peer": "Another package's.",
}


@dataclass(frozen=True)
class Method:
    """A way to minimise.

    Attributes
    ----------
    name : str
        By which `find_method` finds it.
    title : str
        For the report.
    bind : callable
        ``bind(meter, options)`` gives a `Solve` for a metered problem; options are the solver's,
        beside the tolerances and limits that the study sets.
    family : str
        One of `FAMILIES`.
    needs : Known, optional
        What has to be known of the problem.
    backends : tuple of str
        Where it runs; empty for everywhere.
    package : str
        What has to be installed, as it is imported.
    peer_of : str
        The package whose method it is; empty for hessx's own.
    rate : float, optional
        The default of a rate that a study looks for; None where there is none to be looked for.
    smallest_n, largest_n : float
        Bounds on the number of variables that it is run with.
    usual_n : float
        The largest where nobody has asked for it by name: with more it takes its time.
    usual_backends : tuple of str
        Where it is run if nobody has asked for it; empty for everywhere.
    usual_on_sums : bool
        Whether it is run on sums over rows where nobody has asked for it.
    """

    name: str
    title: str
    bind: Callable[[Meter, Options], Solve]
    family: str = "gradient"
    needs: Known | None = None
    backends: tuple[str, ...] = ()
    package: str = "hessx"
    peer_of: str = ""
    rate: float | None = None
    smallest_n: int = 1
    largest_n: float = math.inf
    usual_n: float = math.inf
    usual_backends: tuple[str, ...] = ()
    usual_on_sums: bool = False

    @property
    def missing(self) -> str:
        """Say which package is not installed; empty if none is missing."""
        found = importlib.util.find_spec(self.package)
        return "" if found is not None else f"{self.peer_of or self.package} is not installed"

    def fits(self, n: int, backend: str = "numpy", known: Collection[Known] = ()) -> bool:
        """Tell whether it is meant for a problem of n variables on a backend, installed or not."""
        return (
            self.smallest_n <= n <= self.largest_n
            and (self.needs is None or self.needs in known)
            and (not self.backends or backend in self.backends)
        )

    def suits(self, n: int, backend: str = "numpy", known: Collection[Known] = ()) -> bool:
        """Tell whether it fits and is installed."""
        return self.fits(n, backend, known) and not self.missing


def family(name: str, *methods: Method) -> tuple[Method, ...]:
    """Put methods into a family."""
    return tuple(replace(method, family=name) for method in methods)
