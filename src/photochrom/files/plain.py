"""A colour photograph as learners and judges take it: upright, sRGB, 8 bits, by Pillow, without what archives keep.

``open_photo`` reads more kinds, whole and exactly; a training run reads a million photographs and needs none of that.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageOps

from photochrom.files.codecs.icc import DamagedProfileError, color_space, is_srgb, to_srgb
from photochrom.files.codecs.libvips import image_from


def plain_rgb(picture: Image.Image) -> Image.Image:
    """Return an opened picture turned upright, in sRGB by its profile if it has one, without transparency.

    A profile that is damaged, or for other than RGB pixels, counts as none.

    Raises:
        OSError, ValueError, SyntaxError: the picture is damaged, as Pillow tells it.
    """
    profile = picture.info.get("icc_profile") if picture.mode in {"RGB", "RGBA"} else None
    rgb = ImageOps.exif_transpose(picture).convert("RGB")
    if not isinstance(profile, bytes) or not profile:
        return rgb
    try:
        if color_space(profile) != "RGB" or is_srgb(profile):
            return rgb
        return Image.fromarray(np.asarray(to_srgb(image_from(np.asarray(rgb)), profile).numpy()))
    except DamagedProfileError:
        return rgb
