"""The page in a real Chromium, by what is done: hints and masks by hand and by keys, films, a large photograph."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photochrom.engines.hub import find_model
from photochrom.studio.stopping import Stoppable
from tests.browsers import is_required, settled
from tests.studio.browsing import Studio, accessible, choose, drag, drop, photograph

if not is_required():
    pytest.importorskip("playwright.sync_api", reason="the page is tested with Playwright: pip install playwright")

from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.slow

Start = Callable[..., Studio]


def at(page: Page, x: float, y: float) -> tuple[float, float]:
    """A place of the canvas on the screen."""
    box = page.locator("photo-viewer canvas").bounding_box()
    assert box is not None
    return box["x"] + box["width"] * x, box["y"] + box["height"] * y


def open_first(page: Page, tab: str) -> None:
    page.locator(".print.done").first.get_by_role("link").click()
    page.get_by_role("tab", name=tab).click()


def test_strokes_are_moved_by_hand_and_hints_by_keys(studio: Start, page: Page, tmp_path: Path) -> None:
    one = studio()
    page.goto(one.address)
    drop(page, photograph(tmp_path / "gran.png"))
    open_first(page, "Brush")

    def kept(step: int) -> list[dict]:
        page.locator(f"light-table[data-kept='{step}']").wait_for()
        return one.desk.wall.all()[0].look["hints"]

    drag(page, at(page, 0.6, 0.4), at(page, 0.7, 0.4))
    before = np.array(kept(1)[0]["stroke"])
    drag(page, at(page, 0.6, 0.4), at(page, 0.6, 0.5))
    after = np.array(kept(2)[0]["stroke"])
    assert np.allclose(after - before, (after - before)[0], atol=1e-4)
    assert (after - before)[0][1] > 0.05
    page.get_by_role("button", name="Hint 1, #2e6b4f. Arrow keys move it.").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert np.allclose(np.array(kept(4)[0]["stroke"]), after - [0.02, 0], atol=1e-4)
    assert accessible(page) == []


def test_a_corrected_mask_is_there_again_and_goes_on(studio: Start, page: Page, tmp_path: Path) -> None:
    one = studio(store=tmp_path / "store")
    page.goto(one.address)
    drop(page, photograph(tmp_path / "gran.png", (96, 72), scratch=True))
    open_first(page, "Restore")
    page.get_by_label("Restore before colouring").check()
    for stage in ("Grain, noise", "Fading, exposure"):
        page.get_by_label(stage).select_option("never")
    page.get_by_role("button", name="Show the mask").click()
    page.get_by_role("button", name="Paint: this is damage").click()
    drag(page, at(page, 0.7, 0.4), at(page, 0.75, 0.45))
    expect(page.locator("light-table[data-strokes='1']")).to_be_visible()
    one.stop()
    one.start(one.port)
    page.goto(one.address)
    open_first(page, "Restore")
    page.get_by_role("button", name="Paint: this is damage").click()
    page.locator("photo-viewer canvas").focus()
    for key in ["ArrowRight", "ArrowUp", "Enter"]:  # the mask's brush by keys
        page.keyboard.press(key)
    expect(page.locator("light-table[data-strokes='2']")).to_be_visible()
    folder = one.desk.wall.folder_of(one.desk.wall.all()[0])
    mask, found = (np.asarray(Image.open(folder / name)) for name in ("mask.png", "found.png"))
    _, columns = np.nonzero((mask > 0) & (found == 0))
    assert (abs(columns / mask.shape[1] - 0.51) < 0.05).any(), "the stroke that is new"
    assert (columns / mask.shape[1] > 0.6).any(), "the stroke from before the restart"
    page.wrong.clear()  # type: ignore[attr-defined] - the break itself is told on the console


def test_references_are_dropped_in_and_named(studio: Start, page: Page, tmp_path: Path) -> None:
    page.goto(studio(model=find_model("photochrom-color").path).address)  # the tiny one knows no features
    drop(page, photograph(tmp_path / "gran.png"))
    open_first(page, "Look")
    grey = np.asarray(Image.open(tmp_path / "gran.png"))
    Image.fromarray(np.stack([grey, grey // 2, grey // 3], axis=-1)).save(tmp_path / "summer.png")
    drop(page, tmp_path / "summer.png", place=".reference p")
    expect(page.locator(".lent")).to_have_text("Taken: summer.png")
    page.get_by_role("button", name="Without references").click()
    expect(page.locator(".lent")).to_be_hidden()


def test_what_was_decided_and_what_colours_are_called_speak_the_pages_language(
    studio: Start, page: Page, tmp_path: Path
) -> None:
    faded = np.asarray(Image.open(photograph(tmp_path / "gran.png"))) // 3 + 60
    Image.fromarray(faded.astype(np.uint8)).save(tmp_path / "faded.png")
    page.goto(studio().address)
    drop(page, tmp_path / "faded.png")
    open_first(page, "Look")
    for language, told, tab, ask in [
        ("en", "A faded scan", "Questions", "Ask me"),
        ("de", "Ein verblasster Scan", "Fragen", "Frag mich"),
        ("fr", "Un scan pâli", "Questions", "Interrogez-moi"),
    ]:
        page.get_by_role("combobox").first.select_option(language)
        expect(page.locator(".notes li").first).to_contain_text(told)
        expect(page.locator(".notes li").first).to_have_attribute("title", re.compile("^faded scan"))
        page.get_by_role("tab", name=tab).click()
        page.get_by_role("button", name=ask).click()
        answers = page.locator(".asked")
        expect(answers).not_to_contain_text(ask)
        expect(answers).not_to_contain_text(re.compile("indianred|steelblue|slategray|undefined"))


def test_work_at_full_size_is_stopped_and_begun_again(
    studio: Start, page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.goto(studio().address)
    drop(page, photograph(tmp_path / "gran.png"))
    open_first(page, "Save")
    goes_on, run = threading.Event(), Stoppable.run

    def waiting(self: Stoppable, *inputs: object, **named: object) -> object:
        goes_on.wait(60)
        return run(self, *inputs, **named)

    monkeypatch.setattr(Stoppable, "run", waiting)
    page.get_by_role("button", name="Save", exact=True).click()
    stop = page.get_by_role("button", name="Stop")
    stop.click()
    expect(page.locator(".toast")).to_contain_text("changed or stopped meanwhile")
    expect(stop).to_be_hidden()
    goes_on.set()
    with page.expect_download() as saving:
        page.get_by_role("button", name="Save", exact=True).click()
    assert saving.value.suggested_filename == "gran-color.png"


def test_save_all_tells_what_was_not_saved(studio: Start, page: Page, tmp_path: Path) -> None:
    (tmp_path / "album").mkdir()
    for name in ("gran", "house"):
        photograph(tmp_path / "album" / f"{name}.png")
    (tmp_path / "album" / "house-color.png").write_bytes(b"somebody's own")
    page.goto(studio(folder=tmp_path / "album").address)
    expect(page.locator(".print.done")).to_have_count(2)
    page.get_by_role("button", name="Save all").click()
    expect(page.locator(".toast.bad")).to_contain_text(
        "1 of 2 were not saved. The first: house-color.png: exists already"
    )
    assert (tmp_path / "album" / "house-color.png").read_bytes() == b"somebody's own"
    assert (tmp_path / "album" / "gran-color.png").exists()
    page.get_by_role("button", name="Save all").click()  # what is saved already is not counted
    expect(page.locator(".toast.bad").nth(1)).to_contain_text(
        "1 of 2 were not saved. The first: house-color.png: exists already. Open the photograph and save it there"
    )
    page.locator(".print", has_text="house.png").get_by_role("link").click()
    page.get_by_role("tab", name="Save").click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved as house-color.png").first).to_be_visible()
    assert (tmp_path / "album" / "house-color.png").read_bytes()[1:4] == b"PNG"


def test_save_all_tells_what_was_left_out(studio: Start, page: Page, tmp_path: Path) -> None:
    one = studio()
    page.goto(one.address)
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    drop(page, tmp_path / "broken.jpg")
    expect(page.locator(".print.failed")).to_have_count(1)
    drop(page, photograph(tmp_path / "gran.png"))
    expect(page.locator(".print.done")).to_have_count(1)
    gran = one.desk.wall.all()[1]
    one.desk.wall.change(gran, state="working")
    expect(page.locator(".print.working")).to_have_count(1)
    with page.expect_download() as album:
        page.get_by_role("button", name="Save all").click()
    assert album.value.suggested_filename == "photochrom-album.zip"
    expect(page.locator(".toast.bad")).to_contain_text(
        "1 of 2 were not saved. The first: broken.jpg: this JPEG file is"
    )
    expect(page.get_by_text("The album is ready.")).to_have_count(0)


def test_a_photograph_that_is_coloured_anew_is_left_for_the_next(studio: Start, page: Page, tmp_path: Path) -> None:
    one = studio()
    page.goto(one.address)
    for name in ("a", "b", "c"):
        drop(page, photograph(tmp_path / f"{name}.png", (80, 60)))
        expect(page.locator(".print.done", has_text=f"{name}.png")).to_be_visible()
    for item in one.desk.wall.all()[1:]:
        one.desk.wall.change(item, state="working")
    expect(page.locator(".print.working")).to_have_count(2)
    page.locator(".print", has_text="b.png").get_by_role("link").click()
    expect(page.get_by_role("heading", name="b.png")).to_be_visible()
    page.keyboard.press("PageDown")
    expect(page.get_by_role("heading", name="c.png")).to_be_visible()


def test_news_from_before_do_not_end_the_saving(studio: Start, page: Page, tmp_path: Path) -> None:
    (tmp_path / "album").mkdir()
    photograph(tmp_path / "album" / "gran.png")
    one = studio(folder=tmp_path / "album")
    page.goto(one.address)
    open_first(page, "Save")

    def delayed(route: Route) -> None:
        """Something else is news while the request is on its way."""
        one.desk.wall.change(one.desk.wall.all()[0], progress=0.5)
        time.sleep(0.5)
        route.continue_()

    page.route("**/save", delayed)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".toast")).to_have_text("Saved as gran-color.png")


def test_a_hundred_megapixels_are_shown_down_to_their_pixels_and_saved(
    studio: Start, page: Page, tmp_path: Path
) -> None:
    import tifffile

    from photochrom.files.codecs.libvips import libvips

    side = 10_000
    rows = (np.arange(side, dtype=np.uint32) * 7 % 251).astype(np.uint8)
    grey = np.broadcast_to(rows[:, None], (side, side))
    tifffile.imwrite(tmp_path / "large.tif", grey, compression="zlib", tile=(1024, 1024))
    assert (tmp_path / "large.tif").stat().st_size < 3_000_000
    page.goto(studio().address)
    choose(page, tmp_path / "large.tif")
    page.locator(".print.done").get_by_role("link").click()
    canvas = page.locator("photo-viewer canvas")
    with page.expect_response(re.compile(r"/tiles/after/0/\d+/\d+")):
        canvas.press("1")  # a closer look has it made at full size
    page.keyboard.press("c")
    page.keyboard.press("c")
    canvas.press("1")
    look = """() => {
      const canvas = document.querySelector("photo-viewer canvas"), x = Math.floor(canvas.width / 2);
      return [...canvas.getContext("2d").getImageData(x, 0, 1, canvas.height).data];
    }"""
    page.wait_for_function(
        "() => [...document.querySelector('photo-viewer').tiles.values()].every((tile) => tile.complete)"
    )
    page.wait_for_timeout(200)
    column = np.array(settled(page, look)).reshape(-1, 4)[:, :3]
    shown = np.asarray(Image.fromarray(column[None].astype(np.uint8)).convert("L"))[0]
    begins = [at for at in range(side - len(shown)) if (rows[at : at + len(shown)] == shown).all()]
    assert begins, "the screen shows no row of pixels of the photograph"
    for _ in range(8):
        page.keyboard.press("+")
    expect(page.locator(".glass .zoom")).to_have_text("3200 %")
    page.get_by_role("tab", name="Save").click()
    with page.expect_download() as saving:
        page.get_by_role("button", name="Save", exact=True).click()
    assert saving.value.suggested_filename == "large-color.tif"
    saved = libvips().Image.new_from_file(str(saving.value.path()), access="sequential")
    assert (saved.width, saved.height, saved.bands) == (side, side, 3)
    strip = Image.fromarray(saved.crop(0, 0, side, 300).numpy()).convert("L")
    assert (np.asarray(strip) == grey[:300]).all()


def take_brush_to_first_shot(page: Page, address: str, shots: str, count: int) -> None:
    """Open a studio's film, see so many shots of a kind, and choose the brush for the first one's middle frame."""
    page.goto(address)
    open_first(page, "Shots")
    expect(page.locator(shots)).to_have_count(count)
    page.locator(".shots button").first.click()
    expect(page.locator("light-table[data-frame='0.120']")).to_be_visible()
    page.get_by_role("tab", name="Brush").click()


def test_a_films_hints_lie_beside_it_and_are_there_again(studio: Start, page: Page, tmp_path: Path) -> None:
    from tests.film.films import two_shots, write_film

    folder = tmp_path / "films"
    folder.mkdir()
    write_film(folder / "reel.mkv", two_shots(6))
    one = studio(folder=folder)
    take_brush_to_first_shot(page, one.address, ".shots button", 2)
    page.mouse.click(*at(page, 0.6, 0.5))
    page.locator("light-table[data-kept]").wait_for()
    sheet = json.loads((folder / "reel.hints" / "0.120s.hints.json").read_text())
    assert [hint["color"] for hint in sheet["hints"]] == ["#2e6b4f"]
    one.stop()
    one.start(0)  # another studio, with a new store and address
    take_brush_to_first_shot(page, one.address, ".shots button.said", 1)
    expect(page.locator(".hints .dot")).to_have_count(1)
    page.get_by_role("button", name="Remove hint 1").click()
    expect(page.locator("light-table[data-kept='1']")).to_be_visible()
    assert not (folder / "reel.hints").exists()
    page.wrong.clear()  # type: ignore[attr-defined] - the break itself is told on the console
