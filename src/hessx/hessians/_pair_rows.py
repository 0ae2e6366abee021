"""Where the vectors of L-BFGS stand: two gradients, and pairs in slots, as rows of one buffer."""

from __future__ import annotations

from hessx._xp import Rows, Space, make_rows
from hessx.core import saved

__all__ = ["PAIRS", "PairRows"]

PAIRS = 2  # the first row of the pairs
_FIRST = 10  # slots to begin with, where there is room for more in little memory
_LITTLE = 2**17  # numbers: they are copied as slots are added


@saved
class PairRows:
    """Rows 0 and 1 are the current gradient and the trial's, in turn; 2 + 2 i, 3 + 2 i are slot i.

    The candidate, the pair of the trial, takes a free slot, or that of the oldest pair, which no
    direction will need again.

    Parameters
    ----------
    space : Space
        Of the vectors.
    limit : int
        Pairs at most.

    Attributes
    ----------
    rows : Rows
        The vectors; there come to be more where few are needed at first.
    count : int
        Pairs held.
    candidate : int
        The slot of the trial's pair.
    now, trial, s, y : int
        The rows of both gradients and of the candidate.
    stop : int
        The end of the rows in use, candidate included.
    """

    __slots__ = ("candidate", "count", "limit", "now", "rows", "s", "space", "stop", "trial", "y")

    def __init__(self, space: Space, limit: int) -> None:
        self.space, self.limit = space, limit
        grows = space.writeable and limit * space.n <= _LITTLE
        slots = min(limit, _FIRST) if grows else limit
        self.rows: Rows = make_rows(space, PAIRS + 2 * slots)
        self.now, self.trial = 0, 1
        self.hold(0, 0)

    def hold(self, count: int, candidate: int) -> None:
        """Set how many pairs there are, and where the next stands."""
        self.count, self.candidate = count, candidate
        self.s, self.y = PAIRS + 2 * candidate, PAIRS + 2 * candidate + 1
        end = PAIRS + 2 * self.limit
        self.stop = min(PAIRS + 2 * (count + 1), end)
        if self.stop > self.rows.count:
            self.rows.grow(min(max(2 * self.rows.count, self.stop), end))
        if self.rows.whole:
            self.stop = self.rows.count

    @property
    def slots(self) -> int:
        """Pairs for which there are rows."""
        return (self.rows.count - PAIRS) // 2

    def keep(self) -> None:
        """Take the candidate for a pair."""
        self.hold(min(self.count + 1, self.limit), (self.candidate + 1) % self.limit)

    def swap(self) -> None:
        """The trial's gradient becomes the current one."""
        self.now, self.trial = self.trial, self.now

    def forget(self, *, but_candidate: bool = False) -> None:
        """Forget the pairs, of which some may not be finite; the candidate may move to slot 0."""
        rows = self.rows
        if but_candidate and self.candidate:
            for i in (0, 1):
                rows.set(PAIRS + i, rows[self.s + i] + 0.0)
        elif rows.whole and not but_candidate:  # they must not meet a coefficient of zero
            for i in (self.trial, *range(PAIRS, rows.count)):
                rows.set(i, self.space.zeros(self.space.n))
        self.hold(0, 0)

    def pieces(self, *, without_candidate: bool) -> list[tuple[int, int]]:
        """Ranges of rows with all pairs, and with nothing that may not be finite."""
        end = PAIRS + 2 * self.count
        if not without_candidate:
            return [(0, end)]
        pieces = [(PAIRS, min(self.s, end)), (self.y + 1, end)]
        return [(first, last) for first, last in pieces if first < last]
