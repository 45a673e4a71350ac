"""The site has its versions side by side: two tags and a tree of a tiny project are built, and a browser switches."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from scripts.build_site import build_site, tags_of, write_switch
from tests.browsers import chromium

pytestmark = pytest.mark.slow
AUTHOR = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *AUTHOR, *words], cwd=folder, check=True, capture_output=True, timeout=60)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with documents since v0.9, and a tag that is no release."""
    folder = tmp_path / "project"
    (folder / "docs").mkdir(parents=True)
    git(folder, "init", "-q")
    (folder / "a.txt").touch()
    for tag in ("v0.1", "v0.9", "v0.10", "vnext"):
        if tag == "v0.9":
            (folder / "docs/conf.py").write_text("html_theme = 'basic'\n")
        (folder / "docs/index.rst").write_text(f"Told by {tag}\n===============\n")
        git(folder, "add", "-A")
        git(folder, "commit", "-q", "-m", tag)
        git(folder, "tag", tag)
    (folder / "docs/index.rst").write_text("Told by the tree\n================\n")
    return folder


def test_a_reader_goes_from_one_version_to_another_from_a_disk(project: Path, tmp_path: Path) -> None:
    pytest.importorskip("sphinx", reason="the extra docs")
    assert tags_of(project) == ["v0.10", "v0.9"]
    site = tmp_path / "site"
    assert build_site(project, site) == ["latest", "v0.10", "v0.9"]
    with chromium() as browser:
        page = browser.new_page()
        page.set_default_timeout(20_000)
        page.goto((site / "v0.9/index.html").as_uri())
        choice = page.get_by_label("Version of photochrom")
        assert choice.input_value() == "v0.9/"
        choice.select_option("latest")
        page.get_by_role("heading", name="Told by the tree").wait_for()
        assert page.get_by_label("Version of photochrom").input_value() == ""
        page.get_by_label("Version of photochrom").select_option("v0.10")
        page.get_by_role("heading", name="Told by v0.10").wait_for()


def test_pages_that_are_not_the_documentations_and_a_site_of_one_version_stay_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "try").mkdir()
    (tmp_path / "index.html").write_text('<head><script src="documentation_options.js"></script></head>')
    (tmp_path / "try/index.html").write_text("<head></head>")
    write_switch(tmp_path, [])
    assert "versions.js" not in (tmp_path / "index.html").read_text()
    write_switch(tmp_path, ["v1.0"])
    assert '<script src="versions.js">' in (tmp_path / "index.html").read_text()
    assert (tmp_path / "try/index.html").read_text() == "<head></head>"
