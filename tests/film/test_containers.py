"""The one list of what films are called."""

from __future__ import annotations

import av
import pytest

from photochrom.albums.album import UNREAD_SUFFIXES
from photochrom.files.codecs.formats import READABLE_SUFFIXES
from photochrom.film.containers import FILM_SUFFIXES, FORMATS

# What FFmpeg calls so holds sound, subtitles, a list of streams, or a photograph.
NO_FILMS = {"m4a", "m4b", "isma", "mka", "mks", "ogg", "ism", "psp", "gif"}


@pytest.mark.parametrize("name", FORMATS.split(","))
def test_a_kind_of_file_that_is_opened_is_known_by_every_name_that_it_has(name: str) -> None:
    called = av.format.ContainerFormat(name, "r").extensions - NO_FILMS
    films = {f".{one}" for one in called} - READABLE_SUFFIXES
    assert films <= FILM_SUFFIXES


def test_no_name_is_a_photographs_too() -> None:
    assert not FILM_SUFFIXES & (READABLE_SUFFIXES | UNREAD_SUFFIXES)
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in FILM_SUFFIXES)
