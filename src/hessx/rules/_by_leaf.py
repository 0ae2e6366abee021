"""Different rules for different leaves of x."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from math import prod
from typing import Any

from hessx._xp import Array, Packet, Space
from hessx.core import SettingsError, saved
from hessx.rules._chain import Chain, as_rules
from hessx.rules._rule import Rule

__all__ = ["ByLeaf", "LeafGroups"]

_MATRIX = 2  # dimensions


@saved
class LeafGroups:
    """Chains on spans of x, one after the other."""

    __slots__ = ("chains", "ends", "space")

    def __init__(self, space: Space, chains: list[Chain], ends: list[int]) -> None:
        self.space, self.chains, self.ends = space, chains, ends

    def turn(self, t: int, g: Array, x: Array) -> Array:
        """Let each chain turn its span."""
        spans = [slice(a, b) for a, b in zip([0, *self.ends], self.ends, strict=False)]
        pairs = zip(self.chains, spans, strict=True)
        return self.space.join([chain.direction(t, g[span], x[span]) for chain, span in pairs])

    def hold(self, packet: Packet) -> None:
        """Name the arrays of the chains."""
        for chain in self.chains:
            chain.hold(packet)


@saved
@dataclass(frozen=True, slots=True)
class ByLeaf(Rule):
    """Some rules for matrices, others for the other leaves of x.

    Parameters
    ----------
    matrices, others : rule, or sequence of rules
        Chains of their own, which learn from gradients alone.
    choose : callable, optional
        ``choose(path, shape) -> bool`` says which leaves are for ``matrices``; a path is as in
        ``['layers'][0]``.  By default leaves of two dimensions.  A run that is saved needs it
        registered with `hessx.saved`.

    Raises
    ------
    SettingsError
        Neither a rule nor a sequence of rules, or a rule that learns from the Hessian.

    Notes
    -----
    Neighbouring leaves of one kind are one span.  What a rule measures of the whole, as `ClipNorm`
    does, it measures of its span: before `ByLeaf` it is of all of x.  Cost: that of the rules, and
    one concatenation.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.rules import SGD, ByLeaf, Chain, SignSGD
    >>> tree = {"W": np.array([[3.0, -4.0]]), "b": np.array([3.0])}
    >>> space = space_of(tree)
    >>> g = space.flat(tree)
    >>> Chain.begin(ByLeaf([SignSGD()], [SGD()]), space, g).direction(1, g, g)
    array([ 1., -1.,  3.])
    """

    matrices: Any
    others: Any
    choose: Callable[[str, tuple[int, ...]], bool] | None = None

    acts_on = "whole"

    def __post_init__(self) -> None:
        for name in ("matrices", "others"):
            rules = as_rules(name, getattr(self, name))
            for i, rule in enumerate(rules):
                if rule.every:
                    msg = f"{name}[{i}] = {rule!r} learns from the Hessian: expected another"
                    raise SettingsError(msg)
            object.__setattr__(self, name, rules)
        if self.choose is not None and not callable(self.choose):
            msg = f"choose = {self.choose!r}: expected a function of path and shape"
            raise SettingsError(msg)

    def begin(self, space: Space, x: Array) -> LeafGroups:
        """Begin a chain for each span of neighbours."""
        paths = ["x"] if space.tree is None else space.tree.paths
        leaves = groupby(zip(paths, space.shapes, strict=True), lambda leaf: self._is_matrix(*leaf))
        chains, ends, start = [], [], 0
        for chosen, group in leaves:
            shapes = tuple(shape for _, shape in group)
            stop = start + sum(map(prod, shapes))
            rules = self.matrices if chosen else self.others
            chains.append(Chain.begin(rules, space, x[start:stop], shapes))
            ends.append(stop)
            start = stop
        return LeafGroups(space, chains, ends)

    def _is_matrix(self, path: str, shape: tuple[int, ...]) -> bool:
        return len(shape) == _MATRIX if self.choose is None else self.choose(path, shape)
