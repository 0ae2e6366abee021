"""hessx's best method beside each peer's best, problem by problem."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hessx.study.analysis.costs import Instance, Trial
from hessx.study.analysis.registered import package_of

__all__ = ["Versus", "beside_peers"]


@dataclass(frozen=True)
class Versus:
    """The cheapest method of hessx and of a peer on one instance.

    Attributes
    ----------
    instance : Instance
    method, cost, key
        Of hessx; the cost is infinite where no method reached the tolerance.
    peer : str
        The package.
    peer_method, peer_cost, peer_key
        Of the peer.
    """

    instance: Instance
    method: str
    cost: float
    key: str
    peer: str
    peer_method: str
    peer_cost: float
    peer_key: str

    @property
    def behind(self) -> bool:
        """Whether the peer is cheaper."""
        return self.peer_cost < self.cost


def beside_peers(
    runs: Sequence[Trial], tau: float = 1e-6, unit: str = "evaluations"
) -> list[Versus]:
    """Compare hessx's best with each peer's best on every instance that both were run on.

    Parameters
    ----------
    runs : sequence of Trial
    tau : float
        How close to the best value is solved.
    unit : str
        One of `hessx.study.analysis.costs.UNITS`.

    Returns
    -------
    list of Versus
        Peers within instances, in the order of the trials; where neither solved it there is none.
    """
    best: dict[tuple[Instance, str], Trial] = {}
    for trial in runs:
        place = trial.instance, package_of(trial.method)
        if place not in best or trial.cost(tau, unit) < best[place].cost(tau, unit):
            best[place] = trial
    found = []
    for (instance, package), theirs in best.items():
        ours = best.get((instance, ""))
        if package and ours is not None:
            costs = ours.cost(tau, unit), theirs.cost(tau, unit)
            if min(costs) < math.inf:
                found.append(
                    Versus(
                        instance, ours.method, costs[0], ours.key,
                        package, theirs.method, costs[1], theirs.key,
                    )
                )  # fmt: skip
    return found
