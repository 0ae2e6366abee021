"""The pretend GPU computes as the host does, and behaves towards the host as a GPU does."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from _helpers.pretend_gpu import DEVICE, DeviceMixError, UnexpectedWaitError  # noqa: E402


@pytest.fixture
def x(pretend_gpu):
    return torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64, device=DEVICE)


def numbers(t):
    return t.detach().cpu().numpy()


def test_values_are_real(x):
    assert x.device == torch.device(DEVICE, 0)
    np.testing.assert_array_equal(numbers(x * 2.0 + 1.0), [3.0, -3.0, 7.0])
    np.testing.assert_array_equal(numbers(torch.outer(x, x) @ x), 14.0 * numbers(x))
    np.testing.assert_array_equal(numbers(torch.eye(3, device=DEVICE)), np.eye(3))


def test_rows_are_views(x):
    rows = torch.zeros((2, 3), dtype=x.dtype, device=x.device)
    row = rows[1, ...]
    rows[1, ...] = x
    torch.multiply(x, 2.0, out=rows[0, ...])
    x += 1.0
    np.testing.assert_array_equal(numbers(row), [1.0, -2.0, 3.0])
    np.testing.assert_array_equal(numbers(rows[0]), [2.0, -4.0, 6.0])
    np.testing.assert_array_equal(numbers(x), [2.0, -1.0, 4.0])


def test_shape_changes_in_place(x):
    x.unsqueeze_(0)
    assert x.shape == (1, 3)
    np.testing.assert_array_equal(numbers(x.sum(dim=0)), [1.0, -2.0, 3.0])


def test_gradient_and_hessian_product_by_autograd(x):
    x.requires_grad_()
    f = (x * x).sum() ** 2  # gradient 4 (x'x) x, Hessian 8 x x' + 4 (x'x) I
    (g,) = torch.autograd.grad(f, x, create_graph=True)
    v = torch.tensor([1.0, 0.0, 1.0], dtype=x.dtype, device=x.device)
    (hv,) = torch.autograd.grad(g @ v, x)
    host, w = numbers(x), np.array([1.0, 0.0, 1.0])
    np.testing.assert_allclose(numbers(g), 4 * (host @ host) * host, rtol=1e-15)
    np.testing.assert_allclose(numbers(hv), 8 * host * (host @ w) + 4 * (host @ host) * w)


@pytest.mark.parametrize(
    "mix",
    [
        lambda x, host: x + host,
        lambda x, host: host @ x,
        lambda x, host: torch.where(x > 0, x, host),
        lambda x, host: x.add_(host),
        lambda x, host: torch.stack([x, host]),
        lambda x, host: torch.add(host, host, out=x),
    ],
)
def test_mixing_with_the_host_raises(x, mix):
    with pytest.raises(DeviceMixError, match="expected all tensors on pretend:0"):
        mix(x, torch.ones(3, dtype=torch.float64))


def test_a_host_scalar_passes_as_on_cuda(x):
    y = torch.maximum(x, torch.tensor(0.0, dtype=torch.float64))
    np.testing.assert_array_equal(numbers(y), [1.0, 0.0, 3.0])


@pytest.mark.parametrize("look", [np.asarray, np.from_dlpack, lambda x: x.numpy()])
def test_numpy_cannot_see_in(x, look):
    with pytest.raises((RuntimeError, TypeError, BufferError)):
        look(x)


READS = [
    lambda x: float(x[0]),
    lambda x: bool(x[0] > 0),
    lambda x: x[0].item(),
    lambda x: x.tolist(),
    lambda x: x.cpu(),
    lambda x: torch.empty(3, dtype=x.dtype).copy_(x),
    lambda x: torch.nonzero(x),
    lambda x: x[x > 0],
    lambda x: torch.equal(x, x),
    lambda x: torch.linalg.cholesky(torch.outer(x, x) + 9 * torch.eye(3, device=x.device)),
]
UPLOADS = [
    lambda x: torch.tensor([1.0, 2.0], device=x.device),
    lambda x: torch.asarray(np.ones(3), device=x.device),
    lambda x: torch.ones(3).to(x.device),
    lambda x: x.copy_(torch.ones(3)),
]
FREE = [
    lambda x: x * 2.0 + x @ x,
    lambda x: torch.linalg.vector_norm(x),
    lambda x: torch.zeros(3, dtype=x.dtype, device=x.device),
    lambda x: x.to(torch.float32),
    lambda x: torch.where(x > 0, x, 0.0),
    lambda x: x.clone()[1:],
]


@pytest.mark.parametrize("read", READS)
def test_every_read_is_one_wait(pretend_gpu, x, read):
    with pretend_gpu.tally() as tally:
        read(x)
    assert (tally.reads.total(), tally.uploads.total(), tally.waits) == (1, 0, 1)
    with pytest.raises(UnexpectedWaitError), pretend_gpu.forbid_waits():
        read(x)


@pytest.mark.parametrize("upload", UPLOADS)
def test_every_upload_is_one_wait(pretend_gpu, x, upload):
    with pretend_gpu.tally() as tally:
        upload(x)
    assert (tally.reads.total(), tally.uploads.total(), tally.waits) == (0, 1, 1)
    with pytest.raises(UnexpectedWaitError), pretend_gpu.forbid_waits():
        upload(x)


@pytest.mark.parametrize("free", FREE)
def test_computing_does_not_wait(pretend_gpu, x, free):
    with pretend_gpu.tally() as tally, pretend_gpu.forbid_waits():
        free(x)
    assert tally.waits == 0


def test_launches_leave_out_views_allocations_and_transfers(pretend_gpu, x):
    with pretend_gpu.tally() as tally:
        torch.empty((2, 3), dtype=x.dtype, device=x.device)
        x.reshape(3, 1).T[0, :2].detach()
        x.cpu()
        assert tally.launches.total() == 0
        y = x * 2.0
        y += x
        y @ x
    assert tally.launches == {"mul": 1, "add_": 1, "dot": 1}


def test_tallies_nest(pretend_gpu, x):
    with pretend_gpu.tally() as outer:
        float(x[0])
        with pretend_gpu.tally() as inner:
            float(x[1])
        float(x[2])
    assert (outer.waits, inner.waits) == (3, 1)


def test_a_door_may_wait_under_any_name(pretend_gpu, x):
    def door(t):
        return helper(t)

    def helper(t):
        return float(t[0])

    alias = door
    with pretend_gpu.forbid_waits(door):
        assert alias(x) == 1.0
        with pytest.raises(UnexpectedWaitError):
            helper(x)
    assert helper(x) == 1.0
