from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def planted(monkeypatch):
    """Methods and problems to be looked up: ``planted_methods:name``, ``planted_problems:name``."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
