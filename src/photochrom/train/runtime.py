"""What a run runs on: device, precision, and the other processes when ``torchrun`` started several.

Data parallelism here is plain: every process has the whole network and a share of each batch, and the gradients are
averaged once per optimizer step, in buckets that travel while the next one is packed. With batch norm over all
processes, several processes compute what one would with the whole batch.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed
from torch import Tensor, nn

from photochrom.errors import OptionError
from photochrom.train.sections import RunSection

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of malloc.h
BUCKET_NUMBERS = 6_000_000  # 24 MB of float32: long enough for the network's full speed, short enough to overlap


@dataclass(frozen=True)
class Runtime:
    """Device, precision and place among the processes."""

    device: torch.device
    precision: torch.dtype
    rank: int = 0
    processes: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes the log and the checkpoints."""
        return self.rank == 0

    def autocast(self) -> contextlib.AbstractContextManager[None]:
        """Return the context that forward passes run in."""
        lowers = self.precision != torch.float32
        return torch.autocast(self.device.type, self.precision if lowers else torch.bfloat16, enabled=lowers)

    def mean(self, number: Tensor) -> Tensor:
        """Return the mean of a tensor over the processes; no gradient."""
        if self.processes == 1:
            return number
        return all_mean(number)

    def average_gradients(self, parameters: list[nn.Parameter]) -> None:
        """Replace each gradient by its mean over the processes."""
        if self.processes == 1:
            return
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        pending = []
        for bucket in buckets(gradients):
            flat = torch.cat([gradient.flatten() for gradient in bucket])
            pending.append((bucket, flat, torch.distributed.all_reduce(flat, async_op=True)))
        for bucket, flat, work in pending:
            work.wait()
            means = torch.split(flat / self.processes, [gradient.numel() for gradient in bucket])
            for gradient, mean in zip(bucket, means, strict=True):
                gradient.copy_(mean.view_as(gradient))

    def agree(self, vote: bool) -> bool:
        """Return True on all processes if any of them says so."""
        return self.mean(torch.tensor(float(vote), device=self.device)).item() > 0 if self.processes > 1 else vote

    def wait_for_all(self) -> None:
        """Return when every process has come here."""
        if self.processes > 1:
            torch.distributed.barrier()


def buckets(gradients: list[Tensor]) -> Iterator[list[Tensor]]:
    """Yield the gradients in order, in groups of about BUCKET_NUMBERS numbers."""
    group: list[Tensor] = []
    size = 0
    for gradient in gradients:
        group.append(gradient)
        size += gradient.numel()
        if size >= BUCKET_NUMBERS:
            yield group
            group, size = [], 0
    if group:
        yield group


@contextlib.contextmanager
def open_runtime(options: RunSection) -> Iterator[Runtime]:
    """Yield the runtime that the options and torchrun's environment describe.

    Raises:
        OptionError: there is no such device here.
    """
    if options.threads:
        torch.set_num_threads(options.threads)
    processes, local = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("LOCAL_RANK", "0"))
    device = choose_device(options.device, local)
    if device.type == "cpu":
        keep_freed_memory()
    precision = PRECISIONS[options.precision]
    joins = processes > 1 and not torch.distributed.is_initialized()
    if joins:
        torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Runtime(device, precision, int(os.environ.get("RANK", "0")), processes)
    finally:
        if joins:
            torch.distributed.destroy_process_group()


def keep_freed_memory() -> bool:
    """Let glibc keep freed memory for the next step; return whether it is glibc.

    Otherwise every large tensor is given back to the system and its next use touches fresh pages: a tenth of a step's
    time on a virtual machine. See mallopt(3).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    return mallopt is not None and bool(mallopt(M_MMAP_MAX, 0) and mallopt(M_TRIM_THRESHOLD, 2**31 - 1))


def choose_device(name: str, local_rank: int) -> torch.device:
    """Return the device of that name; with several processes on one machine, each gets its own GPU."""
    has_cuda = torch.cuda.is_available()
    if name == "cpu" or (name == "auto" and not has_cuda):
        return torch.device("cpu")
    try:
        device = torch.device("cuda" if name == "auto" else name)
    except RuntimeError as error:
        raise OptionError(f"no such device {name!r}", where="run.device", next_step="Use auto, cpu or cuda") from error
    if device.type == "cuda" and not has_cuda:
        raise OptionError("no CUDA device is usable here", where="run.device", next_step='Set device = "auto" or "cpu"')
    if device.type == "cuda":
        device = torch.device("cuda", device.index if device.index is not None else local_rank)
        torch.cuda.set_device(device)
    return device


class MeanOverProcesses(torch.autograd.Function):
    """The mean of a tensor over the processes, through which gradients flow to all of them."""

    @staticmethod
    def forward(_context: Any, x: Tensor) -> Tensor:
        """Return the mean."""
        return all_mean(x)

    @staticmethod
    def backward(_context: Any, *gradients: Tensor) -> Tensor:
        """Return the mean of what the processes want of it: each loss depends on each process's tensor."""
        return all_mean(gradients[0])


def all_mean(x: Tensor) -> Tensor:
    """Return the mean of a tensor over the processes."""
    total = x.detach().clone(memory_format=torch.contiguous_format)
    torch.distributed.all_reduce(total)
    return total / torch.distributed.get_world_size()


class SharedBatchNorm2d(nn.BatchNorm2d):
    """Batch norm over the batches of all processes together; torch's own works on GPUs only.

    Source: Ioffe, Szegedy 2015, "Batch Normalization", algorithm 1, with sums taken over processes.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Shapes: (B, C, H, W) -> (B, C, H, W)."""
        if not self.training or not torch.distributed.is_initialized():
            return super().forward(x)
        # Every process has the same number of pixels, so means of means are means.
        processes = torch.distributed.get_world_size()
        moments = torch.stack([x.mean((0, 2, 3)), x.square().mean((0, 2, 3))])
        mean, mean_square = MeanOverProcesses.apply(moments).unbind(0)  # type: ignore[no-untyped-call]
        variance = (mean_square - mean.square()).clamp(min=0)
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        with torch.no_grad():
            count = x.numel() // x.shape[1] * processes
            share = self.momentum if self.momentum is not None else 0.1
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, share)
            self.running_var.lerp_(variance * count / max(1, count - 1), share)
        scale = self.weight * (variance + self.eps).rsqrt()
        shared: Tensor = x * scale.view(-1, 1, 1) + (self.bias - mean * scale).view(-1, 1, 1)
        return shared


def memory_gb(device: torch.device) -> float:
    """Return the most memory this process has held so far, in GB: on the GPU if it works there, else in all."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e9
    if sys.platform == "win32":
        return float("nan")
    resource = importlib.import_module("resource")  # absent on Windows
    most = float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return most / 1e9 if sys.platform == "darwin" else most / 1e6


def share_norms(net: nn.Module, runtime: Runtime) -> nn.Module:
    """Make every batch norm of a network span all processes; names of parameters stay."""
    if runtime.processes == 1:
        return net
    if runtime.device.type == "cuda":
        shared: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(net)  # type: ignore[no-untyped-call]
        return shared
    for module in net.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = SharedBatchNorm2d
    return net
