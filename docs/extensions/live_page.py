"""The page that colours in the browser, on the site itself: written beside the documents, and linked to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from photochrom.webpage.runtime import kept_package, read_runtime

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FOLDER = "try"


class LivePage(SphinxDirective):
    """``{live-page} WORDS``: a link to the page; nothing where ONNX Runtime Web is not on this computer."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Return the link."""
        if not kept_package().is_file():
            return []
        return [nodes.raw("", f'<p><a href="{FOLDER}/index.html">{self.arguments[0]}</a></p>', format="html")]


def write(app: Sphinx, error: Exception | None) -> None:
    """Write the page into the site."""
    if error is None and app.builder.format == "html" and kept_package().is_file():
        from photochrom.webpage.export import export_page

        export_page(Path(app.outdir) / FOLDER, read_runtime(), overwrite=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.add_directive("live-page", LivePage)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True}
