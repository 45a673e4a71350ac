"""What was worked out last is kept, and no more of it than was asked for."""

from __future__ import annotations

import pytest

from photochrom.studio.recent import Recent


def test_what_was_used_last_is_kept_and_made_once() -> None:
    kept, made = Recent[str, str](2), list[str]()

    def get(key: str) -> str:
        return kept.get(key, lambda: made.append(key) or key.upper())

    assert [get(key) for key in "abacab"] == ["A", "B", "A", "C", "A", "B"]
    assert made == ["a", "b", "c", "b"]


def test_what_cannot_be_made_is_not_kept() -> None:
    kept = Recent[str, str](2)
    with pytest.raises(ZeroDivisionError):
        kept.get("a", lambda: str(1 / 0))
    assert kept.get("a", lambda: "now") == "now"
