"""From a request to a job: the photograph, and what belongs to it, on disk, and the options checked.

A request is one of three: the photograph's bytes alone, with options in the query; a form with the photograph, its
mask, references and hints as parts and options as fields; or JSON that names uploads by their ids.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from photochrom.errors import OptionError
from photochrom.studio.bodies import announced_bytes, metered, read_json, save_stream
from photochrom.studio.jobs import Job
from photochrom.studio.parts import Parts
from photochrom.studio.problems import HttpError
from photochrom.studio.requests import checked_request
from photochrom.studio.store import shown_name, suffix_of

PHOTO, MASK, REFERENCE = "photo", "mask", "reference"
MOST_REFERENCES, MOST_FIELDS = 8, 200
OWN = frozenset({"task", "name", "upload", MASK, "references"})
"""Of JSON and queries: what is no option."""
LARGEST_FIELD_BYTES = 8_000_000


async def take_in(request: Request, parts: Parts, task: str | None = None) -> Job:
    """Return the job that a request asks for, its files written, not yet taken on.

    Raises:
        PhotochromError: options are wrong, or files are absent, too large or too slow.
    """
    parts.jobs.refuse_if_full()  # before a body is taken for nothing
    await asyncio.to_thread(parts.make_room, announced_bytes(request.headers) or 0)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    query = dict(request.query_params)
    identity, folder = parts.store.new("jobs")
    intake = _Intake(parts, identity, folder)
    try:
        if kind == "application/json":
            values = {**query, **_mapping(await read_json(request, silence_s=parts.options.body_timeout_s))}
            return intake.of_uploads(_task_of(task, values, ""), values)
        checked = {name: value for name, value in query.items() if name not in OWN}
        asked = _task_of(task, query, "colorize")
        if kind in {"multipart/form-data", "application/x-www-form-urlencoded"}:
            return await intake.of_form(request, task, asked, checked)
        checked_request(asked, checked)  # before the body is waited for
        return await intake.of_body(request, asked, checked, query.get("name", "photo"))
    except BaseException:
        parts.store.remove(folder)
        raise


class _Intake:
    """Fills one job's folder."""

    def __init__(self, parts: Parts, identity: str, folder: Path) -> None:
        self.parts, self.identity, self.folder = parts, identity, folder

    def of_uploads(self, task: str, values: dict[str, Any]) -> Job:
        """Take over uploads."""
        options = {name: value for name, value in values.items() if name not in OWN}
        checked_request(task, options)
        references = values.get("references") or []
        if not isinstance(references, list) or len(references) > MOST_REFERENCES:
            raise OptionError(f"should be a list of up to {MOST_REFERENCES} uploads", where="references")
        file, name = self._take_over(values.get("upload"), PHOTO)
        mask = self._take_over(values[MASK], MASK)[0] if values.get(MASK) else ""
        taken = tuple(self._take_over(ref, f"{REFERENCE}-{k}")[0] for k, ref in enumerate(references))
        return self._job(task, options, file, name, mask, taken)

    async def of_body(self, request: Request, task: str, options: dict[str, Any], name: str) -> Job:
        """Take a body that is the photograph."""
        file = PHOTO + suffix_of(name)
        limited = metered(request, self.parts.limits.max_file_bytes, self.parts.options.body_timeout_s)
        with (self.folder / file).open("xb") as handle:
            count = await save_stream(limited.stream(), handle, self.parts.store)
        if not count:
            raise HttpError(400, "the body is empty", next_step="Send the photograph's bytes")
        return self._job(task, options, file, shown_name(name))

    async def of_form(self, request: Request, fixed: str | None, otherwise: str, options: dict[str, Any]) -> Job:
        """Take a form, of a task that its address says, or its field, or else the query."""
        limited = metered(request, self.parts.limits.max_file_bytes, self.parts.options.body_timeout_s)
        try:
            form = await limited.form(
                max_files=MOST_REFERENCES + 3, max_fields=MOST_FIELDS, max_part_size=LARGEST_FIELD_BYTES
            )
        except HTTPException as error:
            raise HttpError(error.status_code, str(error.detail)) from None
        except ClientDisconnect:
            raise HttpError(400, "the connection ended before the body did") from None
        try:
            files = {name: [part for part in form.getlist(name) if isinstance(part, UploadFile)] for name in form}
            fields = {name: value for name, value in form.items() if isinstance(value, str)}
            if files.get("hints"):
                fields["hints"] = (await files["hints"][0].read()).decode("utf-8", "replace")
            options = options | {name: value for name, value in fields.items() if name not in OWN}
            task = _task_of(fixed, fields, otherwise)
            checked_request(task, options)
            if not files.get(PHOTO):
                raise HttpError(400, "the form has no file named photo")
            file = await self._save(files[PHOTO][0], PHOTO)
            mask = await self._save(files[MASK][0], MASK) if files.get(MASK) else ""
            given = files.get(REFERENCE, [])[:MOST_REFERENCES]
            references = [await self._save(part, f"{REFERENCE}-{k}") for k, part in enumerate(given)]
            return self._job(task, options, file, shown_name(files[PHOTO][0].filename or ""), mask, tuple(references))
        finally:
            await form.close()

    async def _save(self, part: UploadFile, stem: str) -> str:
        async def pieces() -> Any:
            while piece := await part.read(1 << 20):
                yield piece

        name = stem + suffix_of(part.filename or "")
        with (self.folder / name).open("xb") as handle:
            await save_stream(pieces(), handle, self.parts.store)
        return name

    def _take_over(self, identity: Any, stem: str) -> tuple[str, str]:
        if not isinstance(identity, str):
            raise OptionError("should be the id of an upload", where="upload", next_step="Announce it at /v1/uploads")
        return self.parts.uploads.hand_over(identity, self.folder, stem)

    def _job(
        self, task: Any, options: dict[str, Any], file: str, name: str, mask: str = "", references: tuple[str, ...] = ()
    ) -> Job:
        if task == "restore" and references:
            raise OptionError("are for colouring", where=REFERENCE)
        return Job(self.identity, task, name, file, options, mask=mask, references=references)


def _task_of(fixed: str | None, values: Mapping[str, Any], otherwise: str) -> str:
    """Return the task that is asked for: the address's, where it says one, and no other beside it."""
    task = str(values.get("task", fixed or otherwise))
    if fixed is not None and task != fixed:
        raise OptionError(f"is {fixed} at this address", where="task", next_step="Send other tasks to /v1/jobs")
    return task


def _mapping(values: Any) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise HttpError(400, "the body is no JSON object")
    try:
        json.dumps(values, allow_nan=False)
    except (ValueError, RecursionError):
        raise HttpError(400, "the body holds numbers that are none") from None
    return values
