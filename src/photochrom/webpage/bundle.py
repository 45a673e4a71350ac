"""What the page's folder holds: every file by its path, named by what it contains wherever its address may be kept.

index.html  service-worker.js  app.webmanifest  licences.txt
page-HASH/      the page's own scripts, words and looks
model-HASH.packed, runtime-HASH/    large, and compressed: packing.py
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType

from photochrom.engines.base import ModelSpec
from photochrom.files.provenance import Provenance, with_provenance
from photochrom.version import VERSION
from photochrom.webpage import packing
from photochrom.webpage import runtime as ort
from photochrom.webpage.runtime import BrowserRuntime

POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; "
    "style-src 'self'; img-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'none'"
)
"""The Content-Security-Policy: the page's own files, and nothing else from anywhere."""

WEIGHT_BYTES = 2  # of a weight in the model's file: float16
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
# What is told of hints: all are a person's.
HINTED = {"hints": {"count": "COUNT", "by_person": "COUNT", "colors": ["COLORS"]}}
AT_ROOT = ("index.html", "app.webmanifest", "licences.txt")
WORKER = "service-worker.js"


def bundle_page(model: bytes, spec: ModelSpec, runtime: BrowserRuntime, *, keep: bool = True) -> dict[str, bytes]:
    """Return the page's files by path; those that name others come last, so that written in order none is amiss.

    Args:
        model: a model's file.
        spec: what it says of itself.
        runtime: what runs it.
        keep: let browsers keep the page for use without a network, at the address that they have it from.
    """
    site = files("photochrom.webpage").joinpath("site")
    runtime_folder = f"runtime-{_short(runtime.script + runtime.wasm)}"
    large = {
        f"model-{_short(model)}{packing.SUFFIX}": (model, WEIGHT_BYTES),
        f"{runtime_folder}/ort.wasm{packing.SUFFIX}": (runtime.wasm, 1),
    }
    packed = {path: packing.pack(*what) for path, what in large.items()}
    promises = [_promise(path, packed[path], *what) for path, what in large.items()]
    found = {**packed, f"{runtime_folder}/ort.js": runtime.script}
    page = _page_files(site)
    page["page.json"] = _as_json({**_settings(spec, runtime_folder, *promises), "keep": keep})
    release = f"page-{_short(b''.join(name.encode() + page[name] for name in sorted(page)))}"
    found |= {f"{release}/{name}": content for name, content in page.items()}
    texts = {"@RELEASE@": release, "@POLICY@": POLICY}
    found |= {name: _filled(site.joinpath(name), texts) for name in reversed(AT_ROOT)}
    kept = {path: {"sha256": _sha256(content), "large": path in packed} for path, content in found.items()}
    found[WORKER] = _filled(site.joinpath(WORKER), {'"@FILES@"': json.dumps(kept, indent=1), "@POLICY@": POLICY})
    return found


def _page_files(site: Traversable) -> dict[str, bytes]:
    scripts = {script.name: script.read_bytes() for script in site.joinpath("app").iterdir()}
    others = ("page.css", "icon.svg", "strings.json", "example.jpg")
    return scripts | {name: site.joinpath(name).read_bytes() for name in others}


def _promise(path: str, packed: bytes, content: bytes, planes: int) -> dict[str, object]:
    """Return what the page is told of a large file: where it lies, how it is packed, and what it must be."""
    return {
        "path": f"../{path}",
        "packed": {"sha256": _sha256(packed), "bytes": len(packed), "planes": planes},
        "sha256": _sha256(content),
        "bytes": len(content),
    }


def _settings(
    spec: ModelSpec, runtime_folder: str, model: dict[str, object], wasm: dict[str, object]
) -> dict[str, object]:
    """Return what the page reads first: the large files, and what the model says."""
    told = spec.model_dump(mode="json", include=SPEC_FIELDS)
    return {
        "version": VERSION,
        "model": {"name": spec.name, **model, "spec": told, "hears": spec.hears},
        "runtime": {"version": ort.VERSION, "script": f"../{runtime_folder}/ort.js", "wasm": wasm},
        "example": "example.jpg",
        "xmp": _provenance(spec, str(model["sha256"])),
        "xmp_hinted": _provenance(spec, str(model["sha256"]), HINTED),
    }


def _provenance(spec: ModelSpec, sha256: str, more: Mapping[str, object] = MappingProxyType({})) -> str:
    """Return the XMP packet of a result; the page puts values in place of the words in capitals."""
    settings = {"page": True, "size": spec.render_px, "vividness": "VIVIDNESS", "warmth": "WARMTH", **more}
    packet, _ = with_provenance(None, Provenance(spec.name, sha256, VERSION, settings))
    text = packet.decode()
    for gap in ("VIVIDNESS", "WARMTH", "COUNT"):  # numbers stand there, not texts
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
