"""H at a point, beside which approximations are measured: as a matrix, or by products."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from hessx._xp import Array, Space, fetch, rademacher
from hessx.comparison._learners import Learner
from hessx.comparison._matrices import (
    Eigenvalues,
    Numbers,
    error_of,
    norm,
    ratio,
    spectrum_numbers,
    step_numbers,
)
from hessx.comparison._place import Place
from hessx.comparison._products import (
    ends_of,
    pencil_ends,
    products_of,
    quantiles_of,
    root_of_ratio,
    squares_of,
)
from hessx.krylov import invert

__all__ = ["BETWEEN", "MatrixOf", "ProductsOf", "Settings", "product_of", "secant_error"]

BETWEEN = "between"


@dataclass(frozen=True)
class Settings:
    """How H and B are compared.

    Attributes
    ----------
    dense : int
        Up to so many variables by matrices.
    probes : int
        Random vectors, beyond.
    products : int
        Of each Lanczos process, beyond.
    seed : int
        Of the vectors.
    """

    dense: int = 500
    probes: int = 30
    products: int = 60
    seed: int = 0


def product_of(space: Space, learner: Learner, v: Array) -> Array:
    """B v; where only B^-1 is known by conjugate gradients."""
    apply = learner.matvec
    return invert(space, learner.solve, v) if apply is None else apply(v)  # type: ignore[arg-type]


def secant_error(place: Place, after: Place, learner: Learner) -> float:
    """norm(B s - y) / norm(y); one fetch."""
    space, s, y = place.problem.space, after.x - place.x, after.grad - place.grad
    off = product_of(space, learner, s) - y
    (above, below), _ = fetch(space, [off, y])
    return ratio(norm(above), norm(below))


class MatrixOf:
    """H as a matrix of the host.

    Parameters
    ----------
    place : Place
        The point.
    settings : Settings
        Nothing of them counts here.

    Notes
    -----
    Cost: n products with H, or none where it is a matrix, and one fetch of n^2 numbers; n^3
    operations on the host, for H and for each approximation.
    """

    exact = True

    def __init__(self, place: Place, settings: Settings) -> None:  # noqa: ARG002
        self.space: Space = place.problem.space
        xp, n = self.space.xp, self.space.n
        (entries, self.g), _ = fetch(
            self.space, [xp.reshape(place.hessian.dense(), (-1,)), place.grad]
        )
        self.place, self.H = place, entries.reshape(n, n)
        self.eigenvalues = Eigenvalues.of(self.H, self.space.eps)

    def numbers(self) -> Numbers:
        """What is to be said of H alone."""
        return self.eigenvalues.numbers("hessian_")

    def take(self, learner: Learner) -> np.ndarray:
        """Give B as what `compare` and `added` work with."""
        return learner.matrix(self.space)

    def compare(self, B: np.ndarray, learner: Learner) -> Numbers:  # noqa: ARG002
        """Give errors and spectra of B beside H."""
        return _compared(B, self.H, self.space.eps)

    def added(self, B: np.ndarray, before: np.ndarray | None) -> Numbers:
        """Say what this link of a chain adds; the first is beside H itself."""
        off = B - (self.H if before is None else before)
        return {"added": ratio(norm(off), norm(self.H)), "added_deviation": 0.0}

    def step(self, B: np.ndarray, learner: Learner, after: Place) -> Numbers:  # noqa: ARG002
        """Compare along the step to the next point; one fetch."""
        (s,), _ = fetch(self.space, [after.x - self.place.x])
        return step_numbers(B @ s, self.H @ s, s, self.g, self.place.value - after.value)

    def blocks(self, B: np.ndarray, learner: Learner) -> list[tuple[str, int, Numbers]]:  # noqa: ARG002
        """Compare the diagonal blocks of the leaves of x, and what is between them."""
        spans, found = _leaves_of(self.space), []
        outside = np.ones_like(self.H, dtype=bool)
        for name, span in spans if len(spans) > 1 else ():
            H_block, B_block = self.H[span, span], B[span, span]
            outside[span, span] = False
            eigenvalues = Eigenvalues.of(H_block, self.space.eps)
            numbers = _compared(B_block, H_block, self.space.eps)
            found.append((name, len(H_block), eigenvalues.numbers("hessian_") | numbers))
        if found:
            rest = error_of(B * outside, self.H * outside)
            found.append((BETWEEN, self.space.n, rest))
        return found


def _compared(B: np.ndarray, H: np.ndarray, eps: float) -> Numbers:
    numbers = error_of(B, H)
    eigenvalues = Eigenvalues.of(B, eps)
    numbers |= eigenvalues.numbers()
    w = eigenvalues.preconditioned(H)
    return numbers if w is None else numbers | spectrum_numbers(w, "preconditioned_")


class ProductsOf:
    """H by its products with random vectors.

    Parameters
    ----------
    place : Place
        The point.
    settings : Settings
        How many vectors and products.

    Notes
    -----
    Cost: ``probes`` products for norms, as many for each leaf of a tree, and 3 ``products`` for
    eigenvalues, with H; of B as many.
    """

    exact = False

    def __init__(self, place: Place, settings: Settings) -> None:
        self.space: Space = place.problem.space
        self.place, self.settings = place, settings
        self.Z = rademacher(self.space, (settings.seed, place.number), settings.probes)
        self.HZ = products_of(self.space, place.hessian, self.Z)

    def numbers(self) -> Numbers:
        """What is to be said of H alone."""
        return self._spectrum(self.place.hessian, "hessian_")

    def take(self, learner: Learner) -> Array:
        """Give B Z as what `compare` and `added` work with."""
        return products_of(self.space, lambda v: product_of(self.space, learner, v), self.Z)

    def compare(self, BZ: Array, learner: Learner) -> Numbers:
        """Give errors and spectra of B beside H."""
        numbers = squares_of(self.space, BZ, self.HZ).numbers()
        numbers |= self._spectrum(lambda v: product_of(self.space, learner, v), "")
        positive = numbers["definiteness"] == "positive definite"
        if positive and learner.solve is not None:
            most, seed = self.settings.products, self.settings.seed
            numbers |= pencil_ends(self.space, self.place.hessian, learner.solve, most, seed)
        return numbers

    def added(self, BZ: Array, before: Array | None) -> Numbers:
        """Say what this link of a chain adds; the first is beside H itself."""
        squares = squares_of(self.space, BZ, self.HZ if before is None else before)
        whole = squares_of(self.space, self.HZ, self.HZ).whole
        added, deviation = root_of_ratio(squares.off, whole)
        return {"added": added, "added_deviation": deviation}

    def step(self, BZ: Array, learner: Learner, after: Place) -> Numbers:  # noqa: ARG002
        """Compare along the step to the next point; one product with each, one fetch."""
        s = after.x - self.place.x
        vectors = [product_of(self.space, learner, s), self.place.hessian(s), s, self.place.grad]
        (B_s, H_s, s, g), _ = fetch(self.space, vectors)
        return step_numbers(B_s, H_s, s, g, self.place.value - after.value)

    def blocks(self, BZ: Array, learner: Learner) -> list[tuple[str, int, Numbers]]:  # noqa: ARG002
        """Compare the diagonal blocks of the leaves of x, and what is between them, by norms.

        Signs in one leaf and zeros elsewhere have products with the columns of that leaf.
        """
        found, between = [], None
        for name, span, Z, HZ in self._bands:
            BZ_l = products_of(self.space, lambda v: product_of(self.space, learner, v), Z)
            inside = squares_of(self.space, BZ_l[:, span], HZ[:, span])
            found.append((name, span.stop - span.start, inside.numbers()))
            for side in (slice(0, span.start), slice(span.stop, self.space.n)):
                if side.stop > side.start:
                    rest = squares_of(self.space, BZ_l[:, side], HZ[:, side])
                    between = rest if between is None else between + rest
        if between is not None:
            found.append((BETWEEN, self.space.n, between.numbers()))
        return found

    @cached_property
    def _bands(self) -> list[tuple[str, slice, Array, Array]]:
        """Of each leaf, if there are several, its signs and their products with H."""
        spans, bands, xp = _leaves_of(self.space), [], self.space.xp
        for name, span in spans if len(spans) > 1 else ():
            sides = self.Z[:, : span.start] * 0.0, self.Z[:, span], self.Z[:, span.stop :] * 0.0
            Z = xp.concat(sides, axis=1)
            bands.append((name, span, Z, products_of(self.space, self.place.hessian, Z)))
        return bands

    def _spectrum(self, apply: Any, prefix: str) -> Numbers:
        most, seed = self.settings.products, self.settings.seed
        ends = ends_of(self.space, apply, most, seed, prefix)
        return ends | quantiles_of(self.space, apply, most, seed, prefix)


def _leaves_of(space: Space) -> list[tuple[str, slice]]:
    """Give the names of the leaves of x and where they lie; an array is one leaf."""
    if space.tree is None:
        return [("x", slice(0, space.n))]
    names = [path.replace("['", ".").replace("']", "").lstrip(".") for path in space.tree.paths]
    pairs = zip(names, space.tree.spans, strict=True)
    return [(name, span) for name, span in pairs if span.stop > span.start]
