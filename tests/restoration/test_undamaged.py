"""What restoring leaves as it was: undamaged photographs, faces, originals, metadata."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from skimage import data

from photochrom.degradation import Dose, Preset, degrade
from photochrom.engines.catalog import find_card
from photochrom.engines.restoration import OnnxStage
from photochrom.errors import ModelError
from photochrom.files.photo import Photo
from photochrom.options import RestoreOptions
from photochrom.restorer import Restorer
from tests.restoration.samples import RestorerFor, faded, photo_of

has_models = pytest.mark.skipif(not find_card("photochrom-noise").sha256, reason="this build has no restoring models")


@pytest.mark.slow
@has_models
@pytest.mark.parametrize("name", ["camera", "coffee", "astronaut", "chelsea", "rocket"])
def test_an_undamaged_photograph_is_left_nearly_as_it_is(name: str) -> None:
    """With the embedded models, every stage deciding by itself, as `photochrom restore` does."""
    picture = np.asarray(getattr(data, name)())
    from skimage.metrics import peak_signal_noise_ratio

    with Restorer() as session:
        result = session.run(photo_of(picture))
    out = result.photo.pixels.reshape(picture.shape)
    assert np.array_equal(out, picture) or peak_signal_noise_ratio(picture, out) >= 38


FACE = np.s_[60:190, 165:285]  # of scikit-image's astronaut
FOUND = {"damage": "always", "noise": "never", "tone": "never"}


@pytest.mark.slow
@has_models
@pytest.mark.parametrize(("kind", "seed"), [("scratches", 1), ("scratches", 2), ("folds", 0), ("cracks", 1)])
def test_in_a_face_damage_goes_and_nothing_else_changes(kind: str, seed: int) -> None:
    truth = data.astronaut()
    worn = degrade(truth, Preset(kinds={kind: Dose(strength=(1, 1))}), seed)
    picture = np.rint(worn.picture * 255).astype(np.uint8)
    with Restorer(RestoreOptions.checked(**FOUND)) as session:
        result = session.run(photo_of(picture))
    assert result.mask is not None
    out = result.photo.pixels
    assert np.array_equal(out[result.mask == 0], picture[result.mask == 0])
    before, after = (part[FACE].astype(np.float64) - truth[FACE] for part in (picture, out))
    assert np.square(after).mean() < 0.8 * np.square(before).mean()  # 1 dB
    undamaged = ~worn.mask[FACE] & (np.abs(before) <= 2).all(axis=-1)
    assert np.square(after[undamaged]).mean() < 255**2 / 10**4  # 40 dB


@pytest.mark.slow
@has_models
def test_an_undamaged_face_stays_as_it_is() -> None:
    picture = data.astronaut()
    with Restorer() as session:
        out = session.run(photo_of(picture)).photo.pixels
    assert np.abs(out[FACE].astype(int) - picture[FACE]).mean() < 1


def test_nothing_changed_means_the_same_pixels_and_no_claim(restorer_for: RestorerFor) -> None:
    photo = photo_of(np.broadcast_to(np.linspace(0, 255, 300), (200, 300)).astype(np.uint8))
    result = restorer_for(damage="never", tone_strength=0).run(photo)
    assert not result.changed
    assert result.photo.pixels is photo.pixels
    assert result.source_type == ""
    assert result.models == ()
    assert [found.stage for found in result.decisions] == ["noise", "tone"]
    assert "left alone" in result.notes[0]


def test_the_photograph_given_is_never_written_to(restorer_for: RestorerFor, scratched: tuple[np.ndarray, ...]) -> None:
    picture = faded(scratched[0])
    picture.setflags(write=False)
    before = picture.copy()
    restorer_for(damage="always", noise="always", tone="always").run(photo_of(picture))
    assert np.array_equal(picture, before)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 3), (3, 2000, 1), (2000, 2, 3), (17, 33, 3)])
def test_pictures_of_any_size_go_through(shape: tuple[int, int, int], restorer_for: RestorerFor) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    result = restorer_for(damage="always", noise="always", tone="always").run(Photo(pixels))
    assert result.photo.pixels.shape == shape


@pytest.mark.slow
def test_alpha_and_metadata_stay(restorer_for: RestorerFor, camera: np.ndarray) -> None:
    alpha = np.random.default_rng(0).integers(0, 256, camera.shape, dtype=np.uint8)
    given = replace(photo_of(camera), alpha=alpha, notes=("read",), format="tiff")
    result = restorer_for(noise="always").run(given)
    assert result.photo.alpha is alpha
    assert result.photo.format == "tiff"
    assert result.notes[0] == "read"
    assert result.photo.notes == result.notes


def test_a_model_that_gives_no_numbers_is_an_error(stages: dict[str, OnnxStage], camera: np.ndarray) -> None:
    class Wrong:
        spec = stages["tone"].spec

        def run(self, rgb: np.ndarray, mask: np.ndarray | None = None) -> dict[str, np.ndarray]:
            return {"curves": np.zeros((1, 3, 4)), "gain": np.zeros((1, 3, 1, 1)), "offset": np.zeros((1, 3, 1, 1))}

        def close(self) -> None: ...

    session = Restorer(RestoreOptions(damage="never", noise="never"), engines={"tone": Wrong()})
    with pytest.raises(ModelError, match="another shape"):
        session.run(photo_of(camera))


def test_grey_in_three_channels_becomes_what_grey_in_one_does(stages: dict[str, OnnxStage]) -> None:
    """A model answers each channel with something else, and a grey scan would be tinted."""

    class Tinting:
        spec = stages["noise"].spec

        def run(self, rgb: np.ndarray, mask: np.ndarray | None = None) -> dict[str, np.ndarray]:
            return {"restored": rgb * np.array([0.7, 0.9, 1.0], np.float32).reshape(3, 1, 1)}

        def close(self) -> None:
            pass

    rng = np.random.default_rng(5)
    grey = rng.integers(30, 220, (40, 60, 1), dtype=np.uint8)
    options = RestoreOptions(damage="never", noise="always", tone="never")
    with Restorer(options, engines={"noise": Tinting()}) as restorer:
        one, three = (restorer.run(Photo(pixels)).photo.pixels for pixels in (grey, grey.repeat(3, axis=2)))
    assert three.shape == (40, 60, 3)
    assert np.array_equal(three, one.repeat(3, axis=2))
    assert not np.array_equal(one, grey)
