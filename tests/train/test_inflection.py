import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from photochrom.train.inflection import HARMFUL, best_distance, decide, first_end
from photochrom.train.looks import Look
from photochrom.train.loop import Training
from photochrom.train.probe import skin_drift, skin_mask
from tests.train.test_stages import JOINT, config, stop_after

PHOTOS = 60


def trace(distances: list[float], **figures: list[float]) -> list[Look]:
    """Return looks whose figures have the given means and a spread of 1 over the photographs."""
    spread = np.random.default_rng(0).normal(0, 1, PHOTOS)
    spread -= spread.mean()
    looks = []
    for number, distance in enumerate(distances):
        per_photo = {name: (figures.get(name, [5.0] * len(distances))[number] + spread).tolist() for name in HARMFUL}
        looks.append(Look(1000 * number, distance, per_photo))
    return looks


def ends(looks: list[Look], patience: int = 2) -> int | None:
    """Return the number of the look at which the stage ends."""
    return next((n for n in range(len(looks)) if decide(looks[: n + 1], patience).ended), None)


def test_drift_while_the_distance_improves_does_not_end_a_stage() -> None:
    looks = trace([10, 9, 8, 7, 6], skin_hue_drift=[5, 6, 7, 8, 9])
    assert ends(looks) is None


def test_a_stalled_distance_without_drift_does_not_end_a_stage() -> None:
    assert ends(trace([10, 8, 8, 8, 8, 8, 8])) is None


@pytest.mark.parametrize("figure", HARMFUL)
def test_a_stage_ends_when_both_happen_and_goes_back_to_the_last_good_look(figure: str) -> None:
    looks = trace([10, 8, 8.1, 8.2, 8.1, 8.3], **{figure: [5, 5, 5.05, 5.1, 7, 8]})
    assert ends(looks) == 4
    decision = decide(looks[:5], 2)
    assert (decision.best, decision.chosen) == (1, 3)
    assert decision.left == {figure: 4}


def test_a_rise_that_is_certain_but_small_or_large_but_uncertain_is_borne() -> None:
    small = trace([10, 8, 8.1, 8.2, 8.3], jitter=[5, 5, 5.2, 5.2, 5.2])
    assert small[4].change("jitter", small[1])[0] > 0.1
    assert ends(small) is None
    uncertain = trace([10, 8, 8.1, 8.2, 8.3])
    scattered = np.random.default_rng(1).normal(0.4, 3, PHOTOS)
    for look in uncertain[2:]:
        look.per_photo["jitter"] = (np.array(look.per_photo["jitter"]) + scattered).tolist()
    assert uncertain[4].mean("jitter") > 1.05 * uncertain[1].mean("jitter")
    assert ends(uncertain) is None


def test_the_first_end_counts_where_a_stage_is_told_to_go_on() -> None:
    looks = trace([10, 8, 9, 9, 9, 9, 6], jitter=[5, 5, 9, 9, 9, 9, 9])
    decision = first_end(looks, 2)
    assert (decision.best, decision.chosen, decision.ended) == (1, 1, True)
    assert not first_end(looks[:3], 2).ended


def test_an_immediate_drift_goes_back_to_the_lowest_distance() -> None:
    looks = trace([10, 8, 9, 9, 9], jitter=[5, 5, 9, 9, 9])
    assert ends(looks) == 3
    assert decide(looks[:4], 2).chosen == 1


def test_a_late_improvement_forgives_earlier_drift() -> None:
    looks = trace([10, 8, 9, 9, 6, 6.5], jitter=[5, 5, 5, 5, 7, 7])
    assert ends(looks) is None
    assert decide(looks, 2).best == 4


def test_a_best_distance_must_be_better_by_more_than_a_hair() -> None:
    assert best_distance(trace([10.0, 9.95, 9.8, -0.1, -0.2])) == 4
    assert best_distance(trace([10.0, 9.95])) == 0


def test_skin_is_found_in_all_shades_and_its_drift_measured() -> None:
    shades = np.array([[255, 219, 172], [198, 134, 66], [141, 85, 36], [90, 56, 37]], dtype=np.float32) / 255
    others = np.array([[40, 90, 200], [30, 140, 40], [128, 128, 128], [250, 250, 250]], dtype=np.float32) / 255
    assert skin_mask(shades[:, None]).all()
    assert not skin_mask(others[:, None]).any()
    skin = np.broadcast_to(shades[1], (8, 8, 3)).astype(np.float32)
    everywhere = np.ones((8, 8), bool)
    assert skin_drift(skin, skin, everywhere) == (0, 0)
    grey = np.broadcast_to(np.float32([0.5, 0.502, 0.5]), (8, 8, 3))
    hue, size = skin_drift(grey, skin, everywhere)
    assert hue < 10
    assert size > 30
    redder = skin * np.array([1.1, 0.8, 0.8], dtype=np.float32)
    hue, size = skin_drift(redder, skin, everywhere)
    assert hue > 5
    assert size > 0
    assert np.isnan(skin_drift(skin, skin, np.zeros((8, 8), bool))).all()


@pytest.mark.slow
def test_a_joint_stage_is_looked_at_resumed_and_ended(shard: Path, tmp_path: Path) -> None:
    joint = JOINT | {"photos_seen": 24}
    options = {"every_photos": 4, "probe_photos": 16, "patience": 1, "network": "test"}
    plan = config(shard, tmp_path / "run", joint, inflection=options)
    Training(plan, should_stop=stop_after(5)).run()
    evidence = tmp_path / "run" / "inflection-0.json"
    assert [look["photos_seen"] for look in json.loads(evidence.read_text())["looks"]] == [2, 4, 8]

    training = Training(plan, resume=True)
    measure = training.inflection.probe.measure

    def spoiled(net: torch.nn.Module, critic: torch.nn.Module | None):
        measured = measure(net, critic)
        measured.per_photo["jitter"] = [1e3 + value for value in measured.per_photo["jitter"]]
        return type(measured)(1e6, measured.per_photo, measured.critic_accuracy)

    training.inflection.probe.measure = spoiled
    position = training.run()
    kept = json.loads(evidence.read_text())
    assert kept["decision"]["ended"]
    assert kept["decision"]["chosen"] < 3
    assert {"chosen", "lowest_distance_alone"} <= kept.keys()
    assert (tmp_path / "run" / "inflection-0.png").stat().st_size > 10_000
    assert position.stage == 1
    assert position.photos_seen < 24
    look = load_file(tmp_path / "run" / "looks-0" / f"look-{kept['decision']['chosen']:04d}.safetensors")
    for name, tensor in training.average.state_dict().items():
        assert torch.equal(tensor, look[name]), name
