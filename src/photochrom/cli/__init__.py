"""The command line: one file per verb, loaded when the verb is used."""

from __future__ import annotations


def main() -> None:
    """Run the command line and leave with its exit code."""
    from photochrom.cli.app import run  # keeps `import photochrom.cli` free of the parser

    raise SystemExit(run())
