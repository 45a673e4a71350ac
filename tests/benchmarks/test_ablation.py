"""The ablation's plan is a complete configuration, and each variant of it changes something."""

import importlib.util
import sys
import tomllib
from pathlib import Path

import pytest

from photochrom.train.config import TrainConfig

FOLDER = Path(__file__).parents[2] / "benchmarks"
PLAN = tomllib.loads((FOLDER / "ablation.toml").read_text(encoding="utf-8"))
VARIANTS = PLAN.pop("variants")

spec = importlib.util.spec_from_file_location("ablation", FOLDER / "ablation.py")
assert spec is not None
assert spec.loader is not None
ablation = importlib.util.module_from_spec(spec)
sys.modules["ablation"] = ablation
spec.loader.exec_module(ablation)


@pytest.mark.parametrize("name", VARIANTS)
def test_each_variant_is_valid_and_changes_one_table(name: str) -> None:
    base = TrainConfig.model_validate(PLAN)
    variant = TrainConfig.model_validate(ablation.merged(PLAN, VARIANTS[name]))
    changed = {part for part in TrainConfig.model_fields if getattr(base, part) != getattr(variant, part)}
    assert changed == set(VARIANTS[name])


def test_one_stage_is_laid_over_the_other() -> None:
    base = {"stages": [{"name": "only", "photos_seen": 8}], "run": {"seed": 1, "threads": 2}}
    changed = ablation.merged(base, {"stages": [{"photos_seen": 16}], "run": {"seed": 2}})
    assert changed == {"stages": [{"name": "only", "photos_seen": 16}], "run": {"seed": 2, "threads": 2}}
