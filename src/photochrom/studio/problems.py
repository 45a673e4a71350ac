"""Errors as a server tells them: problem+json (RFC 9457) with the command line's sentence."""

from __future__ import annotations

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field
from starlette.responses import JSONResponse

from photochrom import errors
from photochrom.errors import PhotochromError

MEDIA_TYPE = "application/problem+json"
KINDS = "urn:photochrom:"
LONGEST_HEADER = 4_000
# The most particular class counts.
STATUS: dict[type[PhotochromError], int] = {
    errors.OptionError: 422,
    errors.PhotoTooLargeError: 413,
    errors.UnreadablePhotoError: 422,
    errors.UnsupportedPhotoError: 415,
    errors.PhotoNotFoundError: 404,
    errors.OutputError: 507,
    errors.UnknownModelError: 422,
    errors.ModelNotInstalledError: 501,
    errors.MissingExtraError: 501,
    errors.UnreadableFilmError: 422,
    errors.UnsupportedFilmError: 415,
}


class HttpError(PhotochromError):
    """An error of the conversation itself, with its status.

    Args:
        status: of HTTP.
        what: as in PhotochromError.
        where: likewise.
        next_step: likewise.
        headers: further ones of the answer, such as Retry-After.
    """

    def __init__(
        self, status: int, what: str, *, where: str = "", next_step: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(what, where=where, next_step=next_step)
        self.status, self.headers = status, headers or {}


class Problem(BaseModel):
    """Why something was not done (RFC 9457)."""

    type: str = Field(description="Which kind of error it is: `urn:photochrom:` and the error's name in Python.")
    title: str = Field(description="The status in words.")
    status: int = Field(description="The status.")
    detail: str = Field(description="The command line's sentence: what, where, and the next step.")


def status_of(error: PhotochromError) -> int:
    """Return the status that an error is told with."""
    if isinstance(error, HttpError):
        return error.status
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def sentence_of(error: Exception, path: str, name: str) -> str:
    """Return the command line's sentence, with a photograph's name for its path; what is no error of ours is named."""
    if isinstance(error, PhotochromError):
        return str(error).replace(path, name)
    return f"{name}: unexpected {type(error).__name__}: {error}"


def noted(notes: Iterable[str]) -> dict[str, str]:
    """Return the header that tells what was decided: as many notes as fit, as JSON."""
    kept: list[str] = []
    for note in notes:
        if len(json.dumps([*kept, note])) > LONGEST_HEADER:
            break
        kept.append(note)
    return {"Photochrom-Notes": json.dumps(kept)}


def problem_response(error: PhotochromError) -> JSONResponse:
    """Return the answer that tells an error."""
    headers = error.headers if isinstance(error, HttpError) else {}
    return _response(status_of(error), type(error).__name__, str(error), headers)


def told_problem(kind: str, sentence: str) -> JSONResponse:
    """Return the answer that tells an error of which only its name and sentence are left, in a job's journal."""
    named: Any = getattr(errors, kind, None)
    is_ours = isinstance(named, type) and issubclass(named, PhotochromError)
    status = next((STATUS[base] for base in named.__mro__ if base in STATUS), 500) if is_ours else 500
    return _response(status, kind, sentence, {})


def _response(status: int, kind: str, sentence: str, headers: dict[str, str]) -> JSONResponse:
    title = HTTPStatus(status).phrase
    problem = Problem(type=f"{KINDS}{kind}", title=title, status=status, detail=" ".join(sentence.split()))
    return JSONResponse(problem.model_dump(), status, headers, MEDIA_TYPE)
