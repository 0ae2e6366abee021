"""The file of a checkpoint: NumPy's npz with one more entry, a JSON header.

``np.load`` opens it.  Nothing in it is executed, and no pickle is read.
"""

from __future__ import annotations

import errno
import io
import json
import os
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from hessx._xp import read_npy, write_npy
from hessx.core._version import __version__

__all__ = ["FORMAT", "CheckpointError", "read_archive", "write_archive"]

FORMAT = 6
_HEADER = "hessx.json"


class CheckpointError(ValueError):
    """A file is no checkpoint, is damaged or incomplete, or does not fit.

    Examples
    --------
    >>> import io, hessx
    >>> hessx.load(io.BytesIO(b"0.1, 0.2"))
    Traceback (most recent call last):
    ...
    hessx...CheckpointError: <_io.BytesIO ...> is not a hessx checkpoint, or was cut short: ...
    """


def write_archive(file: Any, header: dict[str, Any], arrays: dict[str, Any]) -> None:
    """Write a checkpoint.

    Parameters
    ----------
    file : path or binary file
        What stands at a path is replaced at once, when the new file is complete and on the disk.
    header : dict
        JSON.
    arrays : dict of NumPy arrays
        What the header names.
    """
    about = {"format": FORMAT, "hessx": __version__, "arrays": [*arrays]}
    text = json.dumps(about | header, allow_nan=False)
    with _stream(file) as stream, zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(zipfile.ZipInfo(_HEADER), text)
        for name, array in arrays.items():
            info = zipfile.ZipInfo(f"{name}.npy")
            with archive.open(info, "w", force_zip64=True) as entry:
                write_npy(entry, array)


def read_archive(file: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read a checkpoint: its header and its arrays.

    Parameters
    ----------
    file : path or binary file
        Where it stands.

    Raises
    ------
    CheckpointError
        Not a checkpoint, a damaged or incomplete one, or one of another format.
    OSError
        The file cannot be opened.
    """
    if not isinstance(file, str | os.PathLike):
        return _read(file, repr(file))
    with Path(file).open("rb") as stream:
        return _read(stream, str(file))


def _read(stream: IO[bytes], name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        with zipfile.ZipFile(stream) as archive:
            names = archive.namelist()
            header = _read_header(archive, names, name)
            damaged = archive.testzip()
            if damaged is not None:
                msg = f"{name} is damaged: the check sum of {damaged} is wrong"
                raise CheckpointError(msg)
            arrays = {
                key: read_npy(io.BytesIO(archive.read(f"{key}.npy"))) for key in header["arrays"]
            }
    except CheckpointError:
        raise
    except zipfile.BadZipFile as error:
        msg = f"{name} is not a hessx checkpoint, or was cut short: {error}"
        raise CheckpointError(msg) from error
    except Exception as error:  # a damaged archive can fail anywhere in zipfile or NumPy
        msg = f"{name} is not a hessx checkpoint, or is damaged: {error}"
        raise CheckpointError(msg) from error
    return header, arrays


def _read_header(archive: zipfile.ZipFile, names: list[str], name: str) -> dict[str, Any]:
    if _HEADER not in names:
        msg = f"{name} is not a hessx checkpoint: a zip archive without {_HEADER}"
        raise CheckpointError(msg)
    header: dict[str, Any] = json.loads(archive.read(_HEADER))
    found = header["format"]
    if found != FORMAT:
        msg = (
            f"{name} has format {found!r}, written by hessx {header.get('hessx')}: this is hessx "
            f"{__version__}, which reads format {FORMAT}: go on with the version that wrote it, or "
            "start anew"
        )
        raise CheckpointError(msg)
    return header


@contextmanager
def _stream(file: Any) -> Iterator[IO[bytes]]:
    """A binary file as it is; for a path one beside it, which takes its place at the end."""
    if not isinstance(file, str | os.PathLike):
        yield file
        return
    path = Path(file).resolve()
    if not path.parent.is_dir():
        msg = f"the folder {path.parent} does not exist, make it first"
        raise FileNotFoundError(errno.ENOENT, msg, str(file))
    beside = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        with beside.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name last; systems that cannot open folders do so by themselves."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
