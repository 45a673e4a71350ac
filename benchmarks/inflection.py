"""Judge the looks of a finished joint stage on photographs that its probe has not seen.

    python benchmarks/inflection.py runs/deoldify/nogan [--stage 1] [--px 64] [--every 1] [--photos 160]

The run must have kept all its looks (``[inflection] stops = false``). For each look: CIEDE2000 against the truth and
colourfulness (plain grey in, as in a run's validation), and the probe's own figures, all on other held-out photographs
than those the inflection finder decided by. Writes ``judged-STAGE-PX.json`` into the run's folder.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from photochrom.train.checkpoint import CHECKPOINT, read_checkpoint
from photochrom.train.config import TrainConfig
from photochrom.train.data import BatchSource, open_photo_sets
from photochrom.train.inflection import COARSEST_LEVEL
from photochrom.train.objectives import Objectives
from photochrom.train.perceptual import PerceptualLoss
from photochrom.train.probe import Probe
from photochrom.train.runtime import Runtime
from photochrom.train.targets import build_task
from photochrom.train.trained import load_trained
from photochrom.train.validation import ColorValidation

SHOWN = ("ciede2000", "colourfulness_share", "distance", "skin_hue_drift", "skin_chroma_drift", "jitter")


def judge(run: Path, stage: int, size_px: int, every: int, photos: int) -> list[dict[str, float]]:
    """Return the figures of every ``every``-th look, by the photographs seen until then."""
    config = TrainConfig.model_validate_json(read_checkpoint(run / CHECKPOINT)[0]["config"])
    runtime = Runtime(torch.device("cpu"), torch.float32)
    task = build_task(config.task, runtime)
    _, held_out = open_photo_sets(config.data, size_px)
    source = BatchSource(held_out, 1.0, config.task, config.age, config.run.seed)
    network = PerceptualLoss(config.inflection.network, config.inflection.network_weights, (COARSEST_LEVEL,), (1.0,))
    objectives = Objectives(config, task, runtime)
    probe = Probe(source, objectives, size_px, photos, network, first=config.inflection.probe_photos)
    validation = ColorValidation(held_out, size_px, config.task.anneal)
    validation.truth = probe.truth
    net = load_trained(run).net
    looks = json.loads((run / f"inflection-{stage}.json").read_text(encoding="utf-8"))["looks"]
    rows = []
    for look in looks[::every]:
        net.load_state_dict(load_file(run / f"looks-{stage}" / f"look-{look['number']:04d}.safetensors"))
        measured = probe.measure(net, None)
        figures = {name: float(np.mean(values)) for name, values in measured.per_photo.items()}
        row = {"look": look["number"], "photos_seen": look["photos_seen"], "distance": measured.distance}
        rows.append(row | validation.measure(net) | figures | {"photos": len(probe.truth)})
        print("  ".join(f"{name} {rows[-1][name]:.3f}" for name in ("photos_seen", *SHOWN)), flush=True)
    return rows


def main() -> None:
    """Read the command line, judge, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    for name, default in (("stage", 1), ("px", 64), ("every", 1), ("photos", 160)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    torch.set_num_threads(2)
    rows = judge(given.run, given.stage, given.px, given.every, given.photos)
    (given.run / f"judged-{given.stage}-{given.px}.json").write_text(json.dumps(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
