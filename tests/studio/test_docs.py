"""The `curl` examples of docs/studio.md do what they say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from tests.studio.conftest import Running

TEXT = (Path(__file__).parents[2] / "docs" / "studio.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"<!-- curl: (\w+) -->\n```sh\n(.*?)```", TEXT, flags=re.DOTALL))
MADE = {
    "colour": ["photo-color.jpg"],
    "restore": ["photo-restored.jpg"],
    "job": ["job-color.jpg", "job.recipe.json", "events.txt"],
    "upload": ["upload-color.jpg"],
}


def test_every_example_is_run() -> None:
    assert EXAMPLES.keys() == MADE.keys()


@pytest.mark.slow
@pytest.mark.parametrize("name", MADE)
def test_the_examples_run(name: str, shared: Running, jpeg: bytes, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    (tmp_path / "photo.jpg").write_bytes(jpeg)
    known = {"TOKEN": shared.token, "ADDRESS": shared.address.rstrip("/"), "no_proxy": "127.0.0.1"}
    command = ["bash", "-euo", "pipefail", "-c", EXAMPLES[name]]
    done = subprocess.run(
        command, cwd=tmp_path, env=os.environ | known, capture_output=True, text=True, check=False, timeout=200
    )
    assert done.returncode == 0, done.stderr
    for made in MADE[name]:
        assert (tmp_path / made).stat().st_size > 0
        if made.endswith(".jpg"):
            with Image.open(tmp_path / made) as picture:
                assert picture.size == (128, 96)
