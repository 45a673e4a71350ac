"""The OpenAPI description of /v1, made from the models that answers and options are made from."""

from __future__ import annotations

import functools
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from photochrom.studio.problems import MEDIA_TYPE, Problem
from photochrom.studio.requests import ColorizeRequest, RestoreRequest
from photochrom.studio.views import Health, JobList, JobView, ModelList, NewUpload, UploadView
from photochrom.version import VERSION

REFERENCE = "#/components/schemas/{model}"
PICTURE = {"image/*": {"schema": {"type": "string", "format": "binary"}}}
OURS: list[type[BaseModel]] = [
    ColorizeRequest, RestoreRequest, Health, JobList, JobView, ModelList, NewUpload, UploadView, Problem,
]  # fmt: skip
ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
TEXT, TEXTS = {"type": "string"}, {"type": "array", "items": {"type": "string"}}
TASK = {"enum": ["colorize", "restore"], "description": "What is to be made; `restore` takes its own options alone."}
LABEL = {"name": "label", "in": "path", "required": True, "schema": {"type": "string"}}


@functools.cache
def describe() -> dict[str, Any]:
    """Return the description."""
    pairs = [(model, "serialization" if model.__name__.endswith(("View", "List")) else "validation") for model in OURS]
    _, schemas = models_json_schema(pairs, ref_template=REFERENCE)  # type: ignore[arg-type]
    return {
        "openapi": "3.1.0",
        "info": {"title": "photochrom", "version": VERSION, "description": "Colour and restore photographs."},
        "security": [{"token": []}],
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "paths": _paths(),
    }


def _paths() -> dict[str, Any]:
    one = "/v1/jobs/{id}"
    return {
        "/healthz": {"get": {**_does("Whether the server works", {200: Health}), "security": []}},
        "/openapi.json": {"get": _does("This description", {200: None})},
        "/v1/models": {"get": _does("The models that may be named", {200: ModelList})},
        "/v1/colorize": {"post": _takes(ColorizeRequest, "Colour a photograph, and wait for it", {200: PICTURE})},
        "/v1/restore": {"post": _takes(RestoreRequest, "Restore a photograph, and wait for it", {200: PICTURE})},
        "/v1/jobs": {
            "get": _does("All jobs", {200: JobList}),
            "post": _takes(ColorizeRequest, "Take a job on", {202: JobView}, {"task": TASK}),
        },
        one: {
            "get": _does("One job", {200: JobView}, ID),
            "delete": _does("End a job, and forget it", {204: None}, ID),
        },
        f"{one}/cancel": {"post": _does("End a job before its time", {200: JobView}, ID)},
        f"{one}/events": {"get": _does("Server-Sent Events named `job`, until it has ended", {200: None}, ID)},
        f"{one}/files/{{label}}": {"get": _does("Fetch what a job has made", {200: PICTURE}, ID, LABEL)},
        "/v1/uploads": {"post": {**_does("Begin an upload", {201: UploadView}), "requestBody": _json(NewUpload)}},
        "/v1/uploads/{id}": {
            "get": _does("How far an upload is", {200: UploadView}, ID),
            "put": {
                **_does("Send a piece (Content-Range), or all of it", {200: UploadView}, ID),
                "requestBody": {"content": {"application/octet-stream": {}}},
            },
            "delete": _does("Forget an upload", {204: None}, ID),
        },
    }


def _does(summary: str, answers: dict[int, Any], *parameters: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {str(status): _answer(content) for status, content in answers.items()}
    told["default"] = {"description": "Why not", "content": {MEDIA_TYPE: {"schema": _ref(Problem)}}}
    return {"summary": summary, "parameters": list(parameters), "responses": told}


def _takes(
    request: type[BaseModel], summary: str, answers: dict[int, Any], more: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return an operation that takes a photograph: its bytes with options in the query, a form, or an upload's id."""
    plain = {"type": "string", "format": "binary"}
    schema: dict[str, Any] = request.model_json_schema(ref_template=REFERENCE)
    query = [
        {"name": name, "in": "query", "schema": field, "description": field.get("description", "")}
        for name, field in (schema["properties"] | (more or {})).items()
    ]
    name = {"name": "name", "in": "query", "schema": {"type": "string"}, "description": "The photograph's file name."}
    further = {"mask": plain, "reference": {"type": "array", "items": plain}}, {"mask": TEXT, "references": TEXTS}
    form, upload = further if request is ColorizeRequest else ({"mask": plain}, {"mask": TEXT})
    form, upload = {"photo": plain, **form, **(more or {})}, {"upload": TEXT, **upload, **(more or {})}
    content = {
        "application/octet-stream": {"schema": plain},
        "multipart/form-data": {"schema": _with(request, form, "photo")},
        "application/json": {"schema": _with(request, upload, "upload")},
    }
    return {**_does(summary, answers, name, *query), "requestBody": {"required": True, "content": content}}


def _with(request: type[BaseModel], more: dict[str, Any], needed: str) -> dict[str, Any]:
    """Return an object of options and more; not by reference, as what has a property too many is refused."""
    schema: dict[str, Any] = request.model_json_schema(ref_template=REFERENCE)
    schema.pop("$defs", None)
    return {**schema, "properties": {**schema["properties"], **more}, "required": [needed]}


def _answer(content: Any) -> dict[str, Any]:
    if content is None:
        return {"description": "Done"}
    if isinstance(content, dict):
        return {"description": "The file", "content": content}
    return {"description": content.__doc__, **_json(content)}


def _json(model: type[BaseModel]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": _ref(model)}}}


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": REFERENCE.format(model=model.__name__)}
