"""What the HTTP interface answers, as models: answers are made from them, and so is the OpenAPI description."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from photochrom.studio.jobs import Job, State
from photochrom.studio.uploads import Upload


class FileView(BaseModel):
    """A file that a job has made."""

    name: str = Field(description="As the command line would have named it.")
    href: str = Field(description="Where it is fetched.")


class JobView(BaseModel):
    """A job."""

    id: str
    task: Literal["colorize", "restore"]
    name: str = Field(description="The photograph's.")
    state: State
    created: float = Field(description="Seconds since 1970.")
    ended: float = Field(description="Likewise; 0 while it has not.")
    width: int = Field(description="Of the photograph, in pixels; 0 until it has been read.")
    height: int = Field(description="Likewise.")
    notes: list[str] = Field(description="What was decided.")
    error: str = Field(description="The command line's sentence, for one that failed.")
    error_kind: str = Field(description="The error's name in Python.")
    files: dict[str, FileView] = Field(
        description="What was made, by label: result, recipe, hints, mask, uncertainty, alternative-2 and so on."
    )

    @classmethod
    def of(cls, job: Job) -> JobView:
        """Return what is told of a job."""
        files = {
            label: FileView(name=name, href=f"/v1/jobs/{job.id}/files/{label}")
            for label, (_, name) in job.files.items()
        }
        return cls(
            id=job.id, task=job.task, name=job.name, state=job.state, created=job.created, ended=job.ended,
            width=job.width, height=job.height, notes=list(job.notes), error=job.error, error_kind=job.error_kind,
            files=files,
        )  # fmt: skip


class JobList(BaseModel):
    """All jobs, the oldest first."""

    jobs: list[JobView]


class NewUpload(BaseModel, extra="forbid"):
    """A file that is going to be sent."""

    name: str = Field(default="photo", max_length=4096, description="The file's; its folders are not looked at.")
    size: int = Field(default=0, ge=0, description="In bytes; 0 where it is not known.")


class UploadView(BaseModel):
    """An upload."""

    id: str
    name: str
    size: int
    received: int = Field(description="Bytes that have come.")
    href: str = Field(description="Where its bytes go.")

    @classmethod
    def of(cls, upload: Upload, received: int) -> UploadView:
        """Return what is told of an upload."""
        href = f"/v1/uploads/{upload.id}"
        return cls(id=upload.id, name=upload.name, size=upload.size, received=received, href=href)


class ModelView(BaseModel):
    """A model that may be named."""

    name: str
    kind: str
    contract: str
    licence: str
    summary: str
    sha256: str


class ModelList(BaseModel):
    """The models."""

    models: list[ModelView]


class Health(BaseModel):
    """Whether the server works."""

    status: Literal["ok"] = "ok"
    version: str
