"""The packet of a trial: all that the host must see of it, by name, in one transfer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hessx._xp._algebra import extremes
from hessx._xp._fetch import fetch
from hessx._xp._namespace import Array, Space

__all__ = ["Numbers", "Packet", "under"]

Numbers = dict[str, Any]  # those of a packet, by name
_EACH = ("numpy", "dask")  # here a product is cheap, or planned anyway
_SHORT = 2**14  # entries: here a launch costs as much as to read a vector


class Packet:
    """Device scalars by name, and what a lazy library has to compute and hold with them.

    Parameters
    ----------
    space : Space
        Where the scalars live.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import Packet, space_of
    >>> g = np.array([3.0, -4.0])
    >>> packet = Packet(space_of(g))
    >>> packet.ask(g_g=g @ g)
    >>> packet.fetch()
    {'g_g': 25.0}
    """

    __slots__ = ("holders", "prefix", "products", "scalars", "space")

    def __init__(self, space: Space) -> None:
        self.space, self.prefix = space, ""
        self.scalars: dict[str, Any] = {}
        self.products: dict[str, tuple[Array, Array]] = {}
        self.holders: list[tuple[Any, str | int]] = []

    def under(self, prefix: str) -> Packet:
        """Give the same packet for names of their own: what is asked for bears the prefix.

        `under` gives these numbers without it.
        """
        twin = Packet(self.space)
        twin.scalars, twin.products, twin.holders = self.scalars, self.products, self.holders
        twin.prefix = prefix
        return twin

    def ask(self, **scalars: Any) -> None:
        """Ask for 0-d arrays and short vectors by name; a float passes through."""
        if self.prefix:
            scalars = {self.prefix + name: scalar for name, scalar in scalars.items()}
        self.scalars.update(scalars)

    def ask_products(self, **pairs: tuple[Array, Array]) -> None:
        """Ask for inner products u'v by name.

        On a device those of short vectors come of one product of matrices, in two launches.
        """
        space = self.space
        gathered = space.kind not in _EACH and space.n <= _SHORT
        for name, (u, v) in pairs.items():
            if gathered:
                self.products[self.prefix + name] = u, v
            else:
                self.scalars[self.prefix + name] = u @ v

    def ask_extremes(self, v: Array, prefix: str = "") -> None:
        """Ask for the largest and smallest entries, as "high" and "low" after a prefix."""
        high, low = extremes(self.space, v)
        self.ask(**{f"{prefix}high": high, f"{prefix}low": low})

    def hold(self, owner: Any, *places: str | int) -> None:
        """Have arrays computed with the scalars, and put back: attributes or entries of an owner.

        Nothing on libraries that compute at once; what is None is left out.
        """
        if self.space.lazy:
            self.holders += [(owner, at) for at in places if _get(owner, at) is not None]

    def fetch(self) -> Numbers:
        """Bring all, by one fetch: floats, and float64 NumPy arrays for vectors.

        An empty packet costs no wait.
        """
        holders, scalars = self.holders, self.scalars
        if not scalars and not self.products:
            return {}
        grams, places = _grams(self.space, self.products)
        lazy = [_get(*holder) for holder in holders] if holders else ()
        values, held = fetch(self.space, [*scalars.values(), *grams], lazy)
        if holders:
            self._put_back(held)
        numbers = dict(zip(scalars, values, strict=not grams))
        if grams:
            entries = [gram.tolist() for gram in values[len(scalars) :]]
            numbers.update({name: entries[i][place] for name, (i, place) in places.items()})
        return numbers

    def _put_back(self, held: Sequence[Array]) -> None:
        for (owner, at), array in zip(self.holders, held, strict=True):
            if isinstance(at, int):
                owner[at] = array
            else:
                setattr(owner, at, array)


def _grams(
    space: Space, pairs: dict[str, tuple[Array, Array]]
) -> tuple[list[Array], dict[str, tuple[int, int]]]:
    """Give all products of the vectors of one length in one, and where each pair stands."""
    sizes: dict[int, dict[int, Array]] = {}
    for u, v in pairs.values():
        sizes.setdefault(u.shape[0], {}).update({id(u): u, id(v): v})
    order, grams = {size: i for i, size in enumerate(sizes)}, []
    for vectors in sizes.values():
        V = space.xp.stack([*vectors.values()])
        grams.append(space.xp.reshape(V @ V.T, (-1,)))
    rows = {size: {key: i for i, key in enumerate(found)} for size, found in sizes.items()}
    places = {}
    for name, (u, v) in pairs.items():
        row = rows[u.shape[0]]
        places[name] = order[u.shape[0]], row[id(u)] * len(row) + row[id(v)]
    return grams, places


def _get(owner: Any, at: str | int) -> Any:
    return owner[at] if isinstance(at, int) else getattr(owner, at)


def under(numbers: Numbers, prefix: str) -> Numbers:
    """Give the numbers that were asked for under a prefix, without it.

    Examples
    --------
    >>> from hessx._xp import under
    >>> under({"g_g": 1.0, "of B: g_g": 2.0}, "of B: ")
    {'g_g': 2.0}
    """
    cut = len(prefix)
    return {name[cut:]: value for name, value in numbers.items() if name.startswith(prefix)}
