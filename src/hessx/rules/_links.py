"""The links of a chain: what each rule, or several joined, keep from step to step."""

from __future__ import annotations

from typing import Any

from hessx._xp import Array, Packet, Pointwise, Space, cut, moved
from hessx.core import saved
from hessx.rules._rule import Coefficients, Rule

__all__ = ["EntryLink", "LeafLink", "Link", "Shapes", "WholeLink"]

Shapes = tuple[tuple[int, ...], ...]


class Link:
    """One link: a direction out of the direction before."""

    __slots__ = ("rules", "space")

    space: Space
    rules: tuple[Rule, ...]

    def direction(self, t: int, g: Array, x: Array) -> Array:
        """Give d for step t."""
        raise NotImplementedError

    def step(self, t: int, g: Array, x: Array, rate: Any, base: Array) -> Array:
        """Give base - rate d, a new vector."""
        return moved(base, rate, self.direction(t, g, x))

    def due(self, t: int) -> list[Rule]:
        """Give the rules that have a lesson before step t."""
        return [rule for rule in self.rules if rule.due(t)]

    def learn(self, t: int, hessian: Any) -> None:
        """Hand a lesson to the rules whose turn it is."""

    def about(self, name: str) -> Any:
        """Give what a part of the rule's own says of itself, or None."""
        return None

    def learns(self) -> list[tuple[Any, int, bool]]:
        """Give what learns from the Hessian, with its ``every`` and ``fresh``."""
        return [(rule, rule.every, rule.fresh) for rule in self.rules if rule.every]

    def diagonal(self) -> Array | None:
        """Give the diagonal of the last step, where there is one."""
        return None

    def hold(self, packet: Packet) -> None:
        """Name the arrays that a lazy library has to compute with the packet."""
        raise NotImplementedError


@saved(fresh=("pointwise",))
class EntryLink(Link):
    """Neighbours on entries, joined with x - rate d into one pass.

    Only the first may measure: it is given the whole vectors before the pass begins.
    """

    __slots__ = ("numbers", "pointwise", "scalars", "slots")

    def __init__(self, space: Space, rules: tuple[Rule, ...], x: Array) -> None:
        self.space, self.rules = space, rules
        self.numbers: list[tuple[float, ...]] = [() for _ in rules]
        self.scalars: list[Array] = []  # of the first rule
        self.slots = [rule.start(space.xp, x) for rule in rules]
        self.pointwise: Pointwise | None = None

    def direction(self, t: int, g: Array, x: Array) -> Array:
        """Give d for step t."""
        return self._run(self._turned, self._count(t, g, x), g, x)

    def step(self, t: int, g: Array, x: Array, rate: Any, base: Array) -> Array:
        """Give base - rate d, a new vector."""
        return self._run(self._moved, [*self._count(t, g, x), (rate,)], g, x, base)

    def learn(self, t: int, hessian: Any) -> None:
        """Hand a lesson to the rules whose turn it is."""
        for i, rule in enumerate(self.rules):
            if rule.due(t):
                h = rule.lesson(t, hessian)  # type: ignore[attr-defined]
                k = rule.numbers(t, self.numbers[i])
                slots = rule.learn(self.space.xp, k, h, *self.slots[i])  # type: ignore[attr-defined]
                # Slots may be written to; what was handed out as a lesson may not.
                self.slots[i] = [self.space.copy(a) if a is h else a for a in slots]

    def diagonal(self) -> Array | None:
        """Give the diagonal of the first rule that has one."""
        for rule, k, slots in zip(self.rules, self._coefficients(), self.slots, strict=True):
            A = rule.diagonal(self.space.xp, k, *slots)
            if A is not None:
                return A
        return None

    def hold(self, packet: Packet) -> None:
        """Name slots and measured scalars."""
        for arrays in (self.scalars, *self.slots):
            packet.hold(arrays, *range(len(arrays)))

    def _count(self, t: int, g: Array, x: Array) -> list[Coefficients]:
        """Find the coefficients of step t."""
        pairs = zip(self.rules, self.numbers, strict=True)
        self.numbers = [rule.numbers(t, before) for rule, before in pairs]
        first, before = self.rules[0], tuple(self.scalars)
        if first.measures:
            k = self.numbers[0]
            self.scalars = self._ways().measure(first.measure, before, k, g, x, *self.slots[0])
        return self._coefficients()

    def _coefficients(self) -> list[Coefficients]:
        return [(*self.numbers[0], *self.scalars), *self.numbers[1:]]

    def _run(self, expression: Any, k: list[Coefficients], *vectors: Array) -> Array:
        result, self.slots = self._ways().run(expression, k, self.slots, *vectors)
        return result

    def _ways(self) -> Pointwise:
        if self.pointwise is None:
            self.pointwise = Pointwise(self.space)
        return self.pointwise

    def _turned(
        self, xp: Any, k: list[Coefficients], slots: list[list[Array]], g: Array, x: Array
    ) -> tuple[Array, list[list[Array]]]:
        """Let each rule turn what the one before gives."""
        kept = []
        for rule, numbers, own in zip(self.rules, k, slots, strict=True):
            g, *own = rule.turn(xp, numbers, g, x, *own)
            kept.append(own)
        return g, kept

    def _moved(
        self,
        xp: Any,
        k: list[Coefficients],
        slots: list[list[Array]],
        g: Array,
        x: Array,
        base: Array,
    ) -> tuple[Array, list[list[Array]]]:
        """Give base - rate d, of which the rate is the last number."""
        *of_rules, (rate,) = k
        d, kept = self._turned(xp, of_rules, slots, g, x)
        return moved(base, rate, d), kept


@saved
class LeafLink(Link):
    """A rule that is given one leaf of x at a time."""

    __slots__ = ("numbers", "shapes", "slots")

    def __init__(self, space: Space, rule: Rule, x: Array, shapes: Shapes) -> None:
        self.space, self.rules, self.shapes = space, (rule,), shapes
        self.numbers: tuple[float, ...] = ()
        self.slots = [rule.start(space.xp, leaf) for leaf in cut(space.xp, x, shapes)]

    def direction(self, t: int, g: Array, x: Array) -> Array:
        """Give d for step t."""
        xp, (rule,) = self.space.xp, self.rules
        self.numbers = rule.numbers(t, self.numbers)
        pairs = zip(cut(xp, g, self.shapes), cut(xp, x, self.shapes), strict=True)
        turned = [
            rule.turn(xp, self.numbers, *leaves, *slots)
            for leaves, slots in zip(pairs, self.slots, strict=True)
        ]
        self.slots = [slots for _, *slots in turned]
        return self.space.join([d for d, *_ in turned])

    def hold(self, packet: Packet) -> None:
        """Name the slots."""
        for slots in self.slots:
            packet.hold(slots, *range(len(slots)))


@saved
class WholeLink(Link):
    """A rule that keeps a part of its own."""

    __slots__ = ("part",)

    def __init__(
        self,
        space: Space,
        rule: Rule,
        x: Array,
        steps: int | None = None,
        per_epoch: int | None = None,
    ) -> None:
        self.space, self.rules = space, (rule,)
        self.part = rule.begin(space, x)
        if hasattr(self.part, "span"):
            self.part.span(rule, steps, per_epoch)

    def direction(self, t: int, g: Array, x: Array) -> Array:
        """Give d for step t."""
        return self.part.turn(t, g, x)

    def learn(self, t: int, hessian: Any) -> None:
        """Hand a lesson to the part, if it is its turn."""
        (rule,) = self.rules
        if rule.due(t):
            self.part.learn(t, hessian)

    def about(self, name: str) -> Any:
        """Ask the part."""
        return getattr(self.part, name, None)

    def learns(self) -> list[tuple[Any, int, bool]]:
        """Give the part in the place of the rule."""
        return [(self.part, every, fresh) for _, every, fresh in super().learns()]

    def hold(self, packet: Packet) -> None:
        """Name the arrays of the part."""
        self.part.hold(packet)
