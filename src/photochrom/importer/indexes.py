"""Models from an index of somebody's own: a file, or an address on the web. Nothing is fetched unless asked for."""

from __future__ import annotations

import http.client
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from photochrom.computer.downloads import MirrorError, Progress, PublishedFile, fetch, read_small
from photochrom.computer.systems import put_folder_in_place
from photochrom.engines.catalog import ModelCard
from photochrom.errors import MissingExtraError, ModelError, ModelFileError, OptionError, UnknownModelError
from photochrom.importer.installation import not_written, refuse_taken
from photochrom.importer.repositories import CARD_FILE, read_index
from photochrom.spelling import did_you_mean

LARGEST_INDEX_BYTES = 5_000_000
SIGNATURE_SUFFIX = ".sig"
OF_INDEX = "Give the path or the https:// address of an index, as `photochrom models push` writes it"
PRIVATE_KEY = "Make one: openssl genpkey -algorithm ed25519 -out private.pem"
PUBLIC_KEY = "Make it of the private one: openssl pkey -in private.pem -pubout -out public.pem"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def pull_model(
    name: str,
    index: str,
    models_folder: Path,
    *,
    key: Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> ModelCard:
    """Fetch a model that an index names, check each file by its hash, and install it, whole or not at all.

    Args:
        name: of the model, in the index.
        index: its path, or its address (https://, or http:// on this computer).
        models_folder: where installed models lie.
        key: an Ed25519 public key (PEM); the index must be signed by it, INDEX.sig beside it.
        overwrite: replace an installed model of that name.
        progress: called with (bytes so far, bytes in all) of each file.

    Raises:
        UnknownModelError: the index does not name it.
        OptionError: a model of that name is installed, or comes with photochrom, or nothing is fetched from such an
            address.
        ModelFileError: the index is none, is not signed by the key, or a file has another hash.
        ModelError: it cannot be fetched or written.
    """
    refuse_taken(name, models_folder, overwrite=overwrite)
    data = _read(index)
    if key is not None:
        check_signature(data, _read(index + SIGNATURE_SUFFIX), key, index)
    entries = read_index(data, index)
    if name not in entries:
        raise UnknownModelError("the index does not name it", where=name, next_step=did_you_mean(name, entries))
    return _install(entries[name], _base(index), models_folder / name, progress)


def _install(entry: dict[str, Any], base: str, target: Path, progress: Progress | None) -> ModelCard:
    card = ModelCard(**{key: value for key, value in entry["card"].items() if key in ModelCard.model_fields})
    try:
        _install_card(card, entry, base, target, progress)
    except OSError as error:
        raise not_written(error, target.parent) from error
    return card


def _install_card(card: ModelCard, entry: dict[str, Any], base: str, target: Path, progress: Progress | None) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{card.name}-", dir=target.parent, ignore_cleanup_errors=True) as name:
        made = Path(name) / "made"
        made.mkdir()
        for file in entry["files"]:
            address = _joined(base, f"{entry['at'].rstrip('/')}/{file['file']}")
            wanted = PublishedFile(
                card.name, file["file"], int(file["bytes"]), file["sha256"], (address,), "Try again later"
            )
            _place(wanted, address, made, progress)
        known = {file["file"]: file["sha256"] for file in entry["files"]}
        (made / CARD_FILE).write_text(
            json.dumps({**entry["card"], "sha256": known[card.file]}, indent=2), encoding="utf-8"
        )
        put_folder_in_place(made, target)


def _place(wanted: PublishedFile, address: str, folder: Path, progress: Progress | None) -> None:
    if urlsplit(address).scheme in {"http", "https"}:
        fetch(wanted, folder, progress=progress)
        return
    from photochrom.computer.hashes import sha256_of

    try:
        shutil.copyfile(address, folder / wanted.file)
    except OSError as error:
        what, next_step = f"cannot be read ({error.strerror or error})", "Push the model again"
        raise ModelError(what, where=address, next_step=next_step) from error
    if sha256_of(folder / wanted.file) != wanted.sha256:
        raise ModelFileError("is not the file that the index names", where=address, next_step="Push it again")


def check_signature(data: bytes, signature: bytes, key: Path, where: str) -> None:
    """Return when an index is signed by a key.

    Raises:
        ModelFileError: it is not.
        OptionError: the key is none.
        MissingExtraError: the package `cryptography` is absent.
    """
    ed25519, load = _cryptography()
    try:
        public = load(key.read_bytes())
    except (OSError, ValueError) as error:
        raise OptionError(f"is no public key ({error})"[:200], where=str(key), next_step=PUBLIC_KEY) from error
    if not isinstance(public, ed25519.Ed25519PublicKey):
        raise OptionError("is no Ed25519 public key", where=str(key), next_step=PUBLIC_KEY)
    try:
        public.verify(bytes.fromhex(signature.decode("ascii").strip()), data)
    except Exception as error:
        raise ModelFileError(
            "is not signed by the key", where=where, next_step="Do not use it; ask who keeps it"
        ) from error


def sign_index(index: Path, private_key: Path) -> Path:
    """Sign an index with an Ed25519 private key (PEM, unencrypted), and return the signature's path.

    Raises:
        OptionError: key or index cannot be read.
        MissingExtraError: the package `cryptography` is absent.
    """
    private = read_private_key(private_key)
    try:
        data = index.read_bytes()
    except OSError as error:
        raise OptionError(f"cannot be used ({error})"[:200], where=str(index), next_step=OF_INDEX) from error
    path = signature_of(index)
    path.write_text(private.sign(data).hex() + "\n", encoding="ascii")
    return path


def signature_of(index: Path) -> Path:
    """Return where the signature of an index lies."""
    return index.with_name(index.name + SIGNATURE_SUFFIX)


def read_private_key(path: Path) -> Any:
    """Return an Ed25519 private key, so that one that is none is told before an index is written.

    Raises:
        OptionError: it cannot be read.
        MissingExtraError: the package `cryptography` is absent.
    """
    ed25519, _ = _cryptography()
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        private = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise OptionError(f"cannot be used ({error})"[:200], where=str(path), next_step=PRIVATE_KEY) from error
    if not isinstance(private, ed25519.Ed25519PrivateKey):
        raise OptionError("is no Ed25519 private key", where=str(path), next_step=PRIVATE_KEY)
    return private


def _cryptography() -> tuple[Any, Callable[[bytes], Any]]:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
    except ImportError as error:
        raise MissingExtraError(
            "signatures need cryptography", next_step="Run: pip install 'photochrom[hub]'"
        ) from error
    return ed25519, load_pem_public_key


def _base(index: str) -> str:
    return index if _is_web(index) else str(Path(index).parent)


def _joined(base: str, name: str) -> str:
    if not _is_web(base):
        return name if _is_web(name) else str(Path(base) / name)
    return urljoin(base, name)


def _is_web(address: str) -> bool:
    return address.lower().startswith(("http://", "https://"))


def _read(address: str) -> bytes:
    """Return a small file of the disk or the web."""
    if not _is_web(address):
        if "://" in address:
            raise OptionError("is no address that is read", where=f"--index {address}", next_step=OF_INDEX)
        try:
            data = Path(address).read_bytes()
        except OSError as error:
            what = f"cannot be read ({error.strerror or error})"
            raise ModelError(what, where=address, next_step=OF_INDEX) from error
    else:
        if not address.lower().startswith("https://") and urlsplit(address).hostname not in LOOPBACK:
            what, next_step = "http:// can be changed on the way", "Use https://"
            raise OptionError(what, where=f"--index {address}", next_step=next_step)
        try:
            data = read_small(address, LARGEST_INDEX_BYTES + 1)
        except (OSError, ValueError, http.client.HTTPException, MirrorError) as error:
            reason = getattr(error, "reason", None) or str(error) or "no answer in time"
            raise ModelError(f"cannot be fetched ({reason})", where=address, next_step="Check the address") from error
    if len(data) > LARGEST_INDEX_BYTES:
        raise ModelFileError("is larger than any index", where=address, next_step=OF_INDEX)
    return data
