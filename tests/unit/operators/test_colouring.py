"""Colourings: valid by their definitions, and few."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import hessx
from _helpers.patterns import grid, random_symmetric
from hessx.operators import Colouring, colour, colour_columns, colour_star
from reference.colouring import is_column_colouring, is_star_colouring, tells

SYMMETRIC = {
    "tridiagonal": hessx.Pattern.banded(12, 1),
    "band": hessx.Pattern.banded(15, 3),
    "blocks": hessx.Pattern.block_diagonal([3, 1, 4, 2]),
    "arrow": hessx.Pattern.arrow(14, 2),
    "arrow, turned": hessx.Pattern.of(hessx.Pattern.arrow(14, 2).dense()[::-1, ::-1]),
    "grid": grid(5),
    "random": random_symmetric(24, 40),
    "dense": hessx.Pattern.of(np.ones((6, 6))),
    "no diagonal": hessx.Pattern.of(1 - np.eye(5)),
    "nothing": hessx.Pattern.of(np.zeros((4, 4))),
}


@pytest.mark.parametrize("name", SYMMETRIC)
def test_colourings_are_what_they_are_called(name):
    pattern = SYMMETRIC[name]
    full = pattern.dense()
    columns, star, best = colour_columns(pattern), colour_star(pattern), colour(pattern)
    assert is_column_colouring(full, columns.colours)
    assert is_star_colouring(full, star.colours)
    for colouring, symmetric in ((columns, False), (star, True), (best, True)):
        assert colouring.symmetric is symmetric
        assert tells(full, colouring.colours, symmetric) or name == "no diagonal"
    assert best.count == min(columns.count, star.count)


def test_a_greedy_star_colouring_forbids_no_more_than_it_must():
    full = SYMMETRIC["random"].dense()
    colours = colour_star(SYMMETRIC["random"]).colours
    degrees = full.sum(axis=0)
    orders = [np.arange(24), np.argsort(-degrees, kind="stable")]
    greedy = []
    for order in orders:
        given = -np.arange(1, 25)  # each its own
        for v in order:
            given[v] = next(
                c for c in itertools.count()
                if is_star_colouring(full, np.where(np.arange(24) == v, c, given))
            )  # fmt: skip
        greedy.append(given.tolist())
    assert colours.tolist() in greedy and colours.max() == min(map(max, greedy))


@pytest.mark.parametrize("seed", range(20))
def test_random_graphs_are_coloured_in_stars(seed):
    pattern = random_symmetric(14, 5 + 2 * seed, seed)
    assert is_star_colouring(pattern.dense(), colour_star(pattern).colours)
    assert is_column_colouring(pattern.dense(), colour_columns(pattern).colours)


def test_known_counts():
    assert colour_columns(hessx.Pattern.banded(100, 1)).count == 3
    assert colour_star(hessx.Pattern.banded(100, 1)).count == 3
    assert colour_columns(hessx.Pattern.banded(100, 4)).count == 9
    assert colour_columns(hessx.Pattern.block_diagonal([5, 2, 7, 1])).count == 7
    assert colour(hessx.Pattern.arrow(1000, 3)).count == 4
    assert colour(grid(20)).count == 5  # the star chromatic number of a grid
    assert colour_columns(hessx.Pattern.of(np.zeros((3, 4)))).count == 1


def test_no_more_groups_than_scipy_makes():
    sparse = pytest.importorskip("scipy.sparse")
    from scipy.optimize._numdiff import group_columns

    rng = np.random.default_rng(0)
    for shape, density in (((40, 30), 0.08), ((30, 40), 0.15), ((200, 200), 0.01)):
        A = sparse.random(*shape, density, random_state=rng)
        ours = colour_columns(hessx.Pattern.of(A))
        assert is_column_colouring(A.toarray() != 0, ours.colours)
        orders = [group_columns(A, order=order).max() + 1 for order in (0, 1, 2)]
        assert ours.count <= max(orders) and ours.count <= min(orders) + 1


@pytest.mark.long  # compiles for ten seconds
def test_no_more_colours_than_asdex():
    asdex = pytest.importorskip("asdex")
    for pattern in (grid(12), random_symmetric(200, 300), SYMMETRIC["arrow"]):
        rows, columns = pattern.rows, pattern.indices
        theirs = asdex.SparsityPattern.from_coo(rows, columns, shape=pattern.shape)
        assert colour_star(pattern).count <= asdex.color_symmetric(theirs)[1]
        assert colour_columns(pattern).count <= asdex.color_cols(theirs)[1]


def test_colours_that_are_none_are_refused():
    with pytest.raises(ValueError, match="6 colours for 3 columns, expected 3 at most"):
        Colouring([0, 5, 1])
    with pytest.raises(ValueError, match=r"colours has -1: expected integers >= 0"):
        Colouring([0, -1, 1])
    with pytest.raises(TypeError, match=r"dtype float64 and shape \(2,\): expected an integer"):
        Colouring([0.0, 1.0])
    with pytest.raises(ValueError, match="is not symmetric: expected entry"):
        colour_star(hessx.Pattern.of(np.triu(np.ones((3, 3)))))
    with pytest.raises(ValueError, match="is not symmetric"):
        colour(hessx.Pattern.of(np.ones((3, 2))))


@pytest.mark.long
def test_a_grid_of_a_million_points():
    pattern = grid(1000)
    colouring = colour(pattern)
    assert colouring.count <= 6
    full = np.zeros((pattern.shape[0], colouring.count), dtype=np.int8)
    np.add.at(full, (pattern.rows, colouring.colours[pattern.indices]), 1)
    alone = full[pattern.rows, colouring.colours[pattern.indices]] == 1
    assert (alone | alone[pattern.mirror()]).all()
