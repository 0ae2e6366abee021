"""Fixtures and command-line options of the whole suite."""

from __future__ import annotations

import functools
import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Matrices are small: threads that wait for one another take longer than the work, many times so
# where cores are shared.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from _helpers.backends import Backend, family_of
from _helpers.registry import BACKENDS, UnavailableError, make_backend
from _helpers.solvers import DENSE, LEARNING, PLAIN

# Others' warnings at import, which say nothing about this library.
IMPORT_NOISE = [
    "ignore:.*CUDA path could not be detected.*:UserWarning",
]


# They take time: dask builds a graph for each operation, and JAX compiles each for each shape.
LAZY = ("dask", "jax")
CASES = 2  # parameters of one test on a library other than NumPy in the fast suite
LAZY_CASES = 2  # on a lazy library with --few; a prime, so that the picks differ in each parameter
COMPOSED = {
    *LEARNING, *DENSE, *PLAIN, "trust-damped", "arc", "damped, pairs", "trust-hutchinson",
    "trust-nystrom",
}  # fmt: skip

NOT_RUN = pytest.StashKey[dict[str, str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--backend",
        action="append",
        metavar="NAME",
        help="run only the tests of this backend or family of backends (repeatable; also as "
        "HESSX_TEST_BACKENDS=NAME,NAME): " + ", ".join(BACKENDS),
    )
    parser.addoption(
        "--few",
        action="store_true",
        help=f"with --backend: {LAZY_CASES} parameters of each test on a lazy library, "
        "but all of those that are marked `whole`, compositions on JAX in float64 only; "
        f"without: {CASES} of each test",
    )


def pytest_configure(config: pytest.Config) -> None:
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    config.stash[NOT_RUN] = {}
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
    """One test for each backend that is asked for and can run here.

    Making the backends now puts the pretend GPU in place before any backward pass.
    """
    if "pretend_gpu" in metafunc.fixturenames:
        _backend_or_reason("fakegpu")
    if "backend" not in metafunc.fixturenames:
        return
    asked = _asked_for(metafunc.config)
    marker = metafunc.definition.get_closest_marker("backends")
    names = _matching(_matching(BACKENDS, asked), marker.args if marker else ())
    missing = {n: r for n in names if isinstance(r := _backend_or_reason(n), str)}
    if missing and asked:
        raise pytest.UsageError("".join(f"{n} was asked for, but {r}" for n, r in missing.items()))
    metafunc.config.stash[NOT_RUN].update(missing)
    present = [pytest.param(n, id=n) for n in names if n not in missing]
    skipped = [pytest.param(n, marks=pytest.mark.skip(reason=r)) for n, r in missing.items()]
    metafunc.parametrize("backend", present or skipped, indirect=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for name, reason in terminalreporter.config.stash[NOT_RUN].items():
        terminalreporter.write_line(f"backend not run: {name}: {reason}")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect twenty thousand tests, and never look for garbage among them."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(tryfirst=True)  # before pytest leaves out what is crossed
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With backends asked for, their tests alone and all of them; else those that are quick.

    On NumPy a test runs with all its parameters, and so do the contracts on every library, but for
    those of compositions that differ in parts with tests of their own; other tests run with a few
    of them elsewhere, spread evenly, and the others are `crossed`.  With --few that is so on lazy
    libraries, contracts or not, and without --backend on all.
    """
    if _asked_for(config):
        kept = [item for item in items if isinstance(_backend_name(item), str)]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept
        if config.getoption("--few"):
            lazy = [item for item in items if family_of(_backend_name(item)) in LAZY]
            _cross([item for item in lazy if not _is_whole(item)], LAZY_CASES)
        return
    eager, composed = [], []
    for item in items:
        name = _backend_name(item)
        if isinstance(name, str) and family_of(name) in LAZY:
            item.add_marker(pytest.mark.lazy)
        elif isinstance(name, str) and name != "numpy":
            if "contracts" not in item.path.parts or item.path.stem == "test_approximations":
                eager.append(item)
            elif _is_composed(item):
                if name == "fakegpu":
                    composed.append(item)
                else:
                    item.add_marker(pytest.mark.crossed)
        elif item.get_closest_marker("long") and _is_composed(item):
            composed.append(item)
    _cross(eager, CASES)
    _cross(composed, CASES)
    if config.getoption("--few"):
        _cross([item for item in items if "docs" not in item.path.parts], CASES)


def _is_composed(item: pytest.Item) -> bool:
    """Whether a test is of a composition that differs in parts with tests of their own."""
    callspec = getattr(item, "callspec", None)
    return callspec is not None and any(
        isinstance(p, str) and p in COMPOSED for p in callspec.params.values()
    )


def _is_whole(item: pytest.Item) -> bool:
    """Whether a test runs with all its parameters on a lazy library: compositions do on JAX."""
    whole = item.get_closest_marker("whole") is not None
    return whole and (_backend_name(item) == "jax" or not _is_composed(item))


def _cross(items: list[pytest.Item], few: int) -> None:
    """Mark all but a few of the parameters of each test on each backend."""
    cases: dict[tuple[str, str], list[pytest.Item]] = {}
    for item in items:
        cases.setdefault((item.nodeid.split("[")[0], _backend_name(item)), []).append(item)
    for same in cases.values():
        for i, item in enumerate(same):
            if i * few // len(same) == (i - 1) * few // len(same):
                item.add_marker(pytest.mark.crossed)


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Let go of what a file of tests leaves on lazy libraries: graphs in cycles, compiled code.

    Twenty thousand items make Python put full collections off until there are gigabytes.
    """
    name = _backend_name(item)
    lazy = isinstance(name, str) and family_of(name) in LAZY
    if lazy and (nextitem is None or nextitem.path != item.path):
        gc.collect()
        jax = sys.modules.get("jax")
        if jax is not None:
            jax.clear_caches()


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """One array library, device and dtype; the test runs once on each."""
    made = _backend_or_reason(request.param)
    with made.active():
        yield made


@pytest.fixture
def xp(backend: Backend) -> Any:
    """The backend's array namespace."""
    return backend.xp


@pytest.fixture
def pretend_gpu() -> Any:
    """The meter of the pretend GPU."""
    made = _backend_or_reason("fakegpu")
    if isinstance(made, str):
        pytest.skip(made)
    return made.meter


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


@functools.cache
def _backend_or_reason(name: str) -> Any:
    """The backend of a name, or why it cannot run here."""
    try:
        return make_backend(name)
    except UnavailableError as error:
        return str(error)


def _backend_name(item: pytest.Item) -> Any:
    """The backend of a test, or something that is not a string."""
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("backend") if callspec is not None else None
