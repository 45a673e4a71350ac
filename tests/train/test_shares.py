"""What is divided among processes and parts, and by what."""

from pathlib import Path

import pytest
import torch

from photochrom.errors import OptionError
from photochrom.train.loop import Training
from photochrom.train.restoring import FillTask
from photochrom.train.runtime import Runtime
from photochrom.train.sections import TaskSection
from photochrom.train.tasks import TensorBatch
from tests.train.test_stages import GENERATOR, config


@pytest.mark.parametrize(("processes", "accumulate", "batch"), [(4, 4, 8), (2, 4, 12), (3, 1, 8), (4, 1, 2)])
def test_a_batch_that_cannot_be_shared_out_evenly_is_refused(
    processes: int, accumulate: int, batch: int, shard: Path, tmp_path: Path
) -> None:
    plan = config(shard, tmp_path / "run", GENERATOR | {"batch": batch, "accumulate": accumulate})
    runtime = Runtime(torch.device("cpu"), torch.float32, processes=processes)
    said = rf"stage 'alone': a batch of {batch} cannot be shared out evenly among {processes} processes x accumulate"
    with pytest.raises(OptionError, match=said):
        Training(plan, runtime=runtime)


class Blank(torch.nn.Module):
    """A network that fills holes with black."""

    def forward(self, photo: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return photo * (1 - mask)


def filled_alone(part: TensorBatch, holes_on_average: float) -> float:
    """Return the loss of a process's share, where all processes together have so many numbers in holes on average."""

    class Shared(Runtime):
        def mean(self, number: torch.Tensor) -> torch.Tensor:
            return torch.full_like(number, holes_on_average)

    task = FillTask(TaskSection(input="worn", target="fill", wear="train-inpaint"), Shared(CPU, torch.float32))
    losses, _ = task.answer(Blank(), part, rng=torch.Generator(), pixel_share=1.0, paints=False)
    return float(losses["fill"])


CPU = torch.device("cpu")


def test_a_pixel_of_a_hole_counts_alike_whichever_process_has_it() -> None:
    """One process has a hole of 4 pixels, the other one of 1,024: the mean of their losses is that of both at once."""
    rgb = torch.cat([torch.full((1, 3, 32, 32), 1.0), torch.full((1, 3, 32, 32), 0.25)])
    mask = torch.zeros(2, 1, 32, 32)
    mask[0, :, :2, :2] = 1
    mask[1] = 1
    both = TensorBatch(rgb, rgb, torch.empty(2), mask, torch.empty(2))
    one, other = both.parts(2)
    count = 3 * (4 + 1024)
    joint = filled_alone(both, count)
    assert joint == pytest.approx((4 * 1.0 + 1024 * 0.25) / 1028)
    assert (filled_alone(one, count / 2) + filled_alone(other, count / 2)) / 2 == pytest.approx(joint)
