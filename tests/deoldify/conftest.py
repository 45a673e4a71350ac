"""Fixtures shared by the tests of the published generators."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from stand_in_weights import Array, weights_for


@pytest.fixture(scope="session")
def expected() -> dict[str, Array]:
    """Return inputs, and answers of the original implementation with stand-in weights."""
    with np.load(Path(__file__).with_name("expected.npz")) as stored:
        return dict(stored)


@pytest.fixture(scope="session")
def artistic_weights() -> dict[str, Array]:
    """Return stand-in weights of the artistic generator (255 MB)."""
    from photochrom.nets.deoldify import artistic

    return weights_for(artistic)
