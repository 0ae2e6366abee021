"""The methods of both studies, by names that another process can look up."""

from __future__ import annotations

from hessx.study.methods.method import FAMILIES, Method
from hessx.study.methods.registry import METHODS, find_method

__all__ = ["FAMILIES", "METHODS", "Method", "find_method"]
