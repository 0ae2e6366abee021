"""One approximation for each leaf of x: block-diagonal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from math import inf, prod
from operator import and_, or_
from typing import Any

from hessx._xp import Array, Packet
from hessx.core import Frame, Learns, Offer, Pair, SettingsError, Wants, check_part, saved
from hessx.hessians._family import Approximation, Curvature
from hessx.hessians._leaf_names import chosen_by_leaf
from hessx.hessians._part_of import (
    RestrictedHessian,
    check_inside,
    measure_part,
    prepare_in_turn,
    takes_pairs,
    update_part,
)
from hessx.hessians._subsets import Span
from hessx.krylov import never
from hessx.operators import BlockDiagonalOperator, LinearOperator

__all__ = ["Blockwise", "BlockwiseCurvature"]

_KNOWN = Offer.SOLVE | Offer.MATVEC | Offer.SHIFTED | Offer.DENSE | Offer.DIAGONAL


@saved(fresh=("owns",))
class BlockwiseCurvature(Curvature):
    """Parts on spans of z, one after the other.

    Attributes
    ----------
    spans, parts : list of Span, list of Curvature
        In order.
    learns : list of Learns
        From which steps each part learns.
    size : float
        Of the parts that have none of their own: y'y / s'y of a step, 0 before the first.
    owns : list of Pair, optional
        The trial as each part sees it.
    """

    __slots__ = ("frame", "learns", "owns", "parts", "size", "spans")

    def __init__(
        self, frame: Frame, spans: list[Span], parts: list[Curvature], learns: list[Learns]
    ) -> None:
        self.frame, self.spans, self.parts, self.learns = frame, spans, parts, learns
        self.size = 0.0
        self.owns: list[Pair | None] | None = None

    @property
    def sized(self) -> bool:  # type: ignore[override]
        """Whether all parts have a size, of their own or of a step."""
        return self.size > 0.0 or all(part.sized for part in self.parts)

    @property
    def active(self) -> bool:  # type: ignore[override]
        """Whether a part is more than I."""
        return any(part.active for part in self.parts)

    @property
    def waits(self) -> bool:  # type: ignore[override]
        """Whether a part waits for the Hessian."""
        return any(part.waits for part in self.parts)

    @property
    def broken(self) -> bool:  # type: ignore[override]
        """Whether what came to a part is not finite."""
        return any(part.broken for part in self.parts)

    def at(self, hessian: Any) -> None:
        """Hand each part its block."""
        for span, part in zip(self.spans, self.parts, strict=True):
            part.at(RestrictedHessian(span, self.frame, hessian))

    def leave(self) -> None:
        """Let the parts go of the point."""
        for part in self.parts:
            part.leave()

    def focus(self, needs: Offer) -> None:
        """Hand it on."""
        for part in self.parts:
            part.focus(needs)

    def hold(self, packet: Packet) -> None:
        """Name the arrays of the parts."""
        for part in self.parts:
            part.hold(packet)

    def prepare(self, watch: Callable[[], bool] = never) -> bool:
        """Let the parts be made; none that samples where one before it has ended the budget."""
        return prepare_in_turn(self.parts, self.learns, watch)

    def measure(self, pair: Pair, packet: Packet) -> None:
        """Ask for the products of each block, and for what the parts learn from."""
        self.owns = [
            None
            if learns is Learns.NOTHING
            else measure_part(span, part, pair, packet, f"block {i}: ")
            for i, (span, part, learns) in enumerate(
                zip(self.spans, self.parts, self.learns, strict=True)
            )
        ]

    def update(self, pair: Pair) -> str:
        """Let the parts learn; "skipped" where none did."""
        owns, self.owns, notes = self.owns, None, []
        for i, (part, own) in enumerate(zip(self.parts, owns, strict=True)):  # type: ignore[arg-type]
            if own is not None and (pair.accepted or self.learns[i] is Learns.EVERY):
                notes.append(update_part(part, own, pair, f"block {i}: "))
        if pair.accepted and pair.s_y > 0.0 and pair.y_y / pair.s_y < inf:
            self.size = pair.y_y / pair.s_y
        told = [note for note in notes if note != "skipped"]
        return "skipped" if notes and not told else max(told, default="")

    def reset(self) -> bool:
        """Let the parts forget."""
        self.size = 0.0
        had = [part.reset() for part in self.parts]
        return any(had)

    def solve(self, v: Array) -> Array:
        """Let each part solve for its entries."""
        return self._joined(_scaled(part.solve(w), 1.0 / c) for part, w, c in self._cut(v))

    def matvec(self, v: Array) -> Array:
        """Let each part multiply its entries."""
        return self._joined(_scaled(part.matvec(w), c) for part, w, c in self._cut(v))

    def solve_shifted(self, v: Array, sigma: float) -> Array:
        """Let each part solve for its entries, after a shift."""
        return self._joined(
            _scaled(part.solve_shifted(w, sigma / c), 1.0 / c) for part, w, c in self._cut(v)
        )

    def diagonal(self) -> Array:
        """Join the diagonals."""
        pairs = zip(self.parts, self._sizes(), strict=True)
        return self._joined(_scaled(part.diagonal(), c) for part, c in pairs)

    def dense(self) -> Array:
        """Put the blocks on the diagonal of zeros."""
        triples = zip(self.spans, self.parts, self._sizes(), strict=True)
        rows = [span.place(_scaled(part.dense(), c)) for span, part, c in triples]
        return rows[0] if len(rows) == 1 else self.frame.space.xp.concat(rows, axis=0)

    def operator(self, *, inverse: bool) -> LinearOperator | None:
        """A or B in x, where all parts have one."""
        operators = []
        for part, c in zip(self.parts, self._sizes(), strict=True):
            operator = part.operator(inverse=inverse)
            if operator is None:
                return None
            operators.append(operator * (1.0 / c if inverse else c))
        return BlockDiagonalOperator(operators)

    def _sizes(self) -> list[float]:
        """What each part is multiplied by."""
        size = self.size if self.size > 0.0 else 1.0
        return [1.0 if part.sized else size for part in self.parts]

    def _cut(self, v: Array) -> Any:
        """Give each part, its entries and its size."""
        self.prepare()
        pieces = [span.cut(v) for span in self.spans]
        return zip(self.parts, pieces, self._sizes(), strict=True)

    def _joined(self, pieces: Any) -> Array:
        parts = [*pieces]
        v = parts[0] if len(parts) == 1 else self.frame.space.xp.concat(parts, axis=-1)
        chunks = self.frame.space.chunks
        return v if chunks is None else v.rechunk({v.ndim - 1: chunks[0]})


@saved
@dataclass(frozen=True, slots=True)
class Blockwise(Approximation):
    """B = a block for each leaf of x, zeros between them.

    Parameters
    ----------
    blocks : approximation, or dict of them
        For every leaf, or by name: a leaf is named by its path, as in ``['layers'][0]``, or by the
        key or number alone where it is at the top, ``"b"`` or ``0``; a name of more than a leaf
        stands for all leaves in it that have no longer one.  An array x is one leaf, ``"x"``.
    otherwise : approximation, optional
        For leaves that have no name in ``blocks``.

    Raises
    ------
    SettingsError
        No approximations, or some that learn from samples or solves, or have neither ``solve`` nor
        ``matvec`` in common; when the run begins, a name of no leaf, a leaf without an
        approximation.

    Notes
    -----
    Each part has a space of the shape of its leaf, its share of an array x_scale, s and y cut to
    it, with their products, and v -> H v with zeros elsewhere: what forms its block takes as many
    products as the leaf has entries, a diagonal one per sample.  A part that has learnt no size
    yet has that of the last step, y'y / s'y.

    Memory: that of the parts.  Cost: that of the parts, one concatenation per apply, three inner
    products per leaf that learns and trial, in the one packet.

    References
    ----------
    Nocedal & Wright (2006), section 7.4, on partially separable functions, of which these are the
    ones without overlap; Martens & Grosse (2015), ICML, for blocks by layers.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> x0 = {"W": np.zeros((2, 2)), "b": np.zeros(2)}
    >>> def fun(x):
    ...     r = x["W"] - 1.0
    ...     grad = {"W": r**3 + 4.0 * r, "b": 100.0 * x["b"] - 1.0}
    ...     return (r**4).sum() / 4 + 2 * (r**2).sum() + (50 * x["b"]**2 - x["b"]).sum(), grad
    >>> blocks = hessx.Blockwise({"W": hessx.BFGS()}, otherwise=hessx.Spectral())
    >>> result = hessx.minimize(fun, x0, jac=True,
    ...                         method=hessx.LineSearchMethod(blocks, hessx.HagerZhang()))
    >>> result.success, result.x["b"].round(4)
    (True, array([0.01, 0.01]))
    """

    blocks: Any
    otherwise: Approximation | None = None

    def __post_init__(self) -> None:
        if isinstance(self.blocks, Mapping):
            object.__setattr__(self, "blocks", dict(self.blocks))
        if not self._all:
            msg = "blocks is empty: expected an approximation, or a dict of them by names of leaves"
            raise SettingsError(msg)
        known = "an approximation such as hessx.BFGS(), or in blocks a dict of them by leaves"
        for part in self._all:
            check_part("blocks", part, Approximation, known)
            check_inside("blocks", part)
            if part.stochastic or part.only_preconditions:
                msg = f"blocks has {type(part).__name__}(...), which learns from samples or solves"
                raise SettingsError(f"{msg}: expected one that learns from steps")
        if not self.offers & (Offer.SOLVE | Offer.MATVEC):
            names = ", ".join(f"{type(part).__name__}()" for part in self._all)
            msg = f"{names}: expected approximations that all offer SOLVE, or all MATVEC"
            raise SettingsError(msg)

    @property
    def _all(self) -> list[Approximation]:
        """All that are given."""
        parts = [*self.blocks.values()] if isinstance(self.blocks, dict) else [self.blocks]
        return parts if self.otherwise is None else [*parts, self.otherwise]

    @property
    def offers(self) -> Offer:  # type: ignore[override]
        """What all offer."""
        return reduce(and_, (part.offers for part in self._all), _KNOWN)

    @property
    def positive(self) -> bool:  # type: ignore[override]
        """Whether all are."""
        return all(part.positive for part in self._all)

    @property
    def learns(self) -> Learns:  # type: ignore[override]
        """From what the most eager one learns."""
        found = {part.learns for part in self._all}
        return next(one for one in (Learns.EVERY, Learns.ACCEPTED, Learns.NOTHING) if one in found)

    @property
    def wants(self) -> Wants:  # type: ignore[override]
        """What any of them wants."""
        return reduce(or_, (part.wants for part in self._all))

    def begin(self, frame: Frame) -> BlockwiseCurvature:
        """Begin a part for each leaf."""
        space = frame.space
        spans, start = [], 0
        for shape in space.shapes:
            spans.append(Span(space, start, start + prod(shape), shape))
            start += prod(shape)
        paths = ["x"] if space.tree is None else space.tree.paths
        chosen = chosen_by_leaf(paths, self.blocks, self.otherwise)
        parts = [one.begin(span.frame(frame)) for one, span in zip(chosen, spans, strict=True)]
        learns = [one.learns if takes_pairs(one) else Learns.NOTHING for one in chosen]
        return BlockwiseCurvature(frame, spans, parts, learns)


def _scaled(v: Array, c: float) -> Array:
    return v if c == 1.0 else v * c
