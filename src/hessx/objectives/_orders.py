"""In which order an epoch goes through the rows of a finite sum."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hessx._xp import host_array, is_array
from hessx.core import Order, SettingsError, saved, store_integer

__all__ = ["Importance", "Sequential", "Shuffled", "WithReplacement"]


@saved
@dataclass(frozen=True, slots=True)
class Shuffled(Order):
    """Each row once per epoch, in a random order that is a new one in every epoch.

    The default of stochastic methods.  With ``block`` the order goes from block to block, and the
    rows are shuffled inside, so that data on a disk are read in long pieces.

    Parameters
    ----------
    seed : int
        >= 0.  Seed and epoch fix the order: no random state is kept.
    block : int, optional
        Rows i with equal i // block stay together; the blocks come in random order.

    Raises
    ------
    SettingsError
        A negative seed, or a block below 1.

    Notes
    -----
    Cost: about 20 ns of the host per row and epoch, and 8 N bytes.

    References
    ----------
    Salmon, Moraes, Dror & Shaw (2011), Parallel random numbers: as easy as 1, 2, 3: Philox, whose
    counter is the epoch here.

    Examples
    --------
    >>> import hessx
    >>> hessx.Shuffled(seed=1).indices(epoch=0, N=6)
    array([4, 0, 1, 2, 5, 3])
    >>> hessx.Shuffled(seed=1, block=2).indices(epoch=0, N=6)
    array([1, 0, 2, 3, 5, 4])
    """

    seed: int = 0
    block: int | None = None

    def __post_init__(self) -> None:
        store_integer(self, "seed")
        store_integer(self, "block", 1)

    def indices(self, epoch: int, N: int) -> Any:
        """Give the rows of an epoch in their order."""
        draw = _generator(self.seed, epoch)
        if self.block is None:
            return draw.permutation(N)
        starts = draw.permutation(-(-N // self.block)) * self.block
        stops = np.minimum(starts + self.block, N)
        pairs = zip(starts, stops, strict=True)
        return np.concatenate([start + draw.permutation(stop - start) for start, stop in pairs])


@saved
@dataclass(frozen=True, slots=True)
class Sequential(Order):
    """The rows as they are stored, the same in every epoch.

    For data that were shuffled before, and for tests: rows sorted by class make biased batches.

    Examples
    --------
    >>> import hessx
    >>> hessx.Sequential().indices(epoch=3, N=4)
    array([0, 1, 2, 3])
    """

    def indices(self, epoch: int, N: int) -> Any:  # noqa: ARG002
        return np.arange(N)


@saved
@dataclass(frozen=True, slots=True)
class WithReplacement(Order):
    """Each position draws a row on its own: some come twice in an epoch, some not at all.

    What most theory assumes; `Shuffled` is mostly faster.

    Parameters
    ----------
    seed : int
        >= 0.

    Raises
    ------
    SettingsError
        A negative seed.

    Examples
    --------
    >>> import hessx
    >>> hessx.WithReplacement(seed=1).indices(epoch=0, N=6)
    array([2, 1, 4, 5, 2, 0])
    """

    seed: int = 0

    repeats = True

    def __post_init__(self) -> None:
        store_integer(self, "seed")

    def indices(self, epoch: int, N: int) -> Any:
        """Give the rows of an epoch in their order."""
        return _generator(self.seed, epoch).integers(0, N, N)


@saved(host=("probabilities",))
@dataclass(frozen=True, slots=True, eq=False)
class Importance(Order):
    r"""Row i is drawn with probability p_i, and its loss weighs 1 / (N p_i): unbiased.

        E[w_i grad f_i] = sum_i p_i / (N p_i) grad f_i = grad f

    With p_i in proportion to the largest norm of grad f_i the variance is least.

    Parameters
    ----------
    probabilities : array of shape (N,), or list
        Positive; p is what they are divided by their sum.
    seed : int
        >= 0.

    Raises
    ------
    SettingsError
        Numbers that are not positive and finite, or not in one row; a negative seed; an N that is
        not theirs.

    Notes
    -----
    The losses are weighted by the function: ``fun(x, *rows, weights=w)`` has to give the mean of
    w_i f_i; models do.

    References
    ----------
    Needell, Srebro & Ward (2014), Stochastic gradient descent, weighted sampling, and the
    randomized Kaczmarz algorithm, section 3.

    Examples
    --------
    >>> import hessx
    >>> order = hessx.Importance([1.0, 1.0, 2.0], seed=1)
    >>> order.indices(epoch=0, N=3), order.weights(3)
    (array([1, 2, 0]), array([1.33333333, 1.33333333, 0.66666667]))
    """

    probabilities: Any = field(repr=False)
    seed: int = 0

    repeats = True

    def __post_init__(self) -> None:
        store_integer(self, "seed")
        given = self.probabilities
        p = host_array(given) if is_array(given) else np.array(given, ndmin=1)
        kind = p.dtype.kind in "buif" and p.ndim == 1 and p.size > 0
        if not (kind and np.all((p > 0.0) & np.isfinite(p))):
            msg = (
                f"probabilities is a {type(given).__name__} with other entries: expected a "
                "vector of positive numbers, one for each row: a row that is never drawn would be "
                "missing in the sum"
            )
            raise SettingsError(msg)
        object.__setattr__(self, "probabilities", p.astype(np.float64))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Importance) or self.seed != other.seed:
            return False
        return np.array_equal(self.probabilities, other.probabilities)

    def __hash__(self) -> int:
        return hash((self.seed, self.probabilities.tobytes()))

    def indices(self, epoch: int, N: int) -> Any:
        """Give the rows of an epoch in their order."""
        self._check(N)
        ends = np.cumsum(self.probabilities)
        draws = _generator(self.seed, epoch).random(N) * ends[-1]
        return np.minimum(np.searchsorted(ends, draws, side="right"), N - 1)

    def weights(self, N: int) -> Any:
        """Give the factors of the rows' losses."""
        self._check(N)
        return self.probabilities.sum() / (N * self.probabilities)

    def _check(self, N: int) -> None:
        if self.probabilities.shape != (N,):
            msg = f"Importance has {self.probabilities.size} probabilities: expected {N}, one a row"
            raise SettingsError(msg)


def _generator(seed: int, epoch: int) -> np.random.Generator:
    """Streams of one seed are 2^192 numbers apart."""
    return np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, 0, epoch]))
