"""Making a clean photograph look old: seeded, composable, without torch.

``degrade(picture, "attic", seed=1)`` draws kinds of damage in random order from a preset; ``KINDS`` lists them.
``degrade_film`` is the same for frames in a row.
The same engine ages pictures for the colour model (``ageing``) and damages them for the restoration models.
"""

from photochrom.degradation.engine import Degraded, degrade
from photochrom.degradation.kinds import KINDS, Kind
from photochrom.degradation.presets import Dose, Preset, load_preset, presets
from photochrom.degradation.reels import degrade_film

__all__ = ["KINDS", "Degraded", "Dose", "Kind", "Preset", "degrade", "degrade_film", "load_preset", "presets"]
