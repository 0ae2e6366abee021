"""Objects as trees and arrays, and back."""

from __future__ import annotations

import enum
import json
import math
import pickle
from dataclasses import dataclass

import numpy as np
import pytest

import hessx
from _helpers.resuming import START, run
from hessx._xp import space_of
from hessx.core._saved import entry_named, entry_of
from hessx.core.persistence._encoding import Reader, Writer


@hessx.saved(host=("table",), fresh=("cache",))
@dataclass
class Sample:
    """A class of the user's."""

    numbers: object
    table: object = None
    twin: object = None
    cache: object = None


def back(value):
    """Through a tree, JSON and a reader."""
    writer = Writer()
    tree = json.loads(json.dumps(writer.tree(value, "value"), allow_nan=False))
    return Reader(space_of(np.ones(2)), writer.arrays, []).value(tree)


@pytest.mark.parametrize(
    "value",
    [
        None, True, 3, -(2**70), 0.1, -0.0, 5e-324, 1.7976931348623157e308, math.inf, -math.inf,
        "é\n",
        (), (1, (2.0, "x")), [], [None, [True]], {}, {"a": (1,), 2: {}, (3, 4.0): [math.inf]},
        hessx.Outcome.LIMIT_TIME, np.float32(0.1), np.int64(3),
    ],
)  # fmt: skip
def test_values_come_back(value):
    found = back(value)
    assert type(found) is type(value)
    assert repr(found) == repr(value)


@hessx.saved
class Marks(enum.Flag):
    """Flags of the user's, of which none is named nothing."""

    RED = enum.auto()
    BLUE = enum.auto()


@pytest.mark.parametrize(
    "value", [*hessx.Wants, hessx.Wants.NOTHING, ~hessx.Wants.VALUE, Marks.BLUE, Marks(3), Marks(0)]
)
def test_flags_come_back(value):
    """As the very members: they are compared by identity."""
    assert back(value) is value


def test_nan_comes_back():
    assert math.isnan(back((math.nan,))[0])


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_come_back(dtype, order):
    a = np.asarray(np.arange(6).reshape(2, 3), dtype=dtype, order=order)
    found = back([a, a[:, 1]])
    for array, expected in zip(found, [a, a[:, 1]], strict=True):
        assert array.dtype == expected.dtype
        np.testing.assert_array_equal(array, expected)
    assert found[0].flags.f_contiguous == a.flags.f_contiguous
    assert not np.shares_memory(found[0], a)


def test_what_is_shared_stays_shared():
    shared = np.ones(2)
    sample = Sample([shared, shared])
    sample.twin = sample
    found = back((sample, sample, shared))
    assert found[0] is found[1] is found[0].twin
    assert found[0].numbers[0] is found[0].numbers[1] is found[2]


def test_host_and_fresh_attributes(backend, tmp_path):
    sample = Sample(backend.asarray([1.0, 2.0]), np.eye(2, dtype="float64"), cache=lambda: 1)
    writer = Writer()
    tree = writer.tree(sample, "sample")
    found = Reader(space_of(np.ones(2)), writer.arrays, []).value(tree)
    assert found.cache is None
    assert found.table.dtype == np.float64
    again = Writer().tree(found, "sample")
    placed = Reader(space_of(sample.numbers), {"0": found.numbers, "1": found.table}, [])
    placed = placed.value(again)
    backend.assert_same_kind(placed.numbers, sample.numbers)
    assert type(placed.table) is np.ndarray


def test_what_cannot_be_saved_is_named(tmp_path):
    class Own(hessx.Approximation):
        learns = hessx.Learns.NOTHING

        def begin(self, frame):
            return OwnCurvature()

    class OwnCurvature(hessx.Curvature):
        def solve(self, v):
            return v * 0.01

    method = hessx.LineSearchMethod(Own(), hessx.HagerZhang())
    message = "state.direction.curvature is a OwnCurvature, which cannot be saved: register"
    with pytest.raises(TypeError, match=message):
        run(START, "", method=method, checkpoint=tmp_path / "run.hessx")
    assert not list(tmp_path.iterdir())
    with pytest.raises(TypeError, match=message):
        hessx.save(tmp_path / "run.hessx", run(START, "", method=method))
    with pytest.raises(TypeError, match="run is a float: expected a result"):
        hessx.save(tmp_path / "run.hessx", 1.0)


def test_checkpoints_are_pickled_and_shown():
    result = run(START, "cg-hz", options={"maxiter": 3})
    assert "checkpoint of a run" in repr(result)
    copied = pickle.loads(pickle.dumps(result.checkpoint))
    assert repr(copied).startswith("<checkpoint after ")
    assert copied.state.point.x.tobytes() == result.checkpoint.state.point.x.tobytes()


def test_saved_refuses_what_is_no_class():
    with pytest.raises(TypeError, match="saved was given a int: expected a class or a function"):
        hessx.saved(3)


def test_no_class_takes_the_name_of_another():
    class Spectral(hessx.Curvature):
        pass

    Spectral.__module__, Spectral.__qualname__ = "hessx.elsewhere", "Spectral"
    message = r"Spectral of hessx\.elsewhere has a name that hessx\.hessians"
    with pytest.raises(TypeError, match=message):
        hessx.saved(Spectral)
    assert entry_of(hessx.Spectral) is entry_named("Spectral")
