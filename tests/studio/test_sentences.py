"""Every error and note that the studio can meet is said in the page's own words; what stays English is listed here."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from photochrom import errors
from photochrom.studio.pages import PAGE
from tests.studio.collecting import VALUE, Module

SOURCE = Path(errors.__file__).parent
# What the studio reaches when it works on photographs and films.
WINGS = (
    "files", "coloring", "restoration", "hints", "film", "studio", "albums", "engines", "computer", "questions",
    "colorizer.py", "restorer.py", "session.py", "luma.py", "color.py", "holes.py", "resample.py",
)  # fmt: skip
ROW = re.compile(r"^  \[/(.*)/, \"\w+\"\],$", re.MULTILINE)
PATTERNS = [
    re.compile(written.replace("(?<", "(?P<").replace("(?P<!", "(?<!"))
    for script in ("sentences.js", "notes.js")
    for written in ROW.findall((PAGE / script).read_text(encoding="utf-8"))
]
# Modules whose errors and notes answer the command line, Python or who starts a server, never somebody at the page:
# options that it does not offer, lists and shards, arrays, folders of pictures, credentials, programs over HTTP.
ELSEWHERE = {
    "albums/album.py", "albums/claims.py", "albums/hinted.py", "albums/merging.py", "albums/outputs.py",
    "albums/parts.py", "albums/plan.py", "albums/recipe.py", "coloring/classic.py", "colorizer.py",
    "computer/downloads.py", "files/credentials.py", "files/kinds.py", "files/photo.py", "film/contest.py",
    "film/given.py", "film/keyframes.py", "film/measuring.py", "film/options.py", "film/passages.py",
    "film/preview.py", "film/restoring.py", "film/told.py", "film/writers.py", "questions/answers.py",
    "studio/api.py", "studio/intake.py", "studio/options.py", "studio/requests.py", "studio/server.py",
    "studio/store.py",
}  # fmt: skip
ENGLISH = (
    "should be ", "is no frame's time", "is not `bytes FIRST-LAST/SIZE`",  # only a defect of the page sends these
    "cannot tell how much it needs", "needs at least 7 MiB",  # memory is the starter's to limit
    "everybody who reaches this address", "holds no token",  # so is the address
    "is 7 x 7, the first picture 7 x 7", "has 7", "the folder holds no pictures",  # folders of pictures do not hang
    "its time begins anew within the file", "holds several films, each",  # pieces put together by hand
    "7 s is not after the start, 7 s", "the film lasts 7 s", "needs --restore",
    "line 7 ", "the file cannot be read", "pictures ", "is no folder", "goes to 7, not 7", "is never lossless here",
    "films are written as", "has no such setting", "the folder holds pictures already", "cannot write ",
    "cannot write files of type", "the output's name has no suffix", "a signed result is never",
    "unexpected 7: 7",  # a defect has no words of its own
)  # fmt: skip
# What another library, or a check of a hint, has said: its kind is told, and the sentence beside it.
QUOTED = {"hints/hint.py": 3, "studio/app.py": 1}
UNTOLD = (
    "net run at ",  # of the small copy alone: left out by `looks.decided`
    "render factor 7 instead of 7",  # memory again
    "; 7% left, thicker than",  # the end of a note that is known by its beginning
)


def paths() -> Iterator[Path]:
    for wing in WINGS:
        yield from sorted((SOURCE / wing).rglob("*.py")) if "." not in wing else [SOURCE / wing]


@functools.cache
def modules() -> dict[str, Module]:
    named = {path.relative_to(SOURCE).as_posix(): path for path in paths()}
    return {where: Module(path) for where, path in named.items() if where not in ELSEWHERE}


@functools.cache
def collected(what: Callable[[Module], Iterator[tuple[int, str]]]) -> dict[str, list[str]]:
    """What the modules that answer the page say, by place."""
    found: dict[str, list[str]] = {}
    for where, module in modules().items():
        for line, text in what(module):
            found.setdefault(f"{where}:{line}", []).append(text)
    return found


def is_known(sentence: str) -> bool:
    written = f"photo.jpg: {sentence}. Give a photograph such as this."
    forms = (written, sentence, sentence.replace(VALUE, "1", 1))
    return any(pattern.search(form) for pattern in PATTERNS for form in forms)


def is_quoted(sentence: str) -> bool:
    return set(sentence) <= {VALUE, " "}


def unknown(found: dict[str, list[str]], english: tuple[str, ...]) -> dict[str, list[str]]:
    left = {
        place: [
            text for text in texts if not (is_known(text) or is_quoted(text) or any(one in text for one in english))
        ]
        for place, texts in found.items()
    }
    return {place: texts for place, texts in left.items() if texts}


@pytest.mark.slow
def test_every_error_that_the_page_can_tell_is_said_in_its_own_words() -> None:
    found = collected(Module.errors)
    assert len(found) > 170
    assert unknown(found, ENGLISH) == {}


@pytest.mark.slow
def test_what_an_error_quotes_without_words_of_ours_is_counted() -> None:
    quoting = [
        place.partition(":")[0] for place, texts in collected(Module.errors).items() if any(map(is_quoted, texts))
    ]
    assert {where: quoting.count(where) for where in quoting} == QUOTED


@pytest.mark.slow
def test_every_note_is_said_in_the_pages_own_words() -> None:
    found = collected(Module.notes)
    assert len(found) > 70
    assert unknown(found, UNTOLD) == {}


@pytest.mark.slow
def test_modules_and_sentences_that_are_left_out_are_there() -> None:
    assert {where for where in ELSEWHERE if not (SOURCE / where).is_file()} == set()
    said = [text for what in (Module.errors, Module.notes) for texts in collected(what).values() for text in texts]
    assert [one for one in (*ENGLISH, *UNTOLD) if not any(one in text for text in said)] == []


@pytest.mark.parametrize("known", ["photo.jpg: an error that nobody has written yet", "7"])
def test_no_pattern_takes_every_sentence(known: str) -> None:
    assert not any(pattern.search(known) for pattern in PATTERNS)


SAMPLE = """
def photograph(where, film) -> str:
    word = "a film" if film else f"a photo of {where}"
    return "is " + word

def refuse(path, count):
    what = f"holds {count} thing{'s' if count > 1 else ''}"
    if path:
        return UnsupportedFilmError(photograph(path, True))
    raise errors.OptionError(what, where=path) from None

def note(share) -> str:
    return f"faded ({share:.0%}){'; and dark' if share else ''}"

def made(photo) -> tuple[int, tuple[str, ...]]:
    warnings_notes = ("one", *("two" for _ in photo))
    replace(photo, notes=(*photo.notes, "three"))
    warnings_notes += ("four",)
    return 1, (f"five {photo}",)
"""


def test_what_is_put_together_is_collected_in_each_of_its_forms(tmp_path: Path) -> None:
    (tmp_path / "sample.py").write_text(SAMPLE)
    module = Module(tmp_path / "sample.py")
    assert sorted(text for _, text in module.errors()) == [
        "holds 7 thing", "holds 7 things", "is a film", "is a photo of 7",
    ]  # fmt: skip
    noted = {"faded (7%)", "faded (7%); and dark", "one", "two", "three", "four", "five 7"}
    assert {text for _, text in module.notes()} == noted
