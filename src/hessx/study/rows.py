"""A file of rows that grows as runs end, and is taken up again after any end."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from hessx.study.records import Curve, Job, Row

__all__ = ["RowFile", "read_rows"]

_COLUMNS = [f.name for f in fields(Row)]
_TYPES = {f.name: f.type for f in fields(Row)}


class RowFile:
    """A CSV file with a row for each run, its curve as JSON in the last column.

    A row is written at once when its run ends.  A last line without an end, which a kill has cut
    short, is taken off.

    Parameters
    ----------
    path : Path
        Made with its header if it is not there; else read.

    Raises
    ------
    ValueError
        The file is none of this version's, or a line is damaged; it is named by its number.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.rows = path, {}
        if path.exists() and path.stat().st_size > 0:
            _take_off_torn_line(path)
            self.rows = {row.job.key: row for row in read_rows(path)}
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_line(_COLUMNS), encoding="utf-8")

    def __contains__(self, job: Job) -> bool:
        return job.key in self.rows

    def append(self, rows: Iterable[Row]) -> None:
        """Write rows at the end, so that they are there after any end of this process."""
        with self.path.open("a", newline="", encoding="utf-8") as file:
            for row in rows:
                self.rows[row.job.key] = row
                file.write(_line(_text(getattr(row, name)) for name in _COLUMNS))
            file.flush()
            os.fsync(file.fileno())


def read_rows(path: Path) -> list[Row]:
    """Read a file of rows.

    Raises
    ------
    ValueError
        The file is none of this version's, or a line is damaged; it is named by its number.
    """
    csv.field_size_limit(2**27)
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        reader = csv.reader(file)
        header = next(reader, [])
        if header != _COLUMNS:
            missing = ", ".join(name for name in _COLUMNS if name not in header) or "none"
            msg = f"{path}, line 1: not the columns of this version (missing: {missing})"
            raise ValueError(msg)
        return list(_parsed(reader, path))


def _parsed(reader: Any, path: Path) -> Iterator[Row]:
    while True:
        began = reader.line_num + 1
        try:
            cells = next(reader)
            if len(cells) != len(_COLUMNS):
                msg = f"{len(cells)} cells: expected {len(_COLUMNS)}"
                raise ValueError(msg)
            "".join(cells).encode()  # an error where the line was no UTF-8
            yield Row(**{n: _value(n, c) for n, c in zip(_COLUMNS, cells, strict=True)})
        except StopIteration:
            return
        except (ValueError, TypeError, csv.Error) as error:
            msg = f"{path}, line {began}: not a row ({error}): mend the line or take it out"
            raise ValueError(msg) from error


def _line(cells: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def _text(value: Any) -> str:
    if isinstance(value, Curve):
        return value.to_text() if len(value) else ""
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)


def _value(name: str, cell: str) -> Any:
    kind = _TYPES[name]
    if kind == "Curve":
        return Curve.from_text(cell)
    if kind == "str":
        return cell
    if cell == "" and kind != "int":
        return None if kind != "float" else math.nan
    try:
        return int(cell) if kind == "int" else float(cell)
    except ValueError:
        msg = f"{name} {cell!r}: expected {'an integer' if kind == 'int' else 'a number'}"
        raise ValueError(msg) from None


def _take_off_torn_line(path: Path) -> None:
    data = path.read_bytes()
    if not data.endswith(b"\n"):
        path.write_bytes(data[: data.rfind(b"\n") + 1])
