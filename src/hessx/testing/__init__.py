"""Checks for parts of one's own: what every part of hessx promises, asked of any."""

from hessx._xp import record_fetches
from hessx.testing._approximation import check_approximation

__all__ = ["check_approximation", "record_fetches"]
