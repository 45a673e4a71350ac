"""What people write for a folder, ``s3://bucket/album`` or a path, and the folder that it means."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from photochrom.cluster.cloud_folder import CloudFolder
from photochrom.cluster.folders import Folder
from photochrom.cluster.local_folder import LocalFolder
from photochrom.cluster.storage_errors import storage_error
from photochrom.errors import OptionError

if TYPE_CHECKING:
    from pyarrow import fs as arrow

SCHEMES = ("s3", "gs", "az", "file")
AUTHORITIES = ("blob_storage_authority", "dfs_storage_authority")
GOOGLE_PATIENCE_S = 30
"""How long pyarrow tries one request to Google's storage anew, by itself."""


def is_address(text: str | os.PathLike[str]) -> bool:
    """Return whether a text is the address of a folder in a storage, and not a path."""
    return re.match(r"[a-z][a-z0-9+.-]+:/", os.fspath(text)) is not None


def open_folder(address: str) -> Folder:
    """Return the folder at ``s3://bucket/folder``, ``gs://``, ``az://container/folder``, ``file:///`` or a path.

    Raises:
        OptionError: the address is none or empty, names no bucket, or is of a storage that pyarrow here was built
            without.
        UnreadablePhotoError: the storage cannot be set up: its library finds no credentials, for instance.
    """
    if not is_address(address):
        if not address:
            raise OptionError("an empty name", where="batch", next_step="Name a folder, `.` for the one you are in")
        return LocalFolder(address, Path(address))
    parts = urlsplit(address, allow_fragments=False)  # names may hold a `#`
    if parts.scheme not in SCHEMES:
        known = ", ".join(f"{scheme}://" for scheme in SCHEMES)
        raise OptionError("no such storage", where=address, next_step=f"Known are {known}")
    if parts.scheme == "file":
        if parts.netloc not in {"", "localhost"} or parts.query or not parts.path:
            raise OptionError("is no folder on a disk", where=address, next_step="Write file:///FOLDER, a ? as %3F")
        return LocalFolder(address, Path(unquote(parts.path)))
    if not parts.netloc.rpartition("@")[2]:
        raise OptionError("names no bucket", where=address, next_step=f"Write {parts.scheme}://BUCKET/FOLDER")
    try:
        storage = _storage(parts, address)
    except (ImportError, NotImplementedError) as error:
        raise OptionError(
            f"pyarrow is installed here without {parts.scheme}://",
            where=address,
            next_step="Install its wheel: pip install --force-reinstall 'photochrom[cluster]'",
        ) from error
    except (OSError, ValueError) as error:
        raise storage_error(error, address, writing=False) from error
    bucket = parts.netloc.rpartition("@")[2]  # credentials may stand before it, and are nobody's to see
    root = f"{bucket}/{unquote(parts.path).strip('/')}".rstrip("/")
    return CloudFolder(f"{parts.scheme}://{root}", storage, root)


def _storage(parts: SplitResult, address: str) -> arrow.FileSystem:
    from pyarrow import fs as arrow

    if parts.scheme == "az":
        variables = os.environ
        account = variables.get("AZURE_STORAGE_ACCOUNT_NAME") or variables.get("AZURE_STORAGE_ACCOUNT")
        if not account:
            raise OptionError(
                "which account is not said", where=address, next_step="Set AZURE_STORAGE_ACCOUNT to its name"
            )
        key = variables.get("AZURE_STORAGE_ACCOUNT_KEY") or variables.get("AZURE_STORAGE_KEY")
        return arrow.AzureFileSystem(account_name=account, account_key=key, **_places_of_azure(parts.query, address))
    options = parts.query
    if parts.scheme == "gs" and "retry_limit_seconds=" not in options:
        # Its own patience is a quarter of an hour, in silence.
        options = f"{options}&retry_limit_seconds={GOOGLE_PATIENCE_S}".lstrip("&")
    return arrow.FileSystem.from_uri(f"{parts.scheme}://{parts.netloc}" + (f"?{options}" if options else ""))[0]


def _places_of_azure(query: str, address: str) -> dict[str, str]:
    """Return where the storage is, if it is not where Azure's usually are: another of its clouds, or an emulator."""
    said = dict(parse_qsl(query, keep_blank_values=True))
    scheme = said.pop("scheme", "https")
    if unknown := sorted(said.keys() - set(AUTHORITIES)):
        known = ", ".join([*AUTHORITIES, "scheme"])
        raise OptionError(f"az:// has no option {unknown[0]!r}", where=address, next_step=f"It has {known}")
    return said | {"blob_storage_scheme": scheme, "dfs_storage_scheme": scheme}
