"""Packets: numbers by name, in one fetch, and the arrays that a lazy library holds with them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from hessx._xp import Packet, record_fetches, space_of, under


def test_numbers_come_by_name_in_one_fetch(backend):
    v = backend.asarray(np.array([3.0, -4.0, 1.0]))
    packet = Packet(space_of(v))
    packet.ask(square=v @ v, entries=v)
    packet.ask(known=2.5)
    packet.ask_extremes(v, "v_")
    with record_fetches() as ledger:
        numbers = packet.fetch()
    assert ledger.fetches == 1
    np.testing.assert_array_equal(numbers.pop("entries"), [3.0, -4.0, 1.0])
    assert numbers == {"square": 26.0, "known": 2.5, "v_high": 3.0, "v_low": -4.0}
    assert all(type(number) is float for number in numbers.values())


def test_a_part_has_names_of_its_own(backend):
    """What is asked for under a prefix takes no name of another's, extremes included."""
    v = backend.asarray(np.array([3.0, -4.0]))
    packet = Packet(space_of(v))
    packet.ask_extremes(v)
    packet.ask(square=v @ v)
    own = packet.under("of B: ")
    own.ask_extremes(v * 2.0)
    own.ask(square=1.0)
    numbers = packet.fetch()
    assert {name: numbers[name] for name in ("high", "low", "square")} == {
        "high": 3.0, "low": -4.0, "square": 25.0,
    }  # fmt: skip
    assert under(numbers, "of B: ") == {"high": 6.0, "low": -8.0, "square": 1.0}


def test_a_lazy_library_holds_what_was_named(backend):
    """Attributes and entries come back computed, and nothing else is touched."""
    v = backend.asarray(np.array([3.0, -4.0]))
    space = space_of(v)
    owner, entries = SimpleNamespace(twice=v * 2.0, nothing=None), [v + 1.0, v + 2.0]
    before = owner.twice, entries[1], entries[0]
    packet = Packet(space)
    packet.ask(sum=space.xp.sum(owner.twice))
    packet.hold(owner, "twice", "nothing")
    packet.hold(entries, 1)
    assert packet.fetch() == {"sum": -2.0}
    assert owner.nothing is None and entries[0] is before[2]
    held = owner.twice, entries[1]
    for now, then in zip(held, before, strict=False):
        assert (now is then) is not space.lazy
        np.testing.assert_array_equal(backend.to_numpy(now), backend.to_numpy(then))
    if space.lazy:  # a graph of one layer: there is nothing left to compute
        assert all(len(a.__dask_graph__().layers) == 1 for a in held)
