"""Restoring: damage found and filled, noise removed, tones corrected. ``pipeline`` shows the way of a photograph.

Nothing here invents what a photograph does not show: no model has learned faces, and holes too large to be filled
from what lies around them stay.
"""
