"""Every error that the studio can meet is said in the page's own words; what stays English is listed here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from photochrom import errors
from photochrom.studio import problems, stopping
from photochrom.studio.pages import PAGE

SOURCE = Path(errors.__file__).parent
WINGS = ("files", "coloring", "restoration", "hints", "film", "studio")
ROW = re.compile(r"^  \[/(.*)/, \"\w+\"\],$", re.MULTILINE)
PATTERNS = [
    re.compile(written.replace("(?<", "(?P<").replace("(?P<!", "(?<!"))
    for script in ("sentences.js", "notes.js")
    for written in ROW.findall((PAGE / script).read_text(encoding="utf-8"))
]
# Modules whose errors answer the command line, Python or who starts a server, never somebody at the page: options
# that it does not offer, arrays, folders of pictures, credentials, programs over HTTP.
ELSEWHERE = {
    "files/credentials.py", "files/kinds.py", "film/contest.py", "film/given.py", "film/options.py", "film/passages.py",
    "film/preview.py", "film/writers.py", "film/keyframes.py", "film/told.py", "film/measuring.py", "studio/options.py",
    "studio/security.py", "studio/server.py", "studio/store.py", "studio/api.py", "studio/bodies.py",
    "studio/requests.py", "coloring/classic.py",
}  # fmt: skip
ENGLISH = (
    "the body holds numbers that are none", "should be ", "are for colouring", "is no frame's time",
    "is not `bytes FIRST-LAST/SIZE`", "the form has no file named photo",  # only a defect of the page sends these
    "cannot tell how much it needs", "needs at least 7 MiB",  # memory is the starter's to limit
    "is 7 x 7, the first picture 7 x 7", "has 7", "the folder holds no pictures",  # folders of pictures do not hang
    "7 s is not after the start, 7 s", "the film lasts 7 s", "needs --restore", "line 7 ", "the file cannot be read",
    "pictures ", "is no folder", "7 goes to 7", "is never lossless here", "films are written as", "has no such setting",
    "the folder holds pictures already", "cannot write 7",
)  # fmt: skip
# Notes whose first words are a value: what they can be is written elsewhere, and met by the tests of words.
DYNAMIC = ("7: 7", "noise: 7 (7 of 255 in the quietest parts, 7 is the limit)")


def text_of(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) if isinstance(part, ast.Constant) else "7" for part in node.values)
    return text_of(node.left) + text_of(node.right) if isinstance(node, ast.BinOp) else ""


def sentences() -> Iterator[tuple[str, str]]:
    """Yield the place and the sentence of each error of ours that is raised with one."""
    for path in sorted(path for wing in WINGS for path in (SOURCE / wing).rglob("*.py")):
        where = path.relative_to(SOURCE).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if where in ELSEWHERE or not (isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)):
                continue
            name = getattr(node.exc.func, "id", "")
            kind = next((getattr(home, name) for home in (errors, problems, stopping) if hasattr(home, name)), None)
            told = node.exc.args[1:] if name == "HttpError" else node.exc.args
            if kind is not None and issubclass(kind, errors.PhotochromError) and told and text_of(told[0]):
                yield f"{where}:{node.lineno}", text_of(told[0])


def notes() -> Iterator[tuple[str, str]]:
    """Yield the place and the text of each note that is written down where it is appended or named."""
    for path in sorted(path for wing in WINGS[:5] for path in (SOURCE / wing).rglob("*.py")):
        where = path.relative_to(SOURCE).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            given: ast.expr | None = None
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("notes.append"):
                given = node.args[0]
            elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in {"note", "notes"}:
                given = node.value
            for one in given.elts if isinstance(given, ast.Tuple) else [given]:
                if where not in ELSEWHERE and one is not None and text_of(one):
                    yield f"{where}:{node.lineno}", text_of(one)


def is_known(sentence: str) -> bool:
    written = f"photo.jpg: {sentence}. Give a photograph such as this."
    return any(pattern.search(written) or pattern.search(sentence) for pattern in PATTERNS)


def test_every_error_that_the_page_can_tell_is_said_in_its_own_words() -> None:
    found = dict(sentences())
    assert len(found) > 90
    english = {place: text for place, text in found.items() if not is_known(text)}
    assert {place: text for place, text in english.items() if not any(one in text for one in ENGLISH)} == {}


def test_every_note_is_said_in_the_pages_own_words() -> None:
    found = dict(notes())
    assert len(found) > 30
    assert {place: text for place, text in found.items() if not is_known(text) and text not in DYNAMIC} == {}


@pytest.mark.parametrize("known", ["photo.jpg: an error that nobody has written yet", "7"])
def test_no_pattern_takes_every_sentence(known: str) -> None:
    assert not any(pattern.search(known) for pattern in PATTERNS)
