"""What hands do that is not quite what was meant: keys alone, several files, a folder, and all of it too soon."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.browsers import settled
from tests.webpage.photographs import as_png, photograph
from tests.webpage.test_page import upload

FOCUSED = "() => document.activeElement.id || document.activeElement.getAttribute('aria-label')"

# Notes that the dialogue of files is asked for, and keeps it from being shown.
COUNT_OPENINGS = """() => document.getElementById("file").addEventListener("click", (event) => {
  event.preventDefault();
  document.body.dataset.asked = "yes";
}, { once: true })"""


def focused(page: Any) -> str:
    return str(settled(page, FOCUSED))


def drop(page: Any, *paths: Path) -> None:
    """Drop files or folders of this computer, as a person does."""
    session = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        data = {"items": [], "files": list(map(str, paths)), "dragOperationsMask": 1}
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 300, "data": data})
    session.detach()


def test_everything_is_reached_by_keys_and_the_focus_is_not_lost(page: Any) -> None:
    upload(page, as_png(photograph(120, 160)))
    page.locator("#place").focus()
    page.keyboard.press("Enter")
    for _ in range(2):
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    assert focused(page) == "place"
    page.get_by_role("button", name="Take colour 1 back").press("Enter")
    assert focused(page) == "Take colour 1 back"  # of the one that is left
    page.keyboard.press("Enter")
    assert focused(page) == "color"
    page.locator("#save-jpeg").focus()
    page.keyboard.press("Tab")
    assert focused(page) == "another"
    settled(page, COUNT_OPENINGS)
    page.keyboard.press("Enter")
    assert settled(page, "() => document.body.dataset.asked") == "yes"


def test_the_focus_is_seen_on_the_slider_over_the_photograph(page: Any) -> None:
    upload(page, as_png(photograph(120, 160)))
    shape = "() => getComputedStyle(document.querySelector('photo-comparison')).outlineStyle"
    page.keyboard.press("Tab")  # keys were used last
    page.get_by_role("slider", name="How much of the photograph is shown").focus()
    assert settled(page, shape) == "solid"
    page.get_by_label("Vividness").focus()
    assert settled(page, shape) == "none"


def test_hints_of_one_photograph_are_not_offered_with_the_next(page: Any) -> None:
    upload(page, as_png(photograph(120, 160)))
    page.locator("#place").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    offer = page.get_by_role("button", name="Save these hints")
    assert offer.is_visible()
    upload(page, as_png(photograph(90, 100)))
    assert not offer.is_visible()


def test_of_several_files_one_is_taken_and_a_folder_is_not_with_a_word(page: Any, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(as_png(photograph(60, 80)))
    upload(page, b"no picture")
    drop(page, tmp_path / "a.png", tmp_path / "b.png")
    page.wait_for_selector("body[data-state=done]")
    assert page.inner_text("#notes").startswith("Of 2 files the first was opened")
    drop(page, tmp_path)
    page.get_by_role("alert").get_by_text("This is a folder.").wait_for()
    assert page.locator("body[data-state=done]").count() == 1  # and what was open stays


# Moves the slider while a file is opened that is no picture.
MOVE_AND_OPEN = """async () => {
  const slider = document.getElementById("vividness"), field = document.getElementById("file");
  const transfer = new DataTransfer();
  const move = (value) => { slider.value = value; slider.dispatchEvent(new Event("input")); };
  [0.5, 0.8, 1.1].forEach(move);
  transfer.items.add(new File(["dear diary"], "diary.txt"));
  field.files = transfer.files;
  field.dispatchEvent(new Event("change"));
  move(1.7);
}"""


def test_what_is_wrong_with_a_file_is_told_though_a_slider_moves(page: Any) -> None:
    upload(page, as_png(photograph(300, 400)))
    settled(page, MOVE_AND_OPEN)
    page.wait_for_selector("#fault:not([hidden])")
    page.wait_for_timeout(500)  # for what comes too late
    assert "is not a picture" in page.inner_text("#fault")
    assert upload(page, as_png(photograph(60, 80))) == "In colour. Move the slider to compare."


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\0\0\0\x18ftypheix", "cannot open HEIC files"),
        (b"\0\0\0\x18ftypcrx ", "cannot open CR3 files"),
        (b"II+\0", "cannot open TIFF files"),
        (b"P5 2 2 255\n", "of a kind that this page knows"),
    ],
)
def test_pictures_that_no_browser_opens_are_not_called_something_else(page: Any, content: bytes, said: str) -> None:
    assert said in upload(page, content + bytes(200))


def test_every_note_is_told(page: Any) -> None:
    grey = photograph(60, 80)
    stream = io.BytesIO()
    rgba = np.dstack([grey, grey, grey, np.full_like(grey, 128)])
    frames = [Image.fromarray(rgba), Image.fromarray(255 - rgba)]
    frames[0].save(stream, "PNG", save_all=True, append_images=frames[1:])
    upload(page, stream.getvalue())
    notes = page.inner_text("#notes")
    assert "holds several pictures" in notes
    assert "browsers round its tones" in notes
    page.get_by_label("Language").select_option("de")
    assert "enthält mehrere Bilder" in page.inner_text("#notes")
    page.get_by_label("Sprache").select_option("en")
