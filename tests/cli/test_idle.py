"""An option that would do nothing is told, before anything is read or written, in one line with what to do."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photochrom.cli.app import run
from photochrom.errors import EXIT_OK, EXIT_USAGE
from photochrom.files.reading import open_photo
from tests.albums.test_batch import write
from tests.files.makers import textured

STAGES_OFF = ["--noise", "never", "--tone", "never"]
NEVER = "does nothing with --{} never. Leave out one of the two"
BATCH = "needs --restore or --only-restore. Add --restore or --only-restore"
ONLY = "does nothing with --only-restore. Leave out one of the two"
FILMS = "needs --films. Add --films"
ALONE = "needs --restore. Add --restore"
SIZE = "does nothing with --size. Leave out one of the two"
STILLS = "does nothing with films. Leave it out: it is for photographs"

WITHOUT_MODEL = "measures models, and --pairs alone has none. Add --model, or leave it out"
EXPORTED = "does nothing with --export-page. Leave out one of the two"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path / "a.png", 1)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["colorize", "a.png", "--keep-mask"], f"--keep-mask: {ALONE}"),
        (["colorize", "a.png", "--noise-strength", "0.5"], f"--noise-strength: {ALONE}"),
        (
            ["colorize", "a.png", "--keep-hints"],
            "--keep-hints: needs --hints or --reference. Add one, or leave it out",
        ),
        (["colorize", "a.png", "--size", "64", "--render-factor", "10"], f"--render-factor: {SIZE}"),
        (["colorize", "a.png", "--size", "64", "--max-memory", "900"], f"--max-memory: {SIZE}"),
        (["colorize", "a.png", "--size", "64", "--classic"], f"--classic: {SIZE}"),
        (
            ["colorize", "a.png", "--classic", "--warmth", "20"],
            "--warmth: does nothing with --classic. Leave out one of the two",
        ),
        (
            ["colorize", "a.png", "--alternatives", "3", "--alternative", "2"],
            "--alternatives: does nothing with --alternative. Leave out one of the two",
        ),
        (
            ["colorize", "a.png", "--restore", "--noise", "never", "--noise-strength", "0.5"],
            f"--noise-strength: {NEVER.format('noise')}",
        ),
        (
            ["restore", "a.png", "--noise", "never", "--noise-strength", "0.5"],
            f"--noise-strength: {NEVER.format('noise')}",
        ),
        (["restore", "a.png", "--tone", "never", "--correct-cast"], f"--correct-cast: {NEVER.format('tone')}"),
        (["restore", "a.png", "--damage", "never", "--keep-mask"], f"--keep-mask: {NEVER.format('damage')}"),
        (["restore", "a.png", "--damage", "never", "--fill-writing"], f"--fill-writing: {NEVER.format('damage')}"),
        (
            ["restore", "a.png", "--damage", "never", "--mask", "a.png", "--fill-writing"],
            f"--fill-writing: {NEVER.format('damage')}",
        ),
        (["ask", "a.png", "-o", "z.hints.json"],
         "--output z.hints.json: is for answers. Add --answer NUMBER=LETTER, or use --json for the questions"),
        (
            ["degrade", "a.png", "--mask-out", "m.png", "--quality", "3"],
            "--quality: needs --output. Add --output",
        ),
        (
            ["degrade", "a.png", "--sheet", "s.png", "--no-keep-metadata"],
            "--no-keep-metadata: needs --output. Add --output",
        ),
        (
            ["degrade", "a.png", "--sheet", "s.png", "--preset", "film"],
            "--preset: a sheet shows all of them. Add --output or --mask-out",
        ),
        (
            ["models", "pull", "deoldify-artistic", "--index-key", "absent.pem"],
            "--index-key: needs --index. Add --index FILE or address",
        ),
        (
            ["models", "pull", "x", "--index", "absent.json", "--keep-download"],
            "--keep-download: does nothing with --index. Leave out one of the two",
        ),
        (["film", "a.mp4", "-o", "b.mp4", "--alternatives", "3"], f"--alternatives: {STILLS}"),
        (["film", "a.mp4", "-o", "b.mp4", "--uncertainty"], f"--uncertainty: {STILLS}"),
        (["film", "a.mp4", "-o", "b.mp4", "--classic"], f"--classic: {STILLS}"),
        (
            ["film", "a.mp4", "-o", "b.mp4", "--colored", "recolor"],
            "--colored: does nothing with films. Use --recolor for a film in colour",
        ),
        (["film", "a.mp4", "-o", "b.mp4", "--size", "64", "--render-factor", "9"], f"--render-factor: {SIZE}"),
        (["evaluate", "--pairs", ".", ".", "--report", "r", "--hints", "1"], f"--hints: {WITHOUT_MODEL}"),
        (["evaluate", "--pairs", ".", ".", "--report", "r", "--reliability"], f"--reliability: {WITHOUT_MODEL}"),
        (["studio", ".", "--export-page", "p"], f"FOLDER: {EXPORTED}"),
        (["studio", "--export-page", "p", "--no-browser"], f"--no-browser: {EXPORTED}"),
        (["studio", "--export-page", "p", "--port", "8460"], f"--port: {EXPORTED}"),
        (["studio", "--export-page", "p", "--workers", "3"], f"--workers: {EXPORTED}"),
        (["studio", "--export-page", "p", "--threads", "1"], f"--threads: {EXPORTED}"),
        (["studio", "--export-page", "p", "--max-pixels", "9999"], f"--max-pixels: {EXPORTED}"),
    ],
)  # fmt: skip
def test_options_that_would_do_nothing_are_wrong_usage(
    words: list[str], expected: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == EXIT_USAGE
    assert capsys.readouterr().err == f"photochrom: {expected}\n"
    assert [path.name for path in folder.iterdir()] == ["a.png"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--damage", "never"], f"--damage: {BATCH}"),
        (["--noise", "always"], f"--noise: {BATCH}"),
        (["--neutralize"], f"--neutralize: {BATCH}"),
        (["--restore", "--tone", "never", "--tone-strength", "0.5"], f"--tone-strength: {NEVER.format('tone')}"),
        (["--only-restore", "--vividness", "2"], f"--vividness: {ONLY}"),
        (["--only-restore", "--alternatives", "3"], f"--alternatives: {ONLY}"),
        (["--only-restore", "--no-normalize-tone"], f"--no-normalize-tone: {ONLY}"),
        (["--only-restore", "--film.crf", "10"], f"--film.crf: {FILMS}"),
        (["--film.restore"], f"--film.restore: {FILMS}"),
        (["--size", "64", "--render-factor", "9"], f"--render-factor: {SIZE}"),
    ],
)
def test_batch_says_which_options_would_do_nothing(
    options: list[str], expected: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pyarrow", reason="the extra cluster")
    assert run(["batch", str(folder), str(folder / "out"), *options]) == EXIT_USAGE
    assert capsys.readouterr().err == f"photochrom: {expected}\n"
    assert not (folder / "out").exists()


def test_films_of_an_album_are_replaced_as_its_photographs_are(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for extra in ("pyarrow", "av", "cv2"):
        pytest.importorskip(extra)
    assert run(["batch", str(folder), str(folder / "out"), "--films", "--film.overwrite"]) == EXIT_USAGE
    assert capsys.readouterr().err == (
        "photochrom: --film.overwrite: is said for photographs and films at once. Use --overwrite\n"
    )


@pytest.mark.parametrize("option", ["--certificate", "--private-key"])
@pytest.mark.usefixtures("folder")
def test_degrade_has_no_option_that_it_does_not_heed(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["degrade", "a.png", "-o", "z.png", option, "/nonexistent.pem"]) == EXIT_USAGE
    assert f"Unknown option: {option}" in capsys.readouterr().err
    assert not Path("z.png").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
def test_degrade_heeds_the_others() -> None:
    dust = ["degrade", "a.png", "--kind", "dust", "-q", "-o"]
    assert run([*dust, "rough.jpg", "--quality", "5"]) == EXIT_OK
    assert run([*dust, "fine.jpg", "--quality", "99"]) == EXIT_OK
    assert Path("rough.jpg").stat().st_size < Path("fine.jpg").stat().st_size
    assert run([*dust, "marked.png", "--mark", "old"]) == EXIT_OK
    assert run([*dust, "bare.png"]) == EXIT_OK
    assert not np.array_equal(open_photo("marked.png").pixels, open_photo("bare.png").pixels)


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
def test_no_strength_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    from photochrom.degradation import sheet

    asked: list[float] = []

    def drawn(*_: object, strength: float, **_given: object) -> np.ndarray:
        asked.append(strength)
        return np.zeros((8, 8, 3), np.uint8)

    monkeypatch.setattr(sheet, "contact_sheet", drawn)
    for number, words in enumerate((["--kind", "dust", "--strength", "0"], ["--kind", "dust"], [])):
        assert run(["degrade", "a.png", "--sheet", f"{number}.png", *words, "-q"]) == EXIT_OK
    assert asked == [0, 0.8, 0.8]


@pytest.mark.slow
def test_questions_are_written_beside_answers(
    folder: Path, hearing_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(textured()[..., 0]).save(folder / "photo.png")
    base = ["ask", "photo.png", "--model", str(hearing_model), "--count", "2"]
    assert run([*base, "--json", "alone.json"]) == EXIT_OK
    capsys.readouterr()
    assert run([*base, "--answer", "1=a", "--json", "q.json", "--picture", "q.png"]) == EXIT_OK
    assert capsys.readouterr().out == "photo.hints.json: 1 hint\n"
    assert json.loads((folder / "q.json").read_text()) == json.loads((folder / "alone.json").read_text())
    assert open_photo(folder / "q.png").width > 0


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
def test_what_does_something_is_not_refused(tiny_model: Path) -> None:
    """A mask drawn by hand is filled and can be kept, whatever the damage stage is told."""
    from photochrom.cli.idle import refuse_idle_looks, refuse_idle_stages
    from photochrom.options import ColorizeOptions, RestoreOptions

    refuse_idle_stages(RestoreOptions(damage="never", keep_mask=True, inpaint_model="x"), drawn=True)
    refuse_idle_stages(RestoreOptions(noise="always", noise_strength=0.5, tone="never", neutralize=True))
    refuse_idle_looks(ColorizeOptions(render_factor=10, max_memory=900))
    assert run(["colorize", "a.png", "--model", str(tiny_model), "--size", "64", "-q"]) == EXIT_OK


@pytest.mark.usefixtures("folder")
def test_labels_that_no_figure_needs_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    Path("labels.csv").write_text("a.png,7\n")
    words = ["evaluate", ".", "--report", "r", "--labels", "labels.csv", "--no-features", "--model", "absent"]
    assert run(words) == EXIT_USAGE
    assert capsys.readouterr().err == (
        "photochrom: --labels: does nothing with --no-features. Leave out one of the two\n"
    )
    assert not Path("r").exists()


def test_the_studio_takes_a_free_port_whatever_else_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from photochrom.errors import OptionError
    from photochrom.studio import security
    from photochrom.studio.options import ServerOptions

    seen: list[ServerOptions] = []

    def stop(options: ServerOptions) -> str:
        seen.append(options)
        raise OptionError("enough")

    monkeypatch.setattr(security, "token_of", stop)
    for words in ([], ["--workers", "3"], ["--port", "8460"]):
        assert run(["studio", "--no-browser", *words]) == EXIT_USAGE
    assert [(options.port, options.workers) for options in seen] == [(0, 2), (0, 3), (8460, 2)]
