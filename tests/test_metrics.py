"""The measures, against independent implementations and published reference values."""

from __future__ import annotations

import numpy as np
import PIL.Image
import pytest
import scipy.linalg
import skimage
import skimage.color

from photochrom import color, metrics
from photochrom.metrics import pairs

# Sharma, Wu, Dalal 2005, table 1: two Lab colours and their CIEDE2000 difference.
SHARMA_PAIRS = np.array(
    [
        [50.0000, 2.6772, -79.7751, 50.0000, 0.0000, -82.7485, 2.0425],
        [50.0000, 3.1571, -77.2803, 50.0000, 0.0000, -82.7485, 2.8615],
        [50.0000, 2.8361, -74.0200, 50.0000, 0.0000, -82.7485, 3.4412],
        [50.0000, -1.3802, -84.2814, 50.0000, 0.0000, -82.7485, 1.0000],
        [50.0000, -1.1848, -84.8006, 50.0000, 0.0000, -82.7485, 1.0000],
        [50.0000, -0.9009, -85.5211, 50.0000, 0.0000, -82.7485, 1.0000],
        [50.0000, 0.0000, 0.0000, 50.0000, -1.0000, 2.0000, 2.3669],
        [50.0000, -1.0000, 2.0000, 50.0000, 0.0000, 0.0000, 2.3669],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0009, 7.1792],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0010, 7.1792],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0011, 7.2195],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0012, 7.2195],
        [50.0000, -0.0010, 2.4900, 50.0000, 0.0009, -2.4900, 4.8045],
        [50.0000, -0.0010, 2.4900, 50.0000, 0.0010, -2.4900, 4.8045],
        [50.0000, -0.0010, 2.4900, 50.0000, 0.0011, -2.4900, 4.7461],
        [50.0000, 2.5000, 0.0000, 50.0000, 0.0000, -2.5000, 4.3065],
        [50.0000, 2.5000, 0.0000, 73.0000, 25.0000, -18.0000, 27.1492],
        [50.0000, 2.5000, 0.0000, 61.0000, -5.0000, 29.0000, 22.8977],
        [50.0000, 2.5000, 0.0000, 56.0000, -27.0000, -3.0000, 31.9030],
        [50.0000, 2.5000, 0.0000, 58.0000, 24.0000, 15.0000, 19.4535],
        [50.0000, 2.5000, 0.0000, 50.0000, 3.1736, 0.5854, 1.0000],
        [50.0000, 2.5000, 0.0000, 50.0000, 3.2972, 0.0000, 1.0000],
        [50.0000, 2.5000, 0.0000, 50.0000, 1.8634, 0.5757, 1.0000],
        [50.0000, 2.5000, 0.0000, 50.0000, 3.2592, 0.3350, 1.0000],
        [60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644],
        [63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.2630],
        [61.2901, 3.7196, -5.3901, 61.4292, 2.2480, -4.9620, 1.8731],
        [35.0831, -44.1164, 3.7933, 35.0232, -40.0716, 1.5901, 1.8645],
        [22.7233, 20.0904, -46.6940, 23.0331, 14.9730, -42.5619, 2.0373],
        [36.4612, 47.8580, 18.3852, 36.2715, 50.5065, 21.2231, 1.4146],
        [90.8027, -2.0831, 1.4410, 91.1528, -1.6435, 0.0447, 1.4441],
        [90.9257, -0.5406, -0.9208, 88.6381, -0.8985, -0.7239, 1.5381],
        [6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377],
        [2.0776, 0.0795, -1.1350, 0.9033, -0.0636, -0.5514, 0.9082],
    ]
)


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return skimage.data.astronaut()[40:240, 120:340]


@pytest.fixture(scope="module")
def other(photo: np.ndarray) -> np.ndarray:
    """Return a wrong colouring: chroma shifted by a few pixels, dulled and tinted."""
    shifted = np.roll(photo, 7, axis=1) / 255
    return np.clip(np.rint(255 * (0.6 * shifted + 0.4 * photo[..., ::-1] / 255)), 0, 255).astype(np.uint8)


def grey_of(rgb: np.ndarray) -> np.ndarray:
    return np.repeat(np.rint(color.luma(rgb / 255) * 255).astype(np.uint8)[..., None], 3, axis=-1)


def test_ciede2000_gives_the_published_reference_pairs() -> None:
    measured = color.ciede2000(SHARMA_PAIRS[:, :3], SHARMA_PAIRS[:, 3:6])
    np.testing.assert_allclose(measured, SHARMA_PAIRS[:, 6], atol=1e-4)


def test_shared_luma_difference_agrees_with_scikit_image(photo: np.ndarray, other: np.ndarray) -> None:
    truth, predicted = skimage.color.rgb2lab(photo), skimage.color.rgb2lab(other)
    predicted[..., 0] = truth[..., 0]
    expected = skimage.color.deltaE_ciede2000(truth, predicted)
    error = np.abs(metrics.ciede2000_map(photo, other) - expected)
    assert np.quantile(error, 0.999) < 0.01
    assert error.max() < 0.2  # where hues are opposite the formula jumps
    assert metrics.score_pair(photo, other)["ciede2000"] == pytest.approx(expected.mean(), abs=1e-3)
    assert metrics.score_pair(photo, other)["ciede2000_median"] == pytest.approx(np.median(expected), abs=1e-3)


def test_shared_luma_ignores_lightness_and_sees_colour(photo: np.ndarray) -> None:
    lab = skimage.color.rgb2lab(photo)
    lab[..., 1:] *= 0.3
    darker = lab.copy()
    darker[..., 0] -= 5 * (lab[..., 0] > 40)
    here, there = (skimage.color.lab2rgb(x) for x in (lab, darker))
    assert metrics.score_pair(photo, here)["ciede2000"] == pytest.approx(
        metrics.score_pair(photo, there)["ciede2000"], abs=0.05
    )
    assert metrics.score_pair(photo, photo)["ciede2000"] == 0
    assert metrics.score_pair(photo, grey_of(photo))["ciede2000"] > 5


def test_psnr_agrees_with_scikit_image_and_does_not_wrap_around(photo: np.ndarray, other: np.ndarray) -> None:
    from skimage.metrics import peak_signal_noise_ratio

    expected = peak_signal_noise_ratio(photo, other)
    assert metrics.psnr(photo, other) == pytest.approx(expected, abs=1e-9)
    assert metrics.psnr(photo, photo) == float("inf")
    black, white = np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 255, np.uint8)
    assert metrics.psnr(black, white) == metrics.psnr(white, black) == 0


def test_ssim_agrees_with_scikit_image(photo: np.ndarray, other: np.ndarray) -> None:
    from skimage.metrics import structural_similarity

    expected = structural_similarity(
        photo, other, channel_axis=-1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255
    )
    assert metrics.ssim(photo, other) == pytest.approx(expected, abs=1e-5)
    assert metrics.ssim(photo, photo) == pytest.approx(1)
    assert np.isnan(metrics.ssim(photo[:8], other[:8]))


def test_colorfulness_follows_hasler_and_suesstrunk(photo: np.ndarray) -> None:
    red, green, blue = (photo[..., k].astype(float) for k in range(3))
    rg, yb = red - green, (red + green) / 2 - blue
    signed = np.sqrt(rg.var() + yb.var()) + 0.3 * np.sqrt(rg.mean() ** 2 + yb.mean() ** 2)
    scores = metrics.score_pair(photo, photo)
    assert scores["colorfulness"] == pytest.approx(signed, rel=1e-5)
    rg, yb = np.abs(rg), np.abs(yb)
    absolute = np.sqrt(rg.var() + yb.var()) + 0.3 * np.sqrt(rg.mean() ** 2 + yb.mean() ** 2)
    assert scores["colorfulness_absolute"] == pytest.approx(absolute, rel=1e-5)
    grey = metrics.score_pair(photo, grey_of(photo))
    assert grey["colorfulness"] == pytest.approx(0, abs=1e-3)
    assert grey["colorfulness_difference"] == pytest.approx(signed, rel=1e-3)


def test_set_difference_hides_what_picture_differences_show() -> None:
    pairs = np.array([[10.0, 30.0], [50.0, 30.0]])
    assert metrics.set_mean_difference(pairs) == 0
    assert np.abs(pairs[:, 0] - pairs[:, 1]).mean() == 20
    assert metrics.ratio_of_means(pairs) == 1
    assert np.isnan(metrics.ratio_of_means(np.zeros((3, 2))))


def test_luma_error_counts_code_values(photo: np.ndarray) -> None:
    pillows = np.asarray(PIL.Image.fromarray(photo).convert("L"))
    np.testing.assert_array_equal(metrics.luma_codes(photo), pillows)
    kept = color.quantize_keeping_luma(photo / 255, pillows / 255, 255).astype(np.uint8)
    assert metrics.luma_error(pillows, kept) == 0
    grey = np.full((6, 6), 100, np.uint8)
    assert metrics.luma_error(grey, np.full((6, 6, 3), 103, np.uint8)) == 3
    assert metrics.luma_error(np.full((6, 6, 3), 103, np.uint8), np.full((6, 6, 3), 100, np.uint8)) == 3


def test_bleeding_rises_when_colour_spills_over_an_outline() -> None:
    luma_ = np.full((64, 64), 0.35)
    luma_[:, 32:] = 0.6
    inside = np.zeros((64, 64, 2))
    inside[:, 32:] = (-0.12, 0.1)
    spilled = inside.copy()
    for k in range(12):  # the colour fades out over twelve pixels beyond the outline
        spilled[:, 31 - k] = inside[:, 40] * (1 - (k + 1) / 13)
    truth, bled = (color.merge_luma_chroma(luma_, cbcr) for cbcr in (inside, spilled))
    clean, leaking = metrics.bleeding(truth, truth), metrics.bleeding(truth, bled)
    assert clean[0] < 0.01
    assert clean[1] < 0.01
    assert leaking[0] > 0.5
    assert leaking[1] > 0.4
    assert metrics.bleeding(truth, np.repeat(luma_[..., None], 3, axis=-1)) == pytest.approx((0, 0), abs=1e-3)


def test_bleeding_slope_is_per_pixel() -> None:
    lab = np.zeros((20, 20, 3), np.float32)
    lab[..., 0], lab[..., 1] = 50, 1.5 * np.arange(20)
    assert pairs._bleeding_over(np.ones((18, 18), bool), lab) == pytest.approx((1.5, 1.0), abs=1e-4)


def test_strong_colours_need_half_their_chroma_in_the_truth() -> None:
    def flat(a: float, b: float) -> np.ndarray:
        return np.broadcast_to(np.array([50, a, b], np.float32), (4, 4, 3))

    red, twice, half, orange, blue, pale = (
        flat(40, 0),
        flat(80, 0),
        flat(20.1, 0),
        flat(28, 28),
        flat(0, -40),
        flat(9, 0),
    )
    for other in (red, twice, half, orange):
        assert metrics.unsupported_color(red, other) == (1, 0)
    for other in (blue, pale, flat(0, 0), flat(-40, 0)):
        assert metrics.unsupported_color(red, other) == (1, 1)
    assert metrics.unsupported_color(pale, blue) == (0, 0)
    quarter = np.concatenate([flat(40, 0)[:1], flat(0, 0)[1:]])
    assert metrics.unsupported_color(quarter, pale) == (0.25, 0.25)


def test_a_grey_prediction_invents_nothing_and_misses_all(photo: np.ndarray) -> None:
    scores = metrics.score_pair(photo, grey_of(photo))
    assert scores["strong_color"] == scores["false_color"] == 0
    assert scores["missed_color"] == scores["truth_strong_color"] > 0
    same = metrics.score_pair(photo, photo)
    assert same["false_color"] == same["missed_color"] == 0 < same["strong_color"]


@pytest.mark.parametrize("count", [12, 300])
def test_frechet_distance_agrees_with_the_matrix_root(count: int) -> None:
    draw = np.random.default_rng(3)
    mix = draw.normal(size=(40, 40)) / 6
    x, y = draw.normal(size=(count, 40)) @ mix, draw.normal(0.3, 1.4, size=(count + 5, 40)) @ mix.T
    cov_x, cov_y = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    ridge = 1e-10 * np.eye(40)  # the matrix root needs full rank; the measured one does not
    root = scipy.linalg.sqrtm((cov_x + ridge) @ (cov_y + ridge)).real
    expected = ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(cov_x + cov_y - 2 * root)
    assert metrics.frechet_distance(x, y) == pytest.approx(expected, rel=1e-4)
    assert metrics.frechet_distance(x, x) == pytest.approx(0, abs=1e-8)


def test_kernel_distance_agrees_with_its_double_sum() -> None:
    draw = np.random.default_rng(5)
    x, y = draw.normal(size=(9, 4)), draw.normal(0.5, 1, size=(7, 4))

    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return float((a @ b / 4 + 1) ** 3)

    within_x = np.mean([kernel(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j])
    within_y = np.mean([kernel(a, b) for i, a in enumerate(y) for j, b in enumerate(y) if i != j])
    across = np.mean([kernel(a, b) for a in x for b in y])
    assert metrics.kernel_distance(x, y) == pytest.approx(within_x + within_y - 2 * across)
    pairs_left_out = np.mean([kernel(a, b) for i, a in enumerate(y) for j, b in enumerate(x[:7]) if i != j])
    within_seven = np.mean([kernel(a, b) for i, a in enumerate(x[:7]) for j, b in enumerate(x[:7]) if i != j])
    paired = metrics.kernel_distance(x[:7], y, paired=True)
    assert paired == pytest.approx(within_seven + within_y - 2 * pairs_left_out)


def test_pairs_left_out_of_a_kernel_distance_leave_no_bias() -> None:
    draw = np.random.default_rng(5)
    truth = 3 * draw.normal(size=(200, 20, 16))
    nearly = truth + 0.1 * draw.normal(size=truth.shape)
    distances = [
        [metrics.kernel_distance(a, b, paired=paired) for a, b in zip(truth, nearly, strict=True)]
        for paired in (False, True)
    ]
    spread = np.std(distances[1]) / np.sqrt(200)
    assert abs(np.mean(distances[1])) < 3 * spread
    assert np.mean(distances[0]) < -10 * spread


def test_bootstrap_interval_agrees_with_the_normal_one_and_repeats() -> None:
    from scipy import stats

    values = np.random.default_rng(1).normal(10, 2, size=400)
    low, high = metrics.bootstrap_interval(values)
    half = 1.96 * values.std(ddof=1) / np.sqrt(400)
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.03)
    assert metrics.bootstrap_interval(values) == (low, high)
    assert metrics.bootstrap_interval(values, seed=2) != (low, high)
    oracle = stats.bootstrap((values,), np.mean, method="percentile", rng=np.random.default_rng(9))
    assert (low, high) == pytest.approx(tuple(oracle.confidence_interval), abs=0.03)


def test_bootstrap_resamples_pairs_together() -> None:
    truth = np.random.default_rng(4).uniform(10, 60, size=200)
    low, high = metrics.bootstrap_interval(np.stack([truth * 0.8, truth], -1), metrics.ratio_of_means)
    assert (low, high) == pytest.approx((0.8, 0.8))


def test_jackknife_intervals_agree_with_the_normal_one_for_a_mean() -> None:
    values = np.random.default_rng(6).normal(10, 2, size=400)
    ((low, high),) = metrics.jackknife_intervals(lambda kept: values[kept].mean()[None], 400, groups=200)
    half = 1.96 * values.std(ddof=1) / 20
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.02)


def test_jackknife_intervals_of_a_distance_narrow_with_more_pictures() -> None:
    draw = np.random.default_rng(6)
    x = draw.normal(size=(400, 6))
    y = x * 1.3 + draw.normal(0.4, 0.2, size=(400, 6))

    def distances(kept: np.ndarray) -> np.ndarray:
        return np.array([metrics.frechet_distance(x[kept], y[kept]), metrics.kernel_distance(x[kept], y[kept])])

    wide, narrow = metrics.jackknife_intervals(distances, 40), metrics.jackknife_intervals(distances, 400)
    for k in range(2):
        assert wide[k][0] < distances(np.arange(40))[k] < wide[k][1]
        assert narrow[k][1] - narrow[k][0] < 0.6 * (wide[k][1] - wide[k][0])
    assert np.isnan(metrics.jackknife_intervals(distances, 3)).all()


def test_correlations_agree_with_scipy_ties_included() -> None:
    from scipy import stats

    draw = np.random.default_rng(7)
    x = draw.integers(0, 12, size=300).astype(float)
    y = np.exp(-x / 4) + draw.normal(0, 0.2, size=300)
    assert metrics.pearson(x, y) == pytest.approx(stats.pearsonr(x, y).statistic)
    assert metrics.spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic)
    assert np.isnan(metrics.spearman(np.ones(5), np.arange(5.0)))


def test_reliability_curve_falls_when_confidence_is_worth_something() -> None:
    confidence = np.linspace(0, 1, 1000)
    points = metrics.reliability_curve(confidence[::-1], 20 * (1 - confidence[::-1]))
    assert [p["count"] for p in points] == [100.0] * 10
    errors = [p["error"] for p in points]
    assert errors == sorted(errors, reverse=True)
    assert points[0]["confidence"] == pytest.approx(0.05, abs=0.01)


def test_relit_puts_the_prediction_under_the_true_lightness(photo: np.ndarray) -> None:
    dark = np.rint(photo * 0.6).astype(np.uint8)
    moved = skimage.color.rgb2lab(metrics.relit(photo, dark))
    np.testing.assert_allclose(moved[..., 0], skimage.color.rgb2lab(photo)[..., 0], atol=3.5)
    assert abs(moved[..., 0] - skimage.color.rgb2lab(photo)[..., 0]).mean() < 0.05


def test_relighting_measures_the_colours_not_the_degradation(photo: np.ndarray) -> None:
    lab = skimage.color.rgb2lab(photo)
    lab[..., 0] = 20 + 0.7 * lab[..., 0]
    lifted = skimage.color.lab2rgb(lab)
    plain, moved = metrics.score_pair(photo, lifted), metrics.score_pair(photo, lifted, relight=True)
    assert moved["psnr"] > plain["psnr"] + 10
    assert moved["colorfulness_difference"] < plain["colorfulness_difference"]
    assert moved["ciede2000"] == plain["ciede2000"]
    assert moved == metrics.score_pair(metrics.Reference.of(photo), lifted, relight=True)
    assert moved["psnr"] == metrics.psnr(photo, metrics.relit(photo, lifted))


def test_pairs_of_different_sizes_are_refused(photo: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"\(200, 220, 3\) and \(200, 219, 3\)"):
        metrics.score_pair(photo, photo[:, 1:])


@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize("shape", [(1, 1), (2, 80), (12, 12)])
def test_degenerate_pictures_give_finite_scores(value: int, shape: tuple[int, int]) -> None:
    flat = np.full((*shape, 3), value, np.uint8)
    scores = metrics.score_pair(flat, 255 - flat)
    assert all(np.isfinite(v) for v in scores.values())
