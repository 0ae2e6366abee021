"""How large a matrix may be where vectors would do."""

from __future__ import annotations

from hessx._xp import Space
from hessx.core import SettingsError

__all__ = ["DEFAULT_BYTES", "check_size"]

DEFAULT_BYTES = 2**32


def check_size(space: Space, who: str, instead: str, most: int = DEFAULT_BYTES) -> None:
    """Refuse an (n, n) matrix that would take more bytes than are allowed.

    Raises
    ------
    SettingsError
        So it is; the message says how many, and what to use ``instead``.
    """
    size = space.n**2 * space.host_dtype.itemsize
    if size > most:
        msg = (
            f"{who} makes a matrix of {space.n} x {space.n} numbers, which takes "
            f"{size / 2**30:.3g} GiB, more than {most / 2**30:.3g} GiB: expected {instead}"
        )
        raise SettingsError(msg)
