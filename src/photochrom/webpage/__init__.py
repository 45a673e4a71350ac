"""Colours on a page without any server: a folder for any web host, whose page colours in the browser itself.

A catalogue's colour model and ONNX Runtime Web come in (`runtime`); `export` writes them beside the page of `site/`.
The page's own arithmetic, `site/app/`, says in JavaScript what `coloring/` says in Python, for one view.
"""
