"""What is asked, what answers become, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from photochrom import (
    ColorizeOptions,
    FakeEngine,
    Hint,
    ModelError,
    ModelSpec,
    OptionError,
    Photo,
    open_photo,
    read_hints,
)
from photochrom.cli.app import run
from photochrom.errors import EXIT_OK, EXIT_SOME_FAILED
from photochrom.questions.answers import hints_of
from photochrom.questions.asking import Question, ask
from photochrom.questions.choices import Choice
from photochrom.questions.page import as_picture

BINS = ((60.0, 40.0), (-50.0, 45.0), (10.0, -60.0), (0.0, 0.0))


class Doubting(FakeEngine):
    """A net that is torn between red and green where it is dark, between blue and grey where it is bright, and sure
    between; told a hint, it is sure wherever the tone is that of the hint."""

    @property
    def spec(self) -> ModelSpec:
        return super().spec.model_copy(update={"bins_ab": BINS, "bin_shares": (0.25,) * 4})

    def run(self, inputs: Mapping[str, Any], outputs: Sequence[str]) -> dict[str, Any]:
        luma = np.asarray(inputs["luma"])[:, :, ::2, ::2]
        dark, bright = luma < 0.35, luma > 0.65
        logits = np.concatenate([dark * 4.0, dark * 3.9, bright * 4.0, ~dark * np.where(bright, 3.9, 9.0)], axis=1)
        hints = inputs.get("hints")
        if hints is not None and hints[:, 2].any():
            told = luma[hints[:, 2:, ::2, ::2] > 0]
            logits = np.where(np.abs(luma - told.mean()) < 0.1, [[[[9]], [[0]], [[0]], [[0]]]], logits)
        known = {"logits": logits.astype(np.float32), "confidence": np.ones_like(luma)}
        known["ab"] = np.repeat(np.zeros_like(luma), 2, axis=1)
        return {name: known[name] for name in outputs}


def scene() -> Photo:
    """Return a picture with a large dark thing, a smaller, bright one, and a sure ground."""
    tone = np.full((160, 240), 128, dtype=np.uint8)
    tone[40:100, 40:100] = 50
    tone[50:90, 180:220] = 220
    return Photo(tone[..., None])


def test_what_is_unsure_and_large_is_asked_first_and_what_is_sure_is_not() -> None:
    questions = ask(scene(), Doubting(hears=True), 9)
    lumas = [int(scene().pixels[int(y * 160), int(x * 240), 0]) for x, y in (question.point for question in questions)]
    assert lumas[0] == 50
    assert {choice.ab for choice in questions[0].choices[:2]} == {BINS[0], BINS[1]}
    bright = lumas.index(220)
    assert bright < 4
    assert {choice.ab for choice in questions[bright].choices[:2]} == {BINS[2], BINS[3]}
    assert all(question.removed < 0.05 for question, luma in zip(questions, lumas, strict=True) if luma == 128)


def test_the_likeliest_choice_comes_first_and_choices_are_two_to_four() -> None:
    for question in ask(scene(), Doubting(hears=True), 9):
        shares = [choice.share for choice in question.choices]
        assert shares == sorted(shares, reverse=True)
        assert 2 <= len(shares) <= 4
        assert [choice.letter for choice in question.choices] == list("abcd")[: len(shares)]


def test_questions_are_the_same_each_time_however_many_are_wanted() -> None:
    engine = Doubting(hears=True)
    assert ask(scene(), engine, 1) == ask(scene(), engine, 5)[:1]


def test_what_has_been_told_is_not_asked_again() -> None:
    engine = Doubting(hears=True)
    first = ask(scene(), engine, 1)[0]
    again = ask(scene(), engine, 1, [Hint(point=first.point, color="red")])[0]
    assert scene().pixels[int(again.point[1] * 160), int(again.point[0] * 240), 0] == 220


def test_questions_are_about_the_tones_in_which_the_photograph_will_be_shown_to_the_net() -> None:
    faded = Photo((scene().pixels // 4 + 100).astype(np.uint8))  # 112, 132 and 155: all of them sure, unless stretched
    assert ask(faded, Doubting(hears=True), 3)[0].choices[0].ab in BINS[:3]
    as_it_is = ask(faded, Doubting(hears=True), 3, options=ColorizeOptions(normalize_tone=False))
    assert all(question.choices[0].ab == BINS[3] for question in as_it_is)


def test_a_blank_picture_raises_no_question() -> None:
    assert ask(Photo(np.full((64, 64, 1), 90, dtype=np.uint8)), Doubting(hears=True), 5) == []


@pytest.mark.parametrize("engine", [FakeEngine(hears=True), Doubting()])
def test_models_without_doubts_or_ears_say_so(engine: FakeEngine) -> None:
    with pytest.raises(ModelError, match=r"no doubts|cannot take hints"):
        ask(scene(), engine, 5)


RED = Choice("a", "#aa0000", "darkred", (60.0, 40.0), 0.6)
QUESTIONS = [Question(1, (0.25, 0.5), (0, 0, 1, 1), 0.3, 0.5, (RED, replace(RED, letter="b", ab=(-50.0, 45.0))))]


def test_answers_by_letter_and_by_colour_become_hints() -> None:
    assert hints_of(["1=B"], QUESTIONS) == [Hint(point=(0.25, 0.5), color=(-50.0, 45.0), reach=0.15)]
    assert hints_of(["1=#6b8e23"], QUESTIONS) == [Hint(point=(0.25, 0.5), color="#6b8e23")]


@pytest.mark.parametrize(
    ("answers", "line"),
    [
        (["b"], "is not NUMBER=ANSWER"),
        (["2=b"], r"no question 2\. Questions are 1 to 1"),
        (["1=c"], r"no choice 'c'\. Choose a, b"),
        (["1=a", "1=b"], "answered twice"),
        (["1=gren"], "Did you mean 'green'"),
    ],
)
def test_answers_that_cannot_be_meant_are_one_line(answers: list[str], line: str) -> None:
    with pytest.raises(OptionError, match=line):
        hints_of(answers, QUESTIONS)


def test_the_picture_of_questions_shows_their_colours() -> None:
    shown = as_picture(QUESTIONS, scene())
    assert shown.pixels.shape == (160, 240, 3)
    assert (shown.pixels == [0xAA, 0, 0]).all(axis=-1).sum() > 20


@pytest.mark.slow
def test_on_the_command_line_questions_are_printed_and_answers_written(
    tmp_path: Path, hearing_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, page, picture = tmp_path / "photo.png", tmp_path / "q.json", tmp_path / "q.png"
    Image.fromarray(scene().pixels[..., 0]).save(path)
    base = ["ask", str(path), "--model", str(hearing_model)]
    assert run([*base, "--count", "2", "--json", str(page), "--picture", str(picture)]) == EXIT_OK
    questions = json.loads(page.read_text())["questions"]
    told = capsys.readouterr().out
    assert told.count("Which colour is it") == len(questions) > 0
    assert "--answer 1=a" in told.splitlines()[-1]
    assert open_photo(picture).width == 240
    assert run([*base, "--answer", "1=a"]) == EXIT_OK
    hints = read_hints(tmp_path / "photo.hints.json", open_photo(path)).hints
    assert list(hints[0].ab) == questions[0]["choices"][0]["ab"]
    assert run([*base, "--answer", "1=b"]) == EXIT_SOME_FAILED
    assert "exists already" in capsys.readouterr().err
    out = tmp_path / "out.png"
    colour = ["colorize", str(path), "-o", str(out), "--model", str(hearing_model)]
    assert run([*colour, "--hints", str(tmp_path / "photo.hints.json")]) == EXIT_OK
    assert out.exists()


@pytest.mark.slow
def test_the_page_that_is_asked_about_is_told_and_names_are_shown_harmless(
    tmp_path: Path, hearing_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, page = tmp_path / "two.tif", Image.fromarray(scene().pixels[..., 0])
    page.save(path, save_all=True, append_images=[page])
    assert run(["ask", str(path), "--model", str(hearing_model), "--count", "1"]) == EXIT_OK
    assert "two.tif: page 1 of 2" in capsys.readouterr().out.splitlines()[-1]
    Image.new("L", (64, 64)).save(tmp_path / "a\x1bb.png")
    assert run(["ask", str(tmp_path / "a\x1bb.png"), "--model", str(hearing_model)]) == EXIT_OK
    assert capsys.readouterr().out.endswith("a\\x1bb.png: nothing worth asking\n")
