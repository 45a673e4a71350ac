"""`photochrom models`: list, show NAME, import FILE, pull NAME, push NAME PLACE."""

from __future__ import annotations

from cyclopts import App

from photochrom.cli.lines import say
from photochrom.colorizer import Colorizer
from photochrom.engines.catalog import ModelCard, find_card, model_cards
from photochrom.engines.hub import card_path, find_model, installed_models, looks_like_path
from photochrom.engines.restoration import CONTRACTS, OnnxStage, contract_of
from photochrom.errors import ModelNotInstalledError
from photochrom.options import DEFAULT_MODEL

app = App(name="models", help="List, show, import, pull or push models.")
# Loaded only when used: importing needs more than colouring does.
app.command(
    "photochrom.cli.importing:import_file",
    name="import",
    help="Turn a DeOldify or DDColor file into a model.",
)
app.command("photochrom.cli.importing:pull", name="pull", help="Download a published model, check and import it.")
app.command("photochrom.cli.importing:push", name="push", help="Write a model as a folder to publish, with an index.")


@app.command(name="list")
def list_models() -> None:
    """List the models: name, size on disk, licence, and what each is for."""
    imported = {name: file.card for name, file in installed_models().items() if file.card is not None}
    for card in (model_cards() | imported).values():
        size = _size(card)
        default = " (default)" if card.name == DEFAULT_MODEL else ""
        say(f"{card.name}{default}  {size}  {card.licence}")
        say(f"    {card.summary}")


@app.command
def show(name: str = DEFAULT_MODEL, /) -> None:
    """Show everything known of one model.

    Args:
        name: A name from `photochrom models list`, or the path of an .onnx file.
    """
    facts: dict[str, object] = {}
    if name not in installed_models() and not looks_like_path(name):
        facts = find_card(name).model_dump()
    try:
        file = find_model(name)
    except ModelNotInstalledError:
        _print_facts(facts)  # what is known of it, before the line that says how to get it
        raise
    facts |= {"path": file.path, "sha256": file.sha256}
    contract = file.card.contract if file.card is not None else contract_of(file.path)
    if contract in CONTRACTS:
        stage = OnnxStage(file.path, contract, expected_sha256=file.sha256)
        _print_facts(facts | stage.spec.model_dump(exclude={"name"}))
        return
    with Colorizer(name) as colorizer:
        spec, description = colorizer.engine.spec, colorizer.engine.description
    facts |= spec.model_dump(exclude={"bins_ab", "bin_shares", "name"})
    _print_facts({**facts, "bins": len(spec.bins_ab), "engine": description})


def _size(card: ModelCard) -> str:
    path = card_path(card)
    if not path.is_file():
        return "not installed"
    imported = [item for item in path.parent.iterdir() if item.suffix in {".onnx", ".weights"}]
    files = [path] if card.embedded else imported
    return f"{sum(item.stat().st_size for item in files) / 1e6:.1f} MB"


def _print_facts(facts: dict[str, object]) -> None:
    for key, value in facts.items():
        if value not in ("", None, ()):
            say(f"{key:14} {value}")
