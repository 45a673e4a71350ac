"""The README.md of an imported model."""

from __future__ import annotations

from photochrom.engines.generator_spec import GeneratorSpec
from photochrom.importer.parity import Parity

TEXT = """# {name}

{what}, imported by photochrom from `{source_file}`.

| | |
|---|---|
| licence of the weights | {licence}, as stated by their author (Jason Antic, DeOldify) |
| trained on | ImageNet, with a self-attention GAN; nothing is known of the terms for the pictures |
| sha256 of the source | `{source_sha256}` |
| recommended render factor | {render_factor} (the net's copy has the area of a square of {render_px} px) |
| difference from the unfolded network | {parity} |

Use it: `photochrom colorize photo.jpg --model {name}`; with `--classic`, as the original program did it.

Known weaknesses: colours are guesses, not facts about the past; it hesitates to blue and brown, leaves hands grey, and
reddens lips. `weights.safetensors` holds the parameters under their published names, for further training.

Papers: Zhang et al. 2018, "Self-Attention Generative Adversarial Networks"; Ronneberger et al. 2015, "U-Net".
"""


def write_card_text(spec: GeneratorSpec, what: str, parity: Parity) -> str:
    """Return the model card as Markdown."""
    found = "not checked" if parity.largest is None else f"at most {parity.largest:.1e} (tolerance 1e-3)"
    facts = spec.model_dump(include={"name", "source_file", "licence", "source_sha256", "render_px"})
    return TEXT.format(what=what, parity=found, render_factor=spec.render_px // 16, **facts)
