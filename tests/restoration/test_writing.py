"""Writing is not a scratch: numbers and captions stay when what looks like damage is filled."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from photochrom.degradation import Dose, Preset, degrade
from photochrom.engines.catalog import find_card
from photochrom.options import RestoreOptions
from photochrom.restoration.writing import find_writing
from photochrom.restorer import Restorer
from tests.restoration.samples import RestorerFor, photo_of

has_models = pytest.mark.skipif(not find_card("photochrom-damage").sha256, reason="this build has no restoring models")


def inscribed(
    picture: np.ndarray, text: str, *, tone: int = 255, height: int = 34, at: tuple[int, int] = (30, 440), turn: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """A picture (H, W) with a line of print on it, and where its ink is."""
    sheet = Image.new("L", picture.shape[::-1])
    ImageDraw.Draw(sheet).text(at, text, fill=255, font=ImageFont.load_default(height))
    ink = np.asarray(sheet.rotate(turn))
    cover = ink[...] / 255
    return np.rint(picture * (1 - cover) + tone * cover).astype(np.uint8), ink > 128


@pytest.mark.slow
@pytest.mark.parametrize("text", ["No 1432", "Nr. 7714", "1898.", "Valparaiso", "A-112"])
@pytest.mark.parametrize("tone", [255, 0])
def test_a_row_of_letters_is_writing(text: str, tone: int, camera: np.ndarray) -> None:
    ground = np.clip(camera, 40, 200)
    picture, ink = inscribed(ground, text, tone=tone, at=(60, 60))
    kept = find_writing(picture.astype(np.float32) / 255, ink) & ink
    assert kept.sum() > 0.9 * ink.sum()


@pytest.mark.parametrize("turn", [0, 6, 90])
def test_one_letter_of_the_mask_is_known_by_its_neighbours(turn: int, camera: np.ndarray) -> None:
    picture, ink = inscribed(np.minimum(camera, 200), "No 1432", turn=turn, at=(330, 60))
    rows, columns = np.nonzero(ink)
    middle = (rows < np.percentile(rows, 40)) if turn == 90 else (columns > np.percentile(columns, 55))
    mask = np.zeros_like(ink)
    mask[rows[middle], columns[middle]] = True
    assert (find_writing(picture.astype(np.float32) / 255, mask) & mask).sum() > 0.9 * mask.sum()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["scratches", "film-runs", "cracks", "crackle", "dust", "hairs", "folds", "mould"])
def test_damage_is_no_writing(kind: str, camera: np.ndarray) -> None:
    taken = damaged = 0
    for seed in range(2):
        worn = degrade(np.minimum(camera[::2, ::2], 220), Preset(kinds={kind: Dose(strength=(0.7, 1))}), seed)
        tones = worn.picture.mean(axis=2).astype(np.float32)
        taken += int((find_writing(tones, worn.mask) & worn.mask).sum())
        damaged += int(worn.mask.sum())
    assert damaged
    assert taken <= 0.01 * damaged


@pytest.mark.slow
def test_what_is_white_and_written_stays_unless_asked(restorer_for: RestorerFor, camera: np.ndarray) -> None:
    """The stand-in takes everything white for damage: only the row of letters tells."""
    plate, ink = inscribed(np.minimum(camera, 200), "No 1432")
    plate[40:420, 200:202] = plate[40:420, 300:302] = 255
    result = restorer_for(noise="never", tone="never").run(photo_of(plate))
    assert result.mask is not None
    assert np.array_equal(result.photo.pixels[ink][:, 0], plate[ink])
    assert (result.mask[60:400, 200:202] > 0).all()
    assert "writing left alone" in result.notes[0]
    told = restorer_for(noise="never", tone="never", fill_writing=True).run(photo_of(plate))
    assert told.mask is not None
    assert (told.mask[ink] > 0).mean() > 0.7
    assert "writing" not in told.notes[0]


def test_a_mask_drawn_by_hand_is_filled_whatever_it_covers(restorer_for: RestorerFor, camera: np.ndarray) -> None:
    plate, ink = inscribed(np.minimum(camera, 200), "No 1432")
    result = restorer_for(noise="never", tone="never").run(photo_of(plate), mask=ink)
    assert result.mask is not None
    assert (result.mask[ink] > 0).all()


@pytest.mark.slow
@has_models
def test_a_scratched_plate_keeps_every_digit_of_its_number(camera: np.ndarray) -> None:
    """With the embedded models: scratches go, the white catalogue number does not."""
    seed, plate = 1, np.ascontiguousarray(camera[192:, :320])
    worn = degrade(plate, Preset(kinds={"scratches": Dose(strength=(1, 1)), "dust": Dose(strength=(0.5, 0.5))}), seed)
    scratched = np.rint(worn.picture.mean(axis=2) * 255)
    plate, ink = inscribed(scratched, "No 1432", tone=250, at=(30, 260))
    with Restorer(RestoreOptions.checked(damage="always", noise="never", tone="never")) as session:
        result = session.run(photo_of(plate))
    plate = plate.astype(int)
    out = result.photo.pixels[..., 0].astype(int)
    crossed = worn.mask & ink
    assert np.abs(out - plate)[ink & ~crossed].mean() < 3
    for left in range(30, 170, 10):  # no part of any digit is gone
        part = np.zeros_like(ink)
        part[:, left : left + 10] = True
        here = part & ink & ~crossed
        assert not here.any() or (np.abs(out - plate)[here] < 25).mean() > 0.9
    assert result.mask is not None
    assert (result.mask > 0)[worn.mask & ~ink].mean() > 0.3
