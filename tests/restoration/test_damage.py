"""Where damage is found, whether it counts, and how holes are filled; models of which it is known what they give."""

from __future__ import annotations

import numpy as np
import pytest

from photochrom.engines.restoration import OnnxStage, StageSpec
from photochrom.errors import OptionError
from photochrom.files.provenance import COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA
from photochrom.options import RestoreOptions
from photochrom.restoration import damage
from photochrom.restoration.inpainting import fill
from photochrom.restoration.tiling import Grid
from tests.restoration.samples import RestorerFor, photo_of


def test_scratches_are_found_filled_and_told(
    restorer_for: RestorerFor, scratched: tuple[np.ndarray, np.ndarray], camera: np.ndarray
) -> None:
    picture, where = scratched
    result = restorer_for(noise="never", tone="never").run(photo_of(picture))
    assert result.mask is not None
    filled = result.mask > 0
    assert (filled & where).sum() == where.sum()
    assert filled.mean() < 3 * where.mean()  # little more than the scratches
    out = result.photo.pixels[..., 0]
    assert np.array_equal(out[~filled], picture[~filled])
    before = np.abs(picture[where].astype(int) - camera[where]).mean()
    assert np.abs(out[where].astype(int) - camera[where]).mean() < before / 3
    assert result.notes[0].startswith("damage: 0.59% of the picture filled")
    assert result.source_type == COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA
    assert [model.contract for model in result.models] == ["damage/1", "inpaint/2"]


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(64, 64, 1), (300, 700, 3), (1, 1, 3), (2, 900, 1)])
def test_only_what_lies_under_the_mask_is_touched(shape: tuple[int, int, int], stages: dict[str, OnnxStage]) -> None:
    rng = np.random.default_rng(3)
    before = rng.integers(0, 65536, shape, dtype=np.uint16)
    mask = rng.random(shape[:2]) < 0.1
    after = before.copy()
    fill(after, mask, stages["inpaint"], Grid(64, 48, 8))
    assert np.array_equal(after[~mask], before[~mask])
    assert shape[0] * shape[1] < 100 or (after[mask] != before[mask]).any()


@pytest.mark.slow
def test_what_lies_under_the_mask_does_not_matter(stages: dict[str, OnnxStage], camera: np.ndarray) -> None:
    mask = np.zeros(camera.shape, bool)
    mask[200:300, 100:400] = mask[20:22] = True
    black, white = (np.where(mask, value, camera).astype(np.uint8)[..., None] for value in (0, 255))
    fill(black, mask, stages["inpaint"])
    fill(white, mask, stages["inpaint"])
    assert np.array_equal(black, white)


def test_the_model_is_told_how_sure_the_damage_is() -> None:
    told = []

    class Listener:
        def run(self, rgb: np.ndarray, mask: np.ndarray) -> dict[str, np.ndarray]:
            told.append(mask[0, 0])
            return {"restored": rgb}

    pixels, mask = np.full((640, 640, 1), 90, np.uint8), np.zeros((640, 640), bool)
    mask[100:110, 100:110] = mask[20, 20] = mask[300:450, 300:450] = True
    probability = np.full(mask.shape, 128, np.uint8)
    probability[20, 20], probability[400, 400] = 255, 204
    fill(pixels, mask, Listener(), probability=probability)  # type: ignore[arg-type]
    # The thick one on a copy, then the one tile at full size that holds the others, both shown four ways.
    assert len(told) == 8
    assert np.array_equal(told[5], told[4][:, ::-1])
    assert np.array_equal(told[7], told[4].T)
    assert told[0][12:, 12:].max() == pytest.approx(0.8)
    assert told[4][20, 20] == np.float32(0.98)  # not 1, which is a hole
    assert told[4][105, 105] == np.float32(128 / 255)
    assert told[4][30, 30] == 0
    fill(pixels, mask, Listener())  # type: ignore[arg-type]
    assert set(np.unique(told[-1])) == {0, 1}


def test_a_thick_hole_is_filled_from_both_sides(stages: dict[str, OnnxStage]) -> None:
    """At full size the stand-in sees 16 pixels far: the middle of this hole is filled on a smaller copy."""
    ramp = np.broadcast_to(np.linspace(20, 220, 800), (800, 800)).astype(np.uint8)[..., None].copy()
    mask = np.zeros((800, 800), bool)
    mask[300:500, 300:500] = True
    fill(ramp, mask, stages["inpaint"])
    middle = ramp[390:410, 390:410]
    assert 90 < middle.mean() < 150


@pytest.mark.slow
def test_damage_too_thick_is_left_and_said(restorer_for: RestorerFor, camera: np.ndarray) -> None:
    picture = np.minimum(camera, 235)
    picture[100:200, 100:200] = 255
    picture[300:302, 5:500] = 255
    result = restorer_for(noise="never", tone="never").run(photo_of(picture))
    assert result.mask is not None
    assert not result.mask[120:180, 120:180].any()
    assert result.mask[300:302, 60:390].all()
    assert "left, thicker than 8% of the short side" in result.notes[0]
    wider = restorer_for(noise="never", tone="never", largest_hole=0.3).run(photo_of(picture))
    assert wider.mask is not None
    assert wider.mask[100:200, 100:200].all()


def test_a_model_that_sees_damage_everywhere_is_not_believed(restorer_for: RestorerFor, camera: np.ndarray) -> None:
    picture = np.minimum(camera, 235)
    picture[:, ::8] = 255
    picture[:, 1::8] = 255
    result = restorer_for(noise="never", tone="never").run(photo_of(picture))
    assert result.mask is None
    assert np.array_equal(result.photo.pixels[..., 0], picture)
    assert "of the picture looks damaged, 20% is the limit" in result.notes[0]


def test_always_takes_what_auto_is_not_sure_of() -> None:
    probability = np.zeros((400, 400), np.uint8)
    probability[100:103, 50:300] = 200
    assert damage.find_damage(probability, RestoreOptions()).share == 0
    assert damage.find_damage(probability, RestoreOptions(damage="always")).share > 0.004
    probability[101, 60:70] = 254
    found = damage.find_damage(probability, RestoreOptions())
    assert found.mask[100:103, 50:300].all()


@pytest.mark.parametrize("side", [256, 2048])
def test_a_scratch_across_the_picture_counts_alike_in_small_and_large_scans(side: int) -> None:
    probability = np.zeros((side, side), np.uint8)
    probability[side // 2] = 255
    assert damage.find_damage(probability, RestoreOptions()).squares == pytest.approx(1 / 64)


@pytest.mark.parametrize("side", [1000, 4000])
def test_a_speck_of_the_same_share_counts_alike_in_small_and_large_scans(side: int) -> None:
    """Cells of a large scan's coarse grid are several pixels wide, and a region is measured in pixels."""
    probability = np.zeros((side, side), np.uint8)
    tall, wide = side // 250, side // 200  # 20 millionths of the picture
    probability[side // 2 :, side // 2 :][:tall, :wide] = 254
    probability[side // 4 :, side // 4 :][: side // 500, : side // 500] = 254  # 4 millionths
    found = damage.find_damage(probability, RestoreOptions())
    assert found.mask[side // 2 :, side // 2 :].any()
    assert np.count_nonzero(found.mask) == tall * wide


@pytest.mark.slow
def test_a_few_specks_are_left_alone_unless_told(restorer_for: RestorerFor, camera: np.ndarray) -> None:
    picture = np.minimum(camera, 235)
    picture[300:304, 50:60] = 255
    left = restorer_for(noise="never", tone="never").run(photo_of(picture))
    assert left.mask is None
    assert np.array_equal(left.photo.pixels[..., 0], picture)
    assert "damage: left alone (sure in 0.05% of its squares, 1.25% is the limit)" in left.notes
    told = restorer_for(damage="always", noise="never", tone="never").run(photo_of(picture))
    assert told.mask is not None
    assert told.mask[300:304, 52:58].all()


def test_a_picture_in_colour_has_to_look_damaged_more_plainly() -> None:
    found = damage.FoundDamage(np.ones((2, 2), np.bool_), np.full((2, 2), 255, np.uint8), share=0.1, squares=0.02)
    assert damage.decide(found, RestoreOptions(), 0.01, "grey").applied
    assert damage.decide(found, RestoreOptions(), 0.01, "toned").applied
    left = damage.decide(found, RestoreOptions(), 0.01, "colour")
    assert not left.applied
    assert "3.00% is the limit in colour" in left.note
    assert damage.decide(found, RestoreOptions(damage="always"), 0.01, "colour").applied


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2)])
def test_the_smallest_pictures_are_searched_too(shape: tuple[int, int]) -> None:
    found = damage.find_damage(np.full(shape, 255, np.uint8), RestoreOptions())
    assert found.mask.shape == shape
    assert found.share in (0, 1)


def test_specks_of_a_pixel_or_two_in_a_large_picture_are_not_touched() -> None:
    probability = np.zeros((2000, 2000), np.uint8)
    probability[500, 500] = probability[1000, 700] = 255
    assert damage.find_damage(probability, RestoreOptions()).share == 0


def test_a_large_picture_is_searched_at_more_than_one_size(stages: dict[str, OnnxStage]) -> None:
    sizes = []

    class Watched:
        spec = stages["damage"].spec

        def run(self, rgb: np.ndarray, mask: np.ndarray | None = None) -> dict[str, np.ndarray]:
            sizes.append(rgb.shape[2:])
            return stages["damage"].run(rgb)

        def close(self) -> None: ...

    picture = np.full((1600, 1600, 1), 90, np.uint8)
    picture[800, 200:1400] = 255
    found = damage.search(picture, Watched(), Grid(2048, 64, 16))
    assert list(dict.fromkeys(sizes)) == [(1600, 1600), (800, 800)]
    assert found[800, 300:1300].min() > 250
    assert found[600].max() < 10


@pytest.mark.parametrize(("side", "looks"), [(64, 4), (656, 1)])
def test_a_small_picture_is_looked_at_four_ways(side: int, looks: int) -> None:
    class SeesTheLeft:
        def run(self, rgb: np.ndarray, mask: np.ndarray | None = None) -> dict[str, np.ndarray]:
            marked = np.zeros((1, 1, *rgb.shape[2:]), np.float32)
            marked[..., 2] = 0.8
            return {"mask": marked}

    picture = np.full((64, side, 1), 90, np.uint8)
    found = damage.search(picture, SeesTheLeft())  # type: ignore[arg-type]
    if looks == 1:
        assert found[5, 2] == 204
        return
    # As it is and upside down: on the left. Mirrored: on the right. On its side: at the top.
    assert [found[30, 2], found[30, 61], found[2, 30], found[61, 30]] == [102, 51, 51, 0]
    assert found[2, 2] == 153


@pytest.mark.parametrize(("lines", "looks"), [(0, 1), (6, 4)])
def test_one_look_decides_and_the_others_come_after_it(lines: int, looks: int) -> None:
    class Counts:
        spec = StageSpec(name="counts", contract="damage/1", licence="MIT", damaged=0.02)
        runs = 0

        def run(self, rgb: np.ndarray, mask: np.ndarray | None = None) -> dict[str, np.ndarray]:
            self.runs += 1
            return {"mask": (rgb[:, :1] > 0.9).astype(np.float32)}

        def close(self) -> None: ...

    picture, engine = np.full((160, 160, 1), 60, np.uint8), Counts()
    picture[20 : 20 + 20 * lines : 20, 20:140] = 255
    _, decision = damage.find(picture, engine, RestoreOptions(), "grey")
    assert decision.applied == bool(lines)
    assert engine.runs == looks


@pytest.mark.parametrize(("cracks", "is_damaged"), [(1, False), (5, True)])
def test_small_copies_are_searched_only_in_pictures_that_count_as_damaged(cracks: int, is_damaged: bool) -> None:
    """A model that is sure of white lines at any size, and of wide grey ones only where they have become thin."""

    class Sees:
        spec = StageSpec(name="sees", contract="damage/1", licence="MIT", damaged=0.05)

        def run(self, rgb: np.ndarray, mask: np.ndarray | None = None) -> dict[str, np.ndarray]:
            of_grey, of_dark = (0.2, 0.0) if rgb.shape[2] > 300 else (0.9, 0.9)
            sure = np.select([rgb[:, :1] > 0.9, rgb[:, :1] > 0.6, rgb[:, :1] > 0.4], [1, of_grey, of_dark], 0)
            return {"mask": sure.astype(np.float32)}

        def close(self) -> None: ...

    picture = np.full((400, 400, 1), 60, np.uint8)
    picture[40 : 40 * cracks + 1 : 40, 20:380] = 255
    picture[300:308] = 180
    picture[340:348] = 120  # ruled out at full size
    found, decision = damage.find(picture, Sees(), RestoreOptions(), "grey")
    assert decision.applied == is_damaged
    assert found.mask[40, 100:300].all()
    assert found.mask[302:306, 100:300].all() == is_damaged
    assert not found.mask[330:360].any()
    assert f"{found.share:.2%}" in decision.note or not is_damaged


def test_a_drawn_mask_is_filled_and_nothing_is_searched(
    restorer_for: RestorerFor, camera: np.ndarray, stages: dict[str, OnnxStage]
) -> None:
    mask = np.zeros(camera.shape, bool)
    mask[100:220, 100:220] = True
    for switch in ("auto", "never"):
        result = restorer_for(damage=switch, noise="never", tone="never").run(photo_of(camera), mask=mask)
        assert result.mask is not None
        assert np.array_equal(result.mask > 0, mask)
        assert "as the mask says" in result.notes[0]


@pytest.mark.parametrize(
    ("mask", "said"),
    [(np.zeros((5, 5), bool), "the mask has 5 x 5 pixels, the photograph 512 x 512"),
     (np.ones((512, 512), bool), "marks 100% of the photograph")],
)  # fmt: skip
def test_a_mask_that_does_not_fit_is_refused(
    mask: np.ndarray, said: str, restorer_for: RestorerFor, camera: np.ndarray
) -> None:
    with pytest.raises(OptionError, match=said):
        restorer_for().run(photo_of(camera), mask=mask)
