"""Restoring: damage found and filled, noise removed, tones corrected. ``pipeline`` shows the way of a photograph.

Nothing here invents what a photograph does not show: no model has learned faces, and holes too large to be filled
from what lies around them stay.

Damage is found in tiles at several sizes and decided upon (`damage`), rows of letters are taken out of it
(`writing`), and it is filled, thick holes first on smaller copies (`inpainting`); noise is removed in tiles
(`noise`); tones are corrected by curves and fields, strip by strip (`tone`); toned photographs are told from coloured
ones (`toning`), and what looks like a negative is told (`polarity`). Each stage measures whether it is needed and says
so (`decisions`); what they share is `work`. `tiling` cuts and blends, `views` turns, and neither knows a model. All
work in place on one copy of the pixels; batch, albums, recipes and provenance are those of colouring.
"""
