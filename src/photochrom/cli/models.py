"""`photochrom models list` and `photochrom models show NAME`."""

from __future__ import annotations

from cyclopts import App

from photochrom.catalog import find_card, model_cards
from photochrom.hub import card_path, find_model, looks_like_path
from photochrom.options import DEFAULT_MODEL

app = App(name="models", help="List the models, or show one.")


@app.command(name="list")
def list_models() -> None:
    """List the models: name, size on disk, licence, and what each is for."""
    for card in model_cards().values():
        path = card_path(card)
        size = f"{path.stat().st_size / 1e6:.1f} MB" if path.is_file() else "not installed"
        default = " (default)" if card.name == DEFAULT_MODEL else ""
        print(f"{card.name}{default}  {size}  {card.licence}\n    {card.summary}")


@app.command
def show(name: str = DEFAULT_MODEL, /) -> None:
    """Show everything known of one model.

    Args:
        name: A name from `photochrom models list`, or the path of an .onnx file.
    """
    if not looks_like_path(name):
        _print_facts(find_card(name).model_dump())
    file = find_model(name)
    from photochrom.engines.onnx import OnnxEngine  # loads ONNX Runtime, a third of a second

    engine = OnnxEngine(file.path, expected_sha256=file.sha256)
    facts = engine.spec.model_dump(exclude={"bins_ab", "name"})
    _print_facts({"path": file.path, **facts, "bins": len(engine.spec.bins_ab), "engine": engine.description})


def _print_facts(facts: dict[str, object]) -> None:
    for key, value in facts.items():
        if value not in ("", None):
            print(f"{key:14} {value}")
