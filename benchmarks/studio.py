"""The studio beside the command line: time to the page, drop to colour, hint to picture, and memory for a wall.

python benchmarks/studio.py [--photos 300]
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

COMMAND = [sys.executable, "-m", "photochrom"]
ROUNDS = 5


def photograph(width: int, height: int, seed: int = 0) -> bytes:
    """Return a JPEG with structure at every size, as photographs have it."""
    rng = np.random.default_rng(seed)
    plane = np.zeros((height, width), np.float32)
    for cells in (4, 16, 64):
        small = rng.normal(0, 1, (max(2, cells * height // width), cells)).astype(np.float32)
        plane += np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)) * (
            40 / cells**0.4
        )
    buffer = io.BytesIO()
    Image.fromarray(np.clip(plane + 128, 0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


class Studio:
    """A studio in a process of its own."""

    def __init__(self) -> None:
        begun = time.perf_counter()
        self.process = subprocess.Popen([*COMMAND, "studio", "--no-browser"], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        address, _, token = self.process.stdout.readline().strip().partition("?token=")
        self.opened = f"{address}?token={token}"
        headers = {"Authorization": f"Bearer {token}"}
        self.client = httpx.Client(base_url=address, headers=headers, timeout=600, trust_env=False)
        self.client.get("/").raise_for_status()
        self.seconds_to_page = time.perf_counter() - begun

    def hang(self, name: str, content: bytes) -> str:
        """Hang a photograph, and return its id."""
        upload = self.client.post("/v1/uploads", json={"name": name, "size": len(content)}).json()
        self.client.put(upload["href"], content=content).raise_for_status()
        return str(self.client.post("/studio/photos", json={"upload": upload["id"]}).json()["id"])

    def wait(self, identity: str, side: str) -> None:
        """Wait for a picture of a photograph."""
        while self.client.get(f"/studio/photos/{identity}/{side}").status_code != 200:
            time.sleep(0.02)

    def memory_mb(self) -> float:
        """Return the memory that the process holds."""
        text = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(text.partition("VmRSS:")[2].split()[0]) / 1024

    def close(self) -> None:
        """End it."""
        self.client.close()
        self.process.terminate()
        self.process.wait(60)


def seconds(command: list[str]) -> float:
    """Return how long a command takes."""
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def main() -> None:
    """Measure, and print ratios to the command line of the same run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=300)
    arguments = parser.parse_args()
    content = photograph(4000, 3000)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo.jpg"
        path.write_bytes(content)
        version = seconds([*COMMAND, "--version"])
        whole = seconds([*COMMAND, "colorize", str(path), "--quiet"])
    studio = Studio()
    print(f"command to page: {studio.seconds_to_page:.2f} s, {studio.seconds_to_page / version:.1f} of `--version`")
    empty = studio.memory_mb()
    studio.wait(studio.hang("first.jpg", photograph(400, 300)), "after")  # the model is loaded
    begun = time.perf_counter()
    identity = studio.hang("photo.jpg", content)
    studio.wait(identity, "after")
    shown = time.perf_counter() - begun
    begun = time.perf_counter()
    studio.client.post(f"/studio/photos/{identity}/save", json={})
    studio.wait(identity, "files/result")
    saved = time.perf_counter() - begun
    print(f"12 megapixels, drop to colour: {shown:.2f} s, {shown / whole:.2f} of `colorize` ({whole:.2f} s)")
    print(f"12 megapixels, saved at full size: {saved:.2f} s, {saved / whole:.2f} of it")
    hints = []
    for k in range(ROUNDS):
        look = {"hints": [{"point": [0.2 + 0.1 * k, 0.5], "color": "seagreen"}]}
        begun = time.perf_counter()
        studio.client.post(f"/studio/photos/{identity}/preview", json=look).raise_for_status()
        hints.append(time.perf_counter() - begun)
    print(f"hint to picture: {np.median(hints):.2f} s, {np.median(hints) / whole:.2f} of it")
    one = studio.memory_mb()
    begun = time.perf_counter()
    last = [studio.hang(f"{k}.jpg", photograph(800, 600, k)) for k in range(arguments.photos)][-1]
    studio.wait(last, "after")
    each = (time.perf_counter() - begun) / max(1, arguments.photos)
    many = studio.memory_mb()
    print(f"memory: empty {empty:.0f} MB, after 12 megapixels {one:.0f}, with {arguments.photos} more {many:.0f}")
    print(f"ratio {many / one:.2f}; {each:.2f} s a photograph")
    studio.close()


if __name__ == "__main__":
    main()
