import contextlib
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photochrom.cli.app import run
from photochrom.errors import EXIT_OK


def make_photo(seed: int, size: tuple[int, int] = (90, 70)) -> Image.Image:
    """Return a generated colour picture: soft blobs whose colour follows their brightness, so it can be learned."""
    brightness = np.random.default_rng(seed).integers(20, 236, (4, 5, 1))
    tint = np.where(brightness > 128, (-60, 0, 60), (50, 20, -50))
    coarse = Image.fromarray(np.clip(brightness + tint, 0, 255).astype(np.uint8))
    return coarse.resize(size, Image.Resampling.BICUBIC)


def encode(picture: Image.Image, kind: str = "WEBP") -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    """A tar shard of 24 photographs, one of them corrupt and one grey."""
    path = tmp_path / "photos-0000.tar"
    with tarfile.open(path, "w") as tar:
        for number in range(24):
            data = encode(make_photo(number))
            if number == 5:
                data = data[: len(data) // 2]
            if number == 7:
                data = encode(make_photo(number).convert("L").convert("RGB"))
            member = tarfile.TarInfo(f"photo-{number:03d}.webp")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def write_config(path: Path, photos: Path, folder: Path, extra: str = "") -> Path:
    """Write the configuration of a run of three steps on the smallest network, and return its path."""
    path.write_text(
        f"""
[run]
folder = "{folder}"
threads = 1
log_steps = 1
[data]
photos = ["{photos}"]
validation_photos = 4
cache_gb = 0.1
[model]
name = "tiny"
backbone = "test"
decoder = "test"
{extra}
[[stages]]
name = "only"
size_px = 32
batch = 2
photos_seen = 6
lr_decoder = 1e-3
lr_backbone = 1e-3
"""
    )
    return path


@pytest.fixture(scope="session")
def exported_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """A run of three steps and the model file exported from it, both through the command line, and what it said."""
    folder = tmp_path_factory.mktemp("exported")
    photos = folder / "photos"
    photos.mkdir()
    for number in range(24):
        (photos / f"photo-{number:03d}.png").write_bytes(encode(make_photo(number), "PNG"))
    config = write_config(folder / "tiny.toml", photos, folder / "run")
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert run(["train", str(config)]) == EXIT_OK
        assert run(["export", str(folder / "run"), "-o", str(folder / "tiny.onnx"), "--render-px", "64"]) == EXIT_OK
    return folder / "run", folder / "tiny.onnx", said.getvalue()
