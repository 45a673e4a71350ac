from pathlib import Path

import pytest

from photochrom.train.loop import Training
from tests.train.test_stages import JOINT, config


@pytest.mark.slow
def test_tensorboard_holds_scalars_rates_norms_weights_and_pictures(shard: Path, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    Training(config(shard, tmp_path / "run", JOINT)).run()
    events = EventAccumulator(str(tmp_path / "run" / "tensorboard"), size_guidance={"histograms": 0, "images": 0})
    events.Reload()
    tags = events.Tags()
    wanted = {"loss", "critic_loss", "critic_accuracy", "gradient_norm", "critic_gradient_norm", "lr_decoder"}
    assert wanted | {"lr_critic", "photos_per_s", "memory_gb", "ciede2000"} <= set(tags["scalars"])
    assert "input, generated, truth" in tags["images"]
    assert any(tag.startswith("unet.") for tag in tags["histograms"])
    assert [event.step for event in events.Scalars("loss")] == [4, 8]
