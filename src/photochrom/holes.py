"""What a mask of holes says, agreed upon by the network that fills them, its training, and the damage stage.

A mask is 0 where the picture is known and 1 in a hole, into which the network does not look. Between the two it is the
probability that what was found there is damage, and the network sees what it is.
"""

from __future__ import annotations

POSSIBLE = 0.35
"""Probability from which on what was found may be damage, and is filled."""
SUREST = 0.98
"""What the network is told at most of damage that was found: 1 would be a hole."""
IS_HOLE = 0.99
"""From here on a mask says that there is a hole."""
