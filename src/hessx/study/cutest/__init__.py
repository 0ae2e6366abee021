"""CUTEst problems: loading, fast evaluation, and scoring of methods within a budget."""

from __future__ import annotations

from hessx.study.cutest.problems import CutestProblem, available, load

__all__ = ["CutestProblem", "available", "load"]
