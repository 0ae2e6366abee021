"""L-BFGS along rays: d = -A g as a combination of rows."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from hessx.core import saved
from hessx.directions._direction import Direction
from hessx.directions._row_track import RowTrack
from hessx.hessians import PAIRS, LBFGSCurvature, LBFGSInverse

__all__ = ["LBFGSDirection"]


@saved
class LBFGSDirection(Direction):
    """d = -A g, with A and g in the same rows.

    The columns S'y and Y'y that a new pair adds to the small products are differences of stored
    products with gradients; its own s'y and y'y are explicit, without which float32 breaks at its
    noise floor.

    Parameters
    ----------
    curvature : LBFGSCurvature
        The pairs, and what the host knows of them.
    """

    __slots__ = ("curvature", "dropped", "sized", "track")
    track: RowTrack

    def __init__(self, curvature: LBFGSCurvature) -> None:
        self.curvature = curvature
        damped = curvature.damping is not None  # wants g_t'g as well
        self.track = RowTrack(curvature.frame, curvature.pairs, whole=damped)
        self.dropped = False  # the pairs are forgotten with the next that is learnt
        self.sized = curvature.sized

    def turn(self, watch: Callable[[], bool]) -> None:  # noqa: ARG002
        """Turn to d = -A g; without pairs to -gamma g."""
        curvature, track = self.curvature, self.track
        pairs = curvature.pairs
        if pairs.count and not self.dropped:
            stop = pairs.stop if pairs.rows.whole else PAIRS + 2 * pairs.count
            c, slope = curvature.combination(track.products[:stop], pairs.now)
            if -math.inf < slope < 0.0:
                track.combine(c, slope)
                return
            self._forget()
        track.descend(1.0 if pairs.count or self.dropped else curvature.gamma)

    def accept(self, *, learn: bool = True) -> str:
        """Go on from the trial; make the candidate a pair, unless its curvature is rounding."""
        track, curvature = self.track, self.curvature
        if not learn:
            track.accept()
            return ""
        pairs = curvature.pairs
        if self.dropped:
            self._begin_anew()
        if pairs.count == pairs.limit:
            curvature.gram.remove(pairs.candidate)
        track.placed, note = False, ""
        s_s = track.alpha * track.alpha * track.d_square
        cross = track.products_trial[: pairs.stop] - track.products[: pairs.stop]
        if curvature.damping is not None and self.sized:  # else A = I has no size yet
            note, cross = self._damp(cross)
        track.accept()
        if not math.isfinite(track.y_y + s_s):
            self._forget()
            return "dropped"
        space = track.space
        least = max(-space.eps * track.alpha * track.start_slope, space.smallest)
        if not (track.s_y > least and track.y_y > 0.0):
            return "skipped"
        curvature.learn(pairs.candidate, cross, track.s_y, track.y_y, s_s)
        self.sized = True
        return note

    def reset(self) -> bool:
        """Take -g next, and forget the pairs if that is learnt from; False where there were none.

        Until then they make `operator`, and a run that ends there hands them out.
        """
        had = self.curvature.pairs.count > 0 and not self.dropped
        self.dropped, self.sized = True, False
        return had

    def inverse_hessian(self) -> LBFGSInverse:
        """Give A as an operator on the rows of the run, which it leaves as they are."""
        return self.curvature.inverse(without_candidate=self.track.placed)

    def _begin_anew(self) -> None:
        """Forget the pairs; the candidate moves to the first slot."""
        trial, s = self.track.products_trial, self.curvature.pairs.s
        kept = trial[s : s + 2].copy()
        self._forget(but_candidate=True)
        trial[PAIRS : PAIRS + 2] = kept

    def _forget(self, *, but_candidate: bool = False) -> None:
        """Forget the pairs, of which some may not be finite."""
        track = self.track
        self.curvature.forget(but_candidate=but_candidate)
        track.products[PAIRS:] = track.products_trial[PAIRS:] = 0.0
        self.sized = self.dropped = False

    def _damp(self, cross: np.ndarray) -> tuple[str, np.ndarray]:
        """Mix y with B s so that s'y >= damping s'Bs (Powell 1978).

        The step is s = -alpha A g, so that B s = -alpha g and s'Bs = -alpha^2 slope.
        """
        track, pairs = self.track, self.curvature.pairs
        s_B_s = -track.alpha * track.alpha * track.start_slope
        least = self.curvature.damping * s_B_s  # type: ignore[operator]
        if not track.s_y < least:
            return "", cross
        theta = (s_B_s - least) / (s_B_s - track.s_y)
        weight = (1.0 - theta) * track.alpha
        rows, y, now, g_g = pairs.rows, pairs.y, pairs.now, track.grad_square
        trial = track.products_trial
        y_g = float(trial[now]) - g_g
        rows.set(y, rows[y] * theta - rows[now] * weight)
        trial[y] = theta * trial[y] - weight * trial[now]
        track.s_y = theta * track.s_y + (1.0 - theta) * s_B_s
        track.y_y = theta * theta * track.y_y - 2.0 * theta * weight * y_g + weight * weight * g_g
        return "damped", theta * cross - weight * track.products[: len(cross)]
