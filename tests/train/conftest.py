import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


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
