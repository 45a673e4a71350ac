"""The page in a real Chromium: from drop to saved file, brush, questions, mask, a restart in the middle.

Where Chromium or Playwright is missing the tests are skipped, except where they are required (``tests/browsers.py``).
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photochrom.cli.app import run
from photochrom.engines.hub import find_model
from photochrom.errors import EXIT_OK
from photochrom.hints.sheet import read_hints
from tests.browsers import is_required, settled
from tests.studio.browsing import Studio, accessible, choose, drag, drop, photograph

if not is_required():
    pytest.importorskip("playwright.sync_api", reason="the page is tested with Playwright: pip install playwright")

from playwright.sync_api import Page, expect

pytestmark = pytest.mark.slow


PICTURES = os.environ.get("PHOTOCHROM_PICTURES")
"""A folder to write the pictures of docs/studio.md to, made with the embedded model."""


def hang_three(page: Page, tmp_path: Path) -> None:
    """Drop two photographs and a broken one."""
    drop(page, photograph(tmp_path / "gran.jpg"))
    choose(page, photograph(tmp_path / "house.png"))
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    drop(page, tmp_path / "broken.jpg")
    expect(page.locator(".print.done")).to_have_count(2)
    expect(page.locator(".print.failed .why")).to_contain_text("broken.jpg: ")


def paint(page: Page) -> None:
    """Say colours by clicking, painting and the keyboard; move one; undo and redo."""
    page.get_by_role("tab", name="Brush").click()
    canvas = page.locator("photo-viewer canvas")
    box, hints = canvas.bounding_box(), page.locator(".hints .dot")
    assert box is not None
    at = (box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.55)
    page.mouse.click(*at)
    expect(hints).to_have_count(1)
    drag(page, (at[0] - 200, at[1] - 100), (at[0] - 120, at[1] - 80))
    expect(hints).to_have_count(2)
    drag(page, at, (at[0] + 20, at[1] + 30))  # the first one is moved
    expect(hints).to_have_count(2)
    for _ in range(2):
        page.get_by_role("button", name="Undo").click()
    expect(hints).to_have_count(1)
    page.get_by_role("button", name="Redo").click()
    expect(hints).to_have_count(2)
    canvas.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(hints).to_have_count(3)


def answer(page: Page) -> None:
    """Let the net ask, and answer where it does."""
    page.get_by_role("tab", name="Questions").click()
    page.get_by_role("button", name="Ask me").click()
    expect(page.locator(".asked")).to_contain_text(re.compile("Which colour was this|Nothing left to ask"))
    if page.locator(".answers button").count():
        page.locator(".answers button").first.click()


def test_from_drop_to_saved_file_with_brush_and_questions(
    studio: Callable[..., Studio], page: Page, tmp_path: Path, hearing_model: Path
) -> None:
    page.goto(studio().address)
    expect(page.get_by_role("heading", name="Old photographs, in colour, here.")).to_be_visible()
    assert "token" not in page.url
    assert accessible(page) == []
    hang_three(page, tmp_path)
    assert accessible(page) == []
    page.locator(".print", has_text="gran.jpg").get_by_role("link").click()
    expect(page.locator("light-table")).to_be_visible()
    assert accessible(page) == []
    paint(page)
    assert accessible(page) == []
    answer(page)
    assert accessible(page) == []
    page.get_by_role("tab", name="Save").click()
    with page.expect_download() as saving:
        page.get_by_role("button", name="Save", exact=True).click()
    assert saving.value.suggested_filename == "gran-color.jpg"
    with page.expect_download() as hints:
        page.get_by_role("link", name="Hints as a file").click()
    hints.value.save_as(tmp_path / "gran.hints.json")
    assert len(read_hints(tmp_path / "gran.hints.json").hints) >= 3
    options = ["--hints", str(tmp_path / "gran.hints.json"), "--model", str(hearing_model), "--quiet"]
    assert run(["colorize", str(tmp_path / "gran.jpg"), *options]) == EXIT_OK
    assert Path(saving.value.path()).read_bytes() == (tmp_path / "gran-color.jpg").read_bytes()
    page.keyboard.press("Escape")
    with page.expect_download() as album:
        page.get_by_role("button", name="Save all").click()
    shutil.unpack_archive(album.value.path(), tmp_path / "album", "zip")
    assert {"gran-color.jpg", "house-color.png"} <= {path.name for path in (tmp_path / "album").iterdir()}


def test_a_folder_is_saved_beside_and_keeps_its_hints_and_a_mask_is_corrected(
    studio: Callable[..., Studio], page: Page, tmp_path: Path
) -> None:
    folder = tmp_path / "album"
    folder.mkdir()
    original = photograph(folder / "gran.png", scratch=True).read_bytes()
    one = studio(folder=folder)
    page.goto(one.address)
    page.locator(".print.done").get_by_role("link").click()
    page.get_by_role("tab", name="Restore").click()
    page.get_by_label("Restore before colouring").check()
    page.get_by_label("Grain, noise").select_option("never")
    page.get_by_role("button", name="Show the mask").click()
    page.get_by_role("button", name="Paint: this is damage").click()
    box = page.locator("photo-viewer canvas").bounding_box()
    assert box is not None
    at = (box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.4)
    drag(page, at, (at[0] + 40, at[1] + 30))
    expect(page.locator("light-table[data-strokes='1']")).to_be_visible()
    assert accessible(page) == []
    page.get_by_role("tab", name="Brush").click()
    page.mouse.click(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.6)
    page.get_by_role("tab", name="Save").click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="Saved as gran-color.png")).to_be_visible()
    assert {path.name for path in folder.iterdir()} == {
        "gran.png", "gran-color.png", "gran-color.png.recipe.json", "gran.hints.json", ".photochrom-album.jsonl",
    }  # fmt: skip
    assert (folder / "gran.png").read_bytes() == original
    recipe = json.loads((folder / "gran-color.png.recipe.json").read_text())
    assert len(recipe["settings"]["restore"]["mask_sha256"]) == 64
    assert len(recipe["hints"]) == 1


def test_a_restart_in_the_middle_loses_nothing_and_two_tabs_agree(
    studio: Callable[..., Studio], page: Page, tmp_path: Path
) -> None:
    one = studio(store=tmp_path / "store")
    page.goto(one.address)
    drop(page, photograph(tmp_path / "gran.png"))
    expect(page.locator(".print.done")).to_have_count(1)
    one.stop()
    one.start(one.port)
    other = page.context.new_page()
    other.goto(one.address)
    expect(other.locator(".print.done")).to_have_count(1)
    page.goto(one.address)
    page.locator(".print.done").get_by_role("link").click()
    other.locator(".print.done").get_by_role("link").click()
    other.get_by_role("tab", name="Look").click()
    page.get_by_label("Warmth").fill("20")
    expect(other.get_by_label("Warmth")).to_have_value("20")
    page.wrong.clear()  # type: ignore[attr-defined] - the break itself is told on the console


def test_every_language_and_a_phone_in_the_dark_are_accessible(
    studio: Callable[..., Studio], page: Page, tmp_path: Path
) -> None:
    page.goto(studio().address)
    drop(page, photograph(tmp_path / "gran.png"))
    expect(page.locator(".print.done")).to_have_count(1)
    page.set_viewport_size({"width": 390, "height": 780})
    page.emulate_media(color_scheme="dark")
    for language, back in [("de", "Zurück zur Wand"), ("fr", "Retour au mur")]:
        page.get_by_role("combobox").first.select_option(language)
        page.locator(".print.done").get_by_role("link").click()
        expect(page.get_by_role("button", name=back)).to_be_visible()
        assert settled(page, "() => document.documentElement.scrollWidth <= innerWidth")
        assert accessible(page) == []
        page.keyboard.press("Escape")
        assert accessible(page) == []


def test_a_film_from_upload_to_download_with_colours_said_in_two_shots(
    studio: Callable[..., Studio], page: Page, tmp_path: Path
) -> None:
    from tests.film.films import two_shots, write_film

    page.goto(studio().address)
    drop(page, write_film(tmp_path / "reel.mkv", two_shots(6)))
    page.locator(".print.done").get_by_role("link").click()
    shots = page.locator(".shots button")
    expect(shots).to_have_count(2)
    expect(page.get_by_role("status").filter(has_text="2 shots")).to_be_visible()
    assert accessible(page) == []
    for number, frame in [(0, "0.120"), (1, "0.360")]:
        page.get_by_role("tab", name="Shots").click()
        shots.nth(number).click()
        expect(page.locator(f"light-table[data-frame='{frame}']")).to_be_visible()
        page.get_by_role("tab", name="Brush").click()
        expect(page.locator(".hints .dot")).to_have_count(0)
        page.get_by_label("Colour", exact=True).fill(["#c02020", "#2040c0"][number])
        box = page.locator("photo-viewer canvas").bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.5)  # beside the slider
        expect(page.locator(".hints .dot")).to_have_count(1)
    page.get_by_role("tab", name="Shots").click()
    expect(page.locator(".shots button.said")).to_have_count(2)
    page.get_by_role("button", name="Shot 1, from").click()
    page.get_by_role("tab", name="Brush").click()
    expect(page.locator(".hints")).to_contain_text("#c02020")
    page.get_by_role("tab", name="Save").click()
    with page.expect_download() as saving:
        page.get_by_role("button", name="Save", exact=True).click()
    assert saving.value.suggested_filename == "reel-color.mp4"
    red, blue = painted_in(Path(saving.value.path()))
    assert red[0] - red[2] > 40
    assert blue[2] - blue[0] > 40


def painted_in(film: Path) -> list[np.ndarray]:
    """The mean colours of a frame of each shot, where they were painted."""
    import av

    with av.open(str(film)) as container:
        frames = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]
    assert len(frames) == 12
    return [frames[k][28:36, 54:62].mean(axis=(0, 1)) for k in (3, 9)]


def test_errors_speak_the_pages_language(studio: Callable[..., Studio], page: Page, tmp_path: Path) -> None:
    page.goto(studio().address)
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    drop(page, tmp_path / "broken.jpg")
    expect(page.locator(".print.failed .why")).to_have_text(re.compile(r"^broken\.jpg: "))
    page.get_by_role("combobox").first.select_option("de")
    expect(page.locator(".print.failed .why")).to_have_text(re.compile(r"^broken\.jpg: Diese JPEG-Datei ist"))
    page.get_by_role("combobox").first.select_option("fr")
    expect(page.locator(".print.failed .why")).to_have_text(re.compile(r"^broken\.jpg : ce fichier JPEG est abîmé"))
    for sentence, told in [
        ("in colour already: skipped; page 2 of 3", "Elle est déjà en couleurs et reste telle quelle. Page 2 sur 3."),
        ("damage: 3% of the picture filled; 1% left, thicker than 2%", "Dégâts : 3% de l’image comblés ; 1% laissés,"),
        ("reel.mp4: is a photograph", "C’est une photo, pas un film."),
    ]:
        said = settled(page, "async (said) => (await import('/page/faults.js')).faultText(said)", sentence)
        assert said.startswith(told)


def test_three_hundred_photographs_hang_on_the_wall(studio: Callable[..., Studio], page: Page, tmp_path: Path) -> None:
    (tmp_path / "album").mkdir()
    small = np.random.default_rng(2).integers(0, 255, (300, 12, 16), dtype=np.uint8)
    for k, pixels in enumerate(small):
        Image.fromarray(pixels).save(tmp_path / "album" / f"{k:03}.png")
    page.goto(studio(folder=tmp_path / "album").address)
    expect(page.locator(".print")).to_have_count(300)
    expect(page.locator(".print.done")).to_have_count(300)
    expect(page.locator(".progress")).to_have_text("")
    images = settled(page, "() => [...document.images].filter((image) => image.complete && image.naturalWidth).length")
    assert 0 < images < 2 * 300  # those out of sight have not been asked for
    assert settled(page, "() => performance.memory.usedJSHeapSize") < 60_000_000
    page.locator(".print", has_text="299.png").get_by_role("link").click()
    expect(page.get_by_role("heading", name="299.png")).to_be_visible()
    page.keyboard.press("PageUp")
    expect(page.get_by_role("heading", name="298.png")).to_be_visible()


@pytest.mark.skipif(not PICTURES, reason="makes pictures for the documents where PHOTOCHROM_PICTURES names a folder")
def test_pictures_for_the_documents(page: Page) -> None:
    one = Studio(find_model("photochrom-color").path)
    try:
        page.goto(one.address)
        page.get_by_role("button", name="Begin with sample pictures").click()
        expect(page.locator(".print.done")).to_have_count(2)
        page.locator(".print", has_text="coffee").get_by_role("link").click()
        page.get_by_role("tab", name="Brush").click()
        box = page.locator("photo-viewer canvas").bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + box["width"] * 0.72, box["y"] + box["height"] * 0.8)
        expect(page.locator("light-table[data-kept]")).to_be_visible()
        page.wait_for_timeout(2_000)
        picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB").resize((720, 471), Image.Resampling.LANCZOS)
        picture.save(Path(str(PICTURES)) / "studio.webp", quality=36, method=6)
    finally:
        one.stop()
