from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def planted(monkeypatch):
    """Methods to be looked up as ``planted_methods:name``."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
