"""Checks for parts of one's own: what every part of hessx promises, asked of any."""

from hessx.testing._approximation import check_approximation

__all__ = ["check_approximation"]
