"""Write a model file's sha256 into the catalogue: `python scripts/pin_model.py photochrom-color`."""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path

ENGINES = Path(__file__).parent.parent / "src" / "photochrom" / "engines"


def pin(name: str) -> str:
    """Put the hash of the model's file, which lies in ``weights/``, into its catalogue entry; return the hash."""
    catalog = ENGINES / "catalog.toml"
    text = catalog.read_text(encoding="utf-8")
    section = re.search(rf"^\[{re.escape(name)}\]\n(?:(?!\[).*\n?)*", text, flags=re.MULTILINE)
    if section is None:
        raise SystemExit(f"{name}: not in {catalog}")
    file = re.search(r'^file = "(.+)"$', section[0], flags=re.MULTILINE)
    if file is None:
        raise SystemExit(f"{name}: has no file in {catalog}")
    digest = hashlib.sha256((ENGINES / "weights" / file[1]).read_bytes()).hexdigest()
    entry = re.sub(r'^sha256 = ".*"$', f'sha256 = "{digest}"', section[0], flags=re.MULTILINE)
    catalog.write_text(text.replace(section[0], entry), encoding="utf-8")
    return digest


if __name__ == "__main__":
    for model in sys.argv[1:]:
        print(model, pin(model))
