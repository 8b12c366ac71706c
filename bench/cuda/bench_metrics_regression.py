"""MSE, MAE and R2 of tensors on a GPU."""

from functools import partial

import numpy as np

import mlestar
import mlestar.metrics as ours
from bench.peers import optional
from bench.row import Row


def rows(n: int) -> list[Row]:
    """Rows for `n` values in each of two tensors; none where there is no GPU."""
    cuda = mlestar.build_info()["cuda"]
    torch = optional("torch")
    if not cuda or not cuda["devices"] or torch is None:
        return []
    metrics = optional("torchmetrics.functional.regression")
    found = []
    for dtype in ("float64", "float32"):
        generator = torch.Generator("cuda").manual_seed(0)
        truth = torch.randn(n, generator=generator, device="cuda", dtype=getattr(torch, dtype))
        predicted = truth + torch.randn(n, generator=generator, device="cuda", dtype=truth.dtype)

        def plain_mse(t=truth, p=predicted):
            return torch.mean((t.double() - p.double()) ** 2).item()

        def plain_mae(t=truth, p=predicted):
            return torch.mean((t.double() - p.double()).abs()).item()

        def plain_r2(t=truth, p=predicted):
            t, p = t.double(), p.double()
            return (1 - ((t - p) ** 2).sum() / ((t - t.mean()) ** 2).sum()).item()

        for name, plain, peer in (
            ("mean_squared_error", plain_mse, "mean_squared_error"),
            ("mean_absolute_error", plain_mae, "mean_absolute_error"),
            ("r2_score", plain_r2, "r2_score"),
        ):
            peers = {"PyTorch, float64 sums": plain}
            if metrics is not None:
                function = getattr(metrics, peer)
                peers["torchmetrics"] = lambda f=function, t=truth, p=predicted: f(p, t).item()
            found.append(
                Row(
                    f"{name}, {dtype}",
                    n,
                    partial(getattr(ours, name), truth, predicted),
                    peers,
                    2 * truth.nbytes,
                    name,
                    rtol=1e-9 if dtype == "float64" else 1e-4,
                )
            )
    return found


def reads() -> float:
    """Bytes a second that the GPU reads: the least time of PyTorch's own sum over 4 GB."""
    import torch

    data = torch.ones(500_000_000, dtype=torch.float64, device="cuda")
    times = []
    for _ in range(20):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        data.sum()
        end.record()
        torch.cuda.synchronize()
        times.append(start.elapsed_time(end) / 1e3)
    return float(data.nbytes / np.min(times))
