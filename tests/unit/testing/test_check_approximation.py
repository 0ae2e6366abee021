"""The checks of approximations name the promise that is broken."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from hessx import Offer
from hessx._xp import fetch, space_of
from hessx.operators import DenseOperator
from hessx.testing import check_approximation

n = 5


@hessx.saved
class Dense(hessx.Curvature):
    """B and A as matrices, by BFGS: what keeps every promise, for its subclasses to break one."""

    def __init__(self, frame):
        self.n = frame.space.n
        self.B, self.past = np.eye(self.n), False

    def solve(self, v):
        return np.linalg.solve(self.B, v)

    def matvec(self, v):
        return self.B @ v

    def dense(self):
        return self.B.copy()

    def diagonal(self):
        return self.B.diagonal().copy()

    def update(self, pair):
        if not (pair.s_y > 0.0 and pair.y_y < np.inf):
            return "skipped"
        B_s = self.B @ pair.s
        self.B = self.B - np.outer(B_s, B_s) / (pair.s @ B_s) + np.outer(pair.y, pair.y) / pair.s_y
        self.past = True
        return ""

    def reset(self):
        had, self.past = self.past, False
        self.B = np.eye(self.n)
        return had


def own(curvature, **attributes):
    """An approximation whose curvature is of the given class."""
    attributes = {
        "offers": Offer.SOLVE | Offer.MATVEC | Offer.DENSE | Offer.DIAGONAL,
        "begin": lambda self, frame: curvature(frame),
    } | attributes
    return type(f"Of{curvature.__name__}", (hessx.Approximation,), attributes)()


def test_what_keeps_every_promise_passes():
    check_approximation(own(Dense), np.zeros(n), secant=True)


class WritesIntoItsVector(Dense):
    def matvec(self, v):
        out = self.B @ v
        v *= 0.0
        return out


class HandsItsVectorBack(Dense):
    def solve(self, v):
        return super().solve(v) if self.past else v


class AnotherDtype(Dense):
    def solve(self, v):
        return super().solve(v).astype(np.float32)


class AnotherShape(Dense):
    def matvec(self, v):
        return super().matvec(v)[:, None]


class NotSymmetric(Dense):
    def matvec(self, v):
        return self.B @ v + 0.01 * np.roll(v, 1)


class NotLinear(Dense):
    def solve(self, v):
        return super().solve(v) + 0.01 * abs(v)


class Indefinite(Dense):
    def __init__(self, frame):
        super().__init__(frame)
        self.B[0, 0] = -0.01


class AnotherInverse(Dense):
    def solve(self, v):
        return 1.01 * super().solve(v)


class AnotherDense(Dense):
    def dense(self):
        return 1.01 * self.B


class AnotherDiagonal(Dense):
    def diagonal(self):
        return 1.0 / np.linalg.inv(self.B).diagonal()


class AnotherShift(Dense):
    def solve_shifted(self, v, sigma):
        return super().solve(v) / (1.0 + sigma)


@hessx.saved
class AnotherOperator(Dense):
    """Of z where it should be of x."""

    def operator(self, *, inverse):
        return DenseOperator(np.linalg.inv(self.B) if inverse else self.B.copy(), symmetric=True)


class Fetches(Dense):
    def solve(self, v):
        fetch(space_of(v), [v @ v])
        return super().solve(v)


class Drifts(Dense):
    def matvec(self, v):
        self.B = 1.01 * self.B
        return super().matvec(v)


class NoSecant(Dense):
    def update(self, pair):
        note = super().update(pair)
        self.B = self.B + (0.01 * np.eye(self.n) if note == "" else 0.0)
        return note


class SaysNothing(Dense):
    def update(self, pair):
        super().update(pair)


class SkipsAll(Dense):
    def update(self, pair):
        return "skipped"


class WritesIntoThePair(Dense):
    def update(self, pair):
        note = super().update(pair)
        pair.y[:] = 0.0
        return note


class LosesItsPastInACopy(Dense):
    def __deepcopy__(self, memo):
        twin = object.__new__(type(self))
        twin.n, twin.B, twin.past = self.n, np.eye(self.n), False
        return twin


class SharesItsPastWithCopies(Dense):
    def update(self, pair):
        before = self.B
        note = super().update(pair)
        before[...], self.B = self.B, before
        return note

    def __deepcopy__(self, memo):
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        return twin


class LearnsNoMoreInACopy(Dense):
    deaf = False

    def update(self, pair):
        return "" if self.deaf else super().update(pair)

    def __deepcopy__(self, memo):
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__, deaf=True)
        return twin


class TakesEverything(Dense):
    """Not finite after a y with inf."""

    def update(self, pair):
        B_s = self.B @ pair.s
        self.B = self.B - np.outer(B_s, B_s) / (pair.s @ B_s)
        self.B = self.B + np.outer(pair.y, pair.y) / pair.s_y if pair.s_y else self.B
        return ""


class TakesNegativeCurvature(Dense):
    def update(self, pair):
        if not (pair.s_y != 0.0 and pair.y_y < np.inf):
            return "skipped"
        B_s = self.B @ pair.s
        self.B = self.B - np.outer(B_s, B_s) / (pair.s @ B_s) + np.outer(pair.y, pair.y) / pair.s_y
        return ""


class AliveOperator(Dense):
    """Its operator goes on with the run."""

    def operator(self, *, inverse):
        apply = self.solve if inverse else self.matvec
        return hessx.LinearOperator((self.n, self.n), apply, symmetric=True)


class ForgetsNothing(Dense):
    def reset(self):
        return True


class ForgetsTwice(Dense):
    def reset(self):
        super().reset()
        return True


@hessx.saved(arguments=("frame",))
class LosesItsPastInAFile(Dense):
    """Made again as it was at first."""

    def __init__(self, frame):
        super().__init__(frame)
        self.frame = frame


ALL = Offer.SOLVE | Offer.MATVEC
BROKEN = [
    (own(WritesIntoItsVector), "matvec at first wrote into v"),
    (own(HandsItsVectorBack), "solve at first gave v itself: expected a new vector"),
    (own(AnotherDtype), "solve at first gave an array of another kind .* dtype float32"),
    (own(AnotherShape), r"matvec at first gave shape \(5, 1\): expected \(5,\)"),
    (own(NotSymmetric), "matvec at first is not symmetric"),
    (own(NotLinear), "solve at first is not linear"),
    (own(Indefinite), r"solve at first has the eigenvalue -1e\+02, and it says it is positive"),
    (own(AnotherInverse), "A B v = v at first: off by 0.01"),
    (own(AnotherDense), r"dense\(\) is not B at first: off by 0.01"),
    (own(AnotherDiagonal), r"diagonal\(\) is not B's after 1 pairs"),
    (own(AnotherShift, offers=ALL | Offer.SHIFTED), r"solve_shifted\(v, sigma\) = v after 1 pairs"),
    (own(AnotherOperator), r"operator\(inverse=True\) is another matrix in x at first"),
    (own(Fetches), "solve at first fetches: expected no wait"),
    (own(Drifts), "matvec at first, twice, differs"),
    (own(NoSecant), "B s = y: off by"),
    (own(SaysNothing), "update gave None: expected a word"),
    (own(SkipsAll), "a pair of a convex function was 'skipped': expected ''"),
    (own(WritesIntoThePair), "update wrote into the pair"),
    (own(LosesItsPastInACopy), "a deep copy is another matrix"),
    (own(SharesItsPastWithCopies), "a deep copy changed with what it was copied from"),
    (own(LearnsNoMoreInACopy), "a deep copy learns something else from the same pair"),
    (own(TakesNegativeCurvature), "seen a pair with s'y < 0 has the eigenvalue -"),
    (own(TakesEverything, positive=False), "seen a pair with a y with inf is not finite"),
    (own(AliveOperator), "an operator changed when the approximation learnt on"),
    (own(ForgetsNothing), "after reset it is not as at first"),
    (own(ForgetsTwice), "reset twice says twice"),
    (own(LosesItsPastInAFile), "a run that was saved and taken up ends elsewhere"),
    (own(Dense, offers=Offer.DENSE), r"offers .*DENSE: expected SOLVE or MATVEC, or both"),
]


@pytest.mark.parametrize(("approximation", "message"), BROKEN, ids=lambda v: type(v).__name__)
def test_a_broken_promise_is_named(approximation, message):
    with pytest.raises(AssertionError, match=message):
        check_approximation(approximation, np.zeros(n), secant=True)


def test_stacks_are_asked_for_alone():
    with pytest.raises(ValueError, match="size 6 is different from 5"):
        check_approximation(own(Dense), np.zeros(n), stacks=True)


class Unknown(Dense):
    pass


def test_what_cannot_be_saved_is_named():
    message = "in a line search a run cannot be saved: .* is a Unknown, which cannot be saved"
    with pytest.raises(AssertionError, match=message):
        check_approximation(own(Unknown), np.zeros(n))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (hessx.BFGS, r"is the class BFGS: expected an object, BFGS\(\)"),
        (None, "is a NoneType: expected an approximation such as"),
        ("bfgs", "is a str: expected an approximation such as"),
        (hessx.MoreSorensen(), "is a MoreSorensen: expected an approximation such as"),
    ],
)
def test_what_is_no_approximation_is_refused(given, message):
    with pytest.raises(hessx.SettingsError, match=f"^approximation {message}"):
        check_approximation(given, np.zeros(n))
