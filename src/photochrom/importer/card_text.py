"""The README.md of an imported model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from photochrom.importer.parity import Parity
from photochrom.importer.quantization import QuantizationLoss

TEXT = """# {name}

{what}, imported by photochrom from `{source_file}`.

| | |
|---|---|
| licence of the weights | {licence}, as stated by their author ({author}) |
| trained on | {trained_on}; nothing is known of the terms for the pictures |
| sha256 of the source | `{source_sha256}` |
| recommended size of the net's copy | {render_px} px |
| difference from the network as published | {parity} |

Use it: `photochrom colorize photo.jpg --model {name}`{classic}.

Known weaknesses: colours are guesses, not facts about the past. {weaknesses}
`weights.safetensors` holds the parameters under their published names, for further training.

Papers: {papers}
"""
DEOLDIFY = {
    "author": "Jason Antic, DeOldify",
    "trained_on": "ImageNet, with a self-attention GAN",
    "classic": "; with `--classic`, as the original program did it",
    "weaknesses": "It hesitates to blue and brown, leaves hands grey, and reddens lips.",
    "papers": 'Zhang et al. 2018, "Self-Attention Generative Adversarial Networks"; Ronneberger et al. 2015, "U-Net".',
}
DDCOLOR = {
    "author": "DDColor, Alibaba DAMO Academy",
    "trained_on": "ImageNet, and for the artistic file further pictures that were not published",
    "classic": "",
    "weaknesses": "Strong colours can spread over things that had none.",
    "papers": 'Kang et al. 2023, "DDColor: Towards Photo-Realistic Image Colorization via Dual Decoders".',
}


def write_card_text(facts: Mapping[str, Any], what: str, parity: Parity, loss: QuantizationLoss | None = None) -> str:
    """Return the model card as Markdown; ``facts`` are those of the model's spec."""
    found = "not checked" if parity.largest is None else f"at most {parity.largest:.1e}"
    if loss:
        found = f"8-bit convolutions: on photographs held out, {loss} (of 255)"
    about = DDCOLOR if str(facts["network"]).startswith("ddcolor") else DEOLDIFY
    return TEXT.format(what=what, parity=found, **about, **facts)
