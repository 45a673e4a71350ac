from pathlib import Path

import numpy as np
import pytest
import skimage.data

from photochrom.degradation import KINDS, Dose, Preset, degrade, load_preset, presets
from photochrom.degradation.engine import apply_kind, as_picture, draw_steps, where_hidden
from photochrom.degradation.kinds import CAMERA, HANDS, PRINT, SCAN
from photochrom.degradation.sheet import contact_sheet
from photochrom.errors import OptionError


def photograph() -> np.ndarray:
    """A piece of a real photograph, 96 x 80."""
    return np.ascontiguousarray(skimage.data.astronaut()[30:222:2, 120:280:2])


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_each_kind_changes_the_picture_stays_in_range_and_follows_its_seed(name: str) -> None:
    kind, picture = KINDS[name], as_picture(photograph())
    changes = []
    for seed in range(6):
        runs = [apply_kind(kind, picture.copy(), np.random.default_rng(seed), 0.9, 1.0) for _ in range(2)]
        worn, hidden = runs[0]
        np.testing.assert_array_equal(worn, runs[1][0])
        assert worn.shape == picture.shape
        assert worn.dtype == np.float32
        assert 0 <= worn.min() <= worn.max() <= 1
        assert (hidden is not None) == kind.covers
        changes.append(float(np.abs(worn - picture).mean()))
    assert max(changes) > 1e-3
    assert len(set(changes)) > 1


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_kinds_do_not_write_into_what_they_are_given(name: str) -> None:
    picture = as_picture(photograph())
    before = picture.copy()
    apply_kind(KINDS[name], picture, np.random.default_rng(2), 1.0, 1.3)
    np.testing.assert_array_equal(picture, before)


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 40, 3), (33, 5, 3)])
def test_odd_sizes_are_pictures_too(name: str, shape: tuple[int, int, int]) -> None:
    codes = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    for seed in range(3):
        worn, _ = apply_kind(KINDS[name], as_picture(codes), np.random.default_rng(seed), 1.0, 1.0)
        assert worn.shape == (3, *shape[:2])
        assert np.isfinite(worn).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.covers and name != "glare"])
def test_damage_leaves_most_of_what_is_not_hidden(name: str) -> None:
    picture = as_picture(photograph())
    shares = []
    for seed in range(8):
        worn, hidden = apply_kind(KINDS[name], picture, np.random.default_rng(seed), 0.7, 1.0)
        assert hidden is not None
        # Flanks, shadows and tints may change what is not hidden, but not beyond recognition.
        assert float(np.abs(worn - picture).mean(axis=0)[~hidden].mean()) < 0.12
        shares.append(float(hidden.mean()))
    assert max(shares) > 0.0005


@pytest.mark.parametrize("name", ["scratches", "tape", "stains", "mould", "cracks", "scanner-lines"])
def test_damage_to_a_grey_picture_is_grey_but_for_the_warmth_of_dirt(name: str) -> None:
    grey = as_picture(photograph()[..., 1])
    for seed in range(4):
        worn, _ = apply_kind(KINDS[name], grey, np.random.default_rng(seed), 1.0, 1.0)
        assert float(np.ptp(worn, axis=0).max()) < 0.12


def test_a_preset_follows_its_seed_in_every_part() -> None:
    first, again, other = (degrade(photograph(), "attic", seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.picture, again.picture)
    np.testing.assert_array_equal(first.mask, again.mask)
    assert first.steps == again.steps != other.steps
    assert first.picture.shape == (96, 80, 3)
    assert first.mask.shape == (96, 80)
    assert first.mask.any()


def test_codes_and_floats_grey_and_colour_are_taken() -> None:
    codes = photograph()
    floats = codes.astype(np.float32) / 255
    np.testing.assert_allclose(degrade(codes, "film", 1).picture, degrade(floats, "film", 1).picture, atol=0.01)
    assert degrade(codes[..., 0], "attic", 1).picture.shape == (96, 80, 3)
    assert degrade(codes[..., :1], "attic", 1).picture.shape == (96, 80, 3)
    with pytest.raises(ValueError, match="a picture is"):
        degrade(np.zeros((4, 4, 4), np.uint8), "attic")


def test_the_order_is_drawn_and_disorder_zero_keeps_the_order_of_a_photographs_life() -> None:
    kinds = {name: Dose() for name in ("jpeg", "scratches", "fading", "blur", "grain", "dust")}
    ordered, mixed = Preset(kinds=kinds, disorder=0.0), Preset(kinds=kinds, disorder=3.0)
    rng = np.random.default_rng(0)
    stages = [kind.stage for kind, _ in draw_steps(ordered, rng)]
    assert stages == sorted(stages)
    assert {CAMERA, PRINT, HANDS, SCAN} == set(stages)
    orders = {tuple(kind.name for kind, _ in draw_steps(mixed, rng)) for _ in range(20)}
    assert len(orders) > 10


def test_chances_are_kept() -> None:
    preset = Preset(kinds={"fading": Dose(chance=0.25), "dust": Dose(chance=0.0), "grain": Dose(strength=(0.4, 0.4))})
    rng = np.random.default_rng(1)
    drawn = [draw_steps(preset, rng) for _ in range(400)]
    names = [kind.name for steps in drawn for kind, _ in steps]
    assert 70 < names.count("fading") < 130
    assert names.count("dust") == 0
    assert names.count("grain") == 400
    assert {strength for steps in drawn for kind, strength in steps if kind.name == "grain"} == {0.4}


def test_untouched_pictures_come_back_as_they_were() -> None:
    result = degrade(photograph(), Preset(untouched=1.0, kinds={"fading": Dose()}), 5)
    np.testing.assert_allclose(result.picture, photograph() / np.float32(255), atol=1e-6)
    assert result.steps == ()
    assert not result.mask.any()


def test_a_white_scratch_on_white_hides_nothing() -> None:
    white, cover = np.ones((3, 8, 8), np.float32), np.ones((8, 8), np.float32)
    assert not where_hidden(white, white, cover).any()
    assert where_hidden(white * 0.5, white, cover).all()
    assert not where_hidden(white * 0.5, white, cover * 0.1).any()


def test_damage_grows_with_the_picture() -> None:
    """The same scratches on a picture ten times as large are wider in pixels, not hairlines."""
    flat = np.full((600, 600), 0.2, np.float32)
    preset = Preset(kinds={"scratches": Dose(strength=(0.5, 0.5))})
    large = np.mean([degrade(flat, preset, seed).mask.mean() for seed in range(4)])
    fine = np.mean([degrade(flat, preset, seed, px=0.4).mask.mean() for seed in range(4)])
    assert large > 2 * fine


@pytest.mark.slow
@pytest.mark.parametrize("name", presets())
def test_presets_that_come_with_photochrom_work_and_say_what_they_are(name: str) -> None:
    preset = presets()[name]
    assert preset.summary.endswith(".")
    assert degrade(photograph(), preset, 2).picture.shape == (96, 80, 3)


def test_every_kind_explains_itself() -> None:
    assert all(len(kind.summary) > 30 for kind in KINDS.values())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kinds = {scratchs = {}}", "Did you mean 'scratches'"),
        ("kinds = {dust = {chance = 2}}", r"kinds\.dust\.chance"),
        ("kinds = {dust = {strength = [0.9, 0.1]}}", "rising numbers"),
        ("nonsense = 1", "nonsense|kinds"),
        ("= broken", "not a TOML file"),
    ],
)
def test_a_wrong_preset_file_is_one_clear_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(OptionError, match=said) as caught:
        load_preset(str(path))
    assert "\n" not in str(caught.value)


def test_a_preset_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('summary = "Mine."\n[kinds]\nsepia = { strength = [1.0, 1.0] }\n')
    toned = degrade(photograph(), str(path), 0).picture
    assert toned[..., 0].mean() > toned[..., 2].mean()
    with pytest.raises(OptionError, match="cannot read the preset"):
        load_preset(str(tmp_path / "none.toml"))
    with pytest.raises(OptionError, match="Did you mean 'attic'"):
        load_preset("atic")


@pytest.mark.slow
def test_the_contact_sheet_shows_every_kind() -> None:
    sheet = contact_sheet(photograph(), 1, cell_px=48)
    people = [name for name in presets() if not name.startswith("train-")]
    rows = -(-(1 + len(KINDS) + len(people)) // 6)
    assert sheet.height > rows * 48
    assert len(np.unique(np.asarray(sheet).reshape(-1, 3), axis=0)) > 1000


@pytest.mark.slow
def test_the_engine_needs_no_torch() -> None:
    import subprocess
    import sys

    code = "import sys, photochrom.degradation.sheet; sys.exit('torch' in sys.modules or 'onnxruntime' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=200).returncode == 0


def test_codes_of_any_depth_are_the_same_picture() -> None:
    codes = np.arange(256, dtype=np.uint8).reshape(16, 16)
    deep = codes.astype(np.uint16) * 257
    mine = Preset(kinds={"fading": Dose()})
    assert np.allclose(degrade(deep, mine, 3).picture, degrade(codes, mine, 3).picture, atol=1e-6)
    with pytest.raises(ValueError, match="uint8, uint16 or floats"):
        degrade(codes.astype(np.int64), mine, 3)
