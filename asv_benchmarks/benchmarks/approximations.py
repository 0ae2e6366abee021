"""Every approximation of the Hessian: what it costs to build, to teach, and to apply."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import numpy as np

import hessx
from benchmarks.lessons import PAIRS, Lessons
from benchmarks.libraries import EAGER, large, library, wait
from hessx._xp import space_of
from hessx.core import Frame, Learns, Offer, SettingsError, Wants
from hessx.hessians import Approximation, Curvature

Params = tuple[list[str], list[str], list[int]]
SMALL, LARGE = 1_000, large(1_000_000)  # variables
WARM, WIDE = 20, 100_000  # before memory is counted, and there


def _known(n: int) -> Approximation:
    if n > SMALL:
        raise NotImplementedError("no matrix of this size")
    return hessx.ExactInverse(np.diag(np.linspace(1.0, 2.0, n)) + 1.0 / n)


APPROXIMATIONS: dict[str, Callable[[int], Approximation]] = {
    "Identity": lambda n: hessx.Identity(),
    "Zero": lambda n: hessx.Zero(),
    "Spectral": lambda n: hessx.Spectral(),
    "DiagonalBFGS": lambda n: hessx.DiagonalBFGS(),
    "WeakSecant": lambda n: hessx.WeakSecant(),
    "DiagonalPSB": lambda n: hessx.DiagonalPSB(),
    "LearntDiagonal": lambda n: hessx.LearntDiagonal(patient=False),
    "Jacobi": lambda n: hessx.Jacobi(),
    "Given": lambda n: hessx.Given(lambda v: v * 0.25),
    "LBFGS": lambda n: hessx.LBFGS(memory=PAIRS),
    "LSR1": lambda n: hessx.LSR1(memory=PAIRS),
    "LDFP": lambda n: hessx.LDFP(memory=PAIRS),
    "KnownPlus": lambda n: hessx.KnownPlus(hessx.LSR1(memory=PAIRS, hess0=0.0)),
    "PairPreconditioner": lambda n: hessx.PairPreconditioner(memory=PAIRS),
    "Exact": lambda n: hessx.Exact(),
    "Exact, dense": lambda n: hessx.Exact(dense=True),
    "ExactInverse": _known,
    "Newton, eigenvalues": lambda n: hessx.Newton(),
    "Newton, Cholesky": lambda n: hessx.Newton("cholesky"),
    "Sparse": lambda n: hessx.Sparse(hessx.Pattern.banded(n, 1), check=False),
    "SparseNewton": lambda n: hessx.SparseNewton(hessx.Pattern.banded(n, 1), check=False),
    "Nystrom": lambda n: hessx.Nystrom(rank=PAIRS, every=1),
    "LowRank, Lanczos": lambda n: hessx.LowRank(PAIRS),
    "LowRank, randomized": lambda n: hessx.LowRank(PAIRS, "randomized"),
    "BFGS": lambda n: hessx.BFGS(),
    "DFP": lambda n: hessx.DFP(),
    "Broyden": lambda n: hessx.Broyden(),
    "SSBroyden": lambda n: hessx.SSBroyden(),
    "SR1": lambda n: hessx.SR1(),
    "PSB": lambda n: hessx.PSB(),
    "Hutchinson": lambda n: hessx.Hutchinson(),
    "Partial": lambda n: hessx.Partial("exact", slice(50)),
    "Blockwise": lambda n: hessx.Blockwise(hessx.LBFGS(memory=PAIRS)),
    "TruncatedInverse": lambda n: hessx.TruncatedInverse(),
}
PRODUCTS = {"solve": Offer.SOLVE, "matvec": Offer.MATVEC}
SETTINGS = {kind: make(WARM) for kind, make in APPROXIMATIONS.items()}
LEARNING = [kind for kind, B in SETTINGS.items() if B.learns is not Learns.NOTHING]
WITH = {p: [k for k, B in SETTINGS.items() if o in B.offers] for p, o in PRODUCTS.items()}


BOTH = [kind for kind in WITH["solve"] if kind in WITH["matvec"]]
MAKING = [kind for kind, B in SETTINGS.items() if Wants.HESSIAN in B.wants]


class Work:
    """An approximation as a run has it: told which product each step asks for."""

    def __init__(self, name: str, kind: str, n: int, product: str = "") -> None:
        backend, self.settings = library(name), APPROXIMATIONS[kind](n)
        frame = Frame(space_of(backend.zeros(n)))
        try:
            self.settings.begin(frame)
        except SettingsError as error:  # too large for a matrix
            raise NotImplementedError(str(error)) from error
        wanted = Wants.HESSIAN in self.settings.wants
        self.lessons = Lessons(backend, frame, hessian=wanted)
        self.product = product or next(p for p, kinds in WITH.items() if kind in kinds)

    def begin(self) -> Curvature:
        return self.lessons.begin(self.settings, PRODUCTS[self.product])

    def taught(self) -> Curvature:
        """Begin, and fill the memory."""
        curvature, memory = self.begin(), getattr(self.settings, "memory", 1)
        pairs = {Learns.NOTHING: 0, Learns.PRODUCTS: 2}.get(self.settings.learns, memory + 1)
        for _ in range(pairs):
            self.lessons.teach(curvature)
        return curvature

    def apply(self, curvature: Curvature) -> None:
        product = curvature.solve if self.product == "solve" else curvature.matvec
        wait(product(self.lessons.v))


class Build:
    """What a new point costs those that want the Hessian; others begin with nothing to do."""

    params: Params = (EAGER, MAKING, [SMALL])
    param_names = ("library", "approximation", "n")

    def setup(self, name: str, kind: str, n: int) -> None:
        self.work = Work(name, kind, n)

    def time_build(self, name: str, kind: str, n: int) -> None:
        self.work.begin()


class Update:
    """One pair, and the first product after it, for which some form a matrix."""

    params: Params = (EAGER, LEARNING, [SMALL])
    param_names = ("library", "approximation", "n")

    def setup(self, name: str, kind: str, n: int) -> None:
        self.work = Work(name, kind, n)
        self.curvature = self.work.taught()

    def time_update(self, name: str, kind: str, n: int) -> None:
        self.work.lessons.teach(self.curvature)
        self.work.apply(self.curvature)


class Apply:
    """A v, or B v where there is no A, when all is formed."""

    params: Params = (EAGER, list(APPROXIMATIONS), [SMALL])
    param_names = ("library", "approximation", "n")
    product = ""

    def setup(self, name: str, kind: str, n: int) -> None:
        self.work = Work(name, kind, n, self.product)
        self.curvature = self.work.taught()
        self.work.apply(self.curvature)

    def time_apply(self, name: str, kind: str, n: int) -> None:
        self.work.apply(self.curvature)


class Matvec(Apply):
    """B v where there is A too; the run has asked for B v at each step."""

    params = (["numpy"], BOTH, [SMALL])
    product = "matvec"


class Peak:
    """Memory from the start until all of it is in use, in vectors of n numbers.

    With 100 000 variables, or 1000 where there are matrices; s and y are not counted, nor what
    LAPACK takes inside NumPy.
    """

    params = (["numpy"], list(APPROXIMATIONS))
    param_names = ("library", "approximation")

    def setup(self, name: str, kind: str) -> None:
        warm = Work(name, kind, WARM)  # what is loaded at the first use
        warm.apply(warm.taught())
        try:
            self.work = Work(name, kind, WIDE)
        except NotImplementedError:
            self.work = Work(name, kind, SMALL)

    def track_peak_vectors(self, name: str, kind: str) -> float:
        tracemalloc.start()
        curvature = self.work.taught()
        self.work.apply(curvature)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak / (8 * self.work.lessons.frame.space.n)

    track_peak_vectors.unit = "vectors"


class LargeBuild(Build):
    """The same with a million variables, where what needs a matrix is refused."""

    params = (["numpy"], MAKING, [LARGE])


class LargeUpdate(Update):
    params = (["numpy"], LEARNING, [LARGE])


class LargeApply(Apply):
    params = (["numpy"], list(APPROXIMATIONS), [LARGE])


class LargeMatvec(Matvec):
    params = (["numpy"], BOTH, [LARGE])
