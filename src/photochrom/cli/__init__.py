"""The command line: one file per verb, loaded when the verb is used."""

from __future__ import annotations

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
    raise SystemExit(code)
