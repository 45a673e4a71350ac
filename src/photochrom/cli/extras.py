"""Which optional packages a verb needs, and the one line that says how to install them."""

from __future__ import annotations

import importlib.util

from photochrom.errors import MissingExtraError


def require_extra(extra: str, purpose: str, *modules: str) -> None:
    """Return when all the modules are installed.

    Raises:
        MissingExtraError: one is not; the message names the command that installs the extra.
    """
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise MissingExtraError(
                f"{purpose} needs {module}, which is not installed", next_step=f"Run: pip install 'photochrom[{extra}]'"
            )
