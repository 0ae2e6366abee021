"""Fixtures and command-line options of the whole suite."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from _helpers.backends import Backend, family_of
from _helpers.registry import BACKENDS, UnavailableError, make_backend

# Others' warnings at import, which say nothing about this library.
IMPORT_NOISE = [
    "ignore:.*CUDA path could not be detected.*:UserWarning",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--backend",
        action="append",
        metavar="NAME",
        help="run only the tests of this backend or family of backends (repeatable; also as "
        "HESSX_TEST_BACKENDS=NAME,NAME): " + ", ".join(BACKENDS),
    )


def pytest_configure(config: pytest.Config) -> None:
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    config.addinivalue_line("filterwarnings", "error")
    for exception in IMPORT_NOISE:
        config.addinivalue_line("filterwarnings", exception)
    config.addinivalue_line(
        "markers", "backends(*names): run on these backends or families only, among those selected"
    )
    unknown = [n for n in _asked_for(config) if n not in BACKENDS and n not in _families()]
    if unknown:
        raise pytest.UsageError(
            f"unknown backend {', '.join(unknown)}: expected one of {', '.join(BACKENDS)}"
        )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backend" not in metafunc.fixturenames:
        return
    names = _matching(BACKENDS, _asked_for(metafunc.config))
    marker = metafunc.definition.get_closest_marker("backends")
    if marker is not None:
        names = _matching(names, marker.args)
    metafunc.parametrize("backend", names, indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With backends asked for, leave out the tests that do not depend on one."""
    if not _asked_for(config):
        return
    kept = [item for item in items if "backend" in getattr(item, "fixturenames", ())]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def pytest_collection_finish(session: pytest.Session) -> None:
    """Install the pretend GPU before the process's first backward pass, where a test needs it."""
    names = {_backend_name(item) for item in session.items}
    fixtures = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    if "fakegpu" in names or "pretend_gpu" in fixtures:
        try:
            make_backend("fakegpu")
        except UnavailableError:
            return  # its tests are skipped with the reason


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """One array library, device and dtype; the test runs once on each."""
    try:
        made = make_backend(request.param)
    except UnavailableError as error:
        if _asked_for(request.config):
            pytest.fail(f"{request.param} was asked for, but {error}", pytrace=False)
        pytest.skip(f"{request.param}: {error}")
    with made.active():
        yield made


@pytest.fixture
def xp(backend: Backend) -> Any:
    """The backend's array namespace."""
    return backend.xp


@pytest.fixture
def pretend_gpu() -> Any:
    """The meter of the pretend GPU."""
    try:
        return make_backend("fakegpu").meter
    except UnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers that are the same in every run."""
    return np.random.default_rng(20260521)


def _asked_for(config: pytest.Config) -> list[str]:
    names = os.environ.get("HESSX_TEST_BACKENDS", "")
    return (config.getoption("--backend") or []) + [n for n in names.split(",") if n]


def _families() -> set[str]:
    return set(map(family_of, BACKENDS))


def _matching(names: Any, wanted: Any) -> list[str]:
    """The names that are wanted by themselves or by their family; all if none is wanted."""
    return [n for n in names if not wanted or n in wanted or family_of(n) in wanted]


def _backend_name(item: pytest.Item) -> str | None:
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("backend") if callspec is not None else None
