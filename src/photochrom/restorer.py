"""The public way in for restoring: `restore` for one picture, `Restorer` for a session that is loaded once and reused.

What comes out is of the kind that went in; see ``kinds``. A grey picture stays a grey picture.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Mapping
from typing import Any, overload

import numpy as np
import numpy.typing as npt
from PIL import Image

from photochrom.engines.hub import find_model
from photochrom.engines.restoration import CURRENT, OnnxStage, StageEngine
from photochrom.errors import OptionError
from photochrom.files.kinds import Same, opened
from photochrom.files.photo import Photo
from photochrom.files.provenance import RESTORE, Provenance
from photochrom.files.reading import open_photo
from photochrom.luma import luma_codes
from photochrom.options import EngineOptions, Limits, RestoreOptions, Switch
from photochrom.restoration.pipeline import RestoreResult, restore_photo
from photochrom.session import Session
from photochrom.version import VERSION

Mask = npt.NDArray[np.bool_]
MaskSource = str | os.PathLike[str] | bytes | Image.Image | npt.NDArray[Any]
MODEL_FIELDS = ("damage_model", "inpaint_model", "noise_model", "tone_model")
JOINED = " + "


class Restorer(Session):
    """Loaded models and the options to restore with. Safe to share between threads; a context manager.

    Args:
        options: what to do; left out, damage, noise and tone each decide by themselves whether they are needed.
        engines: what runs the models, by kind ("damage", "inpaint", "noise", "tone"), for tests and other runtimes; no
            model files are loaded for these.
        engine_options: threads and device of the engines that are made.
        mask: what to fill of each photograph, as for `run`, where that is given none.

    Raises:
        UnknownModelError, ModelNotInstalledError, ModelFileError: a model that is needed cannot be loaded.

    Cost: loading takes a fraction of a second and some tens of megabytes; keep the session for many pictures.

    Example:
        >>> with photochrom.Restorer(photochrom.RestoreOptions(damage="never", noise="never")) as restorer:
        ...     faded = photochrom.Photo(np.linspace(90, 150, 64 * 64).reshape(64, 64, 1).astype(np.uint8))
        ...     [note.partition(":")[0] for note in restorer.run(faded).notes]
        ['tone']
    """

    def __init__(
        self,
        options: RestoreOptions | None = None,
        *,
        engines: Mapping[str, StageEngine] | None = None,
        engine_options: EngineOptions | None = None,
        mask: Mask | None = None,
    ) -> None:
        self.options, self.mask = options or RestoreOptions(), mask
        self._engine_options = engine_options
        self._threads = (engine_options.threads if engine_options else None) or 0
        self.engines = dict(engines or {})
        self._loading = threading.Lock()
        for kind in [*kinds_for(self.options), *(["inpaint"] if mask is not None else [])]:
            self._load(kind)

    @overload
    def __call__(
        self, picture: str | os.PathLike[str] | Image.Image, *, mask: MaskSource | None = ...
    ) -> Image.Image: ...
    @overload
    def __call__(self, picture: Same, *, mask: MaskSource | None = ...) -> Same: ...
    def __call__(self, picture: object, *, mask: MaskSource | None = None) -> object:
        """Return the picture restored, as the kind it came in, of the same size and depth.

        Args:
            picture: a path, bytes of a file, a Pillow image, an array (uint8, uint16 or float in 0..1, sRGB), a Photo.
            mask: a picture of the same size, white where the photograph is to be filled; instead of what the model
                finds.

        Raises:
            PhotoError: the picture cannot be read, or is of a kind that cannot be handled without loss.
            OptionError: the mask does not fit.
        """
        photo, given_back = opened(picture)
        drawn = self.mask if mask is None else read_mask(mask)
        result = self.run(photo, mask=drawn)
        return given_back(result.photo, self.provenance_with(drawn).of_pages([result.source_type]))

    def run(self, photo: Photo, *, mask: Mask | None = None) -> RestoreResult:
        """Return the restored photo together with mask, decisions, notes and seconds per stage.

        ``mask`` is (H, W), true where the photograph is to be filled; see `read_mask`.
        """
        mask = self.mask if mask is None else mask
        self.refuse_idle(mask)
        if mask is not None:
            self._load("inpaint")
        return restore_photo(photo, self.engines, self.options, mask=mask, threads=self._threads)

    def refuse_idle(self, mask: Mask | None = None) -> None:
        """Raise OptionError where the options leave nothing to do, and no mask says what to fill."""
        if mask is None and self.mask is None:
            refuse_idle(self.options)

    @property
    def provenance(self) -> Provenance:
        """What results say of their making: models, hashes, version and every option that shapes the picture."""
        return self.provenance_with(self.mask)

    def provenance_with(self, mask: Mask | None) -> Provenance:
        """Return the provenance of results made with a hand-drawn mask, whose hash is stated."""
        kinds = kinds_for(self.options)
        if mask is not None:
            self._load("inpaint")
            kinds = list(dict.fromkeys(["inpaint", *(kind for kind in kinds if kind != "damage")]))
        specs = [self.engines[kind].spec for kind in kinds]
        settings = self.options.model_dump(exclude={*MODEL_FIELDS, "keep_mask"})
        if mask is not None:
            settings["mask_sha256"] = mask_sha256(mask)
        names, hashes = (JOINED.join(texts) for texts in ([s.name for s in specs], [s.sha256 for s in specs]))
        return Provenance(names or "none", hashes or "none", VERSION, settings, RESTORE)

    def close(self) -> None:
        """Release the models' memory."""
        for engine in self.engines.values():
            engine.close()

    def _load(self, kind: str) -> None:
        with self._loading:
            if kind not in self.engines:
                file = find_model(getattr(self.options, f"{kind}_model"))
                self.engines[kind] = OnnxStage(
                    file.path, CURRENT[kind], expected_sha256=file.sha256, options=self._engine_options
                )


def kinds_for(options: RestoreOptions) -> list[str]:
    """Return the models that options need, in the order of their use."""
    return [
        *(["damage", "inpaint"] if options.damage != "never" else []),
        *(["noise"] if options.noise != "never" else []),
        *(["tone"] if options.tone != "never" else []),
    ]


def refuse_idle(options: RestoreOptions) -> None:
    """Raise OptionError where options leave nothing to do."""
    if not kinds_for(options) and not options.neutralize:
        raise OptionError(
            "every stage is switched off, nothing is left to do",
            where="restore",
            next_step="Leave at least one of damage, noise and tone at auto",
        )


@overload
def restore(
    picture: str | os.PathLike[str] | Image.Image,
    *,
    damage: Switch = ...,
    noise: Switch = ...,
    tone: Switch = ...,
    noise_strength: float = ...,
    tone_strength: float = ...,
    neutralize: bool = ...,
    correct_cast: bool = ...,
    mask: MaskSource | None = ...,
) -> Image.Image: ...
@overload
def restore(
    picture: Same,
    *,
    damage: Switch = ...,
    noise: Switch = ...,
    tone: Switch = ...,
    noise_strength: float = ...,
    tone_strength: float = ...,
    neutralize: bool = ...,
    correct_cast: bool = ...,
    mask: MaskSource | None = ...,
) -> Same: ...
def restore(
    picture: Any,
    *,
    damage: Switch = "auto",
    noise: Switch = "auto",
    tone: Switch = "auto",
    noise_strength: float = 1.0,
    tone_strength: float = 1.0,
    neutralize: bool = False,
    correct_cast: bool = False,
    mask: MaskSource | None = None,
) -> Any:
    """Return one picture restored, as the kind it came in (path in, PIL image out); see ``kinds``.

    The options are those of `RestoreOptions`, with the same defaults: damage, noise and tone each decide by themselves
    whether they are needed. ``mask`` is a picture that is white where the photograph is to be filled. Loads the models
    each time: for several pictures, and to read what was decided, use a `Restorer`.

    Raises:
        OptionError: an option is out of range, or the mask does not fit.
        ModelError: a model cannot be found or loaded.
        PhotoError: the picture cannot be read or handled.

    Example:
        >>> grey = np.full((64, 64), 128, np.uint8)
        >>> photochrom.restore(grey, noise="always", damage="never").shape
        (64, 64)
    """
    options = RestoreOptions.checked(
        damage=damage,
        noise=noise,
        tone=tone,
        noise_strength=noise_strength,
        tone_strength=tone_strength,
        neutralize=neutralize,
        correct_cast=correct_cast,
    )
    with Restorer(options) as restorer:
        return restorer(picture, mask=mask)


def read_mask(source: MaskSource, *, limits: Limits | None = None) -> Mask:
    """Return a hand-drawn mask as (H, W), true where the picture is brighter than half, and not transparent.

    Args:
        source: a path, bytes of a file, a Pillow image or an array; of booleans, it is taken as it is.
        limits: what a file may cost.

    Raises:
        PhotoError: it cannot be read.
    """
    if isinstance(source, np.ndarray) and source.dtype == np.bool_:
        source = source.astype(np.uint8) * np.uint8(255)
    photo = open_photo(source, limits=limits) if isinstance(source, str | os.PathLike | bytes) else opened(source)[0]
    codes = luma_codes(photo.pixels)
    half = np.iinfo(codes.dtype).max // 2
    marked = np.asarray(codes > half)
    return marked if photo.alpha is None else marked & (photo.alpha > half)


def mask_sha256(mask: Mask) -> str:
    """Return the hash of a mask's size and contents, whatever file it came from."""
    return hashlib.sha256(f"{mask.shape}".encode() + np.packbits(mask).tobytes()).hexdigest()
