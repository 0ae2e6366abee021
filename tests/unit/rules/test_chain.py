"""Chains: saving, lessons, parts, and what they refuse."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import hessx.rules as r
from _helpers.perceptron import SHAPES, gradient, leaves_of, start
from _helpers.rules import RULES
from hessx._xp import space_of
from hessx.core import SettingsError, saved
from hessx.core.persistence._encoding import Reader, Writer
from hessx.rules import Chain, Rule


def tree_space() -> Any:
    return space_of(leaves_of(start()))


def through_a_file(chain: Chain) -> Chain:
    writer = Writer()
    tree = json.loads(json.dumps(writer.tree(chain, "chain"), allow_nan=False))
    arrays = {key: array.copy() for key, array in writer.arrays.items()}
    return Reader(tree_space(), arrays, []).value(tree)


def steps(chain: Chain, x: np.ndarray, first: int, last: int) -> np.ndarray:
    for t in range(first, last + 1):
        x = chain.step(t, gradient(x), x, 0.01)
    return x


@pytest.mark.parametrize("name", RULES)
def test_a_chain_put_down_goes_on_bitwise(name):
    whole = Chain.begin(RULES[name], tree_space(), start())
    x = steps(whole, start(), 1, 3)
    again, copied = through_a_file(whole), copy.deepcopy(whole)
    expected = steps(whole, x, 4, 6)
    np.testing.assert_array_equal(steps(again, x, 4, 6), expected)
    np.testing.assert_array_equal(steps(copied, x, 4, 6), expected)


@saved
@dataclass(frozen=True)
class Curved(Rule):
    """d = g / h, h from products with ones."""

    every: int = 3
    fresh: bool = False
    slots = ("h",)

    def lesson(self, t: int, hessian: Any) -> Any:
        return hessian(np.ones(2))

    def learn(self, xp: Any, k: Any, h: Any, old: Any) -> Any:
        return (h,)

    def turn(self, xp: Any, k: Any, g: Any, x: Any, h: Any) -> Any:
        return g / h, h


def test_lessons_come_when_they_are_due():
    x = np.array([3.0, -4.0])
    chain = Chain.begin([r.Decay(0.0), Curved(3), Curved(2, fresh=True)], space_of(x), x)
    due = [chain.lesson_due(t) for t in range(1, 8)]
    assert due == ["fresh", "", "fresh", "same", "fresh", "", "fresh"]
    assert chain.learns() == [(Curved(3), 3, False), (Curved(2, fresh=True), 2, True)]
    scale = np.array([2.0, 8.0])
    for t in (1, 3, 4):
        chain.learn(t, lambda v, t=t: t * scale * v)
    # The first rule was taught last at t = 4, the second at t = 3.
    np.testing.assert_array_equal(chain.direction(4, x, x), x / (4 * scale) / (3 * scale))


@dataclass(frozen=True)
class Part(Rule):
    """A rule on the whole, whose part learns."""

    acts_on = "whole"
    every: int = 2

    def begin(self, space: Any, x: Any) -> Part:
        self.heard.clear()
        return self

    heard = []  # noqa: RUF012

    def learn(self, t: int, hessian: Any) -> None:
        self.heard.append(t)


def test_a_part_of_the_whole_is_taught_too():
    x = np.ones(2)
    chain = Chain.begin([Part(), r.Adam()], space_of(x), x)
    for t in range(1, 6):
        chain.learn(t, None)
    assert Part.heard == [1, 3, 5]
    assert [every for _, every, _ in chain.learns()] == [2]


@pytest.mark.parametrize(
    ("rule", "mean"),
    [
        (r.Adagrad(), None),
        (r.RMSProp(), None),
        (r.RMSProp(eps=0.1, centred=True), None),
        (r.Adam(), 0.9),
        (r.Adam(amsgrad=True), 0.9),
        (r.Adamax(), 0.9),
    ],
)
def test_the_diagonal_times_the_mean_is_the_direction(rule, mean):
    chain = Chain.begin([r.Decay(0.1), rule], tree_space(), start())
    m = np.zeros_like(start())
    for t in range(1, 5):
        g = gradient(start() * t) + 0.1 * start()
        d = chain.direction(t, gradient(start() * t), start())
        m = g if mean is None else mean * m + (1.0 - mean) * g
        np.testing.assert_allclose(chain.diagonal() * m, d, rtol=1e-12)


def test_a_chain_without_a_diagonal_says_so():
    assert Chain.begin([r.SGD(0.9), r.Lion()], tree_space(), start()).diagonal() is None


def test_sign_sgd_is_a_walk_on_a_grid():
    x = np.array([1.0, -0.7, 0.0])
    chain = Chain.begin(r.SignSGD(), space_of(x), x)
    for t in range(1, 5):
        x = chain.step(t, x, x, 0.25)
    np.testing.assert_allclose(x, [0.0, -0.2, 0.0], atol=1e-15)


def test_signs_keep_nan(backend):
    x = backend.asarray([3.0, -0.5, 0.0, np.nan, np.inf])
    d = Chain.begin(r.SignSGD(), space_of(x), x).direction(1, x, x)
    np.testing.assert_array_equal(backend.to_numpy(d), [1.0, -1.0, 0.0, np.nan, 1.0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_centred_rmsprop_stays_finite_under_constant_gradients(dtype):
    """As a difference of means the variance turns negative here."""
    g = np.linspace(-2.0, 2.0, 101, dtype=dtype)
    chain = Chain.begin(r.RMSProp(0.99, centred=True), space_of(g), g)
    for t in range(1, 1001):
        d = chain.direction(t, g, g)
    assert np.isfinite(d).all()
    assert d.dtype == g.dtype


def test_rules_by_leaf_see_their_leaves_and_their_span():
    """Two leaves of one kind that are neighbours are one span: one norm."""
    x = {"W": np.ones((2, 2)), "a": np.array([3.0]), "b": np.array([4.0]), "V": np.ones((1, 2))}
    space = space_of(x)
    flat = space.flat(x)
    rule = r.ByLeaf(r.TrustRatio(), [r.ClipNorm(1.0, eps=0.0), r.SGD()])
    d = Chain.begin(rule, space, flat).direction(1, flat * 2.0, flat)
    np.testing.assert_allclose(d, [1, 1, 1, 1, 0.6, 0.8, 1, 1], rtol=1e-15)
    rule = r.ByLeaf(r.SignSGD(), r.SGD(), choose=lambda path, shape: path == "['b']")
    d = Chain.begin(rule, space, flat).direction(1, flat * 2.0, flat)
    np.testing.assert_array_equal(d, [2, 2, 2, 2, 6, 1, 2, 2])


def test_a_matrix_needs_no_tree():
    G = np.random.default_rng(1).standard_normal((5, 3))
    space = space_of(G)
    d = Chain.begin(r.Muon(), space, G.ravel()).direction(1, G.ravel(), G.ravel())
    U, _, Vt = np.linalg.svd(G, full_matrices=False)
    core = U.T @ space.shaped(d) @ Vt.T / np.sqrt(5 / 3)
    singular = np.diag(core)
    np.testing.assert_allclose(core - np.diag(singular), 0.0, atol=1e-14)
    assert 0.65 < singular.min() <= singular.max() < 1.25  # what the coefficients aim at


def test_leaves_and_join_are_inverse(backend):
    tree = {key: backend.asarray(leaf) for key, leaf in leaves_of(start()).items()}
    space = space_of(tree)
    leaves = space.leaves(space.flat(tree))
    for leaf, (key, shape) in zip(leaves, SHAPES.items(), strict=True):
        backend.assert_same_kind(leaf, tree[key])
        assert tuple(leaf.shape) == shape
    np.testing.assert_array_equal(
        backend.to_numpy(space.join(leaves)), backend.to_numpy(backend.asarray(start()))
    )


class Leafwise(Rule):
    """What leaves are not given."""

    acts_on, every = "leaf", 2


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: r.SGD(1.0), r"momentum = 1\.0: expected a number in \[0, 1\)"),
        (lambda: r.SGD(nesterov=True), "nesterov = True, momentum = 0.0"),
        (lambda: r.SGD(0.9, 0.1, nesterov=True), "dampening = 0.1"),
        (lambda: r.Adam(beta2=1.0), r"beta2 = 1\.0"),
        (lambda: r.Adam(eps=-1.0), r"eps = -1\.0"),
        (lambda: r.Adam(amsgrad="no"), "amsgrad = 'no': expected True or False"),
        (lambda: r.Decay(-0.1), r"c = -0\.1"),
        (lambda: r.ClipNorm(0.0), r"limit = 0\.0"),
        (lambda: r.DAdaptSGD(growth=1.0), r"growth = 1\.0"),
        (lambda: r.Muon(iterations=0), "iterations = 0"),
        (lambda: r.ByLeaf([], r.SGD()), r"matrices = \[\]: expected a rule"),
        (lambda: r.ByLeaf(Curved(), r.SGD()), "learns from the Hessian"),
        (lambda: r.ByLeaf(r.SGD(), r.SGD(), choose=2), "choose = 2"),
        (lambda: Chain.begin(Leafwise(), space_of(np.ones(2)), np.ones(2)), "leaves and learns"),
        (lambda: Chain.begin([r.Adam], space_of(np.ones(2)), np.ones(2)), r"is the class Adam"),
        (lambda: Chain.begin(["adam"], space_of(np.ones(2)), np.ones(2)), r"rules\[0\] is a str"),
        (lambda: Chain.begin(r.Muon(), space_of(np.ones(2)), np.ones(2)), r"shape \(2,\)"),
    ],
)
def test_bad_settings_are_refused(make, said):
    with pytest.raises(SettingsError, match=said):
        make()
