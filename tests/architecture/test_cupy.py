"""What CuPy lacks is found without a GPU.

Whole runs on the pretend CuPy check each call, attribute and operator that they make against
CuPy's own; the syntax trees give the names that no run came by.
"""

from __future__ import annotations

import ast
import re

import pytest

from _helpers.runs import RUNS
from _helpers.source import modules


@pytest.mark.backends("cupy-signatures", "cupy")
@pytest.mark.parametrize("name", RUNS)
def test_runs_take_only_what_cupy_has(backend, name):
    result = RUNS[name](backend)
    assert type(result.x) is type(backend.asarray([0.0]))
    assert type(result.jac) is type(result.x)
    assert isinstance(result.fun, float)


def names_taken_from_xp() -> set[str]:
    """Dotted names after ``xp.`` in the source: ``sum``, ``linalg.vector_norm``."""
    found = set()
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute):
                _, taken, name = f".{ast.unparse(node)}".partition(".xp.")
                if taken and re.fullmatch(r"[\w.]+", name) and not name.startswith("_"):
                    found.add(name)
    return found


def test_every_name_taken_from_xp_is_in_cupy():
    cupy = pytest.importorskip("array_api_compat.cupy", exc_type=ImportError)
    names = names_taken_from_xp()
    assert {"asarray", "concat", "zeros"} <= names
    missing = []
    for dotted in sorted(names):
        owner = cupy
        for part in dotted.split("."):
            if not hasattr(owner, part):
                missing.append(dotted)
                break
            owner = getattr(owner, part)
    assert not missing
