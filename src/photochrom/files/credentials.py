"""Content credentials: a signed statement (C2PA manifest) inside a result, by the user's own certificate.

The XMP packet says what was done; anybody can edit it. A manifest says the same, names the original photograph by its
hash, and breaks visibly when the file is changed afterwards. Signing puts a fresh identifier into every file, so a
signed result is never the same bytes twice, and has no recipe.

Source: C2PA technical specification 2.2, sections 10 (manifests), 13 (signatures) and 18 (actions).
"""

from __future__ import annotations

import importlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from photochrom.errors import MissingExtraError, OptionError, UnsupportedPhotoError
from photochrom.files.codecs.formats import FORMATS
from photochrom.files.provenance import COLORIZE, HUMAN_EDITS_SOURCE_TYPE, RESTORE, Provenance
from photochrom.options import OutputOptions

DESCRIPTIONS = {COLORIZE: "Colours added by the model {}; the luma was kept", RESTORE: "Restored by the models {}"}
# C2PA's word for "nothing is said of the source": a file that was only stored again.
EMPTY_SOURCE_TYPE = "http://c2pa.org/digitalsourcetype/empty"
SIGNED_FORMATS = tuple(row.name for row in FORMATS.values() if row.signed)
# What the library knows as an original.
NAMED_ORIGINALS = (*SIGNED_FORMATS, "heic", "gif", "raw")
# The certificate's key decides the algorithm; PEM does not say which curve without a parser, so all are tried.
ALGORITHMS = ("es256", "es384", "es512", "ps256", "ed25519")


@dataclass(frozen=True, slots=True)
class Credentials:
    """A certificate chain and its private key, both PEM text, the key not encrypted."""

    certificate: bytes
    private_key: bytes

    @classmethod
    def of(cls, options: OutputOptions) -> Credentials | None:
        """Return the credentials that options name, or None where they name none.

        Raises:
            OptionError: only one of the two is named, or a file cannot be read.
        """
        if options.certificate is None and options.private_key is None:
            return None
        if options.certificate is None or options.private_key is None:
            raise OptionError(
                "signing needs both a certificate and its key",
                where="certificate",
                next_step="Give --certificate and --private-key",
            )
        return cls(_pem(options.certificate, "certificate"), _pem(options.private_key, "private-key"))


def signed(
    data: bytes | bytearray,
    format: str,
    provenance: Provenance,
    credentials: Credentials,
    *,
    original: tuple[bytes, str, str] | None = None,
) -> bytes:
    """Return the file with a manifest that states its provenance, signed.

    Args:
        data: the file.
        format: its format.
        provenance: what was done.
        credentials: who says so.
        original: bytes, format and name of the photograph it was made from; its hash goes in, its pixels do not.

    Raises:
        MissingExtraError: the c2pa library is not installed.
        UnsupportedPhotoError: the format cannot carry a manifest.
        OptionError: certificate and key do not fit together, or are not accepted.

    Cost: some milliseconds and 3 to 10 kB.
    """
    if format not in SIGNED_FORMATS:
        raise UnsupportedPhotoError(
            f"{format.upper()} cannot carry content credentials", next_step=f"Use one of {', '.join(SIGNED_FORMATS)}"
        )
    c2pa = _library()
    signer = _signer(c2pa, credentials)
    context = c2pa.Context.from_dict({"builder": {"thumbnail": {"enabled": False}}})
    known = original if original and original[1] in NAMED_ORIGINALS else None
    result = io.BytesIO()
    try:
        with c2pa.Builder(_manifest(provenance, with_original=known is not None), context=context) as builder:
            if known:
                content, original_format, name = known
                ingredient = {"title": name, "relationship": "parentOf", "label": "original"}
                builder.add_ingredient(json.dumps(ingredient), FORMATS[original_format].media_type, io.BytesIO(content))
            builder.sign(signer, FORMATS[format].media_type, io.BytesIO(data), result)
    except c2pa.C2paError as error:
        raise _refused(error) from error
    return result.getvalue()


def verify(data: bytes, format: str) -> dict[str, Any] | None:
    """Return the manifest store of a file as the c2pa library reads it, or None where it has none.

    Its ``validation_state`` is "Trusted", "Valid" (intact, signer unknown to this computer) or "Invalid".

    Raises:
        MissingExtraError: the c2pa library is not installed.
    """
    c2pa = _library()
    try:
        with c2pa.Reader(FORMATS[format].media_type, io.BytesIO(data)) as reader:
            found: dict[str, Any] = json.loads(reader.json())
            return found
    except c2pa.C2paError.ManifestNotFound:
        return None


def _manifest(provenance: Provenance, *, with_original: bool) -> str:
    source_type = provenance.source_type or EMPTY_SOURCE_TYPE
    edited = {
        "action": "c2pa.edited",
        "description": DESCRIPTIONS[provenance.task].format(provenance.model),
        "digitalSourceType": source_type,
        "softwareAgent": {"name": "photochrom", "version": provenance.version},
        "parameters": {"model": provenance.model, "model_sha256": provenance.model_sha256, **provenance.settings},
    }
    begun: dict[str, Any] = {"action": "c2pa.opened", "parameters": {"ingredientIds": ["original"]}}
    if not with_original:
        begun = {"action": "c2pa.created", "digitalSourceType": source_type}
    return json.dumps(
        {
            "claim_generator_info": [{"name": "photochrom", "version": provenance.version}],
            "assertions": [
                {"label": "c2pa.actions.v2", "data": {"actions": [begun, edited, *_human_part(provenance)]}}
            ],
        }
    )


def _human_part(provenance: Provenance) -> list[dict[str, Any]]:
    """Return what a person did, as an action of its own."""
    if (given := provenance.colors_given) is None:
        return []
    return [
        {
            "action": "c2pa.color_adjustments",
            "description": "Colours of things in the photograph, given by a person",
            "digitalSourceType": HUMAN_EDITS_SOURCE_TYPE,
            "parameters": {"colors": given},
        }
    ]


def _signer(c2pa: Any, credentials: Credentials) -> Any:
    error: Exception | None = None
    for algorithm in ALGORITHMS:
        info = c2pa.C2paSignerInfo(algorithm.encode(), credentials.certificate, credentials.private_key, None)
        try:
            return c2pa.Signer.from_info(info)
        except c2pa.C2paError as refusal:
            error = error or refusal
    raise _refused(error or ValueError("no algorithm fits")) from error


def _refused(error: Exception) -> OptionError:
    reason = " ".join(str(error).split())[:160]
    return OptionError(
        f"the certificate or its key is not accepted ({reason})",
        where="certificate",
        next_step="Use a PEM chain with the signing certificate first, and its unencrypted PKCS#8 key",
    )


def _pem(path: Path, option: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise OptionError(
            f"cannot be read ({error.strerror}): {path}", where=option, next_step="Check the path"
        ) from error
    if b"-----BEGIN" not in content:
        raise OptionError(f"is no PEM file: {path}", where=option, next_step="Convert it with openssl")
    return content


def _library() -> Any:
    try:
        return importlib.import_module("c2pa")
    except ImportError as error:
        raise MissingExtraError(
            "content credentials need the c2pa extra", next_step="Run: pip install 'photochrom[c2pa]'"
        ) from error
