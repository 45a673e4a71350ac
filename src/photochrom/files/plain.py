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
    profile = picture.info.get("icc_profile") if picture.mode in {"RGB", "RGBA", "P"} else None
    upright = ImageOps.exif_transpose(picture)
    rgb = (_as_8_bits(upright) if upright.mode[0] in "IF" else upright).convert("RGB")
    if not isinstance(profile, bytes) or not profile:
        return rgb
    try:
        if color_space(profile) != "RGB" or is_srgb(profile):
            return rgb
        return Image.fromarray(np.asarray(to_srgb(image_from(np.asarray(rgb)), profile).numpy()))
    except DamagedProfileError:
        return rgb


def _as_8_bits(grey: Image.Image) -> Image.Image:
    """Return grey of 16 bits (I), or of floats in 0..1 (F), with codes 0..255; Pillow would cut all above 255 off."""
    shares = np.asarray(grey, np.float32) / np.float32(1 if grey.mode == "F" else 65535)
    return Image.fromarray(np.rint(np.clip(np.nan_to_num(shares), 0, 1) * 255).astype(np.uint8))
