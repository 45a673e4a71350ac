"""The HTTP interface for programs: /v1. `openapi.py` describes it."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from pydantic import ValidationError
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from photochrom.options import option_error
from photochrom.studio.bodies import metered, read_json, save_stream
from photochrom.studio.changes import event_stream
from photochrom.studio.develop import media_type
from photochrom.studio.intake import take_in
from photochrom.studio.jobs import ENDED, Job
from photochrom.studio.openapi import describe
from photochrom.studio.parts import Parts
from photochrom.studio.problems import HttpError, noted, told_problem
from photochrom.studio.sessions import known_models
from photochrom.studio.views import Health, JobList, JobView, ModelList, ModelView, NewUpload, UploadView
from photochrom.version import VERSION


class Api:
    """The handlers of /v1."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    @property
    def routes(self) -> list[Route]:
        """Return which address is answered by whom."""
        one = "/v1/jobs/{id}"
        return [
            Route("/healthz", self.health),
            Route("/openapi.json", self.openapi),
            Route("/v1/models", self.models),
            Route("/v1/colorize", self.colorize, methods=["POST"]),
            Route("/v1/restore", self.restore, methods=["POST"]),
            Route("/v1/jobs", self.create_job, methods=["POST"]),
            Route("/v1/jobs", self.list_jobs),
            Route(one, self.job),
            Route(one, self.remove_job, methods=["DELETE"]),
            Route(f"{one}/cancel", self.cancel_job, methods=["POST"]),
            Route(f"{one}/events", self.watch_job),
            Route(f"{one}/files/{{label}}", self.job_file),
            Route("/v1/uploads", self.announce, methods=["POST"]),
            Route("/v1/uploads/{id}", self.upload),
            Route("/v1/uploads/{id}", self.receive, methods=["PUT"]),
            Route("/v1/uploads/{id}", self.remove_upload, methods=["DELETE"]),
        ]

    async def health(self, request: Request) -> Response:
        """Whether the server works."""
        return JSONResponse(Health(version=VERSION).model_dump())

    async def openapi(self, request: Request) -> Response:
        """What this is, for programs."""
        return JSONResponse(describe())

    async def models(self, request: Request) -> Response:
        """The models that may be named."""
        found = await asyncio.to_thread(known_models)
        return JSONResponse(ModelList(models=[ModelView.model_validate(card) for card in found]).model_dump())

    async def colorize(self, request: Request) -> Response:
        """Colour one photograph, and wait for it."""
        return await self._at_once(request, "colorize")

    async def restore(self, request: Request) -> Response:
        """Restore one photograph, and wait for it."""
        return await self._at_once(request, "restore")

    async def create_job(self, request: Request) -> Response:
        """Take a job on."""
        job = await self._taken_on(await take_in(request, self.parts))
        return JSONResponse(JobView.of(job).model_dump(), 202, {"Location": f"/v1/jobs/{job.id}"})

    async def list_jobs(self, request: Request) -> Response:
        """All jobs."""
        return JSONResponse(JobList(jobs=[JobView.of(job) for job in self.parts.jobs.all()]).model_dump())

    async def job(self, request: Request) -> Response:
        """One job."""
        return JSONResponse(JobView.of(self._found(request)).model_dump())

    async def remove_job(self, request: Request) -> Response:
        """End a job, and forget it."""
        await asyncio.to_thread(self.parts.jobs.remove, self._found(request).id)
        return Response(status_code=204)

    async def cancel_job(self, request: Request) -> Response:
        """End a job before its time."""
        job = await asyncio.to_thread(self.parts.jobs.cancel, self._found(request).id)
        return JSONResponse(JobView.of(job).model_dump())

    async def watch_job(self, request: Request) -> Response:
        """Tell of a job until it has ended."""
        job = self._found(request)
        if self.parts.changes.is_crowded:
            raise HttpError(429, "too many are watching", headers={"Retry-After": "10"})

        def state() -> Any:
            try:
                return JobView.of(self.parts.jobs.find(job.id)).model_dump()
            except HttpError:
                return None

        last = lambda told: told is None or told["state"] in ENDED  # noqa: E731 - one line of arithmetic
        return event_stream(self.parts.changes, job.id, "job", state, is_last=last)

    async def job_file(self, request: Request) -> Response:
        """Fetch what a job has made."""
        job = self._found(request)
        if job.state == "failed":
            return told_problem(job.error_kind, job.error)
        return self._file(job, request.path_params["label"])

    async def announce(self, request: Request) -> Response:
        """Begin an upload."""
        try:
            new = NewUpload.model_validate(await read_json(request, 100_000, self.parts.options.body_timeout_s))
        except ValidationError as error:
            raise option_error(NewUpload, error) from None
        await asyncio.to_thread(self.parts.make_room, new.size)
        upload = await asyncio.to_thread(self.parts.uploads.announce, new.name, new.size)
        return JSONResponse(UploadView.of(upload, 0).model_dump(), 201, {"Location": f"/v1/uploads/{upload.id}"})

    async def upload(self, request: Request) -> Response:
        """How far an upload is."""
        upload, path = self.parts.uploads.find(request.path_params["id"])
        return JSONResponse(UploadView.of(upload, path.stat().st_size).model_dump())

    async def receive(self, request: Request) -> Response:
        """Take a piece of an upload, or all of it."""
        identity, uploads = request.path_params["id"], self.parts.uploads
        path, start = uploads.begin_piece(identity, request.headers.get("content-range"))
        try:
            room = max(1, uploads.max_bytes - start)
            limited = metered(request, room, self.parts.options.body_timeout_s)
            with path.open("r+b") as handle:
                self.parts.store.give_back(path.stat().st_size - start, path)
                handle.truncate(start)
                handle.seek(start)
                await save_stream(limited.stream(), handle, self.parts.store)
        finally:
            uploads.end_piece(identity)
        return await self.upload(request)

    async def remove_upload(self, request: Request) -> Response:
        """Forget an upload."""
        await asyncio.to_thread(self.parts.uploads.remove, request.path_params["id"])
        return Response(status_code=204)

    def _found(self, request: Request) -> Job:
        return self.parts.jobs.find(request.path_params["id"])

    async def _taken_on(self, job: Job, *, is_awaited: bool = False) -> Job:
        try:
            return await asyncio.to_thread(partial(self.parts.jobs.take_on, job, is_awaited=is_awaited))
        except BaseException:
            self.parts.store.remove(self.parts.jobs.folder_of(job))
            raise

    async def _at_once(self, request: Request, task: str) -> Response:
        job = await self._taken_on(await take_in(request, self.parts, task), is_awaited=True)
        ended, gone = asyncio.create_task(self._ended(job.id)), asyncio.create_task(_gone(request))
        try:
            await asyncio.wait({ended, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
            gone.cancel()
        job = self.parts.jobs.find(job.id)
        forget = BackgroundTask(self.parts.jobs.remove, job.id)
        if job.state == "done":
            return self._file(job, "result", forget)
        await asyncio.to_thread(self.parts.jobs.remove, job.id)
        if job.state == "unwanted":
            return Response(status_code=204, headers=noted(job.notes))
        if job.state == "failed":
            return told_problem(job.error_kind, job.error)
        raise HttpError(503, "the job was cancelled", next_step="Send it again")

    async def _ended(self, identity: str) -> None:
        async for _ in self.parts.changes.watch(identity):
            if self.parts.jobs.find(identity).state in ENDED:
                return

    def _file(self, job: Job, label: str, afterwards: BackgroundTask | None = None) -> FileResponse:
        path, name = self.parts.jobs.file_of(job, label)
        headers = {"Cache-Control": "no-store", "Photochrom-Job": job.id, **noted(job.notes)}
        return FileResponse(path, 200, headers, media_type(path), afterwards, filename=name)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
