"""The table of formats: what stands elsewhere because it must, agrees with it."""

from __future__ import annotations

from typing import get_args

from photochrom.files.codecs.formats import FORMATS, READABLE_SUFFIXES, SUFFIX_FORMATS, WRITABLE_FORMATS, photo_format
from photochrom.options import OutputFormat
from tests.files.makers import one_of_each

KINDS = {"jp2": "jpeg2000"}


def test_the_formats_that_can_be_asked_for_are_those_that_are_written() -> None:
    assert set(get_args(OutputFormat)) == set(WRITABLE_FORMATS)


def test_what_is_only_read_names_a_format_that_is_written() -> None:
    for row in FORMATS.values():
        assert (row.write is None) == bool(row.written_as), row.name
        assert row.written_as in ("", *WRITABLE_FORMATS), row.name


def test_no_two_formats_claim_one_suffix() -> None:
    suffixes = [suffix for row in FORMATS.values() for suffix in (*row.suffixes, *row.also_read)]
    assert len(suffixes) == len(set(suffixes)) == len(READABLE_SUFFIXES)
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in suffixes)
    assert SUFFIX_FORMATS.keys() <= READABLE_SUFFIXES


def test_each_file_is_of_the_format_that_its_bytes_say() -> None:
    for name, data in one_of_each().items():
        last = name.rpartition(".")[2]
        assert photo_format(data[:64]) == KINDS.get(last, last)


def test_names_and_media_types_are_said_once_each() -> None:
    assert all(name == row.name for name, row in FORMATS.items())
    assert len({row.media_type for row in FORMATS.values()}) == len(FORMATS)
