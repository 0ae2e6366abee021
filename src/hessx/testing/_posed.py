"""A convex quadratic, and what is asked of an approximation that learns from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hessx._xp import Array, Packet, Space, like, to_host, under
from hessx.core import Counts, Frame, LayerFactors, Learns, Offer, Pair, Wants
from hessx.hessians import Approximation, Curvature
from hessx.objectives import ResidualAt, dense_jacobian
from hessx.operators import DenseOperator

__all__ = ["Apply", "Posed", "expect"]

_MANY = 1e4  # times eps: what rounding may make of a few products of well-conditioned matrices
_OWN = "own: "  # before the names of what it asks for
Apply = Callable[[Array], Array]


def expect(holds: bool, message: str) -> None:
    """Raise where a promise is not kept."""
    if not holds:
        raise AssertionError(message)


@dataclass
class Posed:
    """An approximation beside a quadratic; the arithmetic of the checks is NumPy's, in float64.

    Attributes
    ----------
    frame : Frame
        Of the variables z.
    approximation : Approximation
        In question.
    rng : Generator
        Of vectors and pairs.
    stacks : bool
        Form matrices from products with stacks.
    H : array, shape (n, n)
        The Hessian, with eigenvalues from 1 to 10.
    """

    frame: Frame
    approximation: Approximation
    rng: np.random.Generator
    stacks: bool = False

    def __post_init__(self) -> None:
        n = self.space.n
        Q, _ = np.linalg.qr(self.rng.standard_normal((n, n)))
        self.H = Q * np.linspace(1.0, 10.0, n) @ Q.T

    @property
    def space(self) -> Space:
        """Where vectors live."""
        return self.frame.space

    def vector(self) -> Array:
        """Give a random vector."""
        return self.there(self.rng.standard_normal(self.space.n))

    def there(self, v: np.ndarray) -> Array:
        """Move an array to the space."""
        return like(self.space, v, "v")

    def host(self, v: Array) -> np.ndarray:
        """Read an array."""
        return np.array(to_host(v), dtype=np.float64)

    def pair(self, factor: float = 1.0) -> tuple[Array, Array]:
        """Give a random s, and y = factor H s."""
        s = self.host(self.vector())
        return self.there(s), self.there(factor * self.H @ s)

    def teach(
        self,
        curvature: Curvature,
        pair: tuple[Array, Array],
        *,
        accepted: bool = True,
        known: bool = False,
    ) -> str:
        """Do what a run does with a pair, where it knows B s, or where it does not.

        What learns from samples is given some that are made of the pair.
        """
        s, y = pair
        before = self.host(s), self.host(y)
        if self.approximation.stochastic:
            packet = Packet(self.space)
            packet.ask(s_y=s @ y)
            note = curvature.update(self._sample(s, y))
            curvature.hold(packet)
            packet.fetch()
        else:
            note = self._teach_pair(curvature, s, y, accepted, known)
        expect(type(note) is str, f"update gave {note!r}: expected a word, or ''")
        after = self.host(s), self.host(y)
        kept = all(
            np.array_equal(*both, equal_nan=True) for both in zip(before, after, strict=True)
        )
        expect(kept, "update wrote into the pair")
        curvature.leave()
        self.arrive(curvature)
        return note

    def _teach_pair(
        self, curvature: Curvature, s: Array, y: Array, accepted: bool, known: bool
    ) -> str:
        """Measure a trial and learn from its step, with one fetch."""
        found, packet = Pair(s, y, accepted=accepted), Packet(self.space)
        packet.ask(s_y=s @ y, y_y=y @ y, s_s=s @ s)
        if known:
            found.multiple, found.product = 2.0, curvature.matvec(s) * 0.5
            packet.ask(s_B_s=s @ found.B_s)
        curvature.measure(found, packet.under(_OWN))
        curvature.hold(packet)
        numbers = packet.fetch()
        found.numbers = under(numbers, _OWN)
        found.s_y, found.y_y, found.s_s = numbers["s_y"], numbers["y_y"], numbers["s_s"]
        found.s_B_s = numbers.get("s_B_s", found.s_B_s)
        return curvature.update(found)

    def _sample(self, s: Array, y: Array) -> Any:
        """Give evidence of a batch of two rows, whose gradients are s and y."""
        learns, rows = self.approximation.learns, self.space.xp.stack([s, y])
        if learns is Learns.GRADIENTS:
            return y
        if learns is Learns.HESSIAN:
            return _Hessian(self)
        if learns is Learns.PER_SAMPLE:
            return _Rows(rows)
        return [LayerFactors(slice(0, self.space.n), rows, rows[:, :1] * 0.0 + 1.0)]

    def arrive(self, curvature: Curvature) -> None:
        """Hand over the Hessian, or a residual with J'J = H, where it is wanted."""
        if curvature.waits:
            residual = Wants.RESIDUAL in self.approximation.wants
            curvature.at(self._residual() if residual else _Hessian(self))

    def root(self) -> np.ndarray:
        """Give R with R'R = H."""
        return np.linalg.cholesky(self.H).T

    def _residual(self) -> ResidualAt:
        """Give one with more entries than variables."""
        J = self.there(np.vstack([self.root(), np.zeros(self.space.n)]))
        r = self.there(np.ones(self.space.n + 1))
        return ResidualAt(self.space, r, dense_jacobian(self.space, J), Counts())

    def apply_of(self, curvature: Curvature) -> Apply:
        """Give one of the products that are offered."""
        return curvature.solve if Offer.SOLVE in self.approximation.offers else curvature.matvec

    def matrix(self, apply: Apply) -> np.ndarray:
        """Form a matrix from its products with the unit vectors."""
        n = self.space.n
        units = np.eye(n)
        if self.stacks:  # of one more, for a product from the other side
            columns = apply(self.there(np.eye(n + 1, n)))
            expect(columns.shape == (n + 1, n), f"a stack {(n + 1, n)} gave {columns.shape}")
            return self.host(columns)[:n].T
        return np.stack([self.host(apply(self.there(e))) for e in units], axis=1)

    def near(self, found: np.ndarray, expected: np.ndarray, what: str, size: float = 1.0) -> None:
        """Compare to some thousand roundings of what is expected, times a size."""
        expect(found.shape == expected.shape, f"{what}: shape {found.shape}: {expected.shape}")
        most = _MANY * self.space.eps * size * max(1.0, float(np.abs(expected).max()))
        error = np.abs(found - expected).max()
        expect(error <= most, f"{what}: off by {error:.2g}, at most {most:.2g} expected")


class _Hessian:
    """H as the oracle hands it out."""

    sizes = None

    def __init__(self, posed: Posed) -> None:
        self.posed = posed

    def __call__(self, v: Array) -> Array:
        return self.posed.there(self.posed.host(v) @ self.posed.H)

    def stack(self, V: Array, watch: Any = None, *, sized: bool = False) -> Array:  # noqa: ARG002
        return self(V)

    def entries(self) -> None:
        return None

    def dense(self, watch: Any = None, *, check: bool = True) -> Array:  # noqa: ARG002
        return self.posed.there(self.posed.H)

    def root(self) -> DenseOperator:
        return DenseOperator(self.posed.there(self.posed.root()))

    def penalty(self) -> Array:
        return self.posed.space.zeros(self.posed.space.n)

    def spend(self, products: int) -> None:
        pass

    def diagonal(self) -> Array:
        return self.posed.there(np.diag(self.posed.H).copy())


@dataclass
class _Rows:
    """Gradients of rows as an oracle hands them out."""

    J: Array

    def matrix(self) -> Array:
        return self.J
