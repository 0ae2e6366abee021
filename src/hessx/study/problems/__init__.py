"""The problems of a study, by name."""

from hessx.study.problems.registry import PROBLEMS, QUICK, SIZED, find_problem

__all__ = ["PROBLEMS", "QUICK", "SIZED", "find_problem"]
