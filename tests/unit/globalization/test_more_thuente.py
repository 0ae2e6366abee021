"""Moré & Thuente's search beside SciPy's translation of dcsrch, on the same 200 slices."""

import pytest

from hessx.globalization import MoreThuente, Verdict

ALPHA_MIN, ALPHA_MAX, TRIALS = 1e-10, 1e6, 100


def dcsrch(piece, c1, c2, xtol):
    """The steps that DCSRCH evaluates, and whether it converged."""
    from scipy.optimize._dcsrch import DCSRCH

    alphas = []

    def value(alpha):
        alphas.append(float(alpha))
        return piece.phi(alpha)[0]

    search = DCSRCH(
        value,
        lambda alpha: piece.phi(alpha)[1],
        c1,
        c2,
        xtol,
        ALPHA_MIN * piece.alpha,
        ALPHA_MAX * piece.alpha,
    )
    # its first iteration evaluates nothing
    task = search(piece.alpha, *piece.phi(0.0), TRIALS + 1)[-1]
    return alphas, task.startswith(b"CONV")


@pytest.mark.parametrize(
    ("c1", "c2", "xtol", "converged_at_least"),
    [
        (1e-3, 0.9, 0.1, 190),  # as in L-BFGS-B
        (1e-4, 0.9, 1e-14, 200),
        (1e-4, 0.1, 1e-14, 200),
        (0.1, 0.1, 1e-14, 200),
        (0.45, 0.45, 1e-14, 190),
        (1e-4, 1e-3, 1e-14, 200),
    ],
)
def test_ends_where_scipys_dcsrch_does_on_200_slices(slices, run, c1, c2, xtol, converged_at_least):
    """Same steps to 1e-12, evaluations and verdict.

    A search that converges evaluates the same steps.  One that exhausts its interval evaluates the
    same steps up to there; then dcsrch evaluates its best point again and warns, while
    MoreThuente takes the last point at once if it has sufficient decrease.
    """
    assert len(slices) == 200
    rule = MoreThuente(
        c1=c1,
        c2=c2,
        xtol=xtol,
        max_trials=TRIALS,
        alpha_min=ALPHA_MIN,
        alpha_max=ALPHA_MAX,
        approximate=False,
    )
    agreed = 0
    for piece in slices:
        expected, converged = dcsrch(piece, c1, c2, xtol)
        end = run(rule, piece)
        alphas = [alpha for alpha, _, _ in end.trials]
        assert (end.verdict is Verdict.ACCEPTED and not end.search.settled) is converged, piece.name
        if converged:
            assert alphas == pytest.approx(expected, rel=1e-12), piece.name
            agreed += 1
        else:
            assert alphas == pytest.approx(expected[: len(alphas)], rel=1e-12), piece.name
            assert len(expected) == len(alphas) + 1
    assert agreed >= converged_at_least


def test_the_sampled_slices_are_hard_enough(slices, run):
    """Otherwise the comparison above says little: most searches must need several trials."""
    rule = MoreThuente(c2=0.1, xtol=0.0, max_trials=TRIALS)
    counts = [len(run(rule, piece).trials) for piece in slices]
    assert sum(count >= 3 for count in counts) > 100


def test_stops_at_the_largest_step_of_an_unbounded_ray(run, nasty):
    piece = next(p for p in nasty if p.name == "unbounded" and p.alpha == 1.0)
    end = run(MoreThuente(alpha_max=50.0), piece)
    assert (end.verdict, end.trials[-1][0], end.search.settled) == (Verdict.ACCEPTED, 50.0, True)


def test_stops_at_the_smallest_step(run, nasty):
    piece = next(p for p in nasty if p.name == "wrong-gradient" and p.alpha == 1.0)
    end = run(MoreThuente(alpha_min=0.01), piece)
    assert (end.verdict, end.trials[-1][0]) == (Verdict.FAILED, 0.01)
