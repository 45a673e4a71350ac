"""What a person sees of a run on a terminal: a bar for all, and one for each film that is worked on."""

from __future__ import annotations

import io
import sys

import pytest

from photochrom.albums.reports import PhotoReport
from photochrom.cli.progress import Shown, shown_progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_films_have_bars_of_their_own_until_they_are_coloured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    with shown_progress(None, quiet=False) as show:
        bars = show._bars
        assert bars
        for done in (0, 120):
            show.frames("deep/[red]reel\x1b.mkv", done, 480)
        show.frames("other.mkv", 0, 9)
        assert [(task.description, task.completed, task.total) for task in bars.tasks[1:]] == [
            ("deep/[red]reel\\x1b.mkv", 120, 480),
            ("other.mkv", 0, 9),
        ]
        show.frames("deep/[red]reel\x1b.mkv", 480, 480)
        assert [task.description for task in bars.tasks] == ["", "other.mkv"]
        show(PhotoReport("a.png", "out/a.png", "done"))
        assert bars.tasks[0].completed == 1


@pytest.mark.parametrize(("total", "quiet"), [(None, True), (1, False)])
def test_without_a_bar_frames_are_told_to_nobody(total: int | None, quiet: bool) -> None:
    with shown_progress(total, quiet=quiet) as show:
        assert isinstance(show, Shown)
        show.frames("reel.mkv", 3, 9)
