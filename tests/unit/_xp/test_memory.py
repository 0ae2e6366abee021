"""Memory at hand: what the operating system says, and inf where nobody does."""

from __future__ import annotations

import math
import os

import numpy as np
import pytest

from hessx._xp import memory_at_hand, space_of

SPACE = space_of(np.zeros(2))


def test_it_is_what_psutil_finds():
    psutil = pytest.importorskip("psutil")
    assert memory_at_hand(SPACE) == pytest.approx(psutil.virtual_memory().available, rel=0.3)


def test_without_a_list_of_the_kernels_it_is_all_that_there_is(monkeypatch):
    monkeypatch.setattr("pathlib.Path.exists", lambda path: False)
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 10}.__getitem__)
    assert memory_at_hand(SPACE) == 40960.0

    def unknown(name):
        raise ValueError(name)

    monkeypatch.setattr(os, "sysconf", unknown)
    assert memory_at_hand(SPACE) == math.inf
