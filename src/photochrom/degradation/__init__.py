"""Making a clean photograph look old: seeded, composable, without torch.

``degrade(picture, "attic", seed=1)`` draws kinds of damage in random order from a preset; ``KINDS`` lists them.
The same engine ages pictures for the colour model (``ageing``) and damages them for the restoration models.
"""

from photochrom.degradation.engine import Degraded, degrade
from photochrom.degradation.kinds import KINDS, Kind
from photochrom.degradation.presets import Dose, Preset, load_preset, presets

__all__ = ["KINDS", "Degraded", "Dose", "Kind", "Preset", "degrade", "load_preset", "presets"]
