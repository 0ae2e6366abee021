"""What is known of a problem before it is solved: the facts that a method is chosen by."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hessx.core import Counts

__all__ = ["Situation", "bytes_in_words", "seconds_in_words"]

_NOISY = 1 / 2  # power of eps: noise above it is no rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What is known of a problem, given or measured in a few evaluations at x0.

    Attributes
    ----------
    n : int
        Variables.
    library, device, dtype : str
        Where x lives.
    eps : float
        Of the dtype.
    gradient : {"given", "differences"}
        Where gradients come from.
    hessian : {"matrix", "sparse", "products", "differences", "none"}
        Where products with the Hessian come from: a dense or sparse matrix, products that are
        given, differences of gradients, or nowhere.
    m, N : int, optional
        Residuals of a sum of squares, 0 before they are counted, and rows of a finite sum.
    pattern : Pattern, optional
        Where the Hessian may have entries.
    colours : int
        Products that make a Hessian on it; 0 without one.
    memory : float
        Bytes at hand on the device; inf where not known.
    can_start : bool
        Whether value and gradient at x0 are finite, as far as they were evaluated.
    seconds, hessian_seconds, product_seconds : float
        Of value and gradient together, of one call of hess, of one product; the least seen, nan
        where none was.
    noise, grad_noise : float
        Standard deviation of the noise of f, relative to abs(f), and of the gradient, relative to
        its norm; nan where not known.
    least, largest : float
        Curvatures between which others lie, by a few products; nan without.
    counts : Counts
        What was evaluated.
    """

    n: int
    library: str
    device: str
    dtype: str
    eps: float
    gradient: str
    hessian: str
    m: int | None = None
    N: int | None = None
    pattern: Any = None
    colours: int = 0
    memory: float = math.inf
    can_start: bool = True
    seconds: float = math.nan
    hessian_seconds: float = math.nan
    product_seconds: float = math.nan
    noise: float = math.nan
    grad_noise: float = math.nan
    least: float = math.nan
    largest: float = math.nan
    counts: Counts

    @property
    def remote(self) -> bool:
        """Whether the host has to wait for the numbers of x's device."""
        return "cpu" not in self.device.lower()

    @property
    def noisy(self) -> bool:
        """Whether f, or a gradient that is given, is noisy beyond eps^(1/2)."""
        level = self.eps**_NOISY
        return self.noise > level or (self.gradient == "given" and self.grad_noise > level)

    @property
    def product_cost(self) -> float:
        """One product in units of value and gradient; nan where one of them was not timed."""
        return self.product_seconds / self.seconds if self.seconds > 0.0 else math.nan

    @property
    def hessian_cost(self) -> float:
        """One call of hess in the same units."""
        return self.hessian_seconds / self.seconds if self.seconds > 0.0 else math.nan

    @property
    def itemsize(self) -> int:
        """Bytes of a number."""
        return 8 if self.eps < 2.0**-30 else 4

    @property
    def facts(self) -> list[tuple[str, str]]:
        """The facts as (name, words), those that are not known left out."""
        words = [
            (
                "x0",
                "" if self.can_start else "value or gradient is not finite: no run begins there",
            ),
            ("variables", f"{self.n}, {self.dtype}, {self.library} on {self.device}"),
            ("gradient", self.gradient if self.gradient == "given" else "by differences of values"),
            ("Hessian", _HESSIAN[self.hessian]),
            ("residuals", "" if self.m is None else str(self.m or "a sum of squares")),
            ("rows of the sum", "" if self.N is None else str(self.N)),
            ("pattern", self.colours and f"{self.pattern.nnz} entries, {_counted(self.colours)}"),
            ("memory at hand", self.memory < math.inf and bytes_in_words(self.memory)),
            (
                "value and gradient" if self.gradient == "given" else "value",
                self._lasts(self.seconds),
            ),
            ("one Hessian", self._lasts(self.hessian_seconds)),
            ("one product", self._lasts(self.product_seconds)),
            ("noise of f", _relative(self.noise, "abs(f)")),
            ("noise of the gradient", _relative(self.grad_noise, "its norm")),
            (
                "curvature",
                self.least == self.least and f"from {self.least:.3g} to {self.largest:.3g}",
            ),
        ]
        return [(name, str(text)) for name, text in words if text]

    def _lasts(self, seconds: float) -> str:
        return seconds_in_words(seconds) if seconds == seconds else ""


_HESSIAN = {
    "matrix": "hess gives a dense matrix",
    "sparse": "hess gives a sparse matrix",
    "products": "products are given",
    "differences": "products by differences of gradients",
    "none": "",
}


def _counted(colours: int) -> str:
    return "1 colour" if colours == 1 else f"{colours} colours"


def _relative(noise: float, of: str) -> str:
    return f"{noise:.2g} of {of}" if noise == noise else ""


def bytes_in_words(size: float) -> str:
    """Say bytes by the unit that suits."""
    power = max(0, min(4, math.floor(math.log2(max(size, 1.0)) / 10)))
    return f"{size / 1024.0**power:.3g} {('B', 'KiB', 'MiB', 'GiB', 'TiB')[power]}"


def seconds_in_words(seconds: float) -> str:
    """Say seconds by the unit that suits."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.3g} us"
    return f"{seconds * 1e3:.3g} ms" if seconds < 1.0 else f"{seconds:.3g} s"
