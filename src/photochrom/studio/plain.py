"""The page that needs no server, as the studio hands it out: what `photochrom studio --export-page` writes."""

from __future__ import annotations

import threading

from photochrom.options import DEFAULT_MODEL
from photochrom.studio.sessions import Sessions
from photochrom.webpage.runtime import kept_package, read_runtime


class PlainPage:
    """The page's files, made when somebody first asks for one. Safe to use from several threads.

    Browsers are not told to keep it: the studio's address is another one at each start.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._files: dict[str, bytes] = {}
        self._making = threading.Lock()

    @property
    def is_there(self) -> bool:
        """Whether what it needs was fetched once."""
        return kept_package().is_file()

    def file(self, path: str) -> bytes | None:
        """Return a file of the page; None where there is none of that name.

        Raises:
            MissingExtraError: ONNX Runtime Web has not been fetched.
            ModelError: the model cannot be read.

        Cost: two seconds and 20 MB, once.
        """
        with self._making:
            if not self._files:
                self._files = self._made()
        return self._files.get(path or "index.html")

    def _made(self) -> dict[str, bytes]:
        from photochrom.webpage.bundle import bundle_page

        runtime, spec = read_runtime(), self._sessions.engine(DEFAULT_MODEL).spec
        return bundle_page(self._sessions.file_of(DEFAULT_MODEL).read_bytes(), spec, runtime, keep=False)
