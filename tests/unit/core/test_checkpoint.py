"""The file of a checkpoint: what it keeps, what it refuses, and what it never executes."""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

import hessx
from _helpers.resuming import START, run
from hessx import CheckpointError
from hessx.core.persistence import _archive


@pytest.fixture(scope="module")
def good():
    """The bytes of a checkpoint."""
    file = io.BytesIO()
    hessx.save(file, run(START[:3], "lbfgs-hz", options={"maxiter": 3}))
    return file.getvalue()


def load(data):
    return hessx.load(io.BytesIO(data))


def rewritten(data, change):
    """The checkpoint with another header, and everything else in order."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "hessx.json":
                header = json.loads(content)
                change(header)
                content = json.dumps(header)
            new.writestr(name, content)
    return file.getvalue()


def test_cut_short_at_every_length(good):
    assert load(good).counts.values > 0
    for length in range(len(good)):
        with pytest.raises(CheckpointError, match="not a hessx checkpoint, or was cut short"):
            load(good[:length])


def test_a_wrong_byte_anywhere(good):
    """Either it is noticed, or it is one that nothing depends on, such as a date."""
    whole = load(good).content
    noticed = 0
    for position in range(0, len(good), 7):
        data = bytearray(good)
        data[position] ^= 0xFF
        try:
            header, arrays = load(bytes(data)).content
        except CheckpointError:
            noticed += 1
        else:
            assert header == whole[0]
            assert arrays.keys() == whole[1].keys()
            for key, array in arrays.items():
                np.testing.assert_array_equal(array, whole[1][key])
    assert noticed > len(good) / 7 / 2


def test_numpy_opens_the_file(good):
    with np.load(io.BytesIO(good), allow_pickle=False) as archive:
        header = json.loads(archive["hessx.json"])
        assert (header["format"], header["shape"]) == (6, [3])
        assert len(archive.files) == 1 + len(load(good).content[1])


class Trap:
    """Leaves a trace when it is unpickled."""

    def __reduce__(self):
        return exec, ("import os; os.environ['HESSX_TRAPPED'] = 'yes'",)


def _npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "cut short"),
        (b"0.1, 0.2\n", "is not a hessx checkpoint, or was cut short"),
        (_npz(x=np.ones(3)), "a zip archive without hessx.json"),
        (pickle.dumps(Trap()), "is not a hessx checkpoint"),
        (_npz(x=np.array([Trap()], dtype=object)), "a zip archive without hessx.json"),
    ],
)
def test_foreign_files(data, message):
    with pytest.raises(CheckpointError, match=message):
        load(data)
    assert "HESSX_TRAPPED" not in os.environ


def test_a_pickle_inside_a_checkpoint_is_not_read(good):
    trap = io.BytesIO()
    np.save(trap, np.array([Trap()], dtype=object))
    file = io.BytesIO(rewritten(good, lambda header: header["arrays"].append("99")))
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("99.npy", trap.getvalue())
    with pytest.raises(CheckpointError, match="Object arrays cannot be loaded"):
        load(file.getvalue())
    assert "HESSX_TRAPPED" not in os.environ


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 7])
def test_another_format(good, number):
    def other(header):
        header.update(format=number, hessx="9.1")

    message = (
        rf"format {number}, written by hessx 9\.1: this is hessx .*, which reads format 6: go on "
        "with the version that wrote it, or start anew"
    )
    with pytest.raises(CheckpointError, match=message):
        load(rewritten(good, other))


def _change_state(change):
    def changed(header):
        number, name, fields = header["state"]["object"]
        header["state"] = {"object": [number, *change(name, fields)]}

    return changed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda header: header.pop("state"), "has no state"),
        (lambda header: header.update(state={"new": 1}), "cannot be made: no 'new'"),
        (lambda header: header.update(state={"array": "77"}), "cannot be made: no '77'"),
        (lambda header: header.update(state={"same": 7000}), "cannot be made"),
        (lambda header: header.update(state={"tuple": 1}), "cannot be made"),
        (
            _change_state(lambda name, fields: ("os.system", {"command": "true"})),
            r"holds a os\.system, which is not known here: import its module first",
        ),
        (
            _change_state(lambda name, fields: (name, fields | {"__class__": 1})),
            "LineSearchState has other attributes here: __class__",
        ),
        (
            _change_state(lambda name, fields: (name, {"alpha": 1.0})),
            "LineSearchState has other attributes here: accepted, ",
        ),
        (
            _change_state(lambda name, fields: ("HagerZhang", {"c1": -1.0})),
            r"cannot be made: c1 = -1\.0: expected a number in \(0, 0\.5\)",
        ),
    ],
)
def test_headers_that_nobody_has_written(good, change, message):
    checkpoint = load(rewritten(good, change))
    with pytest.raises(CheckpointError, match=message):
        _ = checkpoint.state


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        hessx.load(tmp_path / "nothing.hessx")


def test_a_folder_that_does_not_exist(tmp_path, monkeypatch, good):
    """The path as it was given and the folder are named, before f is evaluated."""

    def never(x):
        raise AssertionError("f was called")

    monkeypatch.chdir(tmp_path)
    for path in (Path("none", "a.hessx"), "none/a.hessx", str(tmp_path / "none" / "a.hessx")):
        for write in (
            lambda path=path: hessx.minimize(never, [1.0], jac=True, checkpoint=path),
            lambda path=path: hessx.save(path, load(good)),
        ):
            with pytest.raises(FileNotFoundError, match="does not exist, make it first") as caught:
                write()
            assert caught.value.filename == str(path)
            assert f"the folder {tmp_path / 'none'} does not exist" in str(caught.value)
            assert ".part" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch, good):
    path = tmp_path / "run.hessx"
    path.write_bytes(good)

    def full(stream, array):
        stream.write(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(_archive, "write_npy", full)
    with pytest.raises(OSError, match="No space left"):
        hessx.save(path, run(START, "cg-hz"))
    assert path.read_bytes() == good
    assert list(tmp_path.iterdir()) == [path]


WRITER = """
import sys
import numpy as np, hessx
X = np.geomspace(1.0, 100.0, 2000)
method = hessx.LineSearchMethod(hessx.LBFGS(), hessx.FixedStep(1e-3))
hessx.minimize(lambda x: ((X * x) @ x / 2, X * x), np.ones(2000), jac=True, method=method,
               options={"gtol": 0}, checkpoint=sys.argv[1], checkpoint_every=0)
"""


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
def test_killed_while_writing(tmp_path):
    """What stands at the path is complete at any moment."""
    path, rng = tmp_path / "run.hessx", np.random.default_rng(3)
    for _ in range(4):
        path.unlink(missing_ok=True)
        child = subprocess.Popen([sys.executable, "-c", WRITER, str(path)])
        try:
            deadline = time.monotonic() + 60.0
            while not path.exists():
                assert child.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.002)
            time.sleep(rng.uniform(0.0, 0.1))
        finally:
            child.kill()
            child.wait()
        checkpoint = hessx.load(path)
        state = checkpoint.state
        assert checkpoint.shape == (2000,)
        if checkpoint.counts.values:
            value = np.geomspace(1.0, 100.0, 2000) * state.point.x @ state.point.x / 2
            assert state.point.value == pytest.approx(value)
