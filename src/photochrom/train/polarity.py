"""What the polarity network is asked for: which way round a picture is.

There are no labels: every photograph comes the right way round (``degradation/scans.py``), and the network's answer to
its inverse is the opposite by construction. What has no right way comes either way round, and the best answer is 0.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from photochrom.train.tasks import Task, TensorBatch


class PolarityTask(Task):
    """Target ``polarity``: logistic loss on the answers to pictures that are the right way round."""

    def answer(
        self,
        net: nn.Module,
        batch: TensorBatch,
        *,
        rng: torch.Generator,  # noqa: ARG002 - one signature for all tasks
        pixel_share: float,  # noqa: ARG002
        paints: bool,  # noqa: ARG002
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Return the logistic loss, and the pictures as they came."""
        logits = net(batch.rgb).float()
        return {"polarity": nn.functional.softplus(-logits).mean()}, batch.rgb

    def picture(self, net: nn.Module, photo: Tensor) -> Tensor:
        """Return pictures the way round that the network takes to be right, (B, 3, S, S)."""
        rgb = photo.expand(-1, 3, -1, -1)
        return torch.where((net(rgb) < 0)[..., None, None], 1 - rgb, rgb)

    def truth(self, batch: TensorBatch) -> Tensor:
        """Return the pictures as they came: the right way round."""
        return batch.rgb

    def figures(self, shown: Tensor, batch: TensorBatch) -> dict[str, Tensor]:
        """Return whether each picture was left as it came, which is right."""
        return {"left_alone": (shown == batch.rgb).flatten(1).all(dim=1).float()}
