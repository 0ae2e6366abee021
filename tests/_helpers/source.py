"""The library's source as syntax trees, for the tests of its architecture."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

__all__ = ["SRC", "Module", "imports_of", "modules"]

SRC = Path(__file__).parents[2] / "src" / "hessx"


@dataclass(frozen=True)
class Module:
    """One file of the library."""

    path: Path
    root: Path = SRC

    @property
    def name(self) -> str:
        """Path below the package, with slashes: ``hessians/_gram.py``."""
        return self.path.relative_to(self.root).as_posix()

    @property
    def folder(self) -> str:
        """The layer: the first folder below the package, "" for the package's own files."""
        return self.name.split("/")[0] if "/" in self.name else ""

    @property
    def package(self) -> list[str]:
        """Dotted package that relative imports start from, in parts."""
        return ["hessx", *self.path.relative_to(self.root).parts[:-1]]

    @cached_property
    def text(self) -> str:
        """The source."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree."""
        return ast.parse(self.text)


@cache
def modules(*folders: str) -> list[Module]:
    """Every module of the library, or of some of its layers."""
    found = [Module(path) for path in sorted(SRC.rglob("*.py"))]
    return [m for m in found if not folders or m.folder in folders]


@dataclass(frozen=True)
class Import:
    """One imported module, absolute, and whether it is imported when its file is."""

    target: str
    line: int
    at_import: bool


def imports_of(module: Module) -> Iterator[Import]:
    """Every import of a module, those inside functions and for type checkers included."""
    delayed = {
        id(inner)
        for outer in ast.walk(module.tree)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        or (isinstance(outer, ast.If) and ast.unparse(outer.test).endswith("TYPE_CHECKING"))
        for inner in ast.walk(outer)
    }
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = module.package[: len(module.package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            # "from hessx import solvers" imports the layer, not the package alone
            targets = [f"{stem}.{a.name}" for a in node.names] if stem == "hessx" else [stem]
        else:
            continue
        for target in targets:
            yield Import(target, node.lineno, id(node) not in delayed)
