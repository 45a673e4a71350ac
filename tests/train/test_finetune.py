import json
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from photochrom.cli.app import run
from photochrom.engines.hub import find_model
from photochrom.engines.runtime import onnxruntime
from photochrom.errors import EXIT_OK, EXIT_USAGE, ModelFileError, TrainingError
from photochrom.train.finetune import FinetuneOptions, difference_ab, finetune, read_folded
from tests.tiny_model import write_tiny_model
from tests.train.conftest import encode, make_photo

pytestmark = pytest.mark.slow

QUICK = FinetuneOptions(steps=20, batch=4, size_px=32, rate=5e-3, look_steps=10)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(15):
        (folder / f"photo-{number:03d}.png").write_bytes(encode(make_photo(100 + number), "PNG"))
    (folder / "broken.jpg").write_bytes(b"nothing")
    return folder


def test_it_colours_held_out_photographs_better_and_makes_a_model_file(
    exported_run: tuple[Path, Path, str], photos: Path, tmp_path: Path
) -> None:
    _, model, _ = exported_run
    looks: list[int] = []
    result = finetune(model, photos, tmp_path / "mine.onnx", QUICK, lambda step, _figures: looks.append(step))
    assert looks == [10, 20]
    assert result.after["ciede2000"] < result.before["ciede2000"]
    assert result.steps in looks
    assert [Path(name).name for name in result.unusable] == ["broken.jpg"]
    session = onnxruntime.InferenceSession(str(result.path), providers=["CPUExecutionProvider"])
    metadata = json.loads(session.get_modelmeta().custom_metadata_map["photochrom"])
    assert metadata["name"] == "mine"
    assert metadata["contract"] == "color/1"
    assert metadata["finetuned_steps"] == result.steps
    grey = tmp_path / "grey.png"
    make_photo(3).convert("L").save(grey)
    assert run(["colorize", str(grey), "-o", str(tmp_path / "out.png"), "--model", str(result.path)]) == EXIT_OK
    with Image.open(tmp_path / "out.png") as coloured:
        assert coloured.mode == "RGB"


def test_the_notebook_adapts_a_model(
    exported_run: tuple[Path, Path, str],
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    notebook = json.loads((Path(__file__).parents[2] / "notebooks/finetune.ipynb").read_text(encoding="utf-8"))
    (work,) = [
        "".join(cell["source"])
        for cell in notebook["cells"]
        if cell["cell_type"] == "code" and "install" not in cell["metadata"].get("tags", [])
    ]
    quick = ["--model", str(exported_run[1]), "--steps", "10", "--batch", "4", "--size", "32", "--rate", "5e-3"]
    monkeypatch.setenv("PHOTOCHROM_PHOTOGRAPHS", str(photos))
    monkeypatch.setenv("PHOTOCHROM_FINETUNE", shlex.join(quick))
    monkeypatch.chdir(tmp_path)

    def in_this_process(
        command: list[str], **_: object
    ) -> SimpleNamespace:  # PyTorch takes seconds to begin in another
        assert command[:3] == [sys.executable, "-m", "photochrom"]
        assert run(command[3:]) == EXIT_OK
        return SimpleNamespace(stdout=capsys.readouterr().out)

    monkeypatch.setattr(subprocess, "run", in_this_process)
    exec(compile(work, "finetune.ipynb", "exec"), {})  # noqa: S102 - our own notebook
    assert "ours.onnx" in capsys.readouterr().out
    assert onnxruntime.InferenceSession(str(tmp_path / "ours.onnx"), providers=["CPUExecutionProvider"]).get_inputs()


def test_nothing_is_written_when_held_out_photographs_get_worse(
    exported_run: tuple[Path, Path, str], photos: Path, tmp_path: Path
) -> None:
    _, model, _ = exported_run
    ruinous = FinetuneOptions(steps=2, batch=2, size_px=32, rate=50.0, look_steps=1)
    with pytest.raises(TrainingError, match="nothing was written"):
        finetune(model, photos, tmp_path / "mine.onnx", ruinous)
    assert not (tmp_path / "mine.onnx").exists()


def test_other_models_and_too_few_photographs_are_refused(
    exported_run: tuple[Path, Path, str], photos: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelFileError, match="cannot be trained on"):
        finetune(write_tiny_model(tmp_path / "foreign.onnx"), photos, tmp_path / "mine.onnx", QUICK)
    for path in sorted(photos.glob("*.png"))[4:]:
        path.unlink()
    with pytest.raises(TrainingError, match=r"4 usable colour photographs.*1 corrupt"):
        finetune(exported_run[1], photos, tmp_path / "mine.onnx", QUICK)


def test_the_verb_says_what_it_did(
    exported_run: tuple[Path, Path, str], photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "mine.onnx"
    arguments = ["finetune", str(photos), "-o", str(output), "--model", str(exported_run[1])]
    quick = ["--steps", "10", "--batch", "4", "--size", "32", "--rate", "5e-3"]
    assert run([*arguments, *quick]) == EXIT_OK
    said = capsys.readouterr().out
    assert "before" in said
    assert "broken.jpg" in said
    assert f"--model {output}" in said
    assert run([*arguments, *quick]) == EXIT_USAGE
    assert "exists already" in capsys.readouterr().err
    assert run([*arguments, "--overwrite", "--size", "33"]) == EXIT_USAGE


def test_the_embedded_model_is_read_back_as_it_answers() -> None:
    # Its norms have statistics far from 0 and 1, which those of a network trained for a few steps do not show.
    embedded = find_model("photochrom-color").path
    assert difference_ab(read_folded(embedded)[2], embedded) < 0.01


def test_a_folder_of_odd_name_is_found_and_an_empty_one_named(tmp_path: Path) -> None:
    odd = tmp_path / "photos [1]"
    odd.mkdir()
    with pytest.raises(TrainingError, match="Name a folder of colour photographs"):
        finetune(find_model("photochrom-color").path, odd, tmp_path / "mine.onnx", QUICK)
    (odd / "photo.png").write_bytes(encode(make_photo(1), "PNG"))
    with pytest.raises(TrainingError, match="1 usable"):
        finetune(find_model("photochrom-color").path, odd, tmp_path / "mine.onnx", QUICK)
