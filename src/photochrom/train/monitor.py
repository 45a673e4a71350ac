"""What a run tells: a JSONL log always, TensorBoard when it is installed, and callbacks for a progress display."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from PIL import Image
from torch import nn

Log = dict[str, Any]


class Monitor:
    """The voice of one run. Use it as a context manager, so that the last lines reach the disk.

    Args:
        folder: where ``log.jsonl`` is appended to and TensorBoard's event files go.
        on_log: called with every line of the log.
        speaks: False on all but the first of several processes; nothing is then written.
    """

    def __init__(
        self, folder: Path, on_log: Callable[[Log], None] = lambda _line: None, *, speaks: bool = True
    ) -> None:
        self.folder, self.on_log, self.speaks = folder, on_log, speaks
        self._board: Any = None
        if speaks and importlib.util.find_spec("tensorboard") is not None:
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(folder / "tensorboard"))

    def __enter__(self) -> Self:
        """Return the monitor itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Write out what TensorBoard still holds."""
        if self._board is not None:
            self._board.close()

    def log(self, line: Log) -> None:
        """Append one line to the log, with its figures as TensorBoard scalars over the photographs seen."""
        if not self.speaks:
            return
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")
        if self._board is not None:
            for name, value in line.items():
                if isinstance(value, int | float) and name != "photos_seen":
                    self._board.add_scalar(name, value, line.get("photos_seen", 0))
        self.on_log(line)

    def show_picture(self, name: str, path: Path, photos_seen: int) -> None:
        """Copy a picture file into TensorBoard."""
        if self._board is not None and path.exists():
            with Image.open(path) as picture:
                self._board.add_image(name, np.asarray(picture.convert("RGB")), photos_seen, dataformats="HWC")

    def show_weights(self, net: nn.Module, photos_seen: int) -> None:
        """Write the distribution of each kernel's weights to TensorBoard."""
        if self._board is not None:
            for name, parameter in net.named_parameters():
                if parameter.ndim > 1:
                    self._board.add_histogram(name, parameter.detach().float().cpu(), photos_seen)
