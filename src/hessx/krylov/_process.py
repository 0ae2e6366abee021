"""The part of MINRES and LSMR on the device: Krylov vectors, and the iterate that follows them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hessx._xp import Array, Space, fetch, norm_inf
from hessx.krylov._linear import LinearOutcome, LinearResult
from hessx.krylov._lsmr_factor import BidiagonalFactor
from hessx.krylov._minres_factor import TridiagonalFactor

__all__ = ["Process", "Products"]


class Products:
    """How many products were taken, and whether the watch has ended the run."""

    __slots__ = ("count", "stopped", "watch")

    def __init__(self, watch: Callable[[], Any] | None) -> None:
        if watch is not None and not callable(watch):
            msg = f"watch = {watch!r}: expected a callable without arguments, or None"
            raise TypeError(msg)
        self.watch = watch
        self.count = 0
        self.stopped = False

    def counted(self, apply: Callable[[Array], Array]) -> Callable[[Array], Array]:
        """Count the products of a map; the watch is called after each."""

        def product(v: Array) -> Array:
            p = apply(v)
            self.count += 1
            if self.watch is not None and self.watch():
                self.stopped = True
            return p

        return product


class Process:
    """Unit vectors of a Krylov space, with two coefficients a step that nobody has to wait for.

    The host reads the coefficients of ``check_every`` steps at once, its factor turns them into
    rotations, and x follows with the vectors of these steps.

    Attributes
    ----------
    space : Space
        Of x.
    products : Products
        Taken so far.
    carried : list of arrays
        What the next step of the process needs.
    iterate : list of arrays
        x, and what its next step needs.
    """

    carried: list[Array]
    iterate: list[Array]

    def __init__(self, space: Space, products: Products) -> None:
        self.space, self.products = space, products
        least = space.xp.finfo(space.dtype).smallest_normal
        self.least = space.xp.full((), least, dtype=space.dtype, device=space.device)

    def step(self) -> tuple[Array, Array, Array] | None:
        """Give the vector that x needs, and two coefficients; None if stopped on the way."""
        raise NotImplementedError

    def move(self, v: Array, first: float, second: float, third: float) -> None:
        """Take a step of x, given its vector and the factor's coefficients."""
        raise NotImplementedError

    def size_of(self, u: Array, v: Array) -> Array:
        """Largest entry of both, never zero: divided by it, no square over- or underflows."""
        size = self.space.xp.maximum(self.least, norm_inf(self.space, u))
        return size if u is v else self.space.xp.maximum(size, norm_inf(self.space, v))

    def root(self, square: Array) -> Array:
        """Root of a square, of the least normal number at least: a divisor."""
        return self.space.xp.sqrt(self.space.xp.maximum(square, self.least))

    def read(self, scalars: Sequence[Any], vectors: Sequence[Array] = ()) -> tuple[list[Any], Any]:
        """Fetch scalars; give them, and ``vectors`` as computed with them."""
        i, k = len(self.iterate), len(self.iterate) + len(self.carried)
        numbers, held = fetch(self.space, scalars, [*self.iterate, *self.carried, *vectors])
        self.iterate, self.carried = list(held[:i]), list(held[i:k])
        return numbers, held[k:]

    def run(
        self,
        factor: TridiagonalFactor | BidiagonalFactor,
        outcome: LinearOutcome | None,
        max_iterations: int,
        check_every: int,
    ) -> LinearResult:
        """Go on from the outcome of the start."""
        products = self.products
        while outcome is None and factor.steps < max_iterations and not products.stopped:
            window: Any = []
            scalars: list[Any] = []
            most = min(check_every, max_iterations - factor.steps)
            while len(window) < most and not products.stopped:
                taken = self.step()
                if taken is not None:
                    window.append(taken[0])
                    scalars += taken[1:]
            scalars, window = self.read(scalars, window)
            for v, *squares in zip(window, scalars[::2], scalars[1::2], strict=True):
                outcome = factor.add_column(*squares)
                if outcome is None:
                    self.move(v, *factor.take_step())
                    outcome = factor.test()
                if outcome is not None:
                    break
        if outcome is None:
            outcome = LinearOutcome.STOPPED if products.stopped else LinearOutcome.LIMIT
        return LinearResult(
            x=self.space.shaped(self.iterate[0]),
            outcome=outcome,
            residual_norm=factor.residual_norm,
            normal_residual_norm=factor.normal_residual_norm,
            operator_norm=factor.operator_norm,
            condition=factor.condition,
            iterations=factor.steps,
            products=products.count,
            message=factor.message(outcome),
        )
