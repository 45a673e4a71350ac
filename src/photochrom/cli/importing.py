"""`photochrom models import FILE`, `pull NAME` and `push NAME PLACE`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from photochrom.cli.lines import say
from photochrom.cli.progress import print_bytes
from photochrom.colorizer import Colorizer
from photochrom.computer.downloads import fetch
from photochrom.engines.catalog import ModelCard
from photochrom.engines.hub import cache_folder, find_model, models_folder
from photochrom.engines.restoration import CONTRACTS, OnnxStage, contract_of
from photochrom.errors import OptionError
from photochrom.importer.indexes import pull_model, read_private_key, sign_index, signature_of
from photochrom.importer.installation import ImportedModel, import_model, refuse_taken
from photochrom.importer.published import published_file
from photochrom.importer.repositories import INDEX_FILE, push_model, unpublishable
from photochrom.options import RestoreOptions


def import_file(
    file: Path,
    /,
    *,
    name: str | None = None,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
    int8: Path | None = None,
) -> None:
    """Turn a published file of DeOldify or DDColor into a model for `colorize --model`. Runs no code of the file.

    Args:
        file: A .pth, .h5 or .safetensors file, known by its contents: DeOldify's ColorizeArtistic_gen,
            ColorizeStable_gen, ColorizeVideo_gen or a generator of 2018; DDColor's modelscope, artistic or paper_tiny.
        name: What to call the model. Left out, by what the file holds.
        overwrite: Replace an installed model of that name.
        int8: A folder of photographs: make the convolutions 8 bit wide, with ranges measured on these. The model
            shrinks to a seventh and needs more memory; no quicker for one photograph.
    """
    _print_result(import_model(file, models_folder(), name=name, overwrite=overwrite, int8_photos=int8))


def pull(
    name: str,
    /,
    *,
    index: str | None = None,
    index_key: Path | None = None,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
    keep_download: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Download a published model, check it against its sha256, and import it. An interrupted download goes on.

    Args:
        name: deoldify-artistic (255 MB), deoldify-stable (874 MB) or deoldify-video (874 MB), or with --index a name
            that the index has.
        index: Take the model from this index instead, a file or an https:// address, as `models push` writes it.
        index_key: An Ed25519 public key (PEM); the index must be signed by it. Needs the hub extra.
        overwrite: Replace an installed model of that name.
        keep_download: Keep the published file beside the model made from it.
    """
    if index is None and index_key is not None:
        raise OptionError("needs --index", where="--index-key", next_step="Add --index FILE or address")
    if index is not None and keep_download:
        what, next_step = "does nothing with --index", "Leave out one of the two"
        raise OptionError(what, where="--keep-download", next_step=next_step)
    if index is not None:
        card = pull_model(name, index, models_folder(), key=index_key, overwrite=overwrite, progress=print_bytes)
        say(f"{card.name}: {card.summary} ({card.licence})")
        if card.kind == "color":
            say(f"Use it: photochrom colorize photo.jpg --model {card.name}")
        elif f"{card.kind}_model" in RestoreOptions.model_fields:
            say(f"Use it: photochrom restore photo.jpg --{card.kind}-model {card.name}")
        return
    published = published_file(name)
    refuse_taken(name, models_folder(), overwrite=overwrite)  # which an import would say after the download
    path = fetch(published, cache_folder() / "downloads", progress=print_bytes)
    result = import_model(path, models_folder(), name=name, overwrite=overwrite)
    if not keep_download:
        path.unlink()
    _print_result(result)


def push(
    model: str,
    place: Path,
    /,
    *,
    name: str | None = None,
    licence: str | None = None,
    licence_file: Path | None = None,
    summary: str | None = None,
    text: Path | None = None,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
    signing_key: Path | None = None,
) -> None:
    """Write a model, its card, hashes and licence as a folder to publish, and into the index beside it.

    The folder is a Hugging Face repository as it is (`hf upload OWNER/NAME PLACE/NAME`); the place, put on any web
    server, serves `models pull NAME --index https://.../index.json`.

    Args:
        model: A name from `photochrom models list`, or the path of an .onnx file made by photochrom.
        place: The folder that models are published from.
        name: What to call it. Left out, as it is called.
        licence: Its licence, such as MIT or CC-BY-4.0. Left out, what the model says.
        licence_file: The licence's text.
        summary: One line on what it is for. Left out, what its card says.
        text: The model card, a Markdown file.
        overwrite: Replace a model of that name.
        signing_key: Sign the index with this Ed25519 private key (PEM). Needs the hub extra.
    """
    file = find_model(model)
    contract, said = _spoken_of(file.path, file.card)
    kind: Any = contract.partition("/")[0] if contract in CONTRACTS else "color"
    try:
        card = ModelCard(
            name=name or file.name,
            kind=kind,
            contract=contract,
            file=file.path.name,
            sha256="",
            licence=licence or said,
            summary=summary or (file.card.summary if file.card else f"{name or file.name}, a model for photochrom"),
            trained_on=file.card.trained_on if file.card else "",
        )
    except ValueError as error:  # of what a card says, the file's name alone is not ours
        raise unpublishable([file.path]) from error
    try:
        prose = text.read_text(encoding="utf-8") if text else ""
    except UnicodeDecodeError as error:
        raise OptionError("is no text in UTF-8", where=f"--text {text}", next_step="Save it as one") from error
    if signing_key is not None:
        read_private_key(signing_key)  # an index that is written and not signed would be nobody's to use
    elif (signature := signature_of(place / INDEX_FILE)).exists():
        raise OptionError(
            "signs the index that is there, and not the one that would be",
            where=str(signature),
            next_step="Add --signing-key, or delete it",
        )
    pushed = push_model(file.path, card, place, text=prose, licence=licence_file, overwrite=overwrite)
    say(f"{pushed.folder}  {card.licence}")
    if signing_key is not None:
        say(f"{sign_index(pushed.index, signing_key)}")
    say(f"Anybody takes it with: photochrom models pull {card.name} --index {pushed.index}")


def _spoken_of(path: Path, card: ModelCard | None) -> tuple[str, str]:
    """Return the contract and the licence that a model states."""
    if card is not None:
        return card.contract, card.licence
    contract = contract_of(path)
    if contract in CONTRACTS:
        return contract, OnnxStage(path, contract).spec.licence or "unknown"
    with Colorizer(str(path)) as colorizer:
        return contract, colorizer.engine.spec.licence or "unknown"


def _print_result(result: ImportedModel) -> None:
    found = result.parity.largest
    parity = (
        "not compared with the unfolded network" if found is None else f"within {found:.1e} of the unfolded network"
    )
    if result.loss:
        parity = f"8 bit, {result.loss} (of 255, photographs held out)"
    say(f"{result.name}: {result.kind.what}, {parity}")
    say(f"Use it: photochrom colorize photo.jpg --model {result.name}")
    for note in result.notes:
        say(f"Note: {note}")
