"""Trees of arrays: what is one, the way into one flat vector and back, what does not fit."""

from __future__ import annotations

from collections import OrderedDict, defaultdict

import numpy as np
import pytest

from _helpers.trees import Layer, leaves
from hessx._xp import like, space_of, take_gradient, take_product, to_point
from hessx._xp._tree import is_tree

TREES = {
    "dict": lambda a: {"w": a([[1.0, 2.0], [3.0, 4.0]]), "b": a([5.0])},
    "list": lambda a: [a([1.0, 2.0]), a([[3.0], [4.0], [5.0]])],
    "tuple": lambda a: (a(1.0), a([2.0, 3.0, 4.0, 5.0])),
    "namedtuple": lambda a: Layer(weight=a([[1.0, 2.0, 3.0, 4.0]]), bias=a(5.0)),
    "ordered": lambda a: OrderedDict([("z", a([1.0, 2.0, 3.0])), ("a", a([4.0, 5.0]))]),
    "nested": lambda a: {"layers": [Layer(a([[1.0, 2.0]]), a([3.0])), ()], 7: (a(4.0), [a([5.0])])},
    "one leaf": lambda a: {"x": a([1.0, 2.0, 3.0, 4.0, 5.0])},
    "one number": lambda a: {"x": [a(1.0), a([2.0, 3.0]), 4, {"y": 5.0}]},
}
ENTRIES = np.arange(1.0, 6.0)
every_tree = pytest.mark.parametrize("make", TREES.values(), ids=TREES)


def assert_same_tree(backend, given, expected):
    """The same containers around arrays of one kind with the same entries."""
    assert type(given) is type(expected)
    if isinstance(expected, dict):
        assert list(given) == list(expected)
        given, expected = list(given.values()), list(expected.values())
    if isinstance(expected, list | tuple):
        assert len(given) == len(expected)
        for pair in zip(given, expected, strict=True):
            assert_same_tree(backend, *pair)
    else:
        backend.assert_same_kind(given, expected)
        np.testing.assert_array_equal(backend.to_numpy(given), backend.to_numpy(expected))


def replaced(tree, number, array):
    """The tree with its Python numbers as arrays."""
    if isinstance(tree, int | float):
        return array(number(tree))
    if isinstance(tree, dict):
        return type(tree)((key, replaced(child, number, array)) for key, child in tree.items())
    if isinstance(tree, list | tuple):
        children = [replaced(child, number, array) for child in tree]
        return type(tree)(*children) if isinstance(tree, Layer) else type(tree)(children)
    return tree


@every_tree
def test_a_tree_becomes_one_vector_and_the_same_tree_again(backend, make):
    tree = make(backend.asarray)
    point = to_point(tree)
    assert_same_tree(backend, point, replaced(tree, float, backend.asarray))
    space = space_of(point)
    assert (space.n, space.shape) == (5, (5,))
    flat = space.flat(point)
    backend.assert_same_kind(flat, backend.asarray(ENTRIES))
    np.testing.assert_array_equal(backend.to_numpy(flat), ENTRIES)
    assert_same_tree(backend, space.shaped(flat), point)
    assert space.flat(flat) is flat


@every_tree
def test_leaves_are_views_and_the_point_is_a_copy(make):
    tree = make(np.asarray)
    point = to_point(tree)
    space = space_of(point)
    vector = space.flat(point)
    for leaf in leaves(space.shaped(vector)):
        assert np.shares_memory(leaf, vector)
        assert not any(np.shares_memory(leaf, np.asarray(given)) for given in leaves(tree))


@pytest.mark.backends("dask")
def test_leaves_keep_their_chunks(backend):
    tree = {"w": backend.asarray(np.zeros((4, 3))), "b": backend.asarray(np.zeros(5))}
    space = space_of(to_point(tree))
    again = space.shaped(space.flat(to_point(tree)))
    assert {name: a.chunks for name, a in again.items()} == {n: a.chunks for n, a in tree.items()}
    unchunked = {"w": tree["w"].rechunk((4, 3)), "b": tree["b"].rechunk(5)}
    assert take_gradient(space, unchunked).chunks == space.chunks


@pytest.mark.backends("torch", "fakegpu")
def test_leaves_have_no_graph(backend):
    tree = [backend.asarray([1.0, 2.0]).requires_grad_(), backend.asarray(3.0)]
    point = to_point(tree)
    assert not any(leaf.requires_grad for leaf in point)
    assert not take_gradient(space_of(point), tree).requires_grad


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ([1.0, 2.0], False),
        ([[1, 2], (3, 4)], False),
        ([np.float64(1.0), np.int64(2)], False),
        (3.0, False),
        (np.ones(2), False),
        ([], False),
        ({}, True),
        ({"a": 1.0}, True),
        ([1.0, {"a": 1.0}], True),
        ([np.ones(2)], True),
        ([[1.0, (2.0, np.array(3.0))]], True),
    ],
)
def test_what_is_a_tree(given, answer):
    assert is_tree(given) is answer


def test_numbers_alone():
    """A list of them is an array, as in SciPy; a dict of them has no other reading than a tree."""
    assert to_point([1, 2.5]).tolist() == [1.0, 2.5]
    point = to_point({"a": 1, "b": np.float32(2.5), "c": True})
    assert {name: (a.shape, a.dtype.name, a.item()) for name, a in point.items()} == {
        "a": ((), "float64", 1.0),
        "b": ((), "float64", 2.5),
        "c": ((), "float64", 1.0),
    }


def test_integers_of_numpy_become_float64():
    point = to_point([np.array([1, 2]), np.array([True])])
    assert [a.dtype for a in point] == [np.float64, np.float64]


@pytest.mark.parametrize(
    ("x0", "error", "message"),
    [
        ({}, ValueError, r"x0 = \{\}: expected at least one variable"),
        ({"a": [], "b": {}}, ValueError, "expected at least one variable"),
        (
            {"a": np.ones(2), "b": np.ones(0)},
            ValueError,
            r"x0\['b'\] has shape \(0,\): expected at",
        ),
        (
            [np.ones(2), [1.0, 2.0]],
            TypeError,
            r"x0\[1\] is a list without an array: expected an ar",
        ),
        ({"w": (1.0, 2.0)}, TypeError, r"x0\['w'\] is a tuple without an array"),
        ({"a": np.ones(2), "b": None}, TypeError, r"x0\['b'\] has dtype object: expected real"),
        ([np.ones(2), "one"], TypeError, r"x0\[1\] has dtype <U3: expected real numbers"),
        ([np.ones(2), 1.0j], TypeError, r"x0\[1\] has complex dtype complex128"),
        ({"a": {"b": [np.ones(2) * 1j]}}, TypeError, r"x0\['a'\]\['b'\]\[0\] has complex dtype"),
        ([np.ones(2), np.ones(2, "float16")], TypeError, r"x0\[1\] has dtype float16: expected"),
        (
            {"a": np.ones(2), "b": np.ones(2, "float32")},
            TypeError,
            r"x0\['b'\] has dtype float32, expected float64 \(that of x0\['a'\]\)",
        ),
        (
            [defaultdict(list, a=np.ones(2))],
            TypeError,
            r"x0\[0\] is a defaultdict: expected a dict, list, tuple or namedtuple",
        ),
    ],
)
def test_trees_that_cannot_be_meant(x0, error, message):
    with pytest.raises(error, match=message):
        to_point(x0)


def test_leaves_of_two_libraries(backend):
    other = np.asarray
    if backend.family == "numpy":
        other = pytest.importorskip("array_api_strict").asarray
    x0 = {"layers": [backend.asarray([1.0, 2.0]), other([3.0])]}
    with pytest.raises(TypeError, match=r"x0\['layers'\]\[1\] has .*, expected .*layers'\]\[0\]\)"):
        to_point(x0)


@pytest.mark.backends("strict-device1", "fakegpu")
def test_leaves_on_two_devices(backend, xp):
    x0 = [backend.asarray([1.0, 2.0]), xp.asarray([1.0], dtype=backend.dtype)]
    with pytest.raises(TypeError, match=r"x0\[1\] has device .*, expected .* \(that of x0\[0\]\)"):
        to_point(x0)


@pytest.mark.parametrize(
    ("take", "name"), [(take_gradient, "the gradient"), (take_product, "the product with the H")]
)
def test_gradients_are_matched_by_key(backend, xp, take, name):
    a = backend.asarray
    tree = {"w": a([[1.0, 2.0]]), "rest": [a([3.0, 4.0]), a(5.0)]}
    space = space_of(to_point(tree))
    for given in (
        {"rest": (a([3.0, 4.0]), a(5.0)), "w": a([[1.0, 2.0]])},
        OrderedDict(rest=[a([3.0, 4.0]), a([5.0])[0]], w=a([[1.0, 2.0]])),
        a(ENTRIES),
    ):
        flat = take(space, given)
        backend.assert_same_kind(flat, a(ENTRIES))
        np.testing.assert_array_equal(backend.to_numpy(flat), ENTRIES)
    integers = xp.asarray([[1, 2]], dtype=xp.int32, device=backend.device)
    cases = [
        (
            {"w": tree["w"]},
            ValueError,
            r" has the keys \['w'\]: expected a dict with the keys \['w",
        ),
        (tree | {"b": a(1.0)}, ValueError, r" has the keys \['w', 'rest', 'b'\]: expected a dict"),
        ([a([[1.0, 2.0]])], TypeError, " has type list: expected a dict with the keys"),
        (a([1.0]), TypeError, " has type .*: expected a dict with the keys"),
        (None, TypeError, " has type NoneType: expected a dict"),
        (
            tree | {"rest": [a(5.0)]},
            ValueError,
            r"\['rest'\] has 1 entries: expected a list with 2",
        ),
        (
            tree | {"rest": a([3.0, 4.0])},
            TypeError,
            r"\['rest'\] has type .*: expected a list with 2",
        ),
        (tree | {"w": a([1.0])}, ValueError, r"\['w'\] has shape \(1,\): expected \(1, 2\)"),
    ]
    elsewhere = [
        (tree | {"w": a([1.0, 2.0])}, ValueError, r"\['w'\] has shape \(2,\): expected \(1, 2\)"),
        (tree | {"w": [1.0, 2.0]}, TypeError, r"\['w'\] has type list, expected an array of"),
        (
            tree | {"rest": [tree["w"][0, :], 5.0]},
            TypeError,
            r"\['rest'\]\[1\] has type float, exp",
        ),
        (tree | {"w": integers}, TypeError, r"\['w'\] has dtype .*int32, expected"),
    ]
    if backend.family != "numpy":
        cases += elsewhere
    else:  # NumPy's users may give leaves in any form
        for given, _, _ in elsewhere:
            backend.assert_same_kind(take(space, given), a(ENTRIES))
        cases += [(tree | {"w": ["1.0", "2.0"]}, TypeError, r"\['w'\] has type list")]
    for given, error, message in cases:
        with pytest.raises(error, match=name + ".*" + message):
            take(space, given)


def test_scales_are_trees_with_numbers(backend):
    a = backend.asarray
    x = {"w": a([[1.0, 2.0]]), "b": [a([3.0, 4.0]), a(5.0)]}
    space = space_of(to_point(x))
    for given in (
        {"b": [a([3.0, 4.0]), a(5.0)], "w": a([[1.0, 2.0]])},
        {"b": [[3.0, 4.0], 5], "w": np.array([[1.0, 2.0]])},
    ):
        flat = like(space, given, "x_scale")
        backend.assert_same_kind(flat, a(ENTRIES))
        np.testing.assert_array_equal(backend.to_numpy(flat), ENTRIES)
    flat = like(space, {"w": 2.0, "b": [3, 4.0]}, "x_scale")
    np.testing.assert_array_equal(backend.to_numpy(flat), [2.0, 2.0, 3.0, 3.0, 4.0])
    for given, error, message in [
        (
            np.ones(5),
            TypeError,
            r"x_scale has type ndarray: expected a dict with the keys \['w', 'b'\]",
        ),
        ({"w": 1.0}, ValueError, r"x_scale has the keys \['w'\]: expected a dict"),
        (
            {"w": [1.0], "b": [1, 1]},
            ValueError,
            r"x_scale\['w'\] has shape \(1,\): expected \(1, 2",
        ),
        ({"w": "1", "b": [1, 1]}, TypeError, r"x_scale\['w'\] has dtype <U1"),
    ]:
        with pytest.raises(error, match=message):
            like(space, given, "x_scale")
