"""Every Python example in the guide and the README runs.

The blocks of one file share their names, in order.  A block that contains ``>>>`` is checked
as a doctest.  ``no-run`` after the fence's ``python`` leaves a block out.
"""

from __future__ import annotations

import ast
import doctest
import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from _helpers.registry import UnavailableError, make_backend

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
PARSER = doctest.DocTestParser()
ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```python(?P<info>[^\n]*)\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced example: its file, the line it starts on, and its code."""

    path: Path
    line: int
    code: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT).as_posix()}:{self.line}"

    def needs(self) -> str | None:
        """Why the block cannot run here, if it cannot."""
        for node in ast.walk(ast.parse(self.source())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            else:
                continue
            for package in (name.split(".")[0] for name in names):
                if importlib.util.find_spec(package) is None:
                    return f"{package} is not installed"
                if package in ("cupy", "cupyx"):
                    try:
                        make_backend("cupy")
                    except UnavailableError as error:
                        return str(error)
        return None

    def names(self, *contexts: type[ast.expr_context]) -> set[str]:
        """The names that are used (`ast.Load`) or bound (`ast.Store`)."""
        found = set()
        for node in ast.walk(ast.parse(self.source())):
            if isinstance(node, ast.Name) and isinstance(node.ctx, contexts):
                found.add(node.id)
            elif ast.Store in contexts and isinstance(node, ast.FunctionDef | ast.ClassDef):
                found.add(node.name)
        return found

    def source(self) -> str:
        """The statements, without prompts and expected output."""
        if ">>>" not in self.code:
            return self.code
        return "".join(
            example.source for example in doctest.DocTestParser().get_examples(self.code)
        )

    def run(self, names: dict[str, Any]) -> None:
        """Execute with the names that the file's earlier blocks made."""
        if ">>>" in self.code:
            test = doctest.DocTestParser().get_doctest(
                self.code, {}, str(self), str(self.path), self.line
            )
            test.globs = names
            doctest.DebugRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).run(
                test, clear_globs=False
            )
        else:
            lines = "\n" * self.line + self.code  # so that a traceback points into the page
            exec(compile(lines, str(self.path), "exec"), names)


def blocks_of(path: Path) -> list[Block]:
    text = path.read_text(encoding="utf-8")
    return [
        Block(path, text[: match.start()].count("\n") + 1, match["code"])
        for match in FENCE.finditer(text)
        if "no-run" not in match["info"]
    ]


PAGES = [p for p in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))) if p.exists()]
EXAMPLES = {path: blocks_of(path) for path in PAGES}
_ran: dict[Path, tuple[int, dict[str, Any]]] = {}


def reasons_of(blocks: list[Block]) -> list[str | None]:
    """Why blocks of one file cannot run here: what they need, or names of a block that cannot."""
    lost: dict[str, str] = {}
    reasons = []
    for block in blocks:
        reason = block.needs() or next((lost[n] for n in block.names(ast.Load) if n in lost), None)
        for name in block.names(ast.Store):
            lost.pop(name, None)
            if reason is not None:
                lost[name] = reason
        reasons.append(reason)
    return reasons


@pytest.mark.parametrize("block", [b for blocks in EXAMPLES.values() for b in blocks], ids=str)
def test_example_runs(block, tmp_path, monkeypatch):
    blocks = EXAMPLES[block.path]
    position, reasons = blocks.index(block), reasons_of(blocks)
    if reasons[position]:
        pytest.skip(f"{block}: {reasons[position]}")
    monkeypatch.chdir(tmp_path)
    done, names = _ran.get(block.path, (0, {"__name__": "__main__"}))
    for earlier, reason in zip(blocks[done : position + 1], reasons[done:], strict=False):
        if reason is None:
            earlier.run(names)
    _ran[block.path] = (position + 1, names)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_no_example_needs_what_is_private(path):
    names = re.findall(r"(?:from|import) (hessx[\w.]*)", "".join(b.code for b in blocks_of(path)))
    assert not [name for name in names if "._" in name]
