"""What the page's folder holds: every file by its path, named by what it contains wherever its address may be kept.

index.html  service-worker.js  app.webmanifest  licences.txt
page-HASH/      the page's own scripts, words and looks
model-HASH.onnx, runtime-HASH/
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable

from photochrom.engines.base import ModelSpec
from photochrom.files.provenance import Provenance, with_provenance
from photochrom.version import VERSION
from photochrom.webpage import runtime as ort
from photochrom.webpage.runtime import BrowserRuntime

POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; "
    "style-src 'self'; img-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'none'"
)
"""The Content-Security-Policy: the page's own files, and nothing else from anywhere."""

LARGE_BYTES = 1_000_000
HASH_LETTERS = 12
# What the page needs to know of a model; the rest of its own description stays in its file.
SPEC_FIELDS = {
    "render_px",
    "multiple",
    "output_stride",
    "temperature",
    "gain",
    "chroma_spread",
    "pale_below",
    "bins_ab",
    "bin_shares",
    "rebalancing",
    "rebalancing_left",
}
AT_ROOT = ("index.html", "app.webmanifest", "licences.txt")
WORKER = "service-worker.js"


def bundle_page(model: bytes, spec: ModelSpec, runtime: BrowserRuntime) -> dict[str, bytes]:
    """Return the page's files by path; those that name others come last, so that written in order none is amiss."""
    site = files("photochrom.webpage").joinpath("site")
    model_path, runtime_folder = f"model-{_short(model)}.onnx", f"runtime-{_short(runtime.script + runtime.wasm)}"
    found = {model_path: model, f"{runtime_folder}/ort.js": runtime.script, f"{runtime_folder}/ort.wasm": runtime.wasm}
    page = _page_files(site)
    page["page.json"] = _as_json(_settings(model_path, model, spec, runtime_folder, runtime))
    release = f"page-{_short(b''.join(name.encode() + page[name] for name in sorted(page)))}"
    found |= {f"{release}/{name}": content for name, content in page.items()}
    texts = {"@RELEASE@": release, "@POLICY@": POLICY}
    found |= {name: _filled(site.joinpath(name), texts) for name in reversed(AT_ROOT)}
    kept = {path: {"sha256": _sha256(content), "large": len(content) > LARGE_BYTES} for path, content in found.items()}
    found[WORKER] = _filled(site.joinpath(WORKER), {'"@FILES@"': json.dumps(kept, indent=1), "@POLICY@": POLICY})
    return found


def _page_files(site: Traversable) -> dict[str, bytes]:
    scripts = {script.name: script.read_bytes() for script in site.joinpath("app").iterdir()}
    others = ("page.css", "icon.svg", "strings.json", "example.jpg")
    return scripts | {name: site.joinpath(name).read_bytes() for name in others}


def _settings(
    model_path: str, model: bytes, spec: ModelSpec, runtime_folder: str, runtime: BrowserRuntime
) -> dict[str, object]:
    """Return what the page reads first: where the large files lie, what they must be, and what the model says."""
    return {
        "version": VERSION,
        "model": {
            "name": spec.name,
            "path": f"../{model_path}",
            "sha256": _sha256(model),
            "bytes": len(model),
            "spec": spec.model_dump(mode="json", include=SPEC_FIELDS),
        },
        "runtime": {
            "version": ort.VERSION,
            "script": f"../{runtime_folder}/ort.js",
            "wasm": {
                "path": f"../{runtime_folder}/ort.wasm",
                "sha256": _sha256(runtime.wasm),
                "bytes": len(runtime.wasm),
            },
        },
        "example": "example.jpg",
        "xmp": _provenance(spec, _sha256(model)),
    }


def _provenance(spec: ModelSpec, sha256: str) -> str:
    """Return the XMP packet of a result; the page puts numbers in place of VIVIDNESS and WARMTH."""
    settings = {"page": True, "size": spec.render_px, "vividness": "VIVIDNESS", "warmth": "WARMTH"}
    packet, _ = with_provenance(None, Provenance(spec.name, sha256, VERSION, settings))
    text = packet.decode()
    for gap in ("VIVIDNESS", "WARMTH"):  # numbers stand there, not texts
        text = text.replace(f"&quot;{gap}&quot;", gap)
    return text


def _filled(template: Traversable, texts: Mapping[str, str]) -> bytes:
    text = template.read_text(encoding="utf-8")
    for gap, value in texts.items():
        text = text.replace(gap, value)
    return text.encode()


def _as_json(values: Mapping[str, object]) -> bytes:
    return (json.dumps(values, ensure_ascii=False) + "\n").encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _short(content: bytes) -> str:
    return _sha256(content)[:HASH_LETTERS]
