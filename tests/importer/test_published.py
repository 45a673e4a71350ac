"""Which models can be pulled, and what is said of the others."""

from __future__ import annotations

import pytest

from photochrom.errors import UnknownModelError
from photochrom.importer.published import published_file


@pytest.mark.parametrize("name", ["deoldify-artistic", "deoldify-stable", "deoldify-video"])
def test_the_published_files_are_known(name: str) -> None:
    file = published_file(name)
    assert len(file.sha256) == 64
    assert file.bytes in {255_144_681, 874_066_230}
    assert all(url.startswith("https://") for url in file.mirrors)
    assert len(file.mirrors) > 1


def test_an_unknown_name_suggests_the_closest() -> None:
    with pytest.raises(UnknownModelError, match="deoldify-artistic"):
        published_file("deoldify-artistc")


@pytest.mark.parametrize("name", ["deoldify-2018", "ddcolor", "ddcolor-artistic", "ddcolor-tiny"])
def test_what_can_only_be_imported_says_so(name: str) -> None:
    with pytest.raises(UnknownModelError, match="models import FILE"):
        published_file(name)
