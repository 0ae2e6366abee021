"""A problem of one's own, and what is none, to look up by their names."""

from __future__ import annotations

from hessx.study.posed import Posed, Problem


def _posed(backend):
    return Posed(lambda x: (x @ x, 2.0 * x), backend.zeros(2) + 1.0, lambda x: lambda v: 2.0 * v)


parabola = Problem("Parabola", "x'x, from 1.", 2, _posed)
number = 3
