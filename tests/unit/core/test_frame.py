"""x = scale z: what methods see of points, gradients and products, and what users get back."""

from __future__ import annotations

import numpy as np
import pytest

from hessx._xp import Packet, space_of
from hessx.core import Frame, SettingsError

SCALE = np.array([0.5, 2.0, 10.0])
H = np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 2.0]])


def frames(backend):
    """Without and with a scale, and the scale as a host vector."""
    space = space_of(backend.asarray(np.zeros(3)))
    yield Frame.of(space, 2.5), np.ones(3)
    yield Frame.of(space, backend.asarray(SCALE)), SCALE


def test_the_chain_rule(backend):
    """With f(x) = g(z): grad g = S grad f, the Hessian is S H S, and a step in x is S times it."""
    v = np.array([1.0, -2.0, 3.0])
    matrix = backend.asarray(H)
    for frame, s in frames(backend):
        given, S = backend.asarray(v), np.diag(s)
        for ours, expected in (
            (frame.pull(given), S @ v),
            (frame.push(given), S @ v),
            (frame.gradient(frame.pull(given)), v),
            (frame.product(lambda u: matrix @ u)(given), S @ H @ S @ v),
            (frame.diagonal(backend.asarray(np.diag(H))), np.diag(S @ H @ S)),
            (
                frame.inverse(lambda u: matrix @ u)(given),
                np.linalg.inv(S) @ H @ np.linalg.inv(S) @ v,
            ),
            (frame.inverse_matrix(matrix), np.linalg.inv(S) @ H @ np.linalg.inv(S)),
        ):
            np.testing.assert_allclose(backend.to_numpy(ours), expected, rtol=8 * backend.eps)


def test_what_is_kept_is_not_the_users(backend):
    """A gradient that the user writes again has been copied, and what is given out is new."""
    for frame, s in frames(backend):
        if not frame.space.writeable:
            return
        grad = backend.asarray([1.0, 2.0, 3.0])
        own = frame.keep(frame.pull(grad))
        out = frame.gradient(own)
        if backend.name != "numpy-readonly":
            grad[...] = 0.0
            out[...] = 7.0
        np.testing.assert_array_equal(backend.to_numpy(own), s * [1.0, 2.0, 3.0])


def test_the_square_is_that_of_x(backend):
    for frame, s in frames(backend):
        grad = backend.asarray([3.0, 4.0, 0.0])
        packet = Packet(frame.space)
        frame.ask_square(packet, grad)
        numbers = packet.fetch()
        in_z = float(np.sum((s * [3.0, 4.0, 0.0]) ** 2))
        assert frame.square(numbers, in_z) == 25.0
        assert len(numbers) == (0 if frame.scale is None else 1)


def test_a_number_is_a_length_alone(backend):
    number, array = (frame for frame, _ in frames(backend))
    assert (number.length, number.scale) == (2.5, None)
    assert array.length == 1.0
    with pytest.raises(SettingsError, match="x_scale has 2 entries: expected 3"):
        Frame.of(number.space, [1.0, 2.0])
