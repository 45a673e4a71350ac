"""The HTTP interface: what it makes is what the command line makes, and what it says is what OpenAPI promises."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from jsonschema import Draft202012Validator
from PIL import Image

from photochrom.cli.app import run
from photochrom.errors import EXIT_OK, EXIT_SOME_FAILED
from photochrom.studio.openapi import describe
from tests.studio.conftest import PLAIN, Running

Serve = Callable[..., Running]


def ended(client: httpx.Client, job: dict, within_s: float = 20) -> dict:
    """Wait for a job."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        job = client.get(f"/v1/jobs/{job['id']}").json()
        if job["state"] not in {"queued", "running"}:
            return job
        time.sleep(0.02)
    raise AssertionError(job)


def fulfils(answer: object, model: str) -> bool:
    """Return whether an answer is as the description says."""
    description = describe()
    schema = {**description["components"]["schemas"][model], "components": description["components"]}
    Draft202012Validator(schema).validate(answer)
    return True


def by_command_line(folder: Path, content: bytes, name: str, *options: str) -> Path:
    """Return what the command line makes of a photograph, beside it."""
    folder.mkdir()
    (folder / name).write_bytes(content)
    assert run([*options[:1], str(folder / name), "--quiet", *options[1:]]) == EXIT_OK
    mark = "-color" if options[0] == "colorize" else "-restored"
    return next(path for path in folder.iterdir() if path.stem == f"{Path(name).stem}{mark}" and path.suffix != ".json")


@pytest.mark.slow
def test_a_coloured_photograph_is_the_command_lines_byte_for_byte(
    shared: Running, jpeg: bytes, tmp_path: Path, tiny_model: Path
) -> None:
    for query, options in [
        ("", []),
        ("&vividness=1.3&warmth=20&format=png", ["--vividness", "1.3", "--warmth", "20", "--format", "png"]),
        ("&mark=Coloured&quality=80", ["--mark", "Coloured", "--quality", "80"]),
    ]:
        answer = shared.client.post(f"/v1/colorize?name=album%2Fgran.JPG&model=tiny{query}", content=jpeg)
        assert answer.status_code == 200, answer.text
        model = ["--model", str(tiny_model)]
        made = by_command_line(tmp_path / f"cli{len(options)}", jpeg, "gran.JPG", "colorize", *model, *options)
        assert f'filename="{made.name}"' in answer.headers["content-disposition"]
        assert answer.content == made.read_bytes()


@pytest.mark.slow
def test_hints_and_companions_are_the_command_lines_too(
    shared: Running, jpeg: bytes, tmp_path: Path, hearing_model: Path
) -> None:
    hints = {"photochrom_hints": 1, "hints": [{"point": [0.4, 0.4], "color": "seagreen"}]}
    form = {"model": "hearing", "uncertainty": "true", "recipe": "1", "keep_hints": "true", "hints": json.dumps(hints)}
    job = shared.client.post("/v1/jobs", data=form, files={"photo": ("gran.jpg", jpeg)}).json()
    job = ended(shared.client, job)
    assert job["state"] == "done", job
    assert {"result", "uncertainty", "recipe", "hints"} <= set(job["files"])
    (tmp_path / "hints.json").write_text(json.dumps(hints))
    options = ["--model", str(hearing_model), "--uncertainty", "--recipe", "--keep-hints"]
    folder = by_command_line(
        tmp_path / "cli", jpeg, "gran.jpg", "colorize", *options, "--hints", str(tmp_path / "hints.json")
    ).parent
    assert {file["name"] for file in job["files"].values()} == {path.name for path in folder.iterdir()} - {"gran.jpg"}
    for file in job["files"].values():
        assert shared.client.get(file["href"]).content == (folder / file["name"]).read_bytes(), file["name"]


@pytest.mark.slow
def test_restoring_with_a_drawn_mask_is_the_command_lines(shared: Running, jpeg: bytes, tmp_path: Path) -> None:
    mask = Image.new("L", (128, 96))
    mask.paste(255, (30, 20, 36, 70))
    mask.save(tmp_path / "mask.png")
    drawn = (tmp_path / "mask.png").read_bytes()
    form = {"noise": "never", "tone": "never", "format": "png"}
    files = {"photo": ("gran.jpg", jpeg), "mask": ("mask.png", drawn)}
    answer = shared.client.post("/v1/restore", data=form, files=files)
    assert answer.status_code == 200, answer.text
    assert any("as the mask says" in note for note in json.loads(answer.headers["photochrom-notes"]))
    options = ["--noise", "never", "--tone", "never", "--format", "png", "--mask", str(tmp_path / "mask.png")]
    made = by_command_line(tmp_path / "cli", jpeg, "gran.jpg", "restore", *options)
    assert answer.content == made.read_bytes()


def test_an_upload_goes_on_after_a_break_and_becomes_a_job(shared: Running, jpeg: bytes) -> None:
    client, half = shared.client, len(jpeg) // 2
    upload = client.post("/v1/uploads", json={"name": "gran.jpg", "size": len(jpeg)}).json()
    assert fulfils(upload, "UploadView")

    def send(first: int, content: bytes) -> httpx.Response:
        told = f"bytes {first}-{first + len(content) - 1}/{len(jpeg)}"
        return client.put(upload["href"], content=content, headers={"Content-Range": told})

    assert send(0, jpeg[:half]).json()["received"] == half
    early = client.post("/v1/jobs", json={"task": "colorize", "upload": upload["id"], "model": "tiny"})
    assert (early.status_code, "not finished" in early.json()["detail"]) == (409, True)
    wrong = send(half + 5, jpeg[half + 5 :])
    assert (wrong.status_code, wrong.headers["content-range"]) == (416, f"bytes */{half}")
    assert client.get(upload["href"]).json()["received"] == half
    assert send(half, jpeg[half:]).json()["received"] == len(jpeg)
    job = client.post("/v1/jobs", json={"task": "colorize", "upload": upload["id"], "model": "tiny"})
    assert job.headers["location"] == f"/v1/jobs/{job.json()['id']}"
    assert ended(client, job.json())["state"] == "done"
    assert client.get(upload["href"]).status_code == 404


def test_an_address_takes_no_other_task(shared: Running, jpeg: bytes) -> None:
    files = {"photo": ("gran.jpg", jpeg)}
    told = "task: is colorize at this address. Send other tasks to /v1/jobs"
    for asked in (
        {"data": {"task": "restore", "model": "tiny"}, "files": files},
        {"params": {"task": "restore", "model": "tiny"}, "content": jpeg},
        {"json": {"task": "restore", "model": "tiny", "upload": "x"}},
    ):
        answer = shared.client.post("/v1/colorize", **asked)
        assert (answer.status_code, answer.json()["detail"]) == (422, told)
    same = shared.client.post("/v1/colorize", data={"task": "colorize", "model": "tiny"}, files=files)
    assert same.status_code == 200
    job = shared.client.post("/v1/jobs", data={"task": "restore", "noise": "never", "tone": "never"}, files=files)
    assert (job.status_code, job.json()["task"]) == (202, "restore")


def test_a_job_is_watched_to_its_end(shared: Running, jpeg: bytes) -> None:
    job = shared.client.post("/v1/jobs?model=tiny&name=gran.jpg", content=jpeg).json()
    with shared.client.stream("GET", f"/v1/jobs/{job['id']}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        told = [json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: ")]
    assert told[-1]["state"] == "done"
    assert all(fulfils(state, "JobView") for state in told)
    assert shared.client.delete(f"/v1/jobs/{job['id']}").status_code == 204
    assert shared.client.get(f"/v1/jobs/{job['id']}").status_code == 404


@pytest.mark.parametrize(
    ("path", "content", "status", "sentence"),
    [
        ("/v1/colorize?vividness=9", b"x", 422, "vividness: should be less than or equal to 3, not '9'"),
        ("/v1/colorize?vividnes=1", b"x", 422, "vividnes: unknown option. Did you mean 'vividness'?"),
        ("/v1/colorize?certificate=/etc/passwd", b"x", 422, "certificate: unknown option"),
        ("/v1/colorize?model=/etc/passwd", b"x", 422, "/etc/passwd: no such model. Give a name from /v1/models"),
        ("/v1/restore?noise_model=..%2Fx.onnx", b"x", 422, "../x.onnx: no such model. Give a name from /v1/models"),
        ("/v1/colorize?name=gran.jpg&model=tiny", b"no picture", 422, "gran.jpg: this is"),
        ("/v1/colorize", b"", 400, "the body is empty. Send the photograph's bytes"),
        ("/v1/jobs?task=draw", b"x", 422, "task: should be colorize or restore, not 'draw'"),
    ],
)
def test_what_is_wrong_is_told_in_the_command_lines_words(
    shared: Running, path: str, content: bytes, status: int, sentence: str
) -> None:
    answer = shared.client.post(path, content=content)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].startswith(sentence)
    assert fulfils(answer.json(), "Problem")
    assert str(shared.parts.store.folder) not in answer.text


@pytest.mark.slow
def test_the_sentence_about_a_photograph_is_the_command_lines(
    shared: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, content in {
        "a.jpg": b"\xff\xd8\xff\xe0 broken",
        "b.png": b"<html>",
        "c.tif": b"II*\x00\x08\0\0\0",
    }.items():
        monkeypatch.chdir(tmp_path)
        Path(name).write_bytes(content)
        assert run(["colorize", name]) == EXIT_SOME_FAILED
        told = capsys.readouterr().err.strip().removeprefix("photochrom: ")
        answer = shared.client.post(f"/v1/colorize?name={name}", content=content)
        assert answer.json()["detail"] == told


def test_models_health_and_description_answer(shared: Running) -> None:
    models = shared.client.get("/v1/models").json()
    assert fulfils(models, "ModelList")
    assert "photochrom-color" in {model["name"] for model in models["models"]}
    assert fulfils(httpx.get(f"{shared.address}healthz", trust_env=False, verify=PLAIN).json(), "Health")
    description = shared.client.get("/openapi.json").json()
    assert description["openapi"].startswith("3.1")
    assert fulfils(shared.client.get("/v1/jobs").json(), "JobList")


def test_the_description_names_every_address_and_every_option(shared: Running) -> None:
    from photochrom.options import ColorizeOptions, RestoreOptions
    from photochrom.studio.api import Api
    from photochrom.studio.requests import NOT_A_CALLERS

    described = {(path, method.upper()) for path, item in describe()["paths"].items() for method in item}
    served = {(r.path, m) for r in Api(shared.parts).routes for m in r.methods or () if m != "HEAD"}
    assert described == served
    asked = describe()["components"]["schemas"]["ColorizeRequest"]["properties"]
    wanted = (ColorizeOptions.model_fields.keys() | RestoreOptions.model_fields.keys()) - NOT_A_CALLERS
    assert wanted <= asked.keys()
    assert asked["vividness"]["description"] == ColorizeOptions.model_fields["vividness"].description


def test_every_address_answers_as_described(shared: Running, jpeg: bytes) -> None:
    client, asked = shared.client, set[tuple[str, str]]()

    def call(method: str, path: str, status: int, **given: Any) -> Any:
        answer = client.request(method, path.format(**known), **given)
        described = describe()["paths"][path][method.lower()]["responses"]
        assert (answer.status_code, path) == (status, path), answer.text
        content = (
            described[str(status)].get("content", {}) if str(status) in described else described["default"]["content"]
        )
        kind = answer.headers.get("content-type", "").partition(";")[0]
        if schema := content.get(kind, {}).get("schema"):
            Draft202012Validator({**schema, "components": describe()["components"]}).validate(answer.json())
        else:
            assert not content or kind.startswith("image/") or kind == "text/event-stream", (path, kind)
        asked.add((method, path))
        return answer

    known: dict[str, str] = {}
    whole = {"model": "tiny", "name": "gran.jpg"}
    for path in ("/healthz", "/openapi.json", "/v1/models", "/v1/jobs"):
        call("GET", path, 200)
    call("POST", "/v1/colorize", 200, params=whole, content=jpeg)
    call("POST", "/v1/colorize", 422, params=whole | {"vividness": "9"}, content=jpeg)
    call("POST", "/v1/restore", 200, params={"damage": "never", "noise": "never"}, content=jpeg)
    upload = call("POST", "/v1/uploads", 201, json={"name": "gran.jpg", "size": len(jpeg)}).json()
    known["id"] = upload["id"]
    call("PUT", "/v1/uploads/{id}", 416, content=jpeg, headers={"Content-Range": f"bytes 5-9/{len(jpeg)}"})
    call("PUT", "/v1/uploads/{id}", 200, content=jpeg)
    call("GET", "/v1/uploads/{id}", 200)
    known["id"] = call(
        "POST", "/v1/jobs", 202, json={"task": "colorize", "upload": upload["id"], "model": "tiny"}
    ).json()["id"]
    call("GET", "/v1/jobs/{id}/events", 200)
    call("GET", "/v1/jobs/{id}", 200)
    known["label"] = "result"
    call("GET", "/v1/jobs/{id}/files/{label}", 200)
    call("POST", "/v1/jobs/{id}/cancel", 200)
    call("DELETE", "/v1/jobs/{id}", 204)
    call("GET", "/v1/jobs/{id}", 404)
    known["id"] = call("POST", "/v1/uploads", 201, json={}).json()["id"]
    call("DELETE", "/v1/uploads/{id}", 204)
    assert asked == {(method.upper(), path) for path, item in describe()["paths"].items() for method in item}


def test_what_is_sent_fits_the_description_and_what_is_wrong_does_not() -> None:
    for path in ("/v1/colorize", "/v1/restore", "/v1/jobs"):
        content = describe()["paths"][path]["post"]["requestBody"]["content"]
        schema = {**content["application/json"]["schema"], "components": describe()["components"]}
        sent: dict[str, Any] = {"upload": "x" * 16, "noise": "never"}
        sent |= {} if path == "/v1/restore" else {"vividness": 1.2, "hints": [{"point": [0.5, 0.5], "color": "red"}]}
        sent |= {"task": "colorize"} if path == "/v1/jobs" else {}
        Draft202012Validator.check_schema(schema)
        fits = Draft202012Validator(schema)
        fits.validate(sent)
        for wrong in ({**sent, "vividnes": 1}, {**sent, "noise": "perhaps"}, {"noise": "never"}):
            with pytest.raises(jsonschema.ValidationError):
                fits.validate(wrong)


def test_jobs_survive_a_restart(serve: Serve, jpeg: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = serve(store=tmp_path / "store", max_jobs=50)
    done = ended(first.client, first.client.post("/v1/jobs?model=tiny&name=gran.jpg", content=jpeg).json())
    monkeypatch.setattr(type(first.parts.workers), "submit", lambda *_: None)  # as if it were killed while they wait
    waiting = [first.client.post(f"/v1/jobs?model=tiny&name={k}.jpg", content=jpeg).json() for k in range(3)]
    content = first.client.get(done["files"]["result"]["href"]).content
    first.stop()
    monkeypatch.undo()
    half_written = tmp_path / "store" / "jobs" / ("x" * 16)
    half_written.mkdir()
    second = serve(store=tmp_path / "store")
    assert not half_written.exists()
    assert second.client.get(done["files"]["result"]["href"]).content == content
    assert [ended(second.client, job)["state"] for job in waiting] == ["done"] * 3
    assert [job["name"] for job in second.client.get("/v1/jobs").json()["jobs"]][1:] == ["0.jpg", "1.jpg", "2.jpg"]
