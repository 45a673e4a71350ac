"""The command line: one file per verb, loaded when the verb is used."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    from photochrom.cli.app import end_on_signals, run  # keeps `import photochrom.cli` free of the parser
    from photochrom.cli.lines import discard_output, open_closed_streams

    open_closed_streams()
    end_on_signals()
    code = run()
    try:
        sys.stdout.flush()
    except OSError:  # told already, or nobody is left to tell
        discard_output()
    _end_what_is_left(code)
    raise SystemExit(code)


def _end_what_is_left(code: int) -> None:
    """Leave at once where a decoder still runs that nobody waits for: on the usual way out it would be waited for."""
    patience = sys.modules.get("photochrom.files.patience")
    if patience and patience.is_anything_left():
        sys.stderr.flush()
        os._exit(code)
