"""Fetch one picture from the web into a file, within limits."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from photochrom.computer.downloads import PATIENCE, opened_in_time, read_in_time
from photochrom.errors import OutputError, UnreadablePhotoError
from photochrom.files.codecs.atomic import write_whole

TIMEOUT_S = 30.0
MOST_REDIRECTS = 5
LARGEST_BYTES = 50_000_000
USER_AGENT = "Mozilla/5.0 (compatible; photochrom)"  # some picture servers refuse what does not look like a browser


class _FewRedirects(urllib.request.HTTPRedirectHandler):
    """Follows few redirects; its parent follows none that leave the web."""

    max_redirections = MOST_REDIRECTS


def fetch_picture(url: str, path: Path, *, timeout_s: float = TIMEOUT_S, largest_bytes: int = LARGEST_BYTES) -> None:
    """Write what an http or https address gives to ``path``.

    Raises:
        UnreadablePhotoError: another kind of address, no answer in time, too many redirects, or too large.
        OutputError: the file cannot be written.
    """
    if urlsplit(url).scheme not in {"http", "https"}:
        raise UnreadablePhotoError("not a web address", where=url, next_step="Give one with http:// or https://.")
    content = _content(url, timeout_s, largest_bytes)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"cannot be written ({error.strerror})", where=str(path)) from None


def _content(url: str, timeout_s: float, largest_bytes: int) -> bytes:
    request = urllib.request.Request(url, headers={"User-Agent": USER_AGENT})  # noqa: S310 - checked by the caller
    try:
        with opened_in_time(urllib.request.build_opener(_FewRedirects()), request, timeout_s) as answer:
            content = read_in_time(answer, largest_bytes + 1, PATIENCE * timeout_s)
    except urllib.error.HTTPError as error:
        redirected = error.code in {301, 302, 303, 307, 308}
        reason = "it redirects too often, or away from the web" if redirected else f"HTTP {error.code}"
        error.close()
        raise UnreadablePhotoError(f"the picture could not be fetched ({reason})", where=url) from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = str(getattr(error, "reason", "") or type(error).__name__)
        raise UnreadablePhotoError(f"the picture could not be fetched ({reason})", where=url) from None
    if len(content) > largest_bytes:
        raise UnreadablePhotoError(
            f"larger than {largest_bytes / 1e6:.0f} MB", where=url, next_step="Fetch it by hand."
        )
    return content
