"""The page in a real Chromium, in several tabs, and while it is left or cut off: nothing that was said is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browsers import is_required, settled
from tests.studio.browsing import Studio, drop, photograph
from tests.studio.test_browser_work import at, open_first
from tests.studio.test_darkroom import until

if not is_required():
    pytest.importorskip("playwright.sync_api", reason="the page is tested with Playwright: pip install playwright")

from playwright.sync_api import Page, expect

pytestmark = pytest.mark.slow

Start = Callable[..., Studio]


def hints_of(one: Studio) -> list[dict]:
    return one.desk.wall.all()[0].look.get("hints", [])


def test_a_hint_that_was_shown_is_there_after_a_reload(studio: Start, page: Page, tmp_path: Path) -> None:
    one = studio()
    page.goto(one.address)
    drop(page, photograph(tmp_path / "gran.png"))
    open_first(page, "Brush")
    page.mouse.click(*at(page, 0.7, 0.4))
    page.locator("light-table[data-shown]").wait_for()
    page.reload()
    until(lambda: len(hints_of(one)) == 1)
    page.get_by_role("tab", name="Brush").click()
    expect(page.locator(".hints .dot")).to_have_count(1)


def test_two_tabs_that_say_something_at_a_time_both_count(studio: Start, page: Page, tmp_path: Path) -> None:
    one = studio()
    page.goto(one.address)
    drop(page, photograph(tmp_path / "gran.png"))
    expect(page.locator(".print.done")).to_have_count(1)
    other = page.context.new_page()
    other.goto(one.address)
    open_first(other, "Brush")
    open_first(page, "Brush")
    with page.expect_response("**/look"):
        page.mouse.click(*at(page, 0.7, 0.4))
        other.mouse.click(*at(other, 0.8, 0.6))
    until(lambda: len(hints_of(one)) == 2)
    for tab in (page, other):
        expect(tab.locator(".hints .dot")).to_have_count(2)
    other.get_by_role("tab", name="Look").click()
    other.get_by_label("Vividness").fill("1.5")
    until(lambda: one.desk.wall.all()[0].look.get("vividness") == 1.5)
    assert len(hints_of(one)) == 2
    page.wrong.clear()  # type: ignore[attr-defined] - that one of them was refused at first is told on the console


def test_a_tab_follows_what_is_asked_before_it_is_made(studio: Start, page: Page, tmp_path: Path) -> None:
    one = studio()
    page.goto(one.address)
    drop(page, photograph(tmp_path / "gran.png"))
    open_first(page, "Brush")
    item = one.desk.wall.all()[0]
    one.desk.change_look(item, {"hints": [{"point": [0.5, 0.5], "color": "red"}]})  # and nobody begins to make it
    expect(page.locator(".hints .dot")).to_have_count(1)


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "both"),
    [
        ({}, {"warmth": 20}, {"vividness": 1.5}, {"vividness": 1.5, "warmth": 20}),
        ({"warmth": 5}, {"warmth": 20}, {"warmth": 9}, {"warmth": 20}),
        ({"warmth": 5}, {}, {"warmth": 5, "vividness": 2}, {"vividness": 2}),
        ({"hints": ["a", "b"]}, {"hints": ["b", "c"]}, {"hints": ["a", "b", "d"]}, {"hints": ["b", "d", "c"]}),
        (
            {"frames": {"1": ["a"]}},
            {"frames": {"1": ["a"], "2": ["b"]}},
            {"frames": {"3": ["c"]}},
            {"frames": {"3": ["c"], "2": ["b"]}},
        ),
    ],
)
def test_what_was_said_in_two_places_is_brought_together(
    studio: Start, page: Page, base: dict, mine: dict, theirs: dict, both: dict
) -> None:
    page.goto(studio().address)
    script = "async (given) => (await import('/page/merging.js')).merged(...given)"
    assert settled(page, script, [base, mine, theirs]) == both


def test_a_print_that_was_taken_down_during_a_break_goes(studio: Start, page: Page, tmp_path: Path) -> None:
    one = studio()
    page.goto(one.address)
    for name in ("gran", "house"):
        drop(page, photograph(tmp_path / f"{name}.png"))
        expect(page.locator(".print.done", has_text=f"{name}.png")).to_have_count(1)
    changes = one.parts.changes
    changes.close()  # the stream ends, and the browser asks again after a while
    until(lambda: not changes._watchers)
    one.desk.wall.remove(one.desk.wall.all()[0].id)
    changes._closed = False
    expect(page.locator(".print")).to_have_count(1)
    expect(page.locator(".print")).to_contain_text("house.png")
    page.wrong.clear()  # type: ignore[attr-defined] - the break itself is told on the console


def test_a_seventh_tab_is_served_like_the_first(studio: Start, page: Page, tmp_path: Path) -> None:
    one = studio()
    page.goto(one.address)
    drop(page, photograph(tmp_path / "gran.png", (80, 60)))
    tabs = [page]
    for _ in range(6):
        tabs.append(page.context.new_page())
        tabs[-1].goto(one.address, timeout=60_000)
        expect(tabs[-1].locator(".print.done")).to_have_count(1)
    tabs[0].close()  # the others hear on
    one.desk.wall.remove(one.desk.wall.all()[0].id)
    for tab in tabs[1:]:
        expect(tab.locator(".print")).to_have_count(0)
