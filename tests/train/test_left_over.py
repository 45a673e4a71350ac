"""What a run that ended before its first checkpoint leaves is not taken for the next one's."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photochrom.errors import TrainingError
from photochrom.train.generations import Generations
from photochrom.train.loop import Training
from photochrom.train.palette import PALETTE
from tests.train.test_stages import CRITIC, config


def test_pictures_and_colours_of_a_run_without_a_checkpoint_are_made_anew(shard: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    (folder / "generated-0").mkdir(parents=True)
    Image.new("RGB", (32, 32), "red").save(folder / "generated-0" / "0000000.png")
    (folder / PALETTE).write_text(json.dumps({"bins_ab": [[0.0, 0.0], [50.0, 0.0]], "shares": [0.5, 0.5]}))
    training = Training(config(shard, folder, CRITIC))
    assert not (folder / "generated-0").exists()
    assert len(json.loads((folder / PALETTE).read_text())["shares"]) > 2
    stage = training.schedule[0]
    generations = Generations(folder, 0, stage, training.source)
    assert generations.save(training.average, training.objectives, lambda: False)
    with Image.open(folder / "generated-0" / "0000000.png") as painted:
        assert painted.size == (64, 64)
        assert np.ptp(np.asarray(painted)) > 0


def test_a_damaged_palette_is_named_with_what_to_do(shard: Path, tmp_path: Path) -> None:
    plan = config(shard, tmp_path / "run", CRITIC)
    Training(plan)._save()
    (tmp_path / "run" / PALETTE).write_text("")
    with pytest.raises(TrainingError, match=r"palette\.json: is damaged .*Delete it"):
        Training(plan, resume=True)
