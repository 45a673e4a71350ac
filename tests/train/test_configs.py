"""The configurations in configs/ are complete, follow one another, and fit the models they name."""

import functools
import re
from pathlib import Path

import pytest

from photochrom.engines.catalog import model_cards
from photochrom.nets.palette import Palette
from photochrom.train.checkpoint import fill, read_checkpoint, with_prefix
from photochrom.train.config import load_config as load_anew
from photochrom.train.generator import build_generator, grown

CONFIGS = Path(__file__).parents[2] / "configs"
FILES = sorted(CONFIGS.rglob("*.toml"))
OVERVIEW = (CONFIGS / "README.md").read_text(encoding="utf-8")

load_config = functools.cache(load_anew)


def named(file: Path) -> str:
    return file.relative_to(CONFIGS).with_suffix("").as_posix()


@pytest.mark.parametrize("file", FILES, ids=named)
def test_every_configuration_can_be_run_and_begins_where_another_ends(file: Path) -> None:
    config = load_config(file)
    assert config.schedule
    start = config.model.init
    if start is None or str(start) in model_cards():
        return
    assert start.parts[0] == "runs"
    if start.suffix == ".safetensors":
        assert f"`{start.stem}`" in OVERVIEW, "a mixture that the overview does not tell"
    else:
        assert start in {load_config(other).run.folder for other in FILES}


NAMING = [file for file in FILES if str(load_config(file).model.init) in model_cards()]


@pytest.mark.slow
@pytest.mark.parametrize("file", NAMING, ids=named)
def test_a_configuration_that_starts_from_an_embedded_model_fits_it(file: Path) -> None:
    config = load_config(file)
    assert config.model.init is not None
    state = with_prefix(read_checkpoint(config.model.init)[1], "average.")
    palette = Palette(state["palette.bins_ab"], state["palette.shares"]) if config.task.target == "color" else None
    net = build_generator(config, palette, pretrained=False)
    fill(net, grown(net, state), config.model.init)


@pytest.mark.parametrize("folder", ["src", "benchmarks", "notebooks", "scripts", "configs"])
def test_every_configuration_that_is_named_is_there(folder: str) -> None:
    sources = [file for file in (CONFIGS.parent / folder).rglob("*") if file.suffix in {".py", ".ipynb", ".toml"}]
    named = {name for file in sources for name in re.findall(r"configs/[\w./-]+\.toml", file.read_text("utf-8"))}
    assert {name for name in named if not (CONFIGS.parent / name).is_file()} == set()


def test_no_two_configurations_write_into_one_folder() -> None:
    assert len({load_config(file).run.folder for file in FILES}) == len(FILES)


@pytest.mark.parametrize("folder", sorted({file.parent.name for file in FILES}))
def test_the_overview_tells_every_folder(folder: str) -> None:
    assert f"`{folder}/`" in OVERVIEW
