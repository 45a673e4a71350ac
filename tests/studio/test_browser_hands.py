"""The page by keys alone, and what goes wrong on the way to it: breaks, empty files, another program's words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browsers import is_required, settled
from tests.studio.browsing import Studio, drop, photograph

if not is_required():
    pytest.importorskip("playwright.sync_api", reason="the page is tested with Playwright: pip install playwright")

from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.slow
Start = Callable[..., Studio]
FOCUSED = "() => document.activeElement.getAttribute('aria-label') || document.activeElement.textContent.trim()"


def focused(page: Page) -> str:
    return str(settled(page, FOCUSED))


def press(page: Page, control: Any, key: str = "Enter") -> None:
    control.focus()
    page.keyboard.press(key)


def test_the_focus_goes_on_where_what_had_it_is_gone(studio: Start, page: Page, tmp_path: Path) -> None:
    page.goto(studio().address)
    drop(page, photograph(tmp_path / "gran.png"), photograph(tmp_path / "aunt.png"))
    expect(page.locator(".print.done")).to_have_count(2)
    press(page, page.get_by_label("Language"), "ArrowDown")
    assert focused(page) == "Sprache"
    page.keyboard.press("ArrowUp")
    assert focused(page) == "Language"
    press(page, page.locator(".print", has_text="gran").get_by_role("link"))
    page.get_by_role("tab", name="Brush").click()
    page.locator("photo-viewer canvas").focus()
    for key in ["ArrowRight", "Enter"] * 2:
        page.keyboard.press(key)
    press(page, page.get_by_role("button", name="Remove hint 2"))
    assert focused(page) == "Remove hint 1"
    page.keyboard.press("Enter")
    assert focused(page).startswith("Photograph.")
    page.get_by_role("tab", name="Questions").click()
    press(page, page.get_by_role("button", name="Ask me"))
    expect(page.get_by_role("button", name="Ask me")).to_have_count(0)
    assert focused(page) != settled(page, "() => document.body.textContent.trim()")
    page.locator("photo-viewer canvas").focus()
    page.keyboard.press("Escape")
    expect(page.locator("light-table")).to_have_count(0)
    assert focused(page) == "gran.png"
    press(page, page.locator(".print", has_text="gran").get_by_role("button", name="Take down"))
    expect(page.locator(".print")).to_have_count(1)
    assert focused(page) == "Take down"
    page.keyboard.press("Enter")
    expect(page.locator(".print")).to_have_count(0)
    assert focused(page) == "Add photographs"


def test_an_upload_goes_on_though_the_break_is_long(studio: Start, page: Page, tmp_path: Path) -> None:
    page.goto(studio().address)
    breaks = ["PUT", "GET", "GET"]

    def answer(route: Route) -> None:
        if breaks and route.request.method == breaks[0]:
            breaks.pop(0)
            route.abort()
        else:
            route.continue_()

    page.route("**/v1/uploads/*", answer)
    drop(page, photograph(tmp_path / "gran.png"))
    expect(page.locator(".print.done")).to_have_count(1)
    assert breaks == []
    page.wrong.clear()  # type: ignore[attr-defined] - the breaks themselves are told on the console


# A drop of two files, one of which nobody may read.
UNREADABLE = """async () => {
  const { droppedFiles } = await import("/page/wall.js");
  const entry = (name, file) => ({ webkitGetAsEntry: () => ({ isFile: true, name, file }) });
  const locked = entry("locked.jpg", (_, refuse) => refuse(new DOMException("no")));
  const items = [locked, entry("gran.jpg", (take) => take(new File(["x"], "gran.jpg")))];
  return (await droppedFiles({ items, files: [] })).map((file) => file.name);
}"""


def test_files_that_are_empty_or_cannot_be_read_are_told_and_cost_no_other(
    studio: Start, page: Page, tmp_path: Path
) -> None:
    page.goto(studio().address)
    (tmp_path / "nothing.jpg").touch()
    drop(page, tmp_path / "nothing.jpg", photograph(tmp_path / "gran.png"))
    expect(page.locator(".print.done")).to_have_count(1)
    expect(page.locator(".toast.bad")).to_have_text("nothing.jpg: The file is empty.")
    assert settled(page, UNREADABLE) == ["gran.jpg"]
    expect(page.locator(".toast.bad", has_text="locked.jpg: The file cannot be read")).to_be_visible()


def test_a_language_that_another_program_of_this_address_has_kept_is_no_harm(studio: Start, page: Page) -> None:
    page.add_init_script("localStorage.setItem('language', 'pt-BR')")
    page.goto(studio().address)
    expect(page.get_by_role("heading", name="Old photographs, in colour, here.")).to_be_visible()


# Asks for a picture that comes late, and is overtaken by another one.
OVERTAKEN = """async () => {
  const { PhotoViewer } = await import("/page/viewer.js");
  const canvas = (width) => {
    const made = new OffscreenCanvas(width, 5);
    made.getContext("2d");
    return made.convertToBlob();
  };
  const [old, fresh] = [await canvas(7), await canvas(9)], viewer = new PhotoViewer(), usual = globalThis.fetch;
  globalThis.fetch = () => new Promise((come) => setTimeout(() => come(new Response(old)), 200));
  const late = viewer.setImage("after", "/late");
  await viewer.setImage("after", fresh);
  await late;
  globalThis.fetch = usual;
  return viewer.images.after.width;
}"""


def test_a_picture_that_comes_late_does_not_replace_a_later_one(studio: Start, page: Page) -> None:
    page.goto(studio().address)
    assert settled(page, OVERTAKEN) == 9


ONE_SHOT = """async () => {
  const { filmPart } = await import("/page/film.js");
  const photo = { id: "x", frame: "0", shots: [[0, 1, 0.5]] };
  const part = filmPart({ photo, frames: { current: "0" }, look: {} });
  part.update();
  return part.querySelector("[role=status]").textContent;
}"""


def test_one_shot_is_not_told_as_several(studio: Start, page: Page) -> None:
    page.goto(studio().address)
    assert settled(page, ONE_SHOT) == "One shot, 0:00.0"
