"""How Sphinx makes the documentation's site: `python -m sphinx -W -b html docs site`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

from photochrom.version import VERSION

project = "photochrom"
author = "The photochrom authors"
copyright = "2026, the photochrom authors"
release = version = VERSION
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "from_code", "live_page"]
exclude_patterns = ["extensions"]
root_doc = "index"
html_theme = "furo"
html_title = f"photochrom {VERSION}"
html_extra_path = ["hints.schema.json"]
myst_heading_anchors = 3
myst_enable_extensions = ["deflist"]
suppress_warnings = ["myst.header"]  # cards begin with a table that has no heading of its own
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_member_order = "bysource"
add_module_names = False
linkcheck_timeout = 20
linkcheck_ignore = [r"http://127\.0\.0\.1.*", r"https://[^/]*example\.org.*"]
